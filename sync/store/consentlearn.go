package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/twiliosf/twiliosf/sync/consent"
	"github.com/twiliosf/twiliosf/sync/message"
)

// learnRows is how many rows of the org's are taken in at once, so that a webhook
// never waits for those of a mass update.
const learnRows = 200

// Learn implements consent.Register. What is no news is found without a writing
// transaction, for a poll shows the rows of the last minutes again and again.
func (s *Store) Learn(ctx context.Context, rows []message.OptIn) error {
	said, err := s.newRows(ctx, rows)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(said, learnRows) {
		if err := s.Tx(ctx, func(tx *sql.Tx) error { return s.say(ctx, tx, some, replace) }); err != nil {
			return err
		}
	}
	return nil
}

// newRows are the statements of rows that say something new, or something else
// than the register.
func (s *Store) newRows(ctx context.Context, rows []message.OptIn) ([]consent.Statement, error) {
	type state struct {
		at     int64
		active bool
	}
	var said []consent.Statement
	for chunk := range slices.Chunk(rows, lookupRows) {
		args := make([]any, len(chunk))
		for i := range chunk {
			args[i] = consent.Shown(&chunk[i]).ID
		}
		known := map[string]state{}
		if err := s.each(ctx, s.read, func(r *sql.Rows) error {
			var id string
			var was state
			err := r.Scan(&id, &was.at, &was.active)
			known[id] = was
			return err
		}, `SELECT s.id, s.at, s.active FROM consent_statements AS s JOIN consent AS c ON c.number = s.number AND c.keyword = s.keyword
WHERE c.active = s.active AND s.id IN (`+placeholders(len(chunk))+`)`, args...); err != nil {
			return nil, err
		}
		for i := range chunk {
			x := consent.Shown(&chunk[i])
			if was, ok := known[x.ID]; !ok || was != (state{unix(x.At), x.Active}) {
				said = append(said, x)
			}
		}
	}
	return said, nil
}

// Moved implements consent.Register.
func (s *Store) Moved(ctx context.Context, number message.Number, at time.Time) error {
	return s.Tx(ctx, func(tx *sql.Tx) error {
		return s.say(ctx, tx, []consent.Statement{consent.Left(number, at)}, ifNew)
	})
}

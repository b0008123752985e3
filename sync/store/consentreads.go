package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twiliosf/twiliosf/sync/consent"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Consent answers the register's rows of a number.
func (s *Store) Consent(ctx context.Context, number message.Number) ([]message.OptIn, error) {
	rows, err := s.consentRows(ctx, s.read, consent.Subject(number))
	return slices.SortedFunc(maps.Values(rows), func(a, b message.OptIn) int { return cmp.Compare(a.Key, b.Key) }), err
}

// Allowed implements consent.Register.
func (s *Store) Allowed(ctx context.Context, numbers []message.Number, keyword string) (map[message.Number]bool, error) {
	return s.allowed(ctx, s.read, numbers, keyword)
}

// allowed is Allowed in whatever transaction decides by it: one that commits an
// intent to send asks here, on the one writing connection, and so knows every
// STOP that has committed before it (P6).
func (s *Store) allowed(ctx context.Context, q queryer, numbers []message.Number, keyword string) (map[message.Number]bool, error) {
	closed, joined := map[message.Number]bool{}, map[message.Number]bool{}
	for chunk := range slices.Chunk(numbers, lookupRows) {
		args := make([]any, 0, len(chunk)+1)
		for _, n := range chunk {
			args = append(args, string(consent.Subject(n)))
		}
		err := s.each(ctx, q, func(r *sql.Rows) error {
			var number message.Number
			var of string
			var active bool
			if err := r.Scan(&number, &of, &active); err != nil {
				return err
			}
			if of == "" {
				closed[number] = !active
			} else {
				joined[number] = active
			}
			return nil
		}, `SELECT number, keyword, active FROM consent WHERE number IN (`+placeholders(len(chunk))+`) AND keyword IN ('', ?)`, append(args, keyword)...)
		if err != nil {
			return nil, err
		}
	}
	may := make(map[message.Number]bool, len(numbers))
	for _, n := range numbers {
		of := consent.Subject(n)
		may[n] = n != "" && !closed[of] && (keyword == "" || joined[of])
	}
	return may, nil
}

// Begun implements consent.Progress.
func (s *Store) Begun(ctx context.Context, now time.Time) (time.Time, error) {
	var at int64
	err := s.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := s.exec(ctx, tx, `UPDATE consent_filled SET began = ? WHERE began = 0`, now.Unix()); err != nil {
			return err
		}
		return s.one(ctx, tx, `SELECT began FROM consent_filled`, nil, &at)
	})
	return fromUnix(at), err
}

// Filled implements consent.Progress.
func (s *Store) Filled(ctx context.Context) (place string, done bool, err error) {
	err = s.one(ctx, s.read, `SELECT place, done FROM consent_filled`, nil, &place, &done)
	return place, done, err
}

// Fill implements consent.Progress. What a crash in between leaves undone is done
// again, for the place moves last.
func (s *Store) Fill(ctx context.Context, rows []message.OptIn, place string, done bool) error {
	if err := s.Learn(ctx, rows); err != nil {
		return err
	}
	_, err := s.exec(ctx, s.write, `UPDATE consent_filled SET place = ?, done = ?`, place, done)
	return err
}

// Keywords implements consent.Keywords.
func (s *Store) Keywords(ctx context.Context) ([]consent.Keyword, error) {
	var all []consent.Keyword
	err := s.each(ctx, s.read, func(r *sql.Rows) error {
		var k consent.Keyword
		if err := r.Scan(&k.ID, &k.Word, &k.Reply, &k.Campaign); err != nil {
			return err
		}
		all = append(all, k)
		return nil
	}, `SELECT id, word, reply, campaign FROM consent_keywords ORDER BY id`)
	return all, err
}

// KeepKeywords implements consent.Keywords.
func (s *Store) KeepKeywords(ctx context.Context, all []consent.Keyword) error {
	return s.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := s.exec(ctx, tx, `DELETE FROM consent_keywords`); err != nil {
			return err
		}
		for _, k := range all {
			if _, err := s.exec(ctx, tx, `INSERT INTO consent_keywords (id, word, reply, campaign) VALUES (?, ?, ?, ?)`,
				k.ID, k.Word, k.Reply, k.Campaign); err != nil {
				return fmt.Errorf("keep a keyword: %w", err)
			}
		}
		return nil
	})
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

const (
	changedSQL = `SELECT seq, attempts, written = 0, payload FROM messages WHERE seq > ? AND retry_at <= ? ORDER BY seq LIMIT ?`
	nextDueSQL = `SELECT COALESCE(MIN(retry_at), 0) FROM messages WHERE retry_at > 0`
)

// Changed implements mirror.Changes.
func (s *Store) Changed(ctx context.Context, after mirror.Seq, now time.Time, limit int) ([]mirror.Change, error) {
	changes := make([]mirror.Change, 0, limit)
	var payload sql.RawBytes
	err := s.each(ctx, s.read, func(r *sql.Rows) error {
		c := mirror.Change{Message: &message.Message{}}
		if err := r.Scan(&c.Seq, &c.Attempts, &c.New, &payload); err != nil {
			return err
		}
		if err := json.Unmarshal(payload, c.Message); err != nil {
			return fmt.Errorf("a message's payload cannot be read (change %d): %w", c.Seq, err)
		}
		changes = append(changes, c)
		return nil
	}, changedSQL, int64(after), now.Unix(), limit)
	return changes, err
}

// NextDue implements mirror.Changes.
func (s *Store) NextDue(ctx context.Context) (time.Time, error) {
	var at int64
	err := s.one(ctx, s.read, nextDueSQL, nil, &at)
	return fromUnix(at), err
}

// Written implements mirror.Changes.
func (s *Store) Written(ctx context.Context, changes []mirror.Seq) (map[mirror.Seq]bool, error) {
	args := make([]any, len(changes))
	for i, c := range changes {
		args[i] = int64(c)
	}
	written := map[mirror.Seq]bool{}
	err := s.each(ctx, s.read, func(r *sql.Rows) error {
		var seq mirror.Seq
		var is bool
		err := r.Scan(&seq, &is)
		written[seq] = is
		return err
	}, `SELECT seq, written FROM messages WHERE seq IN (`+placeholders(len(args))+`)`, args...)
	return written, err
}

// Settle implements mirror.Changes. A row is addressed by its change: one that
// changed again meanwhile has another number and stays queued. What follows from
// the first writing of a message is queued together with it.
func (s *Store) Settle(ctx context.Context, settled []mirror.Settlement) error {
	return s.Tx(ctx, func(tx *sql.Tx) error {
		written, late := make([]any, 0, len(settled)), []any(nil)
		var first []*mirror.Change // of those written
		for i := range settled {
			c := &settled[i]
			var err error
			switch {
			case c.Refusal != nil:
				err = s.refuse(ctx, tx, *c)
			case !c.RetryAt.IsZero():
				_, err = s.exec(ctx, tx, `UPDATE messages SET retry_at = ?, attempts = attempts + 1 WHERE seq = ?`,
					c.RetryAt.Unix(), int64(c.Change.Seq))
			case c.Change.Attempts > 0:
				late = append(late, int64(c.Change.Seq))
			default:
				written = append(written, int64(c.Change.Seq))
			}
			if err != nil {
				return err
			}
			if c.Change.New && c.Refusal == nil && c.RetryAt.IsZero() {
				first = append(first, &c.Change)
			}
		}
		follow, err := s.following(ctx, tx, first)
		if err != nil {
			return err
		}
		nLate, err := s.written(ctx, tx, late, lateSQL)
		if err != nil {
			return err
		}
		n, err := s.written(ctx, tx, written, writtenSQL)
		if err != nil {
			return err
		}
		if n+nLate < len(written)+len(late) {
			if err := s.overtaken(ctx, tx, first); err != nil {
				return err
			}
		}
		return errors.Join(s.hear(ctx, tx, settled), s.follow(ctx, tx, follow))
	})
}

// following is what follows from records that were made: their media. A change
// that was handed over before the one ahead of it was settled is no first one.
func (s *Store) following(ctx context.Context, tx *sql.Tx, first []*mirror.Change) ([]message.FollowUp, error) {
	var follow []message.FollowUp
	for _, c := range first {
		if c.Message.Media == 0 {
			continue
		}
		before := false // unless it is found elsewhere: its time of creation may have been put right
		err := s.one(ctx, tx, `SELECT written FROM messages WHERE created_at = ? AND sid = ?`, []any{unix(c.Message.Created), string(c.Message.SID)}, &before)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		if !before {
			follow = append(follow, message.FollowUp{Kind: message.FollowMedia, Key: string(c.Message.SID)})
		}
	}
	return follow, nil
}

// overtaken marks the rows of records that were made and have changed meanwhile.
func (s *Store) overtaken(ctx context.Context, tx *sql.Tx, first []*mirror.Change) error {
	if len(first) == 0 {
		return nil
	}
	// The newer change has a higher number, and perhaps another time of creation.
	sids, oldest := []any{0}, mirror.Seq(math.MaxInt64)
	for _, c := range first {
		sids, oldest = append(sids, string(c.Message.SID)), min(oldest, c.Seq)
	}
	sids[0] = int64(oldest)
	_, err := s.exec(ctx, tx, `UPDATE messages SET written = 1 WHERE seq > ? AND written = 0 AND sid IN (`+placeholders(len(first))+`)`, sids...)
	return err
}

// writtenSQL is for what was written at the first attempt: the fewer columns it
// names, the fewer indexes are looked at. The text stays while the status may
// change, so that a status callback alone makes a whole record.
var writtenSQL = byRows(lookupRows, func(n int) string {
	return `UPDATE messages SET seq = NULL, waiting_since = NULL, written = 1, payload = CASE WHEN open = 1 THEN payload END WHERE seq IN (` + placeholders(n) + `)`
})

// lateSQL is for what was put off before.
func lateSQL(n int) string {
	return `UPDATE messages SET seq = NULL, waiting_since = NULL, written = 1, payload = CASE WHEN open = 1 THEN payload END, retry_at = 0, attempts = 0
WHERE seq IN (` + placeholders(n) + `)`
}

// written answers how many rows there were.
func (s *Store) written(ctx context.Context, tx *sql.Tx, seqs []any, query func(n int) string) (int, error) {
	rows := 0
	for start := 0; start < len(seqs); start += lookupRows {
		chunk := seqs[start:min(start+lookupRows, len(seqs))]
		res, err := s.exec(ctx, tx, query(len(chunk)), chunk...)
		if err != nil {
			return 0, err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return 0, err
		}
		rows += int(n)
	}
	return rows, nil
}

func (s *Store) refuse(ctx context.Context, tx *sql.Tx, c mirror.Settlement) error {
	why, err := json.Marshal(c.Refusal)
	if err != nil {
		return fmt.Errorf("store: encode a refusal: %w", err)
	}
	_, err = s.exec(ctx, tx, `UPDATE messages SET seq = NULL, waiting_since = NULL, retry_at = 0, attempts = 0, refusal = ? WHERE seq = ?`,
		string(why), int64(c.Change.Seq))
	return err
}

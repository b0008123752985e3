package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/twiliosf/twiliosf/sync/outbox"
)

// Ready implements outbox.Lines.
func (b Outbox) Ready(ctx context.Context, sender string, now time.Time, limit int) ([]outbox.Attempt, error) {
	return b.s.attempts(ctx, b.s.read, `WHERE state = 'ready' AND sender = ? AND due_at <= ? ORDER BY due_at, n LIMIT ?`, sender, milli(now), limit)
}

// NextReady implements outbox.Lines.
func (b Outbox) NextReady(ctx context.Context, sender string) (time.Time, bool, error) {
	return b.next(ctx, `SELECT MIN(due_at) FROM outbox WHERE state = 'ready' AND sender = ?`, sender)
}

// Senders implements outbox.Lines.
func (b Outbox) Senders(ctx context.Context) ([]string, error) {
	var all []string
	err := b.s.each(ctx, b.s.read, func(r *sql.Rows) error {
		var sender string
		err := r.Scan(&sender)
		all = append(all, sender)
		return err
	}, `SELECT DISTINCT sender FROM outbox WHERE state = 'ready'`)
	return all, err
}

// Unwritten implements outbox.Results.
func (b Outbox) Unwritten(ctx context.Context, now time.Time, limit int) ([]outbox.Attempt, error) {
	return b.s.attempts(ctx, b.s.read, `WHERE write_at <= ? ORDER BY write_at, n LIMIT ?`, milli(now), limit)
}

// NextUnwritten implements outbox.Results.
func (b Outbox) NextUnwritten(ctx context.Context) (time.Time, bool, error) {
	return b.next(ctx, `SELECT MIN(write_at) FROM outbox WHERE write_at IS NOT NULL`)
}

// Written implements outbox.Results. What has changed since it was read is written
// once more.
func (b Outbox) Written(ctx context.Context, all []outbox.Writing) error {
	return b.s.Tx(ctx, func(tx *sql.Tx) error {
		for i := range all {
			w := &all[i]
			query, args := `UPDATE outbox SET write_at = NULL, write_tries = 0, unshown = ?, write_refused = 0, version = version + 1 WHERE n = ? AND version = ?`, []any{w.Unshown}
			if !w.RetryAt.IsZero() {
				query = `UPDATE outbox SET write_at = ?, write_tries = write_tries + 1, write_refused = ?, version = version + 1 WHERE n = ? AND version = ?`
				args = []any{milli(w.RetryAt), w.Refused}
			}
			if _, err := b.s.exec(ctx, tx, query, append(args, w.Attempt.N, w.Attempt.Version)...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Refused implements outbox.Results.
func (b Outbox) Refused(ctx context.Context) (int, error) {
	n := 0
	err := b.s.one(ctx, b.s.read, `SELECT (SELECT COUNT(*) FROM outbox WHERE write_refused = 1)
+ (SELECT COUNT(*) FROM studio_requests WHERE write_refused = 1)`, nil, &n)
	return n, err
}

// Attempts implements outbox.Books.
func (b Outbox) Attempts(ctx context.Context, st outbox.State, limit int) ([]outbox.Attempt, error) {
	if st == "" {
		return b.s.attempts(ctx, b.s.read, `WHERE state IN ('new', 'ready', 'intended', 'uncertain', 'held') ORDER BY n LIMIT ?`, limit)
	}
	return b.s.attempts(ctx, b.s.read, `WHERE state = ? ORDER BY n LIMIT ?`, string(st), limit)
}

// Last implements outbox.Books.
func (b Outbox) Last(ctx context.Context, record string) (outbox.Attempt, bool, error) {
	return b.last(ctx, b.s.read, record)
}

func (b Outbox) last(ctx context.Context, q queryer, record string) (outbox.Attempt, bool, error) {
	found, err := b.s.attempts(ctx, q, `WHERE record = ? ORDER BY attempt DESC LIMIT 1`, record)
	if err != nil || len(found) == 0 {
		return outbox.Attempt{}, false, err
	}
	return found[0], true, nil
}

// Counts implements outbox.Books.
func (b Outbox) Counts(ctx context.Context) (map[outbox.State]int, error) {
	counts := map[outbox.State]int{}
	err := b.s.each(ctx, b.s.read, func(r *sql.Rows) error {
		var st outbox.State
		var n int
		err := r.Scan(&st, &n)
		counts[st] = n
		return err
	}, `SELECT state, COUNT(*) FROM outbox WHERE state IN ('new', 'ready', 'intended', 'uncertain', 'held') GROUP BY state`)
	return counts, err
}

// Forget implements outbox.Books. A campaign leaves a million attempts.
func (b Outbox) Forget(ctx context.Context, before time.Time) error {
	const over = `ended_at > 0 AND ended_at < ? AND write_at IS NULL AND unshown = 0 AND state IN ('accepted', 'rejected', 'refused', 'dropped')`
	const some = `n IN (SELECT n FROM outbox WHERE ` + over + ` ORDER BY ended_at, n LIMIT ?)`
	if err := b.s.inParts(ctx, []string{`DELETE FROM outbox_tokens WHERE ` + some, `DELETE FROM outbox_refused WHERE ` + some, `DELETE FROM outbox WHERE ` + some}, milli(before)); err != nil {
		return err
	}
	_, err := b.s.exec(ctx, b.s.write, `DELETE FROM studio_requests WHERE ended_at > 0 AND ended_at < ? AND due_at IS NULL`, milli(before))
	return err
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/twiliosf/twiliosf/sync/followup"
	"github.com/twiliosf/twiliosf/sync/message"
)

// FollowUps is the queue of follow-ups in the store.
type FollowUps struct{ s *Store }

var (
	_ followup.Queue  = FollowUps{}
	_ followup.Census = FollowUps{}
)

// FollowUps gives the queue.
func (s *Store) FollowUps() FollowUps { return FollowUps{s} }

// Add implements followup.Queue.
func (q FollowUps) Add(ctx context.Context, all []message.FollowUp) error {
	if len(all) == 0 {
		return nil
	}
	return q.s.Tx(ctx, func(tx *sql.Tx) error { return q.s.follow(ctx, tx, all) })
}

// follow queues follow-ups together with what they follow from.
func (s *Store) follow(ctx context.Context, tx *sql.Tx, all []message.FollowUp) error {
	if len(all) == 0 {
		return nil
	}
	n, err := s.number(ctx, tx, "followup", len(all))
	if err != nil {
		return err
	}
	for i := range all {
		payload, err := json.Marshal(&all[i])
		if err != nil {
			return fmt.Errorf("store: encode a follow-up: %w", err)
		}
		if _, err := s.exec(ctx, tx, `INSERT INTO followups (kind, key, n, payload) VALUES (?, ?, ?, ?)
ON CONFLICT (kind, key) DO UPDATE SET n = excluded.n, payload = excluded.payload, retry_at = 0, attempts = 0`,
			string(all[i].Kind), all[i].Key, n+int64(i)+1, string(payload)); err != nil {
			return err
		}
	}
	return nil
}

// Due implements followup.Queue.
func (q FollowUps) Due(ctx context.Context, kind message.FollowUpKind, now time.Time, limit int) ([]followup.Queued, error) {
	var due []followup.Queued
	var payload sql.RawBytes
	err := q.s.each(ctx, q.s.read, func(r *sql.Rows) error {
		var f followup.Queued
		if err := r.Scan(&f.N, &f.Attempts, &payload); err != nil {
			return err
		}
		if err := json.Unmarshal(payload, &f.FollowUp); err != nil {
			return fmt.Errorf("follow-up %d cannot be read: %w", f.N, err)
		}
		due = append(due, f)
		return nil
	}, `SELECT n, attempts, payload FROM followups WHERE kind = ? AND retry_at <= ? ORDER BY retry_at, n LIMIT ?`, string(kind), now.Unix(), limit)
	return due, err
}

// Settle implements followup.Queue.
func (q FollowUps) Settle(ctx context.Context, settled []followup.Settlement) error {
	if len(settled) == 0 {
		return nil
	}
	return q.s.Tx(ctx, func(tx *sql.Tx) error {
		for _, f := range settled {
			query, args := `DELETE FROM followups WHERE kind = ? AND key = ? AND n = ?`, []any{}
			if !f.RetryAt.IsZero() {
				query = `UPDATE followups SET retry_at = ?, attempts = attempts + 1 WHERE kind = ? AND key = ? AND n = ?`
				args = append(args, f.RetryAt.Unix())
			}
			if _, err := q.s.exec(ctx, tx, query, append(args, string(f.Queued.FollowUp.Kind), f.Queued.FollowUp.Key, f.Queued.N)...); err != nil {
				return err
			}
		}
		return nil
	})
}

// NextDue implements followup.Queue.
func (q FollowUps) NextDue(ctx context.Context, kind message.FollowUpKind) (time.Time, error) {
	var at int64
	err := q.s.one(ctx, q.s.read, `SELECT retry_at FROM followups WHERE kind = ? ORDER BY retry_at LIMIT 1`, []any{string(kind)}, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	// What was never put off is due since ever.
	return time.Unix(at, 0).UTC(), err
}

// Waiting implements followup.Census.
func (q FollowUps) Waiting(ctx context.Context, kind message.FollowUpKind, atMost int) (int, error) {
	n := 0
	err := q.s.one(ctx, q.s.read, `SELECT COUNT(*) FROM (SELECT 1 FROM followups WHERE kind = ? LIMIT ?) AS some`, []any{string(kind), atMost}, &n)
	return n, err
}

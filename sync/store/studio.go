package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

func (s *Store) requests(ctx context.Context, q queryer, query string, args ...any) ([]outbox.Request, error) {
	var all []outbox.Request
	var payload sql.RawBytes
	err := s.each(ctx, q, func(r *sql.Rows) error {
		var n, version int64
		if err := r.Scan(&n, &version, &payload); err != nil {
			return err
		}
		var x outbox.Request
		if err := json.Unmarshal(payload, &x); err != nil {
			return fmt.Errorf("request %d of a flow cannot be read: %w", n, err)
		}
		x.N, x.Version = n, version
		all = append(all, x)
		return nil
	}, `SELECT n, version, payload FROM studio_requests `+query, args...)
	return all, err
}

// TakeRequests implements outbox.Requests.
func (b Outbox) TakeRequests(ctx context.Context, all []message.StudioRequest, now time.Time) (int, error) {
	changed := 0
	for i := range all {
		if _, action, err := b.meetRequest(ctx, b.s.read, &all[i], now); err != nil || action == outbox.Ignore {
			if err != nil {
				return changed, err
			}
			continue
		}
		if err := b.s.Tx(ctx, func(tx *sql.Tx) error {
			next, action, err := b.meetRequest(ctx, tx, &all[i], now)
			if err != nil || action == outbox.Ignore {
				return err
			}
			if action == outbox.Replace {
				_, err = b.setRequest(ctx, tx, &next)
				return err
			}
			payload, err := requestJSON(&next)
			if err != nil {
				return err
			}
			_, err = b.s.exec(ctx, tx, `INSERT INTO studio_requests (record, version, due_at, ended_at, payload) VALUES (?, 1, ?, 0, ?)`,
				next.Request.ID, dueAt(&next), payload)
			return err
		}); err != nil {
			return changed, err
		}
		changed++
	}
	return changed, nil
}

func (b Outbox) meetRequest(ctx context.Context, q queryer, r *message.StudioRequest, now time.Time) (outbox.Request, outbox.Action, error) {
	found, err := b.s.requests(ctx, q, `WHERE record = ?`, r.ID)
	if err != nil {
		return outbox.Request{}, outbox.Ignore, err
	}
	var last *outbox.Request
	if len(found) > 0 {
		last = &found[0]
	}
	next, action := outbox.MeetRequest(last, r, now)
	return next, action, nil
}

func requestJSON(r *outbox.Request) (string, error) {
	payload, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("store: encode a request of a flow: %w", err)
	}
	return string(payload), nil
}

func dueAt(r *outbox.Request) any {
	if r.Due.IsZero() {
		return nil
	}
	return milli(r.Due)
}

func (b Outbox) setRequest(ctx context.Context, tx *sql.Tx, r *outbox.Request) (int, error) {
	payload, err := requestJSON(r)
	if err != nil {
		return 0, err
	}
	ended := int64(0)
	if r.State == outbox.Over && !r.Unshown { // or it would be forgotten
		ended = milli(time.Now())
	}
	res, err := b.s.exec(ctx, tx, `UPDATE studio_requests SET version = version + 1, due_at = ?, ended_at = ?, write_refused = ?, payload = ? WHERE n = ? AND version = ?`,
		dueAt(r), ended, r.Refused && r.Unwritten, payload, r.N, r.Version)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// DueRequests implements outbox.Requests.
func (b Outbox) DueRequests(ctx context.Context, now time.Time, limit int) ([]outbox.Request, error) {
	return b.s.requests(ctx, b.s.read, `WHERE due_at <= ? ORDER BY due_at, n LIMIT ?`, milli(now), limit)
}

// NextRequest implements outbox.Requests.
func (b Outbox) NextRequest(ctx context.Context) (time.Time, bool, error) {
	return b.next(ctx, `SELECT MIN(due_at) FROM studio_requests WHERE due_at IS NOT NULL`)
}

// ReviseRequests implements outbox.Requests.
func (b Outbox) ReviseRequests(ctx context.Context, all []outbox.Request) (int, error) {
	changed := 0
	err := b.s.Tx(ctx, func(tx *sql.Tx) error {
		changed = 0
		for i := range all {
			n, err := b.setRequest(ctx, tx, &all[i])
			if err != nil {
				return err
			}
			changed += n
		}
		return nil
	})
	return changed, err
}

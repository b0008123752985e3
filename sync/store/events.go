package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

var _ mirror.Events = (*Store)(nil)

const keepSQL = `INSERT INTO events (sid, kind, status, error_code, n, received_at, waiting, payload) VALUES (?, ?, ?, ?, ?, ?, 1, ?)
ON CONFLICT (sid, kind, status, error_code) DO NOTHING`

// arrival is one caller's event in a commit.
type arrival struct {
	event   *message.Event
	payload string
	first   bool
}

// Keep implements mirror.Events. Events that wait for the one writing connection
// are committed together: each has its own answer, and all of them one fsync.
func (s *Store) Keep(ctx context.Context, e message.Event) (first bool, err error) {
	payload, err := json.Marshal(&e)
	if err != nil {
		return false, fmt.Errorf("store: encode an event: %w", err)
	}
	a := &arrival{event: &e, payload: string(payload)}
	err = s.arrivals.join(a, func(all []*arrival) error { return s.keep(ctx, all) })
	return a.first, err
}

// keep's context is that of the caller who happened to come first, so the others
// must not fall with it.
func (s *Store) keep(ctx context.Context, all []*arrival) error {
	if len(all) > 1 {
		ctx = context.WithoutCancel(ctx)
	}
	return s.Tx(ctx, func(tx *sql.Tx) error {
		n, err := s.number(ctx, tx, "event", len(all))
		if err != nil {
			return err
		}
		for i, a := range all {
			res, err := s.exec(ctx, tx, keepSQL, string(a.event.SID), string(a.event.Kind), string(a.event.Status), a.event.ErrorCode,
				n+int64(i)+1, unix(a.event.Received), a.payload)
			if err != nil {
				return err
			}
			added, err := res.RowsAffected()
			if err != nil {
				return err
			}
			a.first = added == 1
		}
		return s.sayEvents(ctx, tx, all)
	})
}

const numberSQL = `UPDATE counters SET value = value + ? WHERE name = ? RETURNING value`

// number takes the next n numbers of a sequence and answers the one before them.
func (s *Store) number(ctx context.Context, tx *sql.Tx, name string, n int) (int64, error) {
	var last int64
	err := s.one(ctx, tx, numberSQL, []any{n, name}, &last)
	return last - int64(n), err
}

// Waiting implements mirror.Events.
func (s *Store) Waiting(ctx context.Context, now time.Time, limit int) ([]mirror.QueuedEvent, error) {
	var all []mirror.QueuedEvent
	var payload sql.RawBytes
	err := s.each(ctx, s.read, func(r *sql.Rows) error {
		var q mirror.QueuedEvent
		if err := r.Scan(&q.N, &payload); err != nil {
			return err
		}
		if err := json.Unmarshal(payload, &q.Event); err != nil {
			return fmt.Errorf("event %d cannot be read: %w", q.N, err)
		}
		all = append(all, q)
		return nil
	}, `SELECT n, payload FROM events WHERE waiting = 1 AND retry_at <= ? ORDER BY n LIMIT ?`, now.Unix(), limit)
	return all, err
}

// PutOff implements mirror.Events.
func (s *Store) PutOff(ctx context.Context, events []mirror.QueuedEvent, until time.Time) error {
	if len(events) == 0 {
		return nil
	}
	if until.IsZero() {
		return s.Tx(ctx, func(tx *sql.Tx) error { return s.folded(ctx, tx, events) })
	}
	return s.Tx(ctx, func(tx *sql.Tx) error {
		for _, e := range events {
			if _, err := s.exec(ctx, tx, `UPDATE events SET retry_at = ? WHERE waiting = 1 AND n = ?`, until.Unix(), e.N); err != nil {
				return err
			}
		}
		return nil
	})
}

// folded takes events out of the line.
func (s *Store) folded(ctx context.Context, tx *sql.Tx, events []mirror.QueuedEvent) error {
	for _, e := range events {
		if _, err := s.exec(ctx, tx, foldedSQL, e.N); err != nil {
			return err
		}
	}
	return nil
}

const foldedSQL = `UPDATE events SET waiting = 0, payload = NULL WHERE waiting = 1 AND n = ?`

const (
	// repeatsWithin is how long an event is remembered after it was folded. Twilio
	// repeats a call within seconds.
	// https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
	// That of an inbound message is remembered for the whole lookback: whoever
	// replays it would make a second row of the message.
	repeatsWithin = time.Hour
	// statusesWithin bounds the events that are looked at for statuses to forget;
	// older ones, after a pause, go with the inbound ones.
	statusesWithin = 2 * time.Hour
)

// Forget drops what nobody will ask for again: events that cannot come twice any
// more; messages older than the lookback, whose status no longer changes, are
// closed and their texts dropped; and those that only a webhook has told of stay
// as they are.
func (s *Store) Forget(ctx context.Context, now time.Time, lookback time.Duration) error {
	return s.Tx(ctx, func(tx *sql.Tx) error {
		repeated := now.Add(-repeatsWithin)
		if _, err := s.exec(ctx, tx, `DELETE FROM events WHERE waiting = 0 AND received_at < ? AND received_at >= ? AND kind <> ?`,
			repeated.Unix(), repeated.Add(-statusesWithin).Unix(), string(message.InboundEvent)); err != nil {
			return err
		}
		if _, err := s.exec(ctx, tx, `DELETE FROM events WHERE waiting = 0 AND received_at < ?`, now.Add(-max(lookback, repeatsWithin)).Unix()); err != nil {
			return err
		}
		if _, err := s.exec(ctx, tx, `UPDATE messages SET payload = NULL, open = 0
WHERE open = 1 AND at < ? AND status <> ? AND seq IS NULL AND refusal IS NULL`,
			now.Add(-lookback).Unix(), string(message.Scheduled)); err != nil {
			return err
		}
		_, err := s.exec(ctx, tx, `DELETE FROM provisional WHERE created_at < ?`, now.Add(-lookback-24*time.Hour).Unix())
		return err
	})
}

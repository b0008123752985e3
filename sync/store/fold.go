package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// recently is how far before its webhook call a message that a sweep has already
// seen is looked for. One that was made earlier is found to be known later, when
// Twilio's API shows it (confirm).
const recently = 10 * time.Minute

// holding is a message's row as events find it.
type holding struct {
	created int64
	status  message.Status
	whole   bool // its text is there
	message message.Message
	changed bool
	fresh   bool // made by an event of this batch
	written bool // the org holds it
	again   bool // it is to be written again, and its text is no longer here
}

// Fold implements mirror.Events.
func (s *Store) Fold(ctx context.Context, events []mirror.QueuedEvent) (unknown []mirror.QueuedEvent, changes []mirror.Change, err error) {
	bound := false
	err = s.Tx(ctx, func(tx *sql.Tx) error {
		unknown, changes = nil, nil
		held, err := s.held(ctx, tx, events)
		if err != nil {
			return err
		}
		if bound, err = s.bindAll(ctx, tx, events, held); err != nil {
			return err
		}
		var folded []mirror.QueuedEvent
		for _, e := range events {
			if fold(held, &e.Event) {
				folded = append(folded, e)
			} else {
				unknown = append(unknown, e)
			}
		}
		if changes, err = s.queue(ctx, tx, held); err != nil {
			return err
		}
		if err := s.redateKnown(ctx, tx, held, folded); err != nil {
			return err
		}
		if err := s.converseEvents(ctx, tx, folded); err != nil {
			return err
		}
		return s.folded(ctx, tx, folded)
	})
	if err != nil {
		return nil, nil, err
	}
	if bound {
		s.bound()
	}
	return unknown, changes, nil
}

// fold merges one event into the row of its message, in memory. It is false when
// only Twilio's API can tell what the message is.
func fold(held map[message.SID]*holding, e *message.Event) bool {
	h := held[e.SID]
	if m, ok := e.Message(); ok {
		switch {
		case h == nil:
			held[e.SID] = &holding{created: unix(m.Created), status: m.Status, whole: true, message: m, changed: true, fresh: true}
		case h.whole: // a sweep was faster, but may have seen it while it was still coming in
			h.changed = e.Apply(&h.message) || h.changed
		}
		return true
	}
	switch {
	case h == nil:
		return false
	case h.whole:
		h.changed = e.Apply(&h.message) || h.changed
		return true
	default:
		return e.Status.Rank() <= h.status.Rank() && !h.again
	}
}

// held looks up the messages of events: those whose status is open by their SID,
// the others among the recent ones.
func (s *Store) held(ctx context.Context, tx *sql.Tx, events []mirror.QueuedEvent) (map[message.SID]*holding, error) {
	held := map[message.SID]*holding{}
	var payload sql.RawBytes
	scan := func(r *sql.Rows) error {
		var sid message.SID
		h := &holding{}
		if err := r.Scan(&h.created, &sid, &h.status, &h.written, &payload); err != nil {
			return err
		}
		if len(payload) > 0 {
			if err := json.Unmarshal(payload, &h.message); err != nil {
				return fmt.Errorf("the payload of %s cannot be read: %w", sid, err)
			}
			h.whole = true
		}
		held[sid] = h
		return nil
	}
	for chunk := range neighbours(events) {
		args := make([]any, 0, len(chunk)+2)
		for _, e := range chunk {
			args = append(args, string(e.Event.SID))
		}
		in := placeholders(len(chunk))
		at := chunk[0].Event.Received
		if err := s.each(ctx, tx, scan, `SELECT created_at, sid, status, written, payload FROM messages WHERE created_at BETWEEN ? AND ? AND sid IN (`+in+`)`,
			append([]any{unix(at.Add(-2 * recently)), unix(at.Add(2 * recently))}, args...)...); err != nil {
			return nil, err
		}
		if err := s.each(ctx, tx, scan, `SELECT created_at, sid, status, written, payload FROM messages WHERE open = 1 AND sid IN (`+in+`)`, args...); err != nil {
			return nil, err
		}
	}
	return held, nil
}

// neighbours cuts events into runs that came in about the same time, so that one
// that has waited for long does not widen the search for all.
func neighbours(events []mirror.QueuedEvent) iter.Seq[[]mirror.QueuedEvent] {
	return func(yield func([]mirror.QueuedEvent) bool) {
		for len(events) > 0 {
			n, first := 1, events[0].Event.Received
			for n < min(len(events), lookupRows) && events[n].Event.Received.Sub(first).Abs() <= recently {
				n++
			}
			if !yield(events[:n]) {
				return
			}
			events = events[n:]
		}
	}
}

// queue writes what has changed and gives each its number.
func (s *Store) queue(ctx context.Context, tx *sql.Tx, held map[message.SID]*holding) ([]mirror.Change, error) {
	var changes []mirror.Change
	for _, h := range held {
		if h.changed {
			changes = append(changes, mirror.Change{New: !h.written, Message: &h.message})
		}
	}
	if len(changes) == 0 {
		return nil, nil
	}
	seq, err := s.number(ctx, tx, "change", len(changes))
	if err != nil {
		return nil, err
	}
	var newest time.Time
	for i := range changes {
		c := &changes[i]
		c.Seq = mirror.Seq(seq + int64(i) + 1)
		if err := s.queueOne(ctx, tx, held[c.Message.SID], c); err != nil {
			return nil, err
		}
		if at := c.Message.At(); at.After(newest) {
			newest = at
		}
	}
	_, err = s.exec(ctx, tx, activitySQL, unix(newest), unix(newest))
	return changes, err
}

// queueOne writes one row. A row that an event has made is older than anything
// the API shows (updated_at 0), so that the API's picture of it is news.
func (s *Store) queueOne(ctx context.Context, tx *sql.Tx, h *holding, c *mirror.Change) error {
	m := c.Message
	state := []any{m.Fingerprint(), string(m.Status), m.Status.Rank(), !m.Status.Final(), int64(c.Seq), int64(c.Seq), string(m.AppendJSON(nil))}
	if !h.fresh {
		_, err := s.exec(ctx, tx, foldSQL, append(state, h.created, string(m.SID))...)
		return err
	}
	if _, err := s.exec(ctx, tx, foldNewSQL, append(state, unix(m.At()), h.created, string(m.SID))...); err != nil {
		return err
	}
	_, err := s.exec(ctx, tx, `INSERT INTO provisional (sid, created_at) VALUES (?, ?) ON CONFLICT (sid) DO NOTHING`, string(m.SID), h.created)
	return err
}

const (
	foldSQL = `UPDATE messages SET fingerprint = ?, status = ?, rank = ?, open = ?, seq = ?, waiting_since = COALESCE(waiting_since, ?),
    payload = ?, retry_at = 0, attempts = 0, refusal = NULL
WHERE created_at = ? AND sid = ?`
	foldNewSQL = `INSERT INTO messages (fingerprint, status, rank, open, seq, waiting_since, payload, at, created_at, sid, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`
	activitySQL = `UPDATE counters SET value = ? WHERE name = 'activity' AND value < ?`
)

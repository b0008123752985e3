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
}

// Fold implements mirror.Events.
func (s *Store) Fold(ctx context.Context, events []mirror.QueuedEvent) (unknown []mirror.QueuedEvent, changes []mirror.Change, err error) {
	err = s.Tx(ctx, func(tx *sql.Tx) error {
		unknown, changes = nil, nil
		held, err := s.held(ctx, tx, events)
		if err != nil {
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
		return s.folded(ctx, tx, folded)
	})
	if err != nil {
		return nil, nil, err
	}
	return unknown, changes, nil
}

// fold merges one event into the row of its message, in memory. It is false when
// only Twilio's API can tell what the message is.
func fold(held map[message.SID]*holding, e *message.Event) bool {
	h := held[e.SID]
	if m, ok := e.Message(); ok {
		if h == nil {
			held[e.SID] = &holding{created: unix(m.Created), status: m.Status, whole: true, message: m, changed: true, fresh: true}
		}
		return true // else a sweep was faster, and has seen all of it
	}
	switch {
	case h == nil:
		return false
	case h.whole:
		h.changed = e.Apply(&h.message) || h.changed
		return true
	default:
		return e.Status.Rank() <= h.status.Rank()
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
			changes = append(changes, mirror.Change{New: !h.written, Message: h.message})
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
	m := &c.Message
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

const anyProvisionalSQL = `SELECT 1 FROM provisional LIMIT 1`

// confirm moves the rows that webhooks have made to where Twilio's API, which has
// now shown them, says that they belong.
func (s *Store) confirm(ctx context.Context, seen []message.Message) error {
	there := 0
	if err := s.each(ctx, s.read, func(r *sql.Rows) error { return r.Scan(&there) }, anyProvisionalSQL); err != nil || there == 0 {
		return err
	}
	found := map[message.SID]int64{}
	for start := 0; start < len(seen); start += lookupRows {
		chunk := seen[start:min(start+lookupRows, len(seen))]
		args := make([]any, len(chunk))
		for i := range chunk {
			args[i] = string(chunk[i].SID)
		}
		if err := s.each(ctx, s.read, func(r *sql.Rows) error {
			var sid message.SID
			var created int64
			err := r.Scan(&sid, &created)
			found[sid] = created
			return err
		}, `SELECT sid, created_at FROM provisional WHERE sid IN (`+placeholders(len(chunk))+`)`, args...); err != nil {
			return err
		}
	}
	if len(found) == 0 {
		return nil
	}
	return s.Tx(ctx, func(tx *sql.Tx) error {
		for i := range seen {
			if was, ok := found[seen[i].SID]; ok {
				if err := s.move(ctx, tx, seen[i].SID, was, unix(seen[i].Created)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// move takes a provisional row to its true time. Where a sweep has made the true
// row already, that one stays, and counts as changed: what was written last may
// have been the provisional one's dates.
func (s *Store) move(ctx context.Context, tx *sql.Tx, sid message.SID, was, created int64) error {
	if was != created {
		res, err := s.exec(ctx, tx, `UPDATE messages SET fingerprint = fingerprint - 1, updated_at = 0,
    written = CASE WHEN EXISTS (SELECT 1 FROM messages AS p WHERE p.created_at = ? AND p.sid = ? AND p.written = 1) THEN 1 ELSE written END
WHERE created_at = ? AND sid = ?`, was, string(sid), created, string(sid))
		if err != nil {
			return err
		}
		known, err := res.RowsAffected()
		if err != nil {
			return err
		}
		query := `UPDATE messages SET created_at = ? WHERE created_at = ? AND sid = ?`
		args := []any{created, was, string(sid)}
		if known > 0 {
			query, args = `DELETE FROM messages WHERE created_at = ? AND sid = ?`, args[1:]
		}
		if _, err := s.exec(ctx, tx, query, args...); err != nil {
			return err
		}
	}
	if _, err := s.exec(ctx, tx, `DELETE FROM provisional WHERE sid = ?`, string(sid)); err != nil {
		return err
	}
	return s.redateStatement(ctx, tx, sid, created)
}

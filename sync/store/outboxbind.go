package store

import (
	"context"
	"database/sql"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

// OnBound has fn called when a status callback has settled an attempt.
func (b Outbox) OnBound(fn func()) { b.s.onBound.Store(&fn) }

// bound tells of it, once it is durable.
func (s *Store) bound() {
	if fn := s.onBound.Load(); fn != nil {
		(*fn)()
	}
}

// bindAll binds what events prove, in the transaction that folds them. The mirror may
// have written such a message as nobody's before: what it still holds is written once
// more, all else is fetched first, and the event waits for that.
func (s *Store) bindAll(ctx context.Context, tx *sql.Tx, events []mirror.QueuedEvent, held map[message.SID]*holding) (bound bool, err error) {
	for i := range events {
		e := &events[i].Event
		if e.Ref == "" || e.Kind != message.StatusEvent || e.SID == "" {
			continue
		}
		did, err := s.bind(ctx, tx, e)
		if err != nil {
			return false, err
		}
		bound = bound || did
		h := held[e.SID]
		if h == nil {
			continue // it is fetched anyway
		}
		untold, err := s.untold(ctx, tx, e)
		if err != nil {
			return false, err
		}
		switch {
		case untold && h.whole:
			h.changed = true
			err = s.told(ctx, tx, e.SID)
		case untold:
			h.again = true
		}
		if err != nil {
			return false, err
		}
	}
	return bound, nil
}

// bind gives the message of a status callback to the attempt whose token the
// callback carries: proof that it exists. What an equal attempt has taken stays
// its own, for the two are alike in all but their records. What was thought refused
// because of Twilio's list was not; Twilio's own answer stands.
//
// A record that has asked for something else since shows what becomes of that: then
// the message is nobody's, and gets a record of its own (P2).
func (s *Store) bind(ctx context.Context, tx *sql.Tx, e *message.Event) (bool, error) {
	found, err := s.attempts(ctx, tx, `WHERE n = (SELECT n FROM outbox_tokens WHERE token = ?)`, e.Ref)
	if err != nil || len(found) == 0 {
		return false, err
	}
	if superseded, err := (Outbox{s}).superseded(ctx, tx, &found[0]); superseded || err != nil {
		return false, err
	}
	m := &message.Message{
		SID: e.SID, From: e.From, ServiceSID: e.ServiceSID, Status: e.Status, ErrorCode: e.ErrorCode, Direction: message.OutboundAPI,
	}
	if found[0].State == outbox.Accepted || found[0].State == outbox.Rejected && !found[0].Listed || outbox.RefusedCreate(m) {
		return false, nil
	}
	free, err := s.free(ctx, tx, []message.SID{e.SID})
	if err != nil || !free[e.SID] {
		return false, err
	}
	a := outbox.ByCallback(found[0], m, e.Received)
	did, err := s.set(ctx, tx, &a, unchanged, a.Version)
	if err != nil || !did {
		return false, err
	}
	if err := s.ended(ctx, tx, &a, ""); err != nil {
		return false, err
	}
	_, err = s.exec(ctx, tx, `UPDATE outbox SET retell = 1 WHERE n = ?`, a.N)
	return true, err
}

// untold says whether the message of an event was given to its attempt by a callback,
// and Twilio's API has not shown it since.
func (s *Store) untold(ctx context.Context, tx *sql.Tx, e *message.Event) (bool, error) {
	untold := false
	err := s.one(ctx, tx, `SELECT EXISTS (SELECT 1 FROM outbox WHERE sid = ? AND retell = 1)`, []any{string(e.SID)}, &untold)
	return untold, err
}

func (s *Store) told(ctx context.Context, tx *sql.Tx, sid message.SID) error {
	_, err := s.exec(ctx, tx, `UPDATE outbox SET retell = 0 WHERE sid = ? AND retell = 1`, string(sid))
	return err
}

const anyUntoldSQL = `SELECT 1 FROM outbox WHERE retell = 1 LIMIT 1`

// retell has messages that Twilio's API shows count as news if a callback has given
// them to an attempt: they may have been written as nobody's.
func (s *Store) retell(ctx context.Context, seen []message.Message) error {
	there := 0
	if err := s.each(ctx, s.read, func(r *sql.Rows) error { return r.Scan(&there) }, anyUntoldSQL); err != nil || there == 0 {
		return err
	}
	untold := map[message.SID]bool{}
	if err := s.each(ctx, s.read, func(r *sql.Rows) error {
		var sid message.SID
		err := r.Scan(&sid)
		untold[sid] = true
		return err
	}, `SELECT sid FROM outbox WHERE retell = 1`); err != nil {
		return err
	}
	var news []*message.Message
	for i := range seen {
		if untold[seen[i].SID] {
			news = append(news, &seen[i])
		}
	}
	if len(news) == 0 {
		return nil
	}
	return s.Tx(ctx, func(tx *sql.Tx) error {
		for _, m := range news {
			if err := s.rewrite(ctx, tx, unix(m.Created), m.SID); err != nil {
				return err
			}
			if err := s.told(ctx, tx, m.SID); err != nil {
				return err
			}
		}
		return nil
	})
}

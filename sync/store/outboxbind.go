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

// bindAll binds what events prove, in the transaction that folds them. A message
// that was written as nobody's before, to its end, is fetched and written again.
func (s *Store) bindAll(ctx context.Context, tx *sql.Tx, events []mirror.QueuedEvent, held map[message.SID]*holding) (bound bool, err error) {
	for i := range events {
		e := &events[i].Event
		did, err := s.bind(ctx, tx, e)
		if err != nil {
			return false, err
		}
		bound = bound || did
		if h := held[e.SID]; did && h != nil && !h.whole {
			h.again = true
			if err := s.rewrite(ctx, tx, h.created, e.SID); err != nil {
				return false, err
			}
		}
	}
	return bound, nil
}

// bind gives the message of a status callback to the attempt whose token the
// callback carries: proof that it exists. What an equal attempt has taken stays
// its own, for the two are alike in all but their records.
func (s *Store) bind(ctx context.Context, tx *sql.Tx, e *message.Event) (bool, error) {
	if e.Ref == "" || e.Kind != message.StatusEvent || e.SID == "" {
		return false, nil
	}
	found, err := s.attempts(ctx, tx, `WHERE n = (SELECT n FROM outbox_tokens WHERE token = ?)`, e.Ref)
	if err != nil || len(found) == 0 || found[0].State == outbox.Accepted || found[0].State == outbox.Rejected {
		return false, err
	}
	free, err := s.free(ctx, tx, []message.SID{e.SID})
	if err != nil || !free[e.SID] {
		return false, err
	}
	a := outbox.ByCallback(found[0], &message.Message{
		SID: e.SID, From: e.From, ServiceSID: e.ServiceSID, Status: e.Status, ErrorCode: e.ErrorCode, Direction: message.OutboundAPI,
	}, e.Received)
	return s.set(ctx, tx, &a, unchanged, a.Version)
}

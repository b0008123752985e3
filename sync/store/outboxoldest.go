package store

import (
	"context"
	"database/sql"
	"math"
	"sync/atomic"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

// strangerBefore is how much older than the oldest attempt a message is to be
// nobody's for certain: the outbox allows for a clock that is an hour fast, and a
// day more costs nothing.
const strangerBefore = 25 * time.Hour

// oldestSend is when the oldest attempt that is kept was first intended, so that
// messages from before it need not be asked for, a backfill's above all. It may say
// too early, never too late: every row of an attempt goes by it before it is
// written, and so before Twilio makes the message. Its zero value says that all
// messages must be asked for.
type oldestSend struct{ ms atomic.Int64 }

// load reads it, before anything is written. Where a message was found of an
// attempt whose intent was taken back, no time is known.
func (o *oldestSend) load(ctx context.Context, s *Store) error {
	var ms sql.NullInt64
	err := s.one(ctx, s.read, `SELECT MIN(since_at) FROM outbox WHERE since_at > 0 OR sid <> '' OR rejected_sid <> ''`, nil, &ms)
	if err == nil && !ms.Valid {
		ms.Int64 = math.MaxInt64
	}
	o.ms.Store(ms.Int64)
	return err
}

// note takes an attempt into account that is about to be written.
func (o *oldestSend) note(a *outbox.Attempt) {
	if a.Since.IsZero() && a.Result.SID == "" && a.Result.RejectedSID == "" {
		return // of which no message exists
	}
	at := milli(a.Since)
	for was := o.ms.Load(); at < was && !o.ms.CompareAndSwap(was, at); was = o.ms.Load() {
	}
}

// mayHave is false of a message that no attempt can have sent.
func (o *oldestSend) mayHave(m *message.Message) bool {
	// What a human has named may have been made long before it was sent.
	return m.Direction == message.OutboundAPI && milli(m.At().Add(strangerBefore)) >= o.ms.Load()
}

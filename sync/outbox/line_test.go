package outbox_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

// inLine asks for as many as wait for minutes, and answers the last.
func inLine(w *world, n int) message.Draft {
	var all []message.Draft
	for i := range n {
		all = append(all, draft(i))
	}
	w.ask(all...)
	return all[n-1]
}

// The poll reads Send, Draft and canceled: a record that was given any other status
// while it waits for its turn is not shown to the outbox. It is read again before it
// leaves, if that is long ago.
func TestARecordWhoseStatusIsNoLongerSendIsNotSent(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := inLine(w, 400)
		time.Sleep(10 * time.Second)
		d.Ask = "" // "On hold", say, or a SID that somebody has filled in
		w.put(d)
		read := w.org.inquiries()
		time.Sleep(10 * time.Minute)
		require.Len(t, w.account.sent(), 399)
		for _, m := range w.account.sent() {
			require.NotEqual(t, d.Body, m.Body)
		}
		require.LessOrEqual(t, w.org.inquiries()-read, 2, "many are read in one call")
	})
}

func TestARecordThatWasChangedWhileItWaitedIsSentAsItIsThen(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := inLine(w, 400)
		d.Body, d.Modified = "hello again", time.Now().Add(time.Minute)
		w.put(d)
		time.Sleep(10 * time.Minute)
		sent := w.account.sent()
		require.Len(t, sent, 400)
		require.Equal(t, "hello again", sent[399].Body)
	})
}

func TestWhileSalesforceDoesNotAnswerNothingLeavesThatWasReadLongAgo(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		inLine(w, 400)
		time.Sleep(time.Minute)
		w.org.locked(func() { w.org.err = fault.New(fault.Transient, "query", errReset) })
		time.Sleep(time.Hour)
		require.InDelta(t, 300, len(w.account.sent()), 5)
		w.org.locked(func() { w.org.err = nil })
		time.Sleep(10 * time.Minute)
		w.once(400)
	})
}

// Twilio takes nothing for hours: what comes too late then, waiting for its turn, is
// not sent, and what is sent was read again.
func TestWhatWaitsInTheLineForTooLongIsNotSent(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		inLine(w, 2)
		time.Sleep(50 * time.Minute)
		w.ask(draft(2), draft(3))
		off := draft(3)
		off.Ask = ""
		w.put(off)
		time.Sleep(20 * time.Minute)
		w.account.locked(func() { w.account.err = nil })
		time.Sleep(10 * time.Minute)
		sent := w.account.sent()
		require.Len(t, sent, 1)
		require.Equal(t, "hello 2", sent[0].Body)
		for n := range 2 {
			require.Contains(t, w.org.result(id(n)).ErrorMessage, "late_limit")
		}
	}, func(w *world) {
		w.options.LateLimit = time.Hour
		w.account.err = func(message.Outgoing) error { return fault.New(fault.Throttled, "create", errReset) }
	})
}

// unsure is a store that refuses intents for a while.
type unsure struct {
	outbox.Intents
	refuse atomic.Int64
	asked  atomic.Int64
}

func (u *unsure) Intend(ctx context.Context, a *outbox.Attempt) (ok, optedOut bool, err error) {
	u.asked.Add(1)
	if u.refuse.Add(-1) >= 0 {
		return false, false, errKilled
	}
	return u.Intents.Intend(ctx, a)
}

// Each of its failures gives the turn back, and the few that call at once are never
// used up.
func TestAStoreThatRefusesIntentsForAWhileHoldsNobodyUpForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, func(w *world) { w.options.InFlight = 1 })
		u := &unsure{Intents: w.store.Outbox()}
		u.refuse.Store(3)
		w.Outbox.Intents = u
		w.run()
		defer w.close()
		w.ask(draft(0), draft(1))
		time.Sleep(5 * time.Minute)
		w.once(2)
	})
}

func TestAfterAnIntentThatTheStoreRefusedTheOthersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t)
		u := &unsure{Intents: w.store.Outbox()}
		u.refuse.Store(1 << 40)
		w.Outbox.Intents = u
		w.run()
		defer w.close()
		inLine(w, 100)
		time.Sleep(100 * time.Second)
		require.Less(t, u.asked.Load(), int64(20))
	})
}

// Twilio takes nothing, and the store refuses the intent of the one that tries.
func TestATryThatTheStoreRefusesIsNotTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, func(w *world) {
			w.account.err = func(message.Outgoing) error { return fault.New(fault.Throttled, "create", errReset) }
		})
		u := &unsure{Intents: w.store.Outbox()}
		w.Outbox.Intents = u
		w.run()
		defer w.close()
		inLine(w, 2)
		time.Sleep(10 * time.Second)
		require.NotZero(t, w.account.attempts())
		u.refuse.Store(2)
		w.account.locked(func() { w.account.err = nil })
		time.Sleep(10 * time.Minute)
		w.once(2)
	})
}

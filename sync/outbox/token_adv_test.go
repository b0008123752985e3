package outbox_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

// The record was called off, changed and asked for anew; then a callback about what
// was sent first comes at last.
func TestACallbackAboutTheFormerTextDoesNotStandForTheNextOne(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Minute)
		d := draft(0)
		d.Ask = message.AskDraft
		w.ask(d)
		time.Sleep(20 * time.Minute)
		first := w.account.sent()[0]
		w.account.locked(func() { w.account.fail = nil })
		d = draft(0)
		d.Body, d.SendAt = "hello again", time.Now().Add(time.Hour)
		w.ask(d)
		time.Sleep(time.Minute)
		w.callback(first.SID, message.Delivered)
		time.Sleep(2 * time.Hour)
		require.Len(t, w.account.sent(), 2, "the new text was never sent, and its record says %+v", w.org.result(id(0)))
	}, func(w *world) {
		w.account.lag = 24 * time.Hour
		w.account.fail = func(int, message.Outgoing) failure { return after }
	})
}

// An administrator has given the first attempt up, the user has sent again, and a
// callback about the first comes after all: two messages, and one record.
func TestALateCallbackOfAFormerAttemptDoesNotTakeTheRecordFromTheLast(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Hour)
		require.NoError(t, w.Settle(t.Context(), id(0), outbox.Decision{}))
		time.Sleep(time.Minute)
		w.account.locked(func() { w.account.fail = nil })
		d := draft(0)
		for range 2 {
			w.ask(d)
			time.Sleep(15 * time.Second)
		}
		time.Sleep(time.Minute)
		sent := w.account.sent()
		require.Len(t, sent, 2)
		require.Equal(t, sent[1].SID, w.org.result(id(0)).SID)
		w.callback(sent[0].SID, message.Delivered)
		time.Sleep(time.Minute)
		one, two := w.whose(sent[0]), w.whose(sent[1])
		require.NotEqual(t, one.Record, two.Record, "one record for two messages: %+v %+v", one, two)
		require.Equal(t, sent[1].SID, w.org.result(id(0)).SID)
	}, func(w *world) {
		w.options.Hold = true
		w.account.lag = 24 * time.Hour
		w.account.fail = func(int, message.Outgoing) failure { return after }
	})
}

// The poll reads Send, Draft and canceled: a record that was given any other status
// while it waits for its turn is not shown to the outbox.
func TestARecordWhoseStatusIsNoLongerSendIsNotSent(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		var all []message.Draft
		for n := range 100 {
			all = append(all, draft(n))
		}
		w.ask(all...)
		time.Sleep(10 * time.Second)
		d := draft(99)
		d.Ask = "" // "On hold", say, or a SID that somebody has filled in
		w.put(d)
		time.Sleep(5 * time.Minute)
		for _, m := range w.account.sent() {
			require.NotEqual(t, "hello 99", m.Body)
		}
	})
}

// The record refuses to show the refusal (a validation rule), and its user puts both
// right. An hour later the old refusal is written over the new wish.
func TestACorrectionIsNotOverwrittenByTheRefusalOfWhatWasBefore(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := draft(0)
		d.To = "call mom"
		w.ask(d)
		time.Sleep(time.Minute)
		require.Empty(t, w.org.shown())
		w.org.locked(func() { w.org.refuse = nil })
		d = draft(0)
		for range 2 {
			w.ask(d)
			time.Sleep(15 * time.Second)
		}
		time.Sleep(2 * time.Hour)
		require.Len(t, w.account.sent(), 1, "its number is right, and it says %+v", w.org.result(id(0)))
	}, func(w *world) {
		w.org.refuse = func(message.Result) error {
			return &fault.Error{Class: fault.Permanent, Op: "update", Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Err: errReset}
		}
	})
}

// A list that cannot be read whole settles nothing, and somebody must hear of it.
func TestAListThatCannotBeReadWholeIsTold(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(20 * time.Minute)
		require.NotEmpty(t, w.health.Active(), "for half an hour nobody is told why nothing is settled")
	}, func(w *world) {
		w.account.partial = fmt.Errorf("%w: %w", outbox.ErrPartial, &fault.Error{Class: fault.Transient, Op: "twilio list messages", Code: "UNREADABLE_ROW", Err: errReset})
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

// lists counts how often a list is read.
type lists struct {
	*account
	n atomic.Int64
}

func (l *lists) Outgoing(ctx context.Context, to message.Number, since time.Time, page func([]message.Message) (bool, error)) error {
	l.n.Add(1)
	return l.account.Outgoing(ctx, to, since, page)
}

// Six look-ups a send are 6 * 51 readings; a list with a bad row costs twenty times that.
func TestAListThatCannotBeReadWholeIsNotReadWithoutEnd(t *testing.T) {
	var l *lists
	inBubble(t, func(t *testing.T, w *world) {
		var all []message.Draft
		for n := range 50 {
			d := draft(n)
			d.To = fmt.Sprintf("+1415555%04d", 100+n)
			all = append(all, d)
		}
		w.ask(all...)
		time.Sleep(time.Hour)
		require.Less(t, l.n.Load(), int64(2000))
	}, quick, func(w *world) {
		l = &lists{account: w.account}
		w.ports.Account = l
		w.account.partial = outbox.ErrPartial
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

package outbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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

package outbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
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

// mirrored is a message whose text was changed, as the mirror has written it to its
// end as nobody's.
func (w *world) mirrored() message.Message {
	w.t.Helper()
	m := w.account.sent()[0]
	m.Status, m.Body, m.Updated = message.Delivered, "Sent from a trial account - hello 0", m.Created.Add(time.Second)
	_, changes, err := w.store.Merge(w.t.Context(), []message.Message{m})
	require.NoError(w.t, err)
	require.NoError(w.t, w.store.Settle(w.t.Context(), []mirror.Settlement{{Change: changes[0]}}))
	return m
}

func (w *world) names(m message.Message, s message.Status) {
	w.t.Helper()
	_, err := w.store.Keep(w.t.Context(), message.Event{
		Kind: message.StatusEvent, SID: m.SID, Status: s, To: theirs, From: long, Ref: w.account.token(m.SID),
		Received: time.Now().UTC().Truncate(time.Second),
	})
	require.NoError(w.t, err)
}

// The message cannot be fetched the first time: Twilio does not answer.
func TestAMessageThatALateCallbackNamesIsFetchedUntilItIs(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		m := w.mirrored()
		w.names(m, message.Delivered)
		for range 2 { // the fetch after the first has failed, or the process was killed before it
			waiting, err := w.store.Waiting(t.Context(), time.Now(), 100)
			require.NoError(t, err)
			unknown, _, err := w.store.Fold(t.Context(), waiting)
			require.NoError(t, err)
			require.Len(t, unknown, 1, "its text is to be fetched")
		}
	}, func(w *world) {
		w.account.lag = 24 * time.Hour
		w.account.fail = func(int, message.Outgoing) failure { return after }
	})
}

// The callback comes half an hour after the message was made. Its record would show
// the callback's status for ever, which is older than what the mirror had written.
func TestAMessageThatAVeryLateCallbackNamesIsWrittenAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		m := w.mirrored()
		time.Sleep(30 * time.Minute)
		require.Equal(t, message.Uncertain, w.org.result(id(0)).Status)
		w.names(m, message.Sent)
		waiting, err := w.store.Waiting(t.Context(), time.Now(), 100)
		require.NoError(t, err)
		unknown, _, err := w.store.Fold(t.Context(), waiting)
		require.NoError(t, err)
		require.Len(t, unknown, 1)
		time.Sleep(time.Minute)
		require.Equal(t, "sent", w.org.result(id(0)).Status)
		for _, news := range []int{1, 0} { // what was fetched is news, once
			n, changes, err := w.store.Merge(t.Context(), []message.Message{m})
			require.NoError(t, err)
			require.Equal(t, news, n)
			if n > 0 {
				require.NoError(t, w.store.Settle(t.Context(), []mirror.Settlement{{Change: changes[0]}}))
			}
		}
	}, func(w *world) {
		w.options.Hold = true
		w.account.lag = 24 * time.Hour
		w.account.fail = func(int, message.Outgoing) failure { return after }
	})
}

package outbox_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

// A sweep shows a message at the moment at which Twilio's answer is noted: it is
// never taken for somebody else's, which would give it a second record.
func TestAMessageIsNoStrangerWhileItsAnswerIsNoted(t *testing.T) {
	w := begin(t)
	defer w.close()
	const sends = 300
	b, ctx := w.store.Outbox(), t.Context()
	attempts := make([]outbox.Attempt, sends)
	for i := range attempts {
		d := draft(i)
		_, err := b.Take(ctx, []message.Draft{d}, time.Now())
		require.NoError(t, err)
		due, err := b.Due(ctx, outbox.Fresh, time.Now(), 1)
		require.NoError(t, err)
		a := due[0]
		a.State, a.Sender, a.Out = outbox.Ready, string(long), message.Outgoing{To: theirs, From: long, Body: d.Body}
		_, err = b.Revise(ctx, []outbox.Attempt{a})
		require.NoError(t, err)
		ready, err := b.Ready(ctx, string(long), time.Now(), 1)
		require.NoError(t, err)
		a = ready[0]
		a.State, a.Token, a.Since, a.Intended = outbox.Intended, fmt.Sprint("token", i), time.Now(), time.Now()
		ok, _, err := b.Intend(ctx, &a)
		require.NoError(t, err)
		require.True(t, ok)
		attempts[i] = a
	}
	for i := range attempts {
		m := seen(i, fmt.Sprintf("hello %d", i))
		var noting sync.WaitGroup
		noting.Go(func() {
			a := outbox.Found(attempts[i], &m, time.Now())
			if err := b.Conclude(ctx, &a); err != nil {
				t.Error(err)
			}
		})
		for range 10 {
			require.Equal(t, outbox.Wait, w.whose(m).Kind, "message %d", i)
		}
		noting.Wait()
	}
}

// A look-up has told a later status than the mirror knows, and the record shows it:
// the mirror does not take it back (P4).
func TestTheMirrorDoesNotTakeAStatusBackThatALookUpHasTold(t *testing.T) {
	var told sync.Map
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		earlier := w.account.sent()[0]
		w.account.mu.Lock()
		w.account.messages[0].Status = message.Delivered
		w.account.mu.Unlock()
		time.Sleep(2 * time.Minute)
		require.Equal(t, "delivered", w.org.result(id(0)).Status)
		require.Equal(t, outbox.Wait, w.whose(earlier).Kind)
		status, _ := told.Load(earlier.SID)
		require.Equal(t, message.Delivered, status, "the mirror is told, so that it need not wait for a sweep")
		require.Equal(t, outbox.Claim{Kind: outbox.Bound, Record: id(0)}, w.whose(w.account.sent()[0]))
	}, func(w *world) {
		w.account.fail = func(int, message.Outgoing) failure { return after }
		w.options.Sent = func(_ context.Context, m message.Message) { told.Store(m.SID, m.Status) }
	})
}

// A callback that comes late names a message whose text was changed, so that the
// mirror has written it as nobody's, to its end, and keeps no text of it.
func TestAMessageThatALateCallbackNamesIsWrittenAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		m := w.account.sent()[0]
		m.Status, m.Body, m.Updated = message.Delivered, "Sent from a trial account - hello 0", m.Created.Add(time.Second)
		_, changes, err := w.store.Merge(t.Context(), []message.Message{m})
		require.NoError(t, err)
		require.NoError(t, w.store.Settle(t.Context(), []mirror.Settlement{{Change: changes[0]}}))

		_, err = w.store.Keep(t.Context(), message.Event{
			Kind: message.StatusEvent, SID: m.SID, Status: message.Delivered, To: theirs, From: long, Ref: w.account.token(m.SID),
			Received: time.Now().UTC().Truncate(time.Second),
		})
		require.NoError(t, err)
		waiting, err := w.store.Waiting(t.Context(), time.Now(), 100)
		require.NoError(t, err)
		unknown, _, err := w.store.Fold(t.Context(), waiting)
		require.NoError(t, err)
		require.Len(t, unknown, 1, "its text is to be fetched")
		n, _, err := w.store.Merge(t.Context(), []message.Message{m})
		require.NoError(t, err)
		require.Equal(t, 1, n, "and it is news")
		unknown, _, err = w.store.Fold(t.Context(), waiting)
		require.NoError(t, err)
		require.Empty(t, unknown)
	}, func(w *world) {
		w.account.lag = 24 * time.Hour
		w.account.fail = func(int, message.Outgoing) failure { return after }
	})
}

package mirror_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/mirror/mirrortest"
)

// halfLost is an org that takes the first batch in, and whose answer for single
// records of it is lost: that of a part of a call that was split.
type halfLost struct {
	*mirrortest.Org
	class fault.Class
	lost  atomic.Bool
}

func (h *halfLost) Upsert(ctx context.Context, batch []mirror.Record) ([]error, error) {
	outcomes, err := h.Org.Upsert(ctx, batch)
	if h.lost.CompareAndSwap(false, true) {
		for i := range outcomes {
			outcomes[i] = fault.New(h.class, "upsert", errors.New("connection reset"))
		}
	}
	return outcomes, err
}

// The newer state knows nothing of the attempt of the one before it.
func TestARecordWithAnUnknownOutcomeIsAskedForThoughItChangesMeanwhile(t *testing.T) {
	for _, class := range []fault.Class{fault.Uncertain, fault.Transient} {
		account, org := &mirrortest.Account{}, &mirrortest.Org{}
		synctest.Test(t, func(t *testing.T) {
			w := startWith(t, account, org, func(p *mirror.Ports) {
				knowsAda(p)
				p.Sink = &halfLost{Org: org, class: class}
			})
			defer w.stop()
			time.Sleep(time.Minute)
			m := mirrortest.Text(1, time.Now())
			w.mergeAndWake(t, m, message.Queued)
			synctest.Wait()
			require.Equal(t, 1, org.Writes(m.SID))
			w.mergeAndWake(t, m, message.Delivered)
			time.Sleep(time.Minute)
			require.Equal(t, message.Delivered, org.All()[m.SID].Status)
			require.Equal(t, []message.Links{herLinks}, org.Links(m.SID), "a user may have the record before them by now")
		})
	}
}

func (w *world) mergeAndWake(t *testing.T, m message.Message, s message.Status) {
	t.Helper()
	w.changeStatus(t, m, s)
	m, err := w.account.Fetch(t.Context(), m.SID)
	require.NoError(t, err)
	_, _, err = w.store.Merge(t.Context(), []message.Message{m})
	require.NoError(t, err)
	w.Writer.Wake()
}

// What an earlier process has left may be in the org, however young Twilio's clock
// makes it.
func TestWhatAnEarlierProcessLeftIsAskedFor(t *testing.T) {
	account, org := &mirrortest.Account{}, &mirrortest.Org{}
	synctest.Test(t, func(t *testing.T) {
		w := startWith(t, account, org, knowsAda)
		defer w.stop()
		synctest.Wait()
		m := mirrortest.Text(1, time.Now().Add(time.Minute))
		_, err := org.Upsert(t.Context(), []mirror.Record{{Message: &m, Links: &herLinks}})
		require.NoError(t, err)
		_, _, err = w.store.Merge(t.Context(), []message.Message{m})
		require.NoError(t, err)
		again := w.restart(t, mirror.Options{}, knowsAda)
		defer again.stop()
		synctest.Wait()
		require.Equal(t, 2, org.Writes(m.SID))
		require.Equal(t, []message.Links{herLinks}, org.Links(m.SID))
	})
}

// A change that was handed over while the one before it was written does not know
// what came of that.
func TestAChangeThatWasHandedOverMeanwhileDoesNotLinkARecordAgain(t *testing.T) {
	account, org := &mirrortest.Account{}, &mirrortest.Org{}
	synctest.Test(t, func(t *testing.T) {
		first := startWith(t, account, org, knowsAda)
		defer first.stop()
		w := first.restart(t, mirror.Options{Writers: 1}, knowsAda)
		defer w.stop()
		time.Sleep(time.Minute)
		org.Latency = time.Second
		m := mirrortest.Text(1, time.Now())
		w.changeStatus(t, m, message.Queued)
		go func() { _ = w.Sweeper.Full(context.WithoutCancel(t.Context())) }()
		time.Sleep(500 * time.Millisecond)
		w.callback(t, m.SID, message.Delivered, 0)
		time.Sleep(10 * time.Second)
		require.Equal(t, message.Delivered, org.All()[m.SID].Status)
		require.Equal(t, 2, org.Writes(m.SID))
		require.Equal(t, []message.Links{herLinks}, org.Links(m.SID))
	})
}

// Nor does one that has been overtaken itself by then: the ledger no longer has it.
func TestAChangeThatWasOvertakenMeanwhileDoesNotLinkARecordAgain(t *testing.T) {
	account, org := &mirrortest.Account{}, &mirrortest.Org{}
	synctest.Test(t, func(t *testing.T) {
		first := startWith(t, account, org, knowsAda)
		defer first.stop()
		w := first.restart(t, mirror.Options{Writers: 1}, knowsAda)
		defer w.stop()
		time.Sleep(time.Minute)
		org.Latency = time.Second
		m := mirrortest.Text(1, time.Now())
		w.changeStatus(t, m, message.Queued)
		go func() { _ = w.Sweeper.Full(context.WithoutCancel(t.Context())) }()
		time.Sleep(500 * time.Millisecond)
		w.callback(t, m.SID, message.Sent, 0)
		time.Sleep(100 * time.Millisecond)
		w.callback(t, m.SID, message.Delivered, 0)
		time.Sleep(10 * time.Second)
		require.Equal(t, message.Delivered, org.All()[m.SID].Status)
		require.Equal(t, []message.Links{herLinks}, org.Links(m.SID))
	})
}

func TestABatchThatWasRefusedBeforeAnythingWasDoneIsNotAskedFor(t *testing.T) {
	account, org := &mirrortest.Account{}, &mirrortest.Org{}
	refused := false
	org.Fail = func(int) (error, bool) {
		if refused {
			return nil, false
		}
		refused = true
		return fault.New(fault.Throttled, "upsert", errors.New("too many calls")), false
	}
	synctest.Test(t, func(t *testing.T) {
		w := startWith(t, account, org, knowsAda)
		defer w.stop()
		m := mirrortest.Text(1, time.Now())
		account.Put(m)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		synctest.Wait()
		require.Equal(t, []message.Links{herLinks}, org.Links(m.SID))
		require.Zero(t, org.Asked())
	})
}

// restart is a new mirror on the same store; the old one does nothing meanwhile.
func (w *world) restart(t *testing.T, o mirror.Options, change func(*mirror.Ports)) *world {
	t.Helper()
	time.Sleep(7 * time.Second) // so that the two do not look into the store at one time
	ports := mirror.Ports{
		Source: w.account, Sink: w.org, People: mirror.Strangers{}, Ledger: w.store, Open: w.store, Changes: w.store, Cursors: w.store,
		Backlog: w.backlog, Events: w.store, Health: w.health,
	}
	change(&ports)
	again := &world{account: w.account, org: w.org, store: w.store, backlog: w.backlog, health: w.health}
	var err error
	again.Mirror, err = mirror.New(ports, o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	var inbox sync.WaitGroup
	inbox.Go(func() { again.Inbox.Run(ctx) })
	go func() { ended <- again.Writer.Run(ctx) }()
	again.stop = func() {
		cancel()
		inbox.Wait()
		require.ErrorIs(t, <-ended, context.Canceled)
	}
	return again
}

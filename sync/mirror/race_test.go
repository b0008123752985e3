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

func TestARecordThatWasPutOffIsTriedAgainWhileMessagesNeverCease(t *testing.T) {
	var tries atomic.Int32
	org := &mirrortest.Org{Latency: 100 * time.Millisecond, Refuse: func(m message.Message) error {
		if m.SID == mirrortest.SID(0) && tries.Add(1) == 1 {
			return fault.New(fault.Transient, "upsert", errors.New("a lock"))
		}
		return nil
	}}
	run(t, &mirrortest.Account{}, org, func(t *testing.T, w *world) {
		for n := range 60 {
			w.announce(t, mirrortest.Text(n, time.Now()))
			time.Sleep(400 * time.Millisecond)
		}
		require.EqualValues(t, 2, tries.Load())
		require.Contains(t, w.org.All(), mirrortest.SID(0))
	})
}

// slowMerges is a ledger whose Merge has committed long before it returns.
type slowMerges struct {
	mirror.Ledger
	hold chan struct{} // closed: no more
}

func (l *slowMerges) Merge(ctx context.Context, seen []message.Message) (int, []mirror.Change, error) {
	n, changes, err := l.Ledger.Merge(ctx, seen)
	<-l.hold
	return n, changes, err
}

func TestAnOlderStateThatIsHandedOverLateIsNotWrittenOverANewerOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowMerges{hold: make(chan struct{})}
		w := startWith(t, &mirrortest.Account{}, &mirrortest.Org{Latency: 100 * time.Millisecond}, func(p *mirror.Ports) {
			slow.Ledger, p.Ledger = p.Ledger, slow
		})
		defer w.stop()
		m := outbound(1, time.Now().Add(-time.Second))
		m.Status = message.Sent
		w.account.Put(m)
		swept := make(chan error, 1)
		go func() { swept <- w.Sweeper.Full(context.Background()) }()
		synctest.Wait() // "sent" is committed and not handed over
		w.callback(t, m.SID, message.Delivered, 0)
		time.Sleep(time.Second)
		require.Equal(t, message.Delivered, w.org.All()[m.SID].Status)
		close(slow.hold)
		require.NoError(t, <-swept)
		time.Sleep(5 * time.Minute)
		require.Equal(t, message.Delivered, w.org.All()[m.SID].Status)
	})
}

// slowFetches is an account that takes its time.
type slowFetches struct {
	*mirrortest.Account
	mu      sync.Mutex
	fetches map[message.SID]int
}

func (s *slowFetches) Fetch(ctx context.Context, sid message.SID) (message.Message, error) {
	time.Sleep(time.Second)
	s.mu.Lock()
	s.fetches[sid]++
	s.mu.Unlock()
	return s.Account.Fetch(ctx, sid)
}

func TestMessagesAreNotFetchedTwiceBecauseTwilioTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowFetches{Account: &mirrortest.Account{}, fetches: map[message.SID]int{}}
		w := startWith(t, slow.Account, &mirrortest.Org{}, func(p *mirror.Ports) { p.Source = slow })
		defer w.stop()
		for n := range 600 {
			m := outbound(n, time.Now())
			m.Status = message.Sent
			w.account.Put(m)
			w.callback(t, m.SID, message.Sent, 0)
		}
		time.Sleep(10 * time.Minute)
		require.Equal(t, w.account.All(), w.org.All())
		require.Len(t, slow.fetches, 600)
		total := 0
		for _, n := range slow.fetches {
			total += n
		}
		// One whose event is looked at in the very moment its answer comes may be
		// asked for again, which harms nobody.
		require.Less(t, total, 620)
	})
}

func TestACallbackIsNotLostToAnAnswerThatIsOlder(t *testing.T) {
	run(t, &mirrortest.Account{}, &mirrortest.Org{}, func(t *testing.T, w *world) {
		m := outbound(1, time.Now())
		m.Status = message.Delivered
		w.account.Put(m)
		w.callback(t, m.SID, message.Read, 0)
		time.Sleep(10 * time.Second)
		m.Status, m.Updated = message.Read, time.Now().UTC().Truncate(time.Second)
		w.account.Put(m)
		time.Sleep(time.Minute)
		require.Equal(t, message.Read, w.org.All()[m.SID].Status)
	})
}

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

// bulkWorld is a mirror of an org that is slow enough for much to wait.
func bulkWorld(t *testing.T, j *mirrortest.Jobs) *world {
	t.Helper()
	return startWith(t, &mirrortest.Account{}, j.Org, func(p *mirror.Ports) { p.Bulk = j })
}

func statused(n int, s message.Status, at time.Time) message.Message {
	m := outbound(n, at)
	m.Status = s
	return m
}

func TestMuchThatWaitsIsWrittenByJobsBesideTheBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &mirrortest.Jobs{Org: &mirrortest.Org{Latency: 20 * time.Second}, Takes: 40 * time.Second}
		w := bulkWorld(t, j)
		defer w.stop()
		w.account.Put(texts(12_000, time.Now().Add(-time.Hour), time.Second)...)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		time.Sleep(time.Hour)
		require.Equal(t, w.account.All(), w.org.All())
		require.Zero(t, w.org.Overlaps())
		require.NotEmpty(t, j.Sizes())
		for _, n := range j.Sizes() {
			require.GreaterOrEqual(t, n, 2000)
			require.LessOrEqual(t, n, 4000)
		}
		for sid := range w.account.All() {
			require.Equal(t, 1, w.org.Writes(sid))
			require.Len(t, w.org.Links(sid), 1, "each was made once, with its links")
		}
	})
}

func TestLittleThatWaitsIsWrittenInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &mirrortest.Jobs{Org: &mirrortest.Org{Latency: 300 * time.Millisecond}, Takes: time.Minute}
		w := bulkWorld(t, j)
		defer w.stop()
		w.account.Put(texts(1900, time.Now().Add(-time.Hour), time.Second)...)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		require.Equal(t, w.account.All(), w.org.All())
		require.Empty(t, j.Sizes())
	})
}

// P4: while a job carries the old state of a message, its new one waits.
func TestAStatusThatComesDuringAJobIsWrittenAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &mirrortest.Jobs{Org: &mirrortest.Org{Latency: 20 * time.Second}, Takes: 10 * time.Minute}
		w := bulkWorld(t, j)
		defer w.stop()
		old := time.Now().Add(-time.Hour)
		all := make([]message.Message, 6000)
		for i := range all {
			all[i] = statused(i, message.Queued, old)
		}
		w.account.Put(all...)
		var sweep sync.WaitGroup
		sweep.Go(func() { _ = w.Sweeper.Full(t.Context()) }) // the writer may take longer than a sweep waits
		time.Sleep(2 * time.Minute)
		require.NotEmpty(t, j.Sizes())
		for i := range all {
			all[i].Status, all[i].Updated = message.Delivered, time.Now()
		}
		_, _, err := w.store.Merge(t.Context(), all)
		require.NoError(t, err)
		w.Writer.Wake()
		w.account.Put(all...)
		time.Sleep(2 * time.Hour)
		sweep.Wait()
		require.Zero(t, w.org.Overlaps())
		for sid, m := range w.org.All() {
			require.Equal(t, message.Delivered, m.Status, sid)
		}
		require.Len(t, w.org.All(), 6000)
	})
}

// P4: a job of a process that was killed may write late.
func TestNothingIsWrittenBeforeAJobOfAFormerProcessHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &mirrortest.Jobs{Org: &mirrortest.Org{}, Takes: 10 * time.Minute}
		old := time.Now().Add(-time.Hour)
		j.Leave(statused(1, message.Queued, old))
		w := bulkWorld(t, j)
		defer w.stop()
		w.account.Put(statused(1, message.Delivered, time.Now()), statused(2, message.Delivered, time.Now()))
		go func() { _ = w.Sweeper.Full(context.WithoutCancel(t.Context())) }()
		time.Sleep(9 * time.Minute)
		require.Empty(t, w.org.All())
		require.Contains(t, conditions(w.health), "salesforce-bulk", "an operator hears why nothing is written")
		time.Sleep(10 * time.Minute)
		require.Len(t, w.org.All(), 2)
		require.Equal(t, message.Delivered, w.org.All()[mirrortest.SID(1)].Status)
		require.Zero(t, w.org.Overlaps())
		require.NotContains(t, conditions(w.health), "salesforce-bulk")
	})
}

func TestAJobThatFailsIsWrittenInBatchesOnceItHasEnded(t *testing.T) {
	for name, running := range map[string]bool{"it never ran": false, "it still runs": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := &mirrortest.Jobs{Org: &mirrortest.Org{Latency: 20 * time.Second}, Takes: 3 * time.Minute}
				var failed atomic.Int32
				j.Fail = func() (error, bool) {
					if failed.Add(1) > 1 {
						return nil, false
					}
					return fault.New(fault.Transient, "bulk", errors.New("no answer")), running
				}
				w := bulkWorld(t, j)
				defer w.stop()
				w.account.Put(texts(9000, time.Now().Add(-time.Hour), time.Second)...)
				var sweep sync.WaitGroup
				sweep.Go(func() { _ = w.Sweeper.Full(t.Context()) }) // the writer may take longer than a sweep waits
				time.Sleep(4 * time.Minute)
				require.Contains(t, conditions(w.health), "salesforce-bulk")
				time.Sleep(2 * time.Hour)
				sweep.Wait()
				require.Equal(t, w.account.All(), w.org.All())
				require.Zero(t, w.org.Overlaps())
				for sid := range w.account.All() {
					require.Len(t, w.org.Links(sid), 1, "what the job has made is its users' from then on")
				}
			})
		})
	}
}

func TestWhatAJobDoesNotTakeIsSettledByTheBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &mirrortest.Jobs{Org: &mirrortest.Org{Latency: 20 * time.Second}, Takes: time.Minute}
		bad := mirrortest.SID(7000)
		j.Org.Refuse = func(m message.Message) error {
			if m.SID != bad {
				return nil
			}
			return fault.New(fault.Permanent, "upsert", errors.New("never"))
		}
		w := bulkWorld(t, j)
		defer w.stop()
		w.account.Put(texts(9000, time.Now().Add(-time.Hour), time.Second)...)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		time.Sleep(time.Hour)
		require.Len(t, w.org.All(), 8999)
		q, err := w.store.Quarantine(t.Context(), 10)
		require.NoError(t, err)
		require.Len(t, q, 1)
		require.NotEmpty(t, j.Sizes())
	})
}

func TestAStopDoesNotWaitForAJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &mirrortest.Jobs{Org: &mirrortest.Org{Latency: time.Second}, Takes: time.Hour}
		w := bulkWorld(t, j)
		w.account.Put(texts(20_000, time.Now().Add(-time.Hour), time.Second)...)
		ctx, cancel := context.WithCancel(t.Context())
		var sweep sync.WaitGroup
		sweep.Go(func() { _ = w.Sweeper.Full(ctx) })
		time.Sleep(time.Minute)
		require.NotEmpty(t, j.Sizes())
		cancel()
		sweep.Wait()
		began := time.Now()
		w.stop()
		require.Less(t, time.Since(began), 3*time.Second)
		time.Sleep(2 * time.Hour)
	})
}

// What a record has asked for is written to that record, and what may be so waits:
// a job does neither.
func TestAMessageOfARecordIsCarriedByNoJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &mirrortest.Jobs{Org: &mirrortest.Org{Latency: 20 * time.Second}, Takes: time.Minute}
		o := &office{claims: map[message.SID]mirror.Claim{}}
		w := startWith(t, &mirrortest.Account{}, j.Org, func(p *mirror.Ports) { p.Bulk, p.Sends = j, o })
		defer w.stop()
		old := time.Now().Add(-time.Hour)
		j.Org.PutDraft("a00DRAFT")
		for i := range 6000 {
			m := sent(i, old)
			w.account.Put(m)
			switch i % 100 {
			case 0:
				o.say(m.SID, mirror.Claim{Wait: true})
			case 1:
				o.say(m.SID, mirror.Claim{Record: "a00DRAFT"})
			}
		}
		var sweep sync.WaitGroup
		sweep.Go(func() { _ = w.Sweeper.Full(t.Context()) })
		time.Sleep(time.Hour)
		sweep.Wait()
		require.Len(t, w.org.All(), 5940)
		require.NotEmpty(t, j.Sizes())
		for i := range 6000 {
			if i%100 < 2 {
				require.False(t, j.Carried(mirrortest.SID(i)), i)
			}
		}
	})
}

func TestWhatIsNewIsNotKeptWaitingByAJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &mirrortest.Jobs{Org: &mirrortest.Org{Latency: 20 * time.Second}, Takes: time.Hour}
		w := bulkWorld(t, j)
		defer w.stop()
		time.Sleep(time.Minute)
		w.account.Put(texts(6000, time.Now(), time.Millisecond)...)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		time.Sleep(10 * time.Minute)
		require.Len(t, w.org.All(), 6000)
		require.Empty(t, j.Sizes())
	})
}

package jobstest

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/jobs"
)

// soon is longer than any engine takes to notice a job.
const soon = 5 * time.Second

func note(args string) jobs.Job { return jobs.Job{Kind: "note", Args: []byte(args)} }

func keyed(kind, key string) jobs.Job { return jobs.Job{Kind: kind, Key: key} }

func testRunsInOrder(t *testing.T, open Open) {
	f := newFixture(t, open, jobs.Options{})
	Start(t, f)
	f.add(t, 3, note(`1`), note(`{"day": "2026-02-01", "body": "é \u0000"}`), jobs.Job{Kind: "note"})
	time.Sleep(soon)
	f.add(t, 1, note(`"later"`))
	time.Sleep(soon)
	got := f.notes()
	require.Len(t, got, 4)
	require.Equal(t, "1", got[0])
	require.JSONEq(t, `{"day": "2026-02-01", "body": "é \u0000"}`, got[1])
	require.Equal(t, []string{"", `"later"`}, got[2:])
}

func testKept(t *testing.T, open Open) {
	f := newFixture(t, open, jobs.Options{})
	f.add(t, 1, note(`1`))
	stop := Start(t, f)
	time.Sleep(soon)
	require.NoError(t, stop())
	f.add(t, 1, note(`2`))
	time.Sleep(soon)
	require.Equal(t, []string{"1"}, f.notes())
	Start(t, f)
	time.Sleep(soon)
	require.Equal(t, []string{"1", "2"}, f.notes(), "and the first is not run again")
}

func testKeyHeld(t *testing.T, open Open) {
	var ran atomic.Int32
	f := newFixture(t, open, jobs.Options{Handlers: map[string]jobs.Handling{"long": {Queue: "long", Do: func(context.Context, []byte) error {
		ran.Add(1)
		time.Sleep(time.Minute)
		return nil
	}}}})
	f.add(t, 1, keyed("long", "k"))
	f.add(t, 0, keyed("long", "k"))
	f.add(t, 1, keyed("long", "k"), keyed("note", "other"))
	Start(t, f)
	time.Sleep(soon)
	f.add(t, 0, keyed("long", "k"), keyed("note", "k"))
	time.Sleep(2 * time.Minute)
	f.add(t, 1, keyed("long", "k"))
	time.Sleep(soon)
	require.EqualValues(t, 2, ran.Load())
	require.Len(t, f.notes(), 1)
}

func testKeyFreed(t *testing.T, open Open) {
	ended := make(chan struct{})
	f := newFixture(t, open, jobs.Options{Handlers: map[string]jobs.Handling{"signal": {Do: func(context.Context, []byte) error {
		ended <- struct{}{}
		return nil
	}}}})
	stop := Start(t, f)
	for range 3 {
		f.add(t, 1, keyed("signal", "k"))
		<-ended
		synctest.Wait() // no time passes
	}
	require.NoError(t, stop())
}

func testKeyTwiceInOneCall(t *testing.T, open Open) {
	f := newFixture(t, open, jobs.Options{})
	f.add(t, 4, keyed("note", "a"), keyed("note", "b"), keyed("note", "a"), note("1"), note("1"))
	Start(t, f)
	time.Sleep(soon)
	require.Len(t, f.notes(), 4)
}

var errChangedMind = errors.New("changed my mind")

func testRollback(t *testing.T, open Open) {
	f := newFixture(t, open, jobs.Options{})
	Start(t, f)
	err := f.st.Tx(t.Context(), func(tx *sql.Tx) error {
		n, err := f.EnqueueTx(t.Context(), tx, keyed("note", "k"), note("1"))
		require.NoError(t, err)
		require.Equal(t, 2, n)
		return errChangedMind
	})
	require.ErrorIs(t, err, errChangedMind)
	f.add(t, 1, jobs.Job{Kind: "note", Key: "k", Args: []byte(`"kept"`)})
	time.Sleep(soon)
	require.Equal(t, []string{`"kept"`}, f.notes())
}

func testKeyInTx(t *testing.T, open Open) {
	f := newFixture(t, open, jobs.Options{})
	require.NoError(t, f.st.Tx(t.Context(), func(tx *sql.Tx) error {
		for i, want := range []int{1, 0} {
			n, err := f.EnqueueTx(t.Context(), tx, keyed("note", "k"))
			require.NoError(t, err)
			require.Equal(t, want, n, "call %d", i)
		}
		return nil
	}))
	f.add(t, 0, keyed("note", "k"))
	require.Empty(t, f.notes())
	Start(t, f)
	time.Sleep(soon)
	require.Len(t, f.notes(), 1)
}

func testRefused(t *testing.T, open Open) {
	f := newFixture(t, open, jobs.Options{})
	_, err := f.Enqueue(t.Context(), note("1"), jobs.Job{Kind: "nobody"})
	var unknown *jobs.UnknownKindError
	require.ErrorAs(t, err, &unknown)
	require.Equal(t, "nobody", unknown.Kind)
	_, err = f.Enqueue(t.Context(), note("1"), note("{secret"))
	var args *jobs.ArgsError
	require.ErrorAs(t, err, &args)
	require.NotContains(t, err.Error(), "secret")
	f.add(t, 0)
	Start(t, f)
	time.Sleep(soon)
	require.Empty(t, f.notes(), "none of a refused call is added")
}

func testFailures(t *testing.T, open Open) {
	refused := errors.New("refused")
	var ran atomic.Int32
	f := newFixture(t, open, jobs.Options{Handlers: map[string]jobs.Handling{
		"fail":  {Do: func(context.Context, []byte) error { ran.Add(1); return refused }},
		"panic": {Do: func(context.Context, []byte) error { ran.Add(1); panic("a customer's text") }},
	}})
	stop := Start(t, f)
	f.add(t, 3, keyed("fail", "f"), keyed("panic", "p"), note("1"))
	time.Sleep(time.Minute)
	require.Equal(t, []string{"1"}, f.notes(), "the engine works on")
	require.EqualValues(t, 2, ran.Load(), "each was tried once")
	failed := f.failed()
	require.Len(t, failed, 2)
	require.ErrorIs(t, failed[0], refused)
	var panicked *jobs.PanicError
	require.ErrorAs(t, failed[1], &panicked)
	require.NotContains(t, panicked.Error(), "customer")
	require.Contains(t, panicked.Stack, "testFailures")
	f.add(t, 2, keyed("fail", "f"), keyed("panic", "p"))
	time.Sleep(soon)
	require.EqualValues(t, 4, ran.Load(), "their keys are free again")
	require.NoError(t, stop())
}

func testTimeout(t *testing.T, open Open) {
	var took time.Duration
	f := newFixture(t, open, jobs.Options{Handlers: map[string]jobs.Handling{
		"slow": {Timeout: time.Minute, Do: func(ctx context.Context, _ []byte) error {
			start := time.Now()
			<-ctx.Done()
			took = time.Since(start)
			return ctx.Err()
		}},
	}})
	stop := Start(t, f)
	f.add(t, 1, keyed("slow", "s"))
	time.Sleep(2 * time.Minute)
	require.NoError(t, stop())
	require.Equal(t, time.Minute, took)
	require.Len(t, f.failed(), 1)
	require.ErrorIs(t, f.failed()[0], context.DeadlineExceeded)
}

func testQueues(t *testing.T, open Open) {
	var running, most atomic.Int32
	long := func(context.Context, []byte) error {
		n := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(time.Minute)
		return nil
	}
	f := newFixture(t, open, jobs.Options{
		Handlers: map[string]jobs.Handling{"backfill": {Do: long, Queue: "backfill"}},
		Workers:  map[string]int{"backfill": 2},
	})
	Start(t, f)
	for range 7 {
		f.add(t, 1, jobs.Job{Kind: "backfill"})
	}
	time.Sleep(soon)
	f.add(t, 1, note("1"))
	time.Sleep(soon)
	require.Equal(t, []string{"1"}, f.notes())
	require.EqualValues(t, 2, running.Load())
	time.Sleep(5 * time.Minute)
	require.Zero(t, running.Load(), "all seven are done")
	require.EqualValues(t, 2, most.Load())
}

package jobstest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/jobs"
)

func testStopWaits(t *testing.T, open Open) {
	var finished atomic.Bool
	f := newFixture(t, open, jobs.Options{Grace: time.Minute, Handlers: map[string]jobs.Handling{
		"half a minute": {Do: func(ctx context.Context, _ []byte) error {
			time.Sleep(30 * time.Second)
			finished.Store(ctx.Err() == nil)
			return ctx.Err()
		}},
	}})
	stop := Start(t, f)
	f.add(t, 2, jobs.Job{Kind: "half a minute"}, note("1"))
	time.Sleep(soon)
	start := time.Now()
	require.NoError(t, stop())
	require.True(t, finished.Load(), "the running job has finished undisturbed")
	require.Less(t, time.Since(start), 31*time.Second)
	require.Empty(t, f.notes(), "nothing new was begun")
}

// errGaveUp does not say that a context was canceled.
var errGaveUp = errors.New("gave up")

func testStopCancels(t *testing.T, open Open) {
	var ran atomic.Int32
	f := newFixture(t, open, jobs.Options{Grace: 10 * time.Second, Handlers: map[string]jobs.Handling{
		"endless": {Do: func(ctx context.Context, _ []byte) error {
			ran.Add(1)
			<-ctx.Done()
			return errGaveUp
		}},
	}})
	stop := Start(t, f)
	f.add(t, 1, keyed("endless", "k"))
	time.Sleep(soon)
	start := time.Now()
	require.NoError(t, stop())
	require.InDelta(t, 10, time.Since(start).Seconds(), 1)
	require.Empty(t, f.failed(), "to be stopped is no failure")
	f.add(t, 0, keyed("endless", "k"))
	stop = Start(t, f)
	time.Sleep(soon)
	require.EqualValues(t, 2, ran.Load(), "the next run takes it up")
	require.NoError(t, stop())
}

func testStuck(t *testing.T, open Open) {
	release := make(chan struct{})
	f := newFixture(t, open, jobs.Options{Grace: 10 * time.Second, Handlers: map[string]jobs.Handling{
		"deaf": {Do: func(context.Context, []byte) error { <-release; return nil }},
	}})
	stop := Start(t, f)
	f.add(t, 1, jobs.Job{Kind: "deaf"})
	time.Sleep(soon)
	start := time.Now()
	var stuck *jobs.StuckError
	require.ErrorAs(t, stop(), &stuck)
	require.Equal(t, []string{"deaf"}, stuck.Kinds)
	require.InDelta(t, 15, time.Since(start).Seconds(), 1)
	close(release)
	time.Sleep(soon)
	synctest.Wait()
}

package jobstest

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/jobs"
	"github.com/twiliosf/twiliosf/sync/store"
)

// Open makes the engine under test on an open store.
type Open func(ctx context.Context, st *store.Store, o jobs.Options) (jobs.Engine, error)

// TestEngine is the contract of jobs.Engine. Each case has a store of its own
// and runs in virtual time.
func TestEngine(t *testing.T, open Open) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Open){
		"a job runs with its arguments, in order":               testRunsInOrder,
		"jobs added while nobody works are kept":                testKept,
		"a key is held while its job waits or runs":             testKeyHeld,
		"a key is free as soon as its job has ended":            testKeyFreed,
		"one call may name a key twice":                         testKeyTwiceInOneCall,
		"a rolled back transaction takes its jobs along":        testRollback,
		"a key taken in a transaction is taken when it commits": testKeyInTx,
		"what nobody can run is refused":                        testRefused,
		"failures and panics are reported and forgotten":        testFailures,
		"a handler that takes too long is canceled":             testTimeout,
		"a full queue holds up no other":                        testQueues,
		"stopping lets running jobs finish":                     testStopWaits,
		"after the grace jobs are canceled and run again":       testStopCancels,
		"a handler that ignores everything does not hold it up": testStuck,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, open) })
		})
	}
}

// OpenStore opens an empty store that lives as long as the test.
func OpenStore(t *testing.T) *store.Store {
	t.Helper()
	return OpenStoreAt(t, filepath.Join(t.TempDir(), "twiliosf.db"))
}

// OpenStoreAt opens the store in the given file until the end of the test.
func OpenStoreAt(t *testing.T, path string) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{URL: "sqlite://" + path, Version: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return st
}

// Start runs what has a Run method until stop, which answers what Run answered,
// is called, or the test ends.
func Start(t *testing.T, r interface {
	Run(ctx context.Context) error
}) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var err error
	done := make(chan struct{})
	go func() { defer close(done); err = r.Run(ctx) }()
	stop = func() error { cancel(); <-done; return err }
	t.Cleanup(func() { _ = stop() }) //nolint:errcheck // the test that cares has asked before
	return stop
}

// fixture is an engine and what its handlers saw.
type fixture struct {
	jobs.Engine
	st *store.Store

	mu       sync.Mutex
	seen     []string
	failures []error
}

func newFixture(t *testing.T, open Open, o jobs.Options) *fixture {
	t.Helper()
	f := &fixture{st: OpenStore(t)}
	o.OnFailure = func(_ string, err error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.failures = append(f.failures, err)
	}
	if o.Grace == 0 {
		o.Grace = time.Hour // sleeping handlers outlive their test otherwise
	}
	if o.Handlers == nil {
		o.Handlers = map[string]jobs.Handling{}
	}
	o.Handlers["note"] = jobs.Handling{Do: f.note}
	var err error
	f.Engine, err = open(t.Context(), f.st, o)
	require.NoError(t, err)
	return f
}

func (f *fixture) note(_ context.Context, args []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = append(f.seen, string(args))
	return nil
}

// notes are the arguments that the handler "note" has been given so far.
func (f *fixture) notes() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string{}, f.seen...)
}

func (f *fixture) failed() []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]error{}, f.failures...)
}

// add adds jobs and wants n of them taken.
func (f *fixture) add(t *testing.T, n int, js ...jobs.Job) {
	t.Helper()
	added, err := f.Enqueue(t.Context(), js...)
	require.NoError(t, err)
	require.Equal(t, n, added)
}

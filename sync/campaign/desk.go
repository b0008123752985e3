package campaign

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// breath is the least pause between two pieces of work on one run, while its status
// stays: whatever goes wrong, it does not spin.
const breath = 50 * time.Millisecond

// errChanged is why work on a run is cut short: the run is in another state.
var errChanged = errors.New("the campaign has changed")

// desk is where one run is worked on: by a walker, who gathers and hands over, and
// by a clerk, who writes and counts. Neither waits for the other. What it remembers
// may be lost at any time.
type desk struct {
	walker, clerk worker

	// The walker's own.
	limit   *rate.Limiter // of the campaign's own rate; nil: none
	perSec  float64       // of limit
	backAt  time.Time     // when what is not tried was taken back last
	quarter int64         // at which quarter of an hour's look that was

	done atomic.Bool // nobody is left to be handed over

	// The clerk's own.
	every   time.Duration // between counts, at the least
	tries   int           // calls to the org that failed in a row
	orgAt   time.Time     // when the org is called again
	counted time.Time     // when recipients were
	least   time.Duration // what must pass until the next count
	calm    int           // counts in a row that were no news
}

// worker is one of a desk's two. The engine's lock guards it.
type worker struct {
	busy    bool
	status  Status // of the run as it was read when its work began
	started time.Time
	until   time.Time // it rests, while the run's status stays and nobody calls
	called  bool
	fails   int // of the store, in a row
	cancel  context.CancelCauseFunc
}

// rests says whether a worker has nothing to do for a run yet.
func (w *worker) rests(r *Run, now time.Time) bool {
	return !w.called && w.status == r.Status && w.started.Equal(r.Started) && now.Before(w.until)
}

// step is a piece of work on a run. It answers how long the worker may rest; an
// error is the store's.
type step func(ctx context.Context, d *desk, r *Run) (time.Duration, error)

// put gives a worker something to do, unless it is busy or rests; then it answers
// until when. One who is busy with a run as it no longer is, is stopped.
func (e *Engine) put(ctx context.Context, all *sync.WaitGroup, w *worker, r *Run, do step) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	switch {
	case w.busy:
		if w.status != r.Status {
			w.cancel(errChanged)
		}
		return now.Add(turn)
	case w.rests(r, now):
		return w.until
	}
	ctx, w.cancel = context.WithCancelCause(ctx)
	w.busy, w.called, w.status, w.started = true, false, r.Status, r.Started
	d, run := e.desks[r.N], *r
	all.Go(func() {
		defer w.cancel(nil)
		rest, err := do(ctx, d, &run)
		if ctx.Err() != nil { // it was cut short
			rest, err = 0, nil
		}
		if err != nil {
			e.storeTrouble(ctx, err)
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		if err != nil {
			rest = fault.RetryIn(w.fails, time.Second, time.Minute, time.Second)
			w.fails++
		} else {
			w.fails = 0
		}
		w.busy, w.until = false, time.Now().Add(max(rest, breath))
		e.wake.Ring() // when to look next is for the loop to say
	})
	return now.Add(turn)
}

// call lets a worker rest no longer.
func (e *Engine) call(w *worker) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w.called = true
	e.wake.Ring()
}

// desk is a run's, made where it has none.
func (e *Engine) desk(n int64) *desk {
	e.mu.Lock()
	defer e.mu.Unlock()
	d := e.desks[n]
	if d == nil {
		d = &desk{every: e.o.CountEvery}
		e.desks[n] = d
	}
	return d
}

// tidy clears the desks of runs that are not due and not worked on.
func (e *Engine) tidy(due []Run) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.desks) <= len(due) {
		return
	}
	now := map[int64]bool{}
	for i := range due {
		now[due[i].N] = true
	}
	for n, d := range e.desks {
		if !now[n] && !d.walker.busy && !d.clerk.busy {
			delete(e.desks, n)
		}
	}
}

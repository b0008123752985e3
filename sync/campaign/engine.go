package campaign

import (
	"context"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/sync/alarm"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/grace"
)

const (
	// turn is how often a campaign that sends hands over, and how soon a command is
	// heeded.
	turn = time.Second
	// idle bounds how long a loop waits for its wake-up.
	idle = time.Minute
	// mostRuns are looked at in one turn.
	mostRuns = 1000
	// keptFor is how long a campaign is kept that is over.
	keptFor = 90 * 24 * time.Hour
	// booksEvery spaces the looks at all campaigns, forgetEvery counts those between
	// two at which old ones are dropped.
	booksEvery  = time.Minute
	forgetEvery = 60
)

// Take merges what was read of records that are, or were, to be sent to many. It is
// durable when Take returns nil.
func (e *Engine) Take(ctx context.Context, all []Campaign) error {
	if len(all) == 0 {
		return nil
	}
	n, err := e.Runs.Take(ctx, all, time.Now())
	if n > 0 {
		e.wake.Ring()
	}
	return err
}

// Run works until ctx is done, then gives calls to the org the grace to end. Whatever
// is cut short goes on from where it was (P10).
func (e *Engine) Run(ctx context.Context) error {
	work, release := grace.Context(ctx, e.o.Grace)
	defer release()
	var all sync.WaitGroup
	all.Go(func() { e.tell(ctx, work) })
	all.Go(func() { e.keepBooks(ctx) })
	for fails := 0; ctx.Err() == nil; {
		rest, err := e.look(ctx, work, &all)
		if err != nil {
			e.storeTrouble(ctx, err)
			alarm.Sleep(ctx, fault.RetryIn(fails, turn, time.Minute, turn))
			fails++
			continue
		}
		fails = 0
		e.wake.Wait(ctx, rest)
	}
	all.Wait()
	return context.Cause(ctx)
}

// look puts everybody to work who has something to do, and answers when to look again.
func (e *Engine) look(ctx, work context.Context, all *sync.WaitGroup) (time.Duration, error) {
	now := time.Now()
	due, err := e.Runs.Due(ctx, now, mostRuns)
	if err != nil {
		return 0, err
	}
	e.tidy(due)
	if len(due) == 0 {
		return until(e.Runs.NextDue(ctx))
	}
	next := now.Add(turn)
	for i := range due {
		r := &due[i]
		d := e.desk(r.N)
		if do := e.walk(r); do != nil {
			next = earlier(next, e.put(ctx, all, &d.walker, r, do))
		} else {
			e.halt(&d.walker)
		}
		if r.Kind != ToSend {
			continue
		}
		if r.Untold {
			e.news.add(r)
		}
		if r.Status != Scheduled {
			next = earlier(next, e.put(ctx, all, &d.clerk, r, func(ctx context.Context, d *desk, r *Run) (time.Duration, error) {
				return e.clerk(ctx, work, d, r)
			}))
		}
	}
	return max(time.Until(next), time.Millisecond), nil
}

// until is how long it is until something falls due.
func until(at time.Time, ok bool, err error) (time.Duration, error) {
	if err != nil || !ok {
		return idle, err
	}
	return min(max(time.Until(at), time.Millisecond), idle), nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// walk is what a walker does for a run, nil for nothing.
func (e *Engine) walk(r *Run) step {
	switch {
	case r.Kind == ToPreview: // whoever made it is gone
		return e.clear
	case r.Kind == ToForecast && !r.Status.Over():
		return e.forecast
	case r.Kind == ToForecast:
		return e.clear
	case r.Status == Scheduled:
		return e.start
	case r.Status == Sending && !r.Gathered:
		return e.gather
	case r.Status == Sending:
		return e.send
	case r.Status == Failed:
		return e.sweep
	}
	return nil
}

// halt stops a worker whose run no longer has anything for it.
func (e *Engine) halt(w *worker) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if w.busy {
		w.cancel(errChanged)
	}
}

// keepBooks keeps the metric true to the store, and drops what is over.
func (e *Engine) keepBooks(ctx context.Context) {
	for n := 0; ; n++ {
		if all, err := e.Books.Runs(ctx, mostRuns); err == nil { // else whoever needs the store next tells of it
			counts := map[Status]int{}
			for i := range all {
				counts[all[i].Status]++
			}
			for _, s := range []Status{Scheduled, Sending, Paused} {
				e.metrics.runs.WithLabelValues(string(s)).Set(float64(counts[s]))
			}
		}
		if n%forgetEvery == 0 {
			if err := e.Books.Forget(ctx, time.Now().Add(-keptFor)); err != nil {
				e.storeTrouble(ctx, err)
			}
		}
		if !alarm.Sleep(ctx, booksEvery) {
			return
		}
	}
}

// revise changes a run, again and again while others change it too, until change
// answers false. ok is false then, and r is the run as it is.
func (e *Engine) revise(ctx context.Context, r *Run, change func(r *Run) bool) (ok bool, err error) {
	for {
		next := *r
		if !change(&next) {
			return false, nil
		}
		if ok, err = e.Runs.Revise(ctx, &next); err != nil {
			return false, err
		}
		if ok {
			*r = next
			return true, nil
		}
		now, there, err := e.Books.Run(ctx, r.Campaign.ID, r.Kind)
		if err != nil || !there || ctx.Err() != nil {
			return false, err
		}
		*r = now
	}
}

// same says whether a run is at the same place as another reading of it was.
func (r *Run) same(was *Run) bool {
	if r.Status == Scheduled && !r.Campaign.asks(was.Campaign) {
		return false
	}
	return r.Status == was.Status && r.Started.Equal(was.Started) && r.Gathered == was.Gathered && r.Export == was.Export && r.Locator == was.Locator
}

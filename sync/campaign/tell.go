package campaign

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/sync/alarm"
	"github.com/twiliosf/twiliosf/sync/fault"
)

const (
	// tellEvery is how often records are told how their campaigns go, at most: each
	// time is a call of the org's daily ones.
	tellEvery = 5 * time.Second
	// gatherNews is how long news wait for others that come at about the same time.
	gatherNews = 500 * time.Millisecond
	// refusedAgain is when a record is told again that refuses it.
	refusedAgain = time.Hour
)

// news are the runs whose records are to be told, as they were read last.
type news struct {
	ring alarm.Alarm
	mu   sync.Mutex
	runs map[int64]Run
	rest map[int64]time.Time // until when they are left alone
}

func newNews() *news {
	return &news{ring: alarm.New(), runs: map[int64]Run{}, rest: map[int64]time.Time{}}
}

func (n *news) add(r *Run) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if time.Now().Before(n.rest[r.N]) {
		return
	}
	delete(n.rest, r.N)
	n.runs[r.N] = *r
	n.ring.Ring()
}

// take takes a batch out.
func (n *news) take() []Run {
	n.mu.Lock()
	defer n.mu.Unlock()
	var batch []Run
	for id := range n.runs {
		if len(batch) == BatchSize {
			n.ring.Ring()
			break
		}
		batch = append(batch, n.runs[id])
		delete(n.runs, id)
	}
	return batch
}

// leave leaves a run alone for a while.
func (n *news) leave(run int64, d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rest[run] = time.Now().Add(d)
}

// telling is what a run's record is to show.
func (r *Run) telling() Telling {
	t := Telling{
		ID: r.Campaign.ID, Status: r.Status, Counts: r.Counts, Problem: r.Problem, Started: r.Started, Ended: r.Ended,
		ForgetStarted: r.Started.IsZero(),
	}
	if !r.Heeded.Cleared {
		t.Obeyed = r.Heeded.Command
	}
	return t
}

// tell tells records how their campaigns go, all that have news by one call.
func (e *Engine) tell(ctx, work context.Context) {
	fails := 0
	for ctx.Err() == nil {
		e.news.ring.Wait(ctx, idle)
		if !alarm.Sleep(ctx, gatherNews) {
			return
		}
		batch := e.news.take()
		if len(batch) == 0 {
			continue
		}
		pause := tellEvery
		if err := e.tellBatch(ctx, work, batch); err != nil {
			pause = fault.RetryIn(fails, tellEvery, lastPause, fault.After(err))
			fails++
		} else {
			fails = 0
		}
		alarm.Sleep(ctx, pause)
	}
}

// tellBatch answers an error when the org or the store is in trouble.
func (e *Engine) tellBatch(ctx, work context.Context, batch []Run) error {
	var told []Run
	var tellings []Telling
	for i := range batch {
		if batch[i].Campaign.Deleted {
			if err := e.tellNothing(ctx, &batch[i]); err != nil {
				e.storeTrouble(ctx, err)
				return err
			}
			continue
		}
		told, tellings = append(told, batch[i]), append(tellings, batch[i].telling())
	}
	if len(told) == 0 {
		return nil
	}
	outcomes, err := e.Org.Tell(work, tellings)
	if err == nil {
		err = counted(len(outcomes), len(told))
	}
	if err != nil {
		e.org.Had(ctx, classed(err))
		e.metrics.written.WithLabelValues("campaign", "put_off").Add(float64(len(told)))
		return err
	}
	e.org.Over()
	var refusal error
	for i, outcome := range outcomes {
		if fault.ClassOf(outcome) == fault.Permanent {
			refusal = outcome
		}
		// What was told is worth remembering even while we stop.
		if err := e.toldOne(context.WithoutCancel(ctx), &told[i], tellings[i], outcome); err != nil {
			e.storeTrouble(ctx, err)
			return err
		}
	}
	if refusal != nil {
		e.Health.Raise(refused(condRecord, "to show how some campaigns go", refusal))
	} else {
		e.Health.Clear(condRecord)
	}
	return nil
}

// toldOne notes what came of telling one record. An error is the store's.
func (e *Engine) toldOne(ctx context.Context, r *Run, t Telling, outcome error) error {
	written := func(outcome string) { e.metrics.written.WithLabelValues("campaign", outcome).Inc() }
	switch {
	case outcome == nil:
		written("written")
		_, err := e.revise(ctx, r, func(r *Run) bool {
			all := reflect.DeepEqual(r.telling(), t) // else there is more to tell
			if all {
				r.Untold, r.TellTries = false, 0
			}
			cleared := t.Obeyed != "" && t.Obeyed == r.Heeded.Command && !r.Heeded.Cleared
			r.Heeded.Cleared = r.Heeded.Cleared || cleared
			return all || cleared
		})
		return err
	case errors.Is(outcome, ErrGone):
		written("gone")
		return e.lost(ctx, r)
	}
	pause := fault.RetryIn(r.TellTries, tellEvery, lastPause, fault.After(outcome))
	if fault.ClassOf(outcome) == fault.Permanent {
		pause = refusedAgain
		written("refused")
	} else {
		written("put_off")
	}
	e.news.leave(r.N, pause)
	_, err := e.revise(ctx, r, func(r *Run) bool {
		r.TellTries++
		if pause >= idle && (r.Status.Over() || r.Status == Paused) { // nothing else is pressing
			r.Due = time.Now().Add(pause)
		}
		return true
	})
	return err
}

// lost ends a run whose record is gone: whoever waits is not sent to.
func (e *Engine) lost(ctx context.Context, r *Run) error {
	c := r.Campaign
	c.Deleted = true
	if _, err := e.Runs.Take(ctx, []Campaign{c}, time.Now()); err != nil {
		return err
	}
	e.wake.Ring()
	now, there, err := e.Books.Run(ctx, c.ID, r.Kind)
	if err != nil || !there {
		return err
	}
	return e.tellNothing(ctx, &now)
}

// tellNothing notes that nobody is there to be told.
func (e *Engine) tellNothing(ctx context.Context, r *Run) error {
	_, err := e.revise(ctx, r, func(r *Run) bool {
		if !r.Status.Over() {
			return false
		}
		r.Campaign.Deleted, r.Untold = true, false
		return true
	})
	return err
}

package followup

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/grace"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
)

const (
	// lookEvery spaces the looks at a queue that was empty the last time: a
	// backfill wakes the engine many times a second.
	lookEvery = 250 * time.Millisecond
	// countEvery spaces the counts of what waits.
	countEvery = 15 * time.Second
	countMost  = 100_000
	// storeRetry is the pause after the store itself failed.
	storeRetry = 5 * time.Second
)

// Engine drains the queue, kind by kind. It makes one call at a time over all
// kinds, so that a record has at most one write in flight and the writer of
// messages goes first.
type Engine struct {
	queue   Queue
	health  *health.Registry
	log     *zap.Logger
	metrics *metrics
	poll    time.Duration
	grace   time.Duration
	lines   []*line

	wake  chan struct{}
	mu    sync.Mutex
	woken []message.FollowUpKind
	all   bool
}

// Wake tells that follow-ups of these kinds, or of any, were queued. It never
// blocks.
func (e *Engine) Wake(kinds ...message.FollowUpKind) {
	e.mu.Lock()
	e.all = e.all || len(kinds) == 0
	for _, k := range kinds {
		if !e.all && len(e.woken) < len(e.lines) {
			e.woken = append(e.woken, k)
			continue
		}
		e.all = true // it was woken so often that the list says no more
	}
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// heed brings forward the turns of the lines that were woken.
func (e *Engine) heed(now time.Time) {
	e.mu.Lock()
	woken, all := e.woken, e.all
	e.woken, e.all = nil, false
	e.mu.Unlock()
	for _, l := range e.lines {
		if all || slices.Contains(woken, l.kind) {
			l.bringForward(now)
		}
	}
}

// Run does follow-ups until ctx is done, then gives the call in flight the grace
// to end. What is not settled by then is done again (P10).
func (e *Engine) Run(ctx context.Context) error {
	work, release := grace.Context(ctx, e.grace)
	defer release()
	for ctx.Err() == nil {
		now := time.Now()
		e.heed(now)
		l := e.first()
		if !l.due.After(now) {
			e.turn(ctx, work, l)
			continue
		}
		timer := time.NewTimer(l.due.Sub(now))
		select {
		case <-e.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return context.Cause(ctx)
}

// first is the line whose turn is next: the one that has been due longest.
func (e *Engine) first() *line {
	first := e.lines[0]
	for _, l := range e.lines[1:] {
		if l.due.Before(first.due) {
			first = l
		}
	}
	return first
}

// turn does one batch of a line. work outlives ctx by the grace.
func (e *Engine) turn(ctx, work context.Context, l *line) {
	batch, err := e.queue.Due(ctx, l.kind, time.Now(), l.size)
	if err != nil {
		e.storeFailed(ctx, l, err)
		return
	}
	if len(batch) == 0 {
		e.rest(ctx, l)
		return
	}
	states := make([]message.FollowUp, len(batch))
	for i := range batch {
		states[i] = batch[i].FollowUp
	}
	outcomes, err := l.doer.Do(work, states)
	if err == nil && len(outcomes) != len(batch) {
		err = fault.New(fault.Transient, "follow up", errors.New("another number of outcomes than of follow-ups"))
	}
	if err != nil {
		if fault.Stopped(work, err) {
			l.due = time.Now()
			return
		}
		e.failed(ctx, l, batch, err)
		return
	}
	settled, down := e.settle(l, batch, outcomes)
	// What was done is worth remembering even while we stop.
	if err := e.queue.Settle(context.WithoutCancel(ctx), settled); err != nil {
		e.storeFailed(ctx, l, err)
		return
	}
	if down != nil {
		e.breathe(l, down)
	} else {
		l.taken()
		l.due = time.Now()
	}
	e.count(ctx, l)
}

// rest lets a line wait whose queue holds nothing that is due.
func (e *Engine) rest(ctx context.Context, l *line) {
	now := time.Now()
	next, err := e.queue.NextDue(ctx, l.kind)
	if err != nil {
		e.storeFailed(ctx, l, err)
		return
	}
	l.looked = now
	l.forget(e.health)
	l.due = now.Add(e.poll)
	if next.IsZero() {
		l.empty(e.health)
		e.metrics.waiting.WithLabelValues(string(l.kind)).Set(0)
		return
	}
	// Times in the queue are whole seconds.
	if soon := now.Add(time.Second); next.Before(soon) {
		next = soon
	}
	if next.Before(l.due) {
		l.due = next
	}
	e.count(ctx, l)
}

// count keeps the gauge of what waits.
func (e *Engine) count(ctx context.Context, l *line) {
	census, ok := e.queue.(Census)
	if now := time.Now(); !ok || now.Before(l.counted.Add(countEvery)) {
		return
	}
	n, err := census.Waiting(ctx, l.kind, countMost)
	if err != nil {
		return // whoever needs the store next tells of it
	}
	l.counted = time.Now()
	e.metrics.waiting.WithLabelValues(string(l.kind)).Set(float64(n))
}

func (e *Engine) storeFailed(ctx context.Context, l *line, err error) {
	l.hold(time.Now().Add(storeRetry))
	if fault.Stopped(ctx, err) {
		return
	}
	// The daemon ends the condition when the store writes again.
	e.health.Raise(health.StoreFailed(err))
}

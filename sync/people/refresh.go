package people

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
)

const (
	// overlap is how far before its mark a refresh reads: a change becomes visible
	// when its transaction commits, but has the time at which it was made.
	overlap = 5 * time.Minute
	// together is how many objects one call refreshes.
	together = 5
	// mostChanges is how many changes a refresh takes in; beyond, an export is
	// cheaper, at 50,000 records a call instead of 2,000.
	mostChanges = 100_000
)

// errMany says that more has changed than a refresh takes in.
var errMany = errors.New("people: too many changes for a refresh")

// Refresh brings the index up to date with what has changed in the org. What is
// to be filled is left to Run; until that is done, an index that was whole once is
// refreshed all the same.
func (e *Engine) Refresh(ctx context.Context) error {
	shapes, _, err := e.survey(ctx)
	if err != nil {
		return err
	}
	var taken []string
	wake := false
	defer func() {
		e.busy.give(taken...)
		if wake { // not before: it finds nothing to do while they are taken
			e.awake()
		}
	}()
	for _, s := range shapes {
		if s.Err == nil && e.busy.take(s.Object) {
			taken = append(taken, s.Object)
		}
	}
	states, err := e.Index.States(ctx) // as whoever had the objects until now has left them
	if err != nil {
		return err
	}
	var walks []*walk
	for _, s := range shapes {
		st, now := states[s.Object], time.Now()
		wake = wake || s.Err == nil && due(s, st, now)
		if slices.Contains(taken, s.Object) && current(s, st, now) {
			walks = append(walks, e.begin(s.Object, st))
		}
	}
	var errs []error
	for group := range slices.Chunk(walks, together) {
		errs = append(errs, e.refresh(ctx, group))
	}
	wake = wake || slices.ContainsFunc(walks, func(w *walk) bool { return w.state.FilledAt.IsZero() })
	err = errors.Join(errs...)
	if !fault.Stopped(ctx, err) {
		e.metrics.refreshes.WithLabelValues(className(err)).Inc()
	}
	return err
}

func (e *Engine) awake() {
	select {
	case e.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// refresh reads what has changed of a few objects in one call.
func (e *Engine) refresh(ctx context.Context, group []*walk) error {
	began := time.Now().UTC()
	since := make([]Since, len(group))
	for i, w := range group {
		w.seen, w.newest, w.pending = 0, w.state.Mark, w.pending[:0]
		since[i] = Since{Object: w.object, At: w.state.Mark.Add(-overlap)}
	}
	outcomes, err := e.Source.Changed(ctx, since, func(i int, r Record) error {
		if group[i].seen >= mostChanges {
			return errMany
		}
		return group[i].add(ctx, r)
	})
	var errs []error
	if errors.Is(err, errMany) && len(group) > 1 { // the others do not wait for it
		for _, w := range group {
			errs = append(errs, e.refresh(ctx, []*walk{w}))
		}
		return errors.Join(errs...)
	}
	for i, w := range group {
		outcome := err
		if err == nil {
			outcome = outcomes[i]
		}
		switch {
		case errors.Is(outcome, errMany):
			outcome = w.giveUp(ctx)
		case outcome == nil:
			outcome = w.done(ctx, began)
		}
		if fault.Stopped(ctx, outcome) {
			return outcome
		}
		e.trouble.had(w.object, outcome)
		errs = append(errs, outcome)
	}
	return errors.Join(errs...)
}

// done moves the mark, but not while an export is under way: it may bring back
// what a change has taken away.
func (w *walk) done(ctx context.Context, began time.Time) error {
	if err := w.flush(ctx); err != nil || w.state.Job != "" {
		return err
	}
	next := w.state
	next.CheckedAt, next.Mark = began, w.mark(began)
	return w.save(ctx, next, nil)
}

// mark is the newest change, and on a quiet day goes along with our clock, so that
// what was changed together once is not read for ever.
func (w *walk) mark(began time.Time) time.Time {
	if quiet := began.Add(-skew); quiet.After(w.newest) {
		return quiet
	}
	return w.newest
}

// giveUp lets the object be filled instead.
func (w *walk) giveUp(ctx context.Context) error {
	next := w.state
	next.FilledAt = time.Time{}
	return w.save(ctx, next, nil)
}

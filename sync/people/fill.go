package people

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/phone"
)

const (
	// offlineFor is how long the index may go without a refresh. Salesforce keeps
	// what was deleted for 15 days, and only there a refresh finds that it was.
	// https://help.salesforce.com/s/articleView?id=sf.home_delete.htm&type=5
	offlineFor = 10 * 24 * time.Hour
	// skew is how far our clock may be before the org's.
	skew = 10 * time.Minute
	// awaitFor is how long one export is waited for before the other objects have
	// their turn. It goes on meanwhile.
	awaitFor = 5 * time.Minute

	firstRetry   = 5 * time.Second
	longestRetry = 5 * time.Minute
)

// errPending says that an export takes its time.
var errPending = errors.New("the export is still under way")

// Run fills what is to be filled, at the start and whenever a refresh finds
// something, until ctx ends.
func (e *Engine) Run(ctx context.Context) {
	now := time.Now()
	e.began.Store(&now)
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = firstRetry, longestRetry
	for {
		var retry <-chan time.Time
		switch err := e.Fill(ctx); {
		case err == nil:
			pause.Reset()
		case errors.Is(err, errPending):
			retry = time.After(firstRetry)
		default:
			retry = time.After(max(pause.NextBackOff(), fault.After(err)))
		}
		select {
		case <-ctx.Done():
			return
		case <-e.wake:
		case <-retry:
		}
	}
}

// Fill fills the index of every object for which it is due: the small ones side by
// side, for the first messages wait for them, and exports one after the other, for
// a page of one holds up one of the calls to the org that may be under way.
func (e *Engine) Fill(ctx context.Context) error {
	shapes, states, err := e.survey(ctx)
	if err != nil {
		return err
	}
	errs := make([]error, len(shapes))
	var all sync.WaitGroup
	for i, s := range shapes {
		if s.Err != nil || !due(s, states[s.Object], time.Now()) || !e.busy.take(s.Object) {
			continue
		}
		all.Go(func() {
			defer e.busy.give(s.Object)
			errs[i] = e.fillNoted(ctx, s)
		})
	}
	all.Wait()
	passing := false
	for _, err := range errs {
		if fault.Stopped(ctx, err) {
			return err
		}
		passing = passing || err != nil && fault.ClassOf(err) != fault.Auth && fault.ClassOf(err) != fault.Permanent
	}
	if !passing { // what is refused will not be there soon
		e.nowFilled()
	}
	return errors.Join(errors.Join(errs...), e.forget(ctx, shapes, states))
}

// fillNoted is fill, and tells operators of it.
func (e *Engine) fillNoted(ctx context.Context, s Shape) error {
	err := e.fill(ctx, s)
	if fault.Stopped(ctx, err) {
		return err
	}
	if !errors.Is(err, errPending) {
		e.metrics.fills.WithLabelValues(s.Object, className(err)).Inc()
	}
	e.trouble.had(s.Object, err)
	return err
}

// survey reads what the org has and what the index has of it.
func (e *Engine) survey(ctx context.Context) ([]Shape, map[string]State, error) {
	if err := e.load(ctx); err != nil {
		return nil, nil, err
	}
	shapes, err := e.Source.Shapes(ctx)
	if err != nil {
		if !fault.Stopped(ctx, err) {
			e.trouble.had(wholeOrg, err)
		}
		return nil, nil, err
	}
	e.trouble.had(wholeOrg, nil)
	e.noteShapes(shapes)
	definitions := make(map[string]string, len(shapes))
	for i := range shapes {
		shapes[i].Definition += "; country " + e.o.Country + "; keys " + keyVersion
		definitions[shapes[i].Object] = shapes[i].Definition
	}
	e.definitions.Store(&definitions)
	states, err := e.Index.States(ctx)
	return shapes, states, err
}

var keyVersion = string(rune('0' + phone.KeyVersion))

// due says whether an object is to be filled.
func due(s Shape, st State, now time.Time) bool {
	every := s.Refill
	if every == 0 {
		every = RefillEvery
	}
	return st.Filling || st.Definition != s.Definition || !current(s, st, now) || now.Sub(st.FilledAt) > every
}

// current says whether a refresh can bring the index up to date. Not when our
// clock has been put back: then the mark may be one that is yet to come.
func current(s Shape, st State, now time.Time) bool {
	return st.Held == s.Definition && st.Definition == s.Definition &&
		now.Sub(st.CheckedAt) <= offlineFor && !st.CheckedAt.After(now.Add(skew))
}

// fill brings all records of an object into the index, whatever its size, and
// goes on where a stop has left it.
func (e *Engine) fill(ctx context.Context, s Shape) error {
	states, err := e.Index.States(ctx)
	if err != nil {
		return err
	}
	st := states[s.Object]
	if !st.Filling || st.Definition != s.Definition {
		e.drop(ctx, st.Job)
		st.Definition, st.Filling, st.Job, st.Locator = s.Definition, true, "", ""
	}
	w := e.begin(s.Object, st)
	for again := false; ; again = true {
		if w.state.Job == "" {
			if all, err := w.start(ctx); err != nil || all {
				return errOr(err, func() error { return w.finish(ctx) })
			}
		}
		err := w.exportInTurn(ctx)
		if !errors.Is(err, ErrNoExport) {
			return errOr(err, func() error { return w.finish(ctx) })
		}
		next := w.state
		next.Job, next.Locator = "", ""
		if saved := w.save(ctx, next, nil); saved != nil || again {
			return errors.Join(err, saved)
		}
	}
}

func errOr(err error, next func() error) error {
	if err != nil {
		return err
	}
	return next()
}

// start reads the newest records. If that is all of them, the object is filled by
// this one call; else an export begins, which is in the store before anybody
// waits for it. The newest record's time is the mark: the org's own clock, taken
// before the export looks at the records.
func (w *walk) start(ctx context.Context) (all bool, err error) {
	began := time.Now().UTC()
	w.state.Generation++ // what was seen before may have changed since
	w.seen, w.newest, w.pending = 0, time.Time{}, w.pending[:0]
	err = w.engine.Source.Newest(ctx, w.object, func(r Record) error { return w.add(ctx, r) })
	large := errors.Is(err, ErrTooLarge)
	if err == nil || large {
		err = w.flush(ctx)
	}
	if err != nil {
		return false, err
	}
	next := w.state
	next.CheckedAt, next.Mark = began, w.mark(began)
	if large || w.seen >= SmallObject {
		if next.Job, err = w.engine.Export.Start(ctx, w.object); err != nil {
			return false, err
		}
	}
	return next.Job == "", w.save(ctx, next, nil)
}

func (w *walk) exportInTurn(ctx context.Context) error {
	if err := w.engine.exports.Acquire(ctx, 1); err != nil {
		return context.Cause(ctx)
	}
	defer w.engine.exports.Release(1)
	return w.export(ctx)
}

// export reads the rows of the export, page by page. A page that was not read to
// its end is read again.
func (w *walk) export(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, awaitFor)
	defer cancel()
	if err := w.engine.Export.Await(bounded, w.state.Job); err != nil {
		if bounded.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("%w: %w", errPending, err)
		}
		return err
	}
	w.exporting = true
	defer func() { w.exporting = false }()
	for {
		w.pending = w.pending[:0]
		next, err := w.engine.Export.Page(ctx, w.object, w.state.Job, w.state.Locator, func(r Record) error { return w.add(ctx, r) })
		if err == nil {
			err = w.flush(ctx)
		}
		if err != nil || next == "" {
			return err
		}
		st := w.state
		st.Locator = next
		if err := w.save(ctx, st, nil); err != nil {
			return err
		}
	}
}

// finish drops what the filling has not seen, which is no more.
func (w *walk) finish(ctx context.Context) error {
	n, err := w.prune(ctx, w.state.Generation)
	if err != nil {
		return err
	}
	next, job := w.state, w.state.Job
	next.Filling, next.Job, next.Locator, next.Held, next.FilledAt = false, "", "", next.Definition, time.Now().UTC()
	if err := w.save(ctx, next, nil); err != nil {
		return err
	}
	w.engine.drop(ctx, job)
	w.engine.o.Log.Info("people are known by their numbers", zap.String("object", w.object),
		zap.Int64("records", next.People), zap.Int64("gone", n))
	return nil
}

// prune drops what is not of a generation. The store has counted it already.
func (w *walk) prune(ctx context.Context, generation int64) (int64, error) {
	n, err := w.engine.Index.Prune(ctx, w.object, generation)
	w.state.People -= n
	w.engine.indexed.Add(-n)
	return n, err
}

// drop gives up an export. One that cannot be given up goes by itself.
func (e *Engine) drop(ctx context.Context, job string) {
	if job == "" {
		return
	}
	if err := e.Export.Drop(ctx, job); err != nil {
		e.o.Log.Debug("an export could not be deleted", zap.Error(err))
	}
}

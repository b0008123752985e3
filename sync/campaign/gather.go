package campaign

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// gather reads a run's audience, page by page, from where it is. Each page and the
// way to the next commit together, so that it can be stopped anywhere.
func (e *Engine) gather(ctx context.Context, d *desk, r *Run) (time.Duration, error) {
	_, err := e.read(ctx, r, nil)
	if r.Gathered {
		e.call(&d.clerk)
	}
	switch {
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case err == nil:
		return 0, nil // where it was left before its end, the next look tells how to go on
	case fault.Of(err) == nil:
		return 0, err
	case fault.ClassOf(err) == fault.Permanent:
		return 0, e.fail(ctx, r, problem(inWords(err)))
	}
	return e.putOff(ctx, r, err)
}

// read gathers an audience to its end; more says that it was left before, because the
// run has changed. each sees the recipients of a page before they are kept, and may
// be nil. An error that is not classed is the store's.
func (e *Engine) read(ctx context.Context, r *Run, each func([]Recipient)) (more bool, err error) {
	m, err := e.merger(r)
	if err != nil {
		return false, fault.New(fault.Permanent, "campaign", err)
	}
	for !r.Gathered && ctx.Err() == nil {
		if r.Export == "" && r.Locator == "" {
			if ok, err := e.begin(ctx, r); !ok || err != nil {
				return true, err
			}
		}
		if ok, err := e.readPage(ctx, r, m, each); !ok || err != nil {
			return true, err
		}
	}
	return !r.Gathered, nil
}

// readPage reads one page and keeps it. ok is false when the run has changed.
func (e *Engine) readPage(ctx context.Context, r *Run, m *merger, each func([]Recipient)) (ok bool, err error) {
	people, next, err := e.Audiences.Page(ctx, r.Audience, r.Export, r.Locator)
	switch {
	case errors.Is(err, ErrGone):
		return e.anew(ctx, r)
	case err != nil:
		return false, classed(err)
	}
	if err := beyond(r, next, len(people)); err != nil {
		return false, err
	}
	e.reading.Over()
	page, err := m.recipients(ctx, people)
	if err != nil {
		return false, err
	}
	if each != nil {
		each(page)
	}
	return e.keep(ctx, r, page, e.onward(ctx, r, m, page, next))
}

// beyond refuses a page that leads nowhere: the reading would never end.
func beyond(r *Run, next string, people int) error {
	if next == "" || next != r.Locator {
		return nil
	}
	return fault.New(fault.Transient, "salesforce read audience", fmt.Errorf("a page of %d people leads to itself", people))
}

// begin finds out from where the audience is read, and remembers it.
func (e *Engine) begin(ctx context.Context, r *Run) (bool, error) {
	export, err := e.Audiences.Begin(ctx, r.Audience)
	if err != nil {
		return false, classed(err)
	}
	if export == "" {
		return true, nil
	}
	return e.revise(ctx, r, onlyIf(*r, func(r *Run) { r.Export = export }))
}

// anew begins the reading from its beginning: the rows of an export are kept for some
// days only. Whoever is in the ledger stays there.
func (e *Engine) anew(ctx context.Context, r *Run) (bool, error) {
	if r.Export == "" && r.Locator == "" {
		return false, fault.New(fault.Transient, "salesforce read audience", ErrGone)
	}
	return e.revise(ctx, r, onlyIf(*r, func(r *Run) { r.Export, r.Locator, r.Estimate = "", "", Estimate{} }))
}

// onward is what a page that is kept makes of its run.
func (e *Engine) onward(ctx context.Context, r *Run, m *merger, page []Recipient, next string) func(*Run) {
	sum := m.estimate(page)
	var price Price
	if next == "" {
		price = e.o.Price(ctx)
	}
	rate := e.pace(r)
	return func(r *Run) {
		r.Locator, r.Gathered, r.Tries = next, next == "", 0
		if r.Kind != ToPreview {
			r.Due = time.Now()
		}
		r.Estimate = r.Estimate.plus(sum)
		if !r.Gathered {
			return
		}
		r.Estimate = r.Estimate.at(price, rate)
		r.Untold = r.Untold || r.Kind == ToSend
		if n := r.Estimate.SecondSegment; n > 0 {
			r.Problem = fmt.Sprintf("Note: %d texts take more segments than the body alone, because of the values that were filled in.", n)
		}
	}
}

// keep adds a page to the ledger. ok is false when the run is no longer where the page
// was read for.
func (e *Engine) keep(ctx context.Context, r *Run, page []Recipient, onward func(*Run)) (ok bool, err error) {
	was := *r
	for ctx.Err() == nil {
		next := *r
		onward(&next)
		if ok, err = e.Recipients.Add(ctx, &next, page); err != nil || ok {
			if ok {
				*r = next
				e.measure(r, page)
			}
			return ok, err
		}
		now, there, err := e.Books.Run(ctx, r.Campaign.ID, r.Kind)
		if err != nil || !there || !now.same(&was) {
			return false, err
		}
		*r = now // its record was told something meanwhile
	}
	return false, nil
}

func (e *Engine) measure(r *Run, page []Recipient) {
	if r.Kind != ToSend {
		return
	}
	for i := range page {
		reason := page[i].Reason
		if reason == "" {
			reason = "none"
		}
		e.metrics.gathered.WithLabelValues(string(reason)).Inc()
	}
}

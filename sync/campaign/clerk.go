package campaign

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
)

const (
	// countEvery spaces the counts of a run's recipients, and what is written for
	// them. While counts are no news they come more rarely, to a sixteenth.
	countEvery = 15 * time.Second
	mostCalm   = 4
	// countShare is what part of the time may be spent on counting, as a divisor.
	countShare = 20
	// recordsAtOnce is how many records of those left out are written together: where
	// the org takes many at once, one job is cheaper than 25 calls.
	recordsAtOnce = 5000
	// pausedEvery spaces the looks at a campaign that is paused.
	pausedEvery = time.Minute
	// Counts of a campaign that is over go on for afterwards: most messages have their
	// last status within minutes, people answer for days.
	afterwards             = 72 * time.Hour
	firstAfter, lastAfter  = time.Minute, time.Hour
	settledAfter, ageShare = 24 * time.Hour, 4
)

// clerk writes to the org what came of a run, and counts. No send waits for it. work
// outlives ctx by the grace.
func (e *Engine) clerk(ctx, work context.Context, d *desk, r *Run) (time.Duration, error) {
	written, err := e.write(ctx, work, d, r)
	if err != nil || ctx.Err() != nil {
		return 0, err
	}
	rest := time.Until(d.nextCount())
	if r.Status != Sending {
		rest = time.Until(r.countedNext())
	}
	if rest <= 0 {
		if err := e.recount(ctx, d, r, written); err != nil {
			return 0, err
		}
		rest = countEvery
	}
	if orgAt := time.Until(d.orgAt); orgAt > 0 {
		rest = min(rest, orgAt)
	}
	if r.Status == Sending {
		return min(rest, time.Until(d.nextCount())), nil
	}
	if written && !r.Untold {
		_, err = e.revise(ctx, r, func(now *Run) bool {
			if now.Status != r.Status || now.Untold {
				return false
			}
			now.Due = now.countedNext()
			return true
		})
	}
	return min(rest, countEvery), err
}

// countedNext is when a run that does not send is counted next.
func (r *Run) countedNext() time.Time {
	switch age := r.Counted.Sub(r.Ended); {
	case r.Counted.Before(r.Ended) || r.Counted.IsZero():
		return time.Time{}
	case r.Status == Paused:
		return r.Counted.Add(pausedEvery)
	case r.Counts.Accepted == 0 && r.Counts.Handed == 0, age > afterwards, r.Counts.Open == 0 && age > settledAfter:
		return Never
	default:
		return r.Counted.Add(min(max(age/ageShare, firstAfter), lastAfter))
	}
}

// nextCount is when the recipients of a run that sends are counted next: more rarely
// while that is no news, unless nobody is left to be handed over. All runs are counted
// at the same times, so that their records are told by one call.
func (d *desk) nextCount() time.Time {
	if d.done.Load() || d.counted.IsZero() {
		return d.counted.Add(d.least)
	}
	at := d.counted.Add(max(d.least, d.every<<d.calm))
	if together := at.Truncate(d.every); together.Before(at) {
		at = together.Add(d.every)
	}
	return at
}

// recount counts a run's recipients, and ends the run when nobody is left of them.
func (e *Engine) recount(ctx context.Context, d *desk, r *Run, written bool) error {
	began := time.Now()
	counts, err := e.Results.Count(ctx, r.N)
	if err != nil {
		return err
	}
	if r.Status == Failed { // nobody waits, though some may still be there to be dropped
		counts.Waiting, counts.LeftOut, counts.Last = 0, nil, nil
	}
	now := time.Now()
	news := !counts.equal(r.Counts)
	d.calm = min(d.calm+1, mostCalm)
	if news {
		d.calm = 0
	}
	d.counted, d.least = now, max(d.every, now.Sub(began)*(countShare-1))
	over := written && r.over(counts)
	if !news && !over && r.Status == Sending {
		return nil
	}
	was := *r
	ok, err := e.revise(ctx, r, func(r *Run) bool {
		if r.Status != was.Status || !r.Started.Equal(was.Started) {
			return false
		}
		r.Counts, r.Counted, r.Untold = counts, now, r.Untold || news
		if over {
			r.complete(now)
		}
		return true
	})
	if ok && over {
		e.ended(r)
	}
	return err
}

// over says whether nobody is left of a run that sends.
func (r *Run) over(c Counts) bool {
	return r.Status == Sending && r.Gathered && c.Waiting == 0 && c.Handed == 0
}

// complete ends a run of which nobody is left.
func (r *Run) complete(now time.Time) {
	r.stop(Completed, now)
	switch total := r.Counts.Total(); total {
	case 0:
		r.Problem = "Nobody is in the audience, so nothing was sent. Look at the Campaign's members, the list view or the query, and set Status to Send again."
	case r.Counts.Skipped():
		r.Problem = fmt.Sprintf("Nothing was sent: all %d of the audience are left out. The message records of this campaign say why.", total)
	default:
	}
}

// equal says whether two counts are the same.
func (c Counts) equal(other Counts) bool {
	if !maps.Equal(c.LeftOut, other.LeftOut) || !maps.Equal(c.Last, other.Last) {
		return false
	}
	c.LeftOut, c.Last, other.LeftOut, other.Last = nil, nil, nil, nil
	return reflect.DeepEqual(c, other)
}

// write writes what there is to be written for a run. done is false when something
// could not be. An error is the store's.
func (e *Engine) write(ctx, work context.Context, d *desk, r *Run) (done bool, err error) {
	if time.Now().Before(d.orgAt) {
		return false, nil
	}
	for _, part := range []func(context.Context, context.Context, *Run) (bool, error){e.finish, e.record, e.answer} {
		ok, err := part(ctx, work, r)
		if f := fault.Of(err); err != nil && f == nil {
			return false, err
		}
		if err != nil || !ok {
			e.org.Had(ctx, err)
			d.orgAt = time.Now().Add(fault.RetryIn(d.tries, firstPause, lastPause, fault.After(err)))
			d.tries++
			return false, nil
		}
	}
	d.tries = 0
	return true, nil
}

// finish gives an export up that is read, or that nobody needs any more.
func (e *Engine) finish(ctx, work context.Context, r *Run) (bool, error) {
	if r.Export == "" || !r.Gathered && !r.Status.Over() {
		return true, nil
	}
	if err := e.Audiences.Finish(work, r.Export); err != nil && !errors.Is(err, ErrGone) && fault.ClassOf(err) != fault.Permanent {
		return false, classed(err)
	}
	export := r.Export
	_, err := e.revise(ctx, r, func(r *Run) bool {
		mine := r.Export == export && (r.Gathered || r.Status.Over())
		r.Export = ""
		return mine
	})
	return true, err
}

// record writes the records of those left out.
func (e *Engine) record(ctx, work context.Context, r *Run) (bool, error) {
	if !r.Gathered || r.Status != Sending && r.Status != Completed {
		return true, nil
	}
	for ctx.Err() == nil {
		all, err := e.Results.Unrecorded(ctx, r.N, recordsAtOnce)
		if err != nil || len(all) == 0 {
			return true, err
		}
		outcomes, err := e.Org.Record(work, all)
		outcomes, err = each(outcomes, err, len(all))
		if err != nil {
			e.metrics.written.WithLabelValues("recipient", "put_off").Add(float64(len(all)))
			return false, classed(err)
		}
		e.org.Over()
		settled, later := sorted(e, all, outcomes, "recipient", condRecipient)
		// What was written is worth remembering even while we stop.
		if err := e.Notes.Recorded(context.WithoutCancel(ctx), r.N, settled); err != nil {
			return false, err
		}
		if later != nil {
			return false, classed(later)
		}
	}
	return false, nil
}

// answer writes the statuses of campaign members.
func (e *Engine) answer(ctx, work context.Context, r *Run) (bool, error) {
	for ctx.Err() == nil {
		all, err := e.Results.Unanswered(ctx, r.N, PageSize)
		if err != nil || len(all) == 0 {
			return true, err
		}
		outcomes, err := e.Org.Answered(work, all)
		outcomes, err = each(outcomes, err, len(all))
		if err != nil {
			e.metrics.written.WithLabelValues("member", "put_off").Add(float64(len(all)))
			return false, classed(err)
		}
		e.org.Over()
		settled, later := sorted(e, all, outcomes, "member", condMember)
		if err := e.Notes.Noted(context.WithoutCancel(ctx), r.N, settled); err != nil {
			return false, err
		}
		if later != nil {
			return false, classed(later)
		}
	}
	return false, nil
}

// each is one outcome for each of a batch. That a batch is refused for good is so for
// each of it.
func each(outcomes []error, err error, n int) ([]error, error) {
	switch {
	case err == nil:
		return outcomes, counted(len(outcomes), n)
	case fault.ClassOf(err) == fault.Permanent:
		return slices.Repeat([]error{err}, n), nil
	default:
		return nil, err
	}
}

// sorted are those whose outcome is final, which a refusal is: it becomes a condition
// and is not repeated. later is why others are to be written again.
func sorted[T any](e *Engine, all []T, outcomes []error, what, condition string) (settled []T, later error) {
	var refusal error
	for i, err := range outcomes {
		outcome := "written"
		switch {
		case err == nil:
		case errors.Is(err, ErrGone):
			outcome = "gone"
		case fault.ClassOf(err) == fault.Permanent:
			outcome, refusal = "refused", err
		default:
			outcome, later = "put_off", err
		}
		e.metrics.written.WithLabelValues(what, outcome).Inc()
		if outcome != "put_off" {
			settled = append(settled, all[i])
		}
	}
	if refusal != nil {
		e.Health.Raise(refused(condition, "what came of some of a campaign's "+what+"s", refusal))
	} else {
		e.Health.Clear(condition)
	}
	return settled, later
}

package archive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
)

// Conditions of the archive. condTarget is what a target's faults name.
const (
	condStopped = "archive-stopped"
	condTarget  = "archive-target"
	condBudget  = "archive-budget"
	condRefused = "archive-refused"
	condDamaged = "archive-damaged"
)

// CodeBudget is of a fault by which Ports.Budget ends a run: nothing is wrong.
const CodeBudget = "ARCHIVE_BUDGET"

// Run archives what is old enough, run after run, until nothing is left or
// something stands in the way; then the next Run goes on. First it ends what an
// earlier one has begun. What stands in the way is a condition; the error is for
// the caller's log.
func (e *Engine) Run(ctx context.Context) error {
	if !e.one.TryAcquire(1) {
		return ErrBusy
	}
	defer e.one.Release(1)
	e.refused = 0
	err := e.work(ctx)
	e.note(ctx, err)
	return err
}

func (e *Engine) work(ctx context.Context) error {
	if err := e.recall(ctx); err != nil {
		return err
	}
	if err := e.resume(ctx); err != nil {
		return err
	}
	c, after := e.criteria(time.Now()), ""
	for {
		r, found, err := e.copyRun(ctx, c, &after)
		if err != nil {
			return err
		}
		if found {
			err = e.leave(ctx, &r)
		}
		switch {
		case err != nil:
			return e.problem(ctx, &r, err)
		case !found:
			return nil
		}
	}
}

// resume ends the runs that have been begun: one that is not committed is thrown
// away, as its records are read anew.
func (e *Engine) resume(ctx context.Context) error {
	for {
		r, is, err := e.Journal.Open(ctx)
		if err != nil || !is {
			return err
		}
		if r.State == Writing {
			err = e.discard(ctx, &r)
		} else if err = e.leave(ctx, &r); err != nil {
			err = e.problem(ctx, &r, err)
		}
		if err != nil {
			return err
		}
	}
}

// problem notes on an open run why it has stopped.
func (e *Engine) problem(ctx context.Context, r *Run, err error) error {
	if r.State == Leaving && !fault.Stopped(ctx, err) {
		r.Problem = err.Error()
		return errors.Join(err, e.Journal.Update(ctx, *r))
	}
	return err
}

// note makes conditions of how a Run has ended.
func (e *Engine) note(ctx context.Context, err error) {
	if fault.Stopped(ctx, err) {
		return
	}
	refused, isRefused := errors.AsType[*RefusedError](err)
	damaged, isDamaged := errors.AsType[*DamagedError](err)
	const again = " It goes on at its next time (archive.cron), or now: twiliosf archive run."
	switch f := fault.Of(err); {
	case err == nil:
		e.Health.Clear(condStopped, condTarget, condBudget)
		if e.refused == 0 {
			e.Health.Clear(condRefused)
		}
	case isRefused:
		e.noteRefused(refused.Records, refused.Err)
	case isDamaged:
		e.noteDamaged(damaged)
	case f != nil && f.Code == CodeBudget:
		e.Health.Clear(condStopped, condTarget)
		e.Health.Raise(health.Condition{Name: condBudget, Severity: health.Notice, Cause: "The archive has stopped: " + err.Error() + ".", Remedy: fault.Hint(err) + again})
	default:
		c := health.Condition{Name: condStopped, Severity: health.Degraded, Cause: "The archive has stopped: " + err.Error() + ".", Remedy: fault.Hint(err) + again}
		if f != nil && f.Condition != "" {
			c.Name = f.Condition
		}
		e.Health.Raise(c)
	}
}

func (e *Engine) noteRefused(n int, err error) {
	e.refused += n
	e.Health.Raise(health.Condition{
		Name: condRefused, Severity: health.Degraded,
		Cause: fmt.Sprintf("The org does not let go of %d records that are archived: %s.", n, err),
		Remedy: "Let the integration user delete them (the permission to delete on the object; a trigger, Flow or validation may refuse too), or leave them to " +
			"archive.hold_field. Their copies are safe; those that were refused one by one are tried again after seven days.",
	})
}

func (e *Engine) noteDamaged(err error) {
	e.Health.Raise(health.Condition{
		Name: condDamaged, Severity: health.Degraded, Cause: "In the archive, " + err.Error() + ".",
		Remedy: "Bring the file back from a backup and run twiliosf archive verify. Nothing more leaves the org on its account: what is still there is copied anew.",
	})
}

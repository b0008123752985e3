package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/schedule"
	"github.com/twiliosf/twiliosf/sync/store"
)

const (
	// longestSleep bounds how late a jump of the wall clock is noticed.
	longestSleep = time.Minute
	// skew is how far apart the clocks of two machines on one store may be before
	// one takes the other's row for a relic of a clock that was set back.
	skew = time.Minute
	// retryAfter is the pause after the store has refused.
	retryAfter = 5 * time.Second
)

// Schedule adds Job whenever Spec, a cron expression for schedule.Parse, comes round.
// Without a Key the job gets one of its schedule's name, so it never overlaps
// itself.
type Schedule struct {
	Name, Spec string
	Job        Job
	// Later has a new schedule run at its time for the first time, and not at once.
	Later bool
	// Dated gives the job a Dated as its Args: each run stands for a time. Its first
	// one is at the next time that comes round, and not at once.
	Dated bool
}

// Dated is which run of a schedule a job is.
type Dated struct {
	Schedule string    `json:"schedule"`
	At       time.Time `json:"at"` // when it was due
}

// SchedulerOptions are a scheduler's.
type SchedulerOptions struct {
	// OnSkipped, if set, is told once of each run that was left out because the
	// job of an earlier one still waits or runs.
	OnSkipped func(name string)
	// OnError, if set, is told of each failure of the store, and of nil when it
	// works again.
	OnError func(error)
	// Now is the wall clock; time.Now if nil.
	Now func() time.Time
	// Log may be nil.
	Log *zap.Logger
}

// Scheduler turns the passing of time into jobs.
type Scheduler struct {
	st      *store.Store
	engine  Engine
	planned map[string]planned
	o       SchedulerOptions
	failing bool
}

type planned struct {
	Schedule
	when schedule.Schedule
}

// NewScheduler checks the schedules, and names every fault at once; it starts nothing.
func NewScheduler(st *store.Store, engine Engine, schedules []Schedule, o SchedulerOptions) (*Scheduler, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	s := &Scheduler{st: st, engine: engine, planned: map[string]planned{}, o: o}
	var errs []error
	for _, sched := range schedules {
		when, err := schedule.Parse(sched.Spec)
		if err != nil {
			errs = append(errs, fmt.Errorf("jobs: schedule %s: %w", sched.Name, err))
		}
		if _, twice := s.planned[sched.Name]; twice || sched.Name == "" {
			errs = append(errs, fmt.Errorf("jobs: the name %q must be there, and once", sched.Name))
		}
		if sched.Job.Key == "" {
			sched.Job.Key = "schedule/" + sched.Name
		}
		s.planned[sched.Name] = planned{Schedule: sched, when: when}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// Run keeps the rows and adds the jobs until ctx is done, and then returns nil.
// New schedules run at once, but for those that are Later or Dated. While the store refuses, it tries again.
func (s *Scheduler) Run(ctx context.Context) error {
	planned := false
	for ctx.Err() == nil {
		wait, err := retryAfter, error(nil)
		if !planned {
			err = s.plan(ctx)
			planned = err == nil
		}
		if planned {
			wait, err = s.tick(ctx)
		}
		s.report(ctx, err)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
	return nil
}

// report passes a failure on, and the end of failures; it logs only the changes.
func (s *Scheduler) report(ctx context.Context, err error) {
	if ctx.Err() != nil || (err == nil && !s.failing) {
		return
	}
	if s.o.OnError != nil {
		s.o.OnError(err)
	}
	switch {
	case err == nil:
		s.o.Log.Info("schedules are kept again")
	case !s.failing:
		s.o.Log.Warn("schedules are not kept", zap.Error(err))
	}
	s.failing = err != nil
}

// tick runs what is due and answers how long to sleep.
func (s *Scheduler) tick(ctx context.Context) (time.Duration, error) {
	rows, err := s.List(ctx)
	if err != nil {
		return retryAfter, err
	}
	now := s.o.Now()
	soonest := now.Add(longestSleep)
	var errs []error
	for _, row := range rows {
		p, ok := s.planned[row.Name]
		if !ok { // another scheduler's
			continue
		}
		next, err := s.advance(ctx, p, row, now)
		if err != nil {
			errs = append(errs, err)
			next = now.Add(retryAfter)
		}
		if next.Before(soonest) {
			soonest = next
		}
	}
	return max(soonest.Sub(s.o.Now()), 0), errors.Join(errs...)
}

// advance moves one row on if it is due, and answers when it is due next.
func (s *Scheduler) advance(ctx context.Context, p planned, row Status, now time.Time) (time.Time, error) {
	switch {
	case !row.Next.After(now):
		return s.fire(ctx, p, row.Next, now)
	case row.Next.After(p.when.Next(now.Add(skew))):
		// No clock that is right has set this: ours has been put back since.
		next := p.when.Next(now)
		_, err := s.move(ctx, s.st.DB(), p.Name, row.Next, next)
		return next, err
	default:
		return row.Next, nil
	}
}

// fire adds the job of a row that was due. Promise 4: the row and the job change
// in one transaction, and only for the scheduler that still found the row as it
// had read it.
func (s *Scheduler) fire(ctx context.Context, p planned, due, now time.Time) (time.Time, error) {
	next := following(p.when, due, now)
	skipped := false
	err := s.st.Tx(ctx, func(tx *sql.Tx) error {
		moved, err := s.move(ctx, tx, p.Name, due, next)
		if err != nil || !moved {
			return err
		}
		added, err := s.add(ctx, tx, p, due, now)
		skipped = err == nil && !added
		return err
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("jobs: schedule %s: %w", p.Name, err)
	}
	if skipped && s.o.OnSkipped != nil {
		s.o.OnSkipped(p.Name)
	}
	return next, nil
}

// add adds a schedule's job, and notes it as the last run if it was not there.
func (s *Scheduler) add(ctx context.Context, tx *sql.Tx, p planned, due, now time.Time) (bool, error) {
	job := p.Job
	if p.Dated {
		args, err := json.Marshal(Dated{Schedule: p.Name, At: due.UTC()})
		if err != nil {
			return false, fmt.Errorf("encode when it is due: %w", err)
		}
		job.Args = args
	}
	added, err := s.engine.EnqueueTx(ctx, tx, job)
	if err != nil || added == 0 {
		return false, err
	}
	_, err = tx.ExecContext(ctx, s.st.Rebind(`UPDATE schedules SET last_run = ? WHERE name = ?`), now.Unix(), p.Name)
	return true, err
}

// Trigger runs a schedule now, beside its regular runs. It answers false if its
// job waits or runs already, and an UnknownScheduleError if there is no such name.
func (s *Scheduler) Trigger(ctx context.Context, name string) (added bool, err error) {
	p, ok := s.planned[name]
	if !ok {
		return false, &UnknownScheduleError{Name: name}
	}
	err = s.st.Tx(ctx, func(tx *sql.Tx) error {
		now := s.o.Now()
		added, err = s.add(ctx, tx, p, now, now)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("jobs: run schedule %s: %w", name, err)
	}
	return added, nil
}

// UnknownScheduleError says that no schedule has this name.
type UnknownScheduleError struct{ Name string }

func (e *UnknownScheduleError) Error() string {
	return fmt.Sprintf("jobs: no schedule is called %q", e.Name)
}

// following is the run after the one that was due, and after now: what fell due
// in between is run once, now. As long as nothing is missed, a fixed distance is
// kept from run to run, however late each of them is noticed.
func following(when schedule.Schedule, due, now time.Time) time.Time {
	if next := when.Next(due); next.After(now) {
		return next
	}
	return when.Next(now)
}

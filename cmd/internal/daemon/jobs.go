package daemon

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/jobs"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/schedule"
	"github.com/twiliosf/twiliosf/sync/store"
)

// The kinds of jobs, which are the names of the schedules too.
const (
	jobActive  = "active-sweep"
	jobFull    = "full-sweep"
	jobRefresh = "status-refresh"
	jobDay     = "backfill-day"
	jobPoll    = "org-poll"
)

func (g *generation) buildJobs(ctx context.Context, newEngine func(context.Context, *store.Store, jobs.Options) (jobs.Engine, error)) error {
	every := map[string]time.Duration{
		jobActive: g.cfg.Sync.ActiveEvery, jobFull: g.cfg.Sync.FullEvery, jobRefresh: g.cfg.Sync.RefreshEvery,
		jobPoll: g.cfg.Sync.DraftsEvery, jobPeople: g.cfg.People.RefreshEvery,
	}
	sweep := func(name string, do func(context.Context) error) jobs.Handling {
		// Each sweep has a queue of its own: a long one holds up no other.
		return jobs.Handling{Queue: name, Do: func(ctx context.Context, _ []byte) error {
			began := time.Now()
			err := do(ctx)
			if err == nil && time.Since(began) < every[name] {
				g.health.Clear(overrun(name))
			}
			return g.jobEnded(name, err)
		}}
	}
	engine, err := newEngine(ctx, g.store, jobs.Options{
		Handlers: map[string]jobs.Handling{
			jobActive:    sweep(jobActive, g.mirror.Sweeper.Active),
			jobFull:      sweep(jobFull, g.mirror.Sweeper.Full),
			jobRefresh:   sweep(jobRefresh, g.mirror.Sweeper.Refresh),
			jobPeople:    sweep(jobPeople, g.refreshPeople),
			jobPoll:      sweep(jobPoll, g.pollOrg),
			jobDay:       {Queue: "backfill", Do: g.day},
			jobRecurring: {Queue: jobRecurring, Do: g.makeCampaign},
		},
		Workers:   map[string]int{"backfill": g.cfg.Twilio.Concurrency},
		Grace:     g.cfg.Drain / 4,
		OnFailure: g.jobFailed, Log: g.log, Registerer: g.metrics,
	})
	if err != nil {
		return err
	}
	g.engine = engine
	var schedules []jobs.Schedule
	for name, d := range every {
		schedules = append(schedules, jobs.Schedule{Name: name, Spec: schedule.Every(d), Job: jobs.Job{Kind: name}})
	}
	g.scheduler, err = jobs.NewScheduler(g.store, engine, append(schedules, g.recurring()...), jobs.SchedulerOptions{
		OnSkipped: func(name string) {
			if name != jobPoll || !g.salesforceDown() {
				g.health.Raise(skipped(name, every[name]))
			}
		},
		OnError: g.storeState, Log: g.log,
	})
	return err
}

func overrun(name string) string { return name + "-overrun" }

func skipped(name string, every time.Duration) health.Condition {
	return health.Condition{
		Name: overrun(name), Severity: health.Notice,
		Cause:  fmt.Sprintf("The %s takes longer than the %s between its runs; the next one was left out.", name, every),
		Remedy: "Nothing is lost. If it lasts: look at the other conditions, lengthen the interval, or raise the concurrency.",
	}
}

// jobFailed hears of jobs that ended with an error. What a vendor answered has
// its condition already; the rest is the store's or ours.
func (g *generation) jobFailed(kind string, err error) {
	if fault.Of(err) != nil {
		return
	}
	g.failedJob.Store(kind)
	g.health.Raise(health.Condition{
		Name: "job-failed", Severity: health.Degraded, Cause: kind + ": " + err.Error(),
		Remedy: "It is tried again at its next time. If it lasts, report it with this text.",
	})
}

// jobEnded ends the condition when the kind of job that failed has gone well.
func (g *generation) jobEnded(kind string, err error) error {
	if err == nil && g.failedJob.CompareAndSwap(kind, "") {
		g.health.Clear("job-failed")
	}
	return err
}

// storeState hears when the store refuses, and with nil when it works again.
func (g *generation) storeState(err error) {
	if err == nil {
		g.health.Clear("store", "job-failed")
		return
	}
	g.health.Raise(health.StoreFailed(err))
}

// day works one window of a backfill.
func (g *generation) day(ctx context.Context, args []byte) error {
	var d mirror.Day
	if err := json.Unmarshal(args, &d); err != nil {
		return fmt.Errorf("a backfill's window cannot be read: %w", err)
	}
	return g.jobEnded(jobDay, g.mirror.Backfill.Day(ctx, d))
}

// backlog is the store's windows with the jobs that work them.
type backlog struct {
	*store.Store
	generation *generation
}

var _ mirror.Backlog = (*backlog)(nil)

// Plan implements mirror.Backlog: windows and jobs commit together.
func (b *backlog) Plan(ctx context.Context, days []mirror.Day) error {
	return b.PlanDays(ctx, days, func(tx *sql.Tx, added []mirror.Day) error {
		all, err := dayJobs(added)
		if err != nil {
			return err
		}
		_, err = b.generation.engine.EnqueueTx(ctx, tx, all...)
		return err
	})
}

// dayJobs are the jobs that work windows, at most one a window at a time.
func dayJobs(days []mirror.Day) ([]jobs.Job, error) {
	all := make([]jobs.Job, len(days))
	for i, d := range days {
		args, err := json.Marshal(d)
		if err != nil {
			return nil, fmt.Errorf("encode a window: %w", err)
		}
		all[i] = jobs.Job{Kind: jobDay, Args: args, Key: jobDay + "/" + string(args)}
	}
	return all, nil
}

// resumeBackfills sees to it that every window that is not done has a job: one
// whose handler panicked has lost it. Those that have one are left alone.
func (g *generation) resumeBackfills(ctx context.Context) error {
	days, err := g.store.UnfinishedDays(ctx)
	if err != nil || len(days) == 0 {
		return err
	}
	all, err := dayJobs(days)
	if err != nil {
		return err
	}
	_, err = g.engine.Enqueue(ctx, all...)
	return err
}

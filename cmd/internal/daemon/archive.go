package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/sync/archive"
	"github.com/twiliosf/twiliosf/sync/archive/archivefile"
	"github.com/twiliosf/twiliosf/sync/archive/blobs"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/jobs"
)

const (
	// jobArchive archives what is old enough.
	jobArchive = "archive"
	// jobArchiveTask does what somebody asks of the archive. Both are in one queue,
	// for the archive does one thing at a time.
	jobArchiveTask = "archive-task"
)

// archiving is the archive with what was asked of it.
type archiving struct {
	engine *archive.Engine
	target *blobs.Bucket

	mu      sync.Mutex
	results map[string]ArchiveResult // by ticket
}

func (g *generation) buildArchive(ctx context.Context) error {
	c := g.cfg.Archive
	if c.HardDelete {
		return &ConfigError{errors.New("archive.hard_delete: this version deletes to the recycle bin only; leave it false")}
	}
	m := g.cfg.Salesforce.Objects.Message()
	org, badRecords := records.NewArchive(g.org, records.ArchiveOptions{
		Names: names(g.cfg.Salesforce.Objects), Media: records.MediaNames{Parent: m["object"], Key: m["sid"]},
		Where: c.Where, Hold: c.HoldField, Directions: c.Directions, Statuses: c.Statuses,
	})
	target, badTarget := blobs.Open(ctx, c.To)
	if err := errors.Join(badRecords, badTarget); err != nil {
		return &ConfigError{fmt.Errorf("archive: %w", err)}
	}
	memory := g.store.Archive()
	engine, err := archive.New(archive.Ports{
		Source: org, Leaver: org, Returner: org, Target: target, Format: archivefile.Format{},
		Journal: memory, Contents: memory, Departures: memory, Absent: memory, Budget: g.archiveBudget, Health: g.health,
	}, archive.Options{
		Account: g.cfg.Twilio.AccountSID, After: c.After, Lookback: g.cfg.Sync.Lookback, Delete: c.Delete, Log: g.log, Metrics: g.metrics,
	})
	g.archive = &archiving{engine: engine, target: target, results: map[string]ArchiveResult{}}
	return err
}

// archiveBudget ends the archive's work before messages have to wait for it.
func (g *generation) archiveBudget() error {
	u, share := g.org.Usage(), g.cfg.Archive.BudgetShare
	if u.Budget == 0 || float64(u.Own) < share*float64(u.Budget) {
		return nil
	}
	return &fault.Error{
		Class: fault.Throttled, Op: "archive", Code: archive.CodeBudget,
		Err:  fmt.Errorf("%d of the %d calls that we allow ourselves in 24 hours are used", u.Own, u.Budget),
		Hint: "Raise archive.budget_share or salesforce.daily_api_share if it does not get through.",
	}
}

// archiveJobs are the handlers of the archive's jobs.
func (g *generation) archiveJobs(handlers map[string]jobs.Handling) {
	handlers[jobArchive] = jobs.Handling{Queue: jobArchive, Do: func(ctx context.Context, _ []byte) error { return g.archiveOld(ctx) }}
	handlers[jobArchiveTask] = jobs.Handling{Queue: jobArchive, Do: g.archiveTask}
}

// archiveSchedules is when the archive runs: at its time, not when it is turned on.
func (g *generation) archiveSchedules() []jobs.Schedule {
	if g.cfg.Archive.Cron == "" {
		return nil
	}
	return []jobs.Schedule{{Name: jobArchive, Spec: g.cfg.Archive.Cron, Job: jobs.Job{Kind: jobArchive}, Later: true}}
}

// archiveOld is the job. What stood in its way is a condition, so the job itself
// fails only when it was stopped: then it goes on after the next start.
func (g *generation) archiveOld(ctx context.Context) error {
	err := g.archive.engine.Run(ctx)
	switch {
	case fault.Stopped(ctx, err):
		return err
	case err != nil:
		g.log.Info("the archive has stopped", zap.Error(err))
	}
	return nil
}

// archiveTask does what was asked for, and keeps what came of it for who asks.
func (g *generation) archiveTask(ctx context.Context, args []byte) error {
	var t ArchiveTask
	if err := json.Unmarshal(args, &t); err != nil {
		return fmt.Errorf("a task of the archive cannot be read: %w", err)
	}
	r := ArchiveResult{Done: true}
	var err error
	switch {
	case t.Restore != nil:
		var out archive.Restored
		out, err = g.archive.engine.Restore(ctx, *t.Restore)
		r.Restored = &out
	case t.Verify:
		var out archive.Verdict
		out, err = g.archive.engine.Verify(ctx)
		r.Verdict = &out
	default:
		err = g.archive.engine.Run(ctx)
	}
	if fault.Stopped(ctx, err) {
		return err
	}
	if err != nil {
		r.Error = err.Error()
	}
	g.archive.mu.Lock()
	defer g.archive.mu.Unlock()
	g.archive.results[t.Ticket] = r
	return nil
}

// result is what came of a task; false while nobody knows.
func (a *archiving) result(ticket string) (ArchiveResult, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.results[ticket]
	return r, ok
}

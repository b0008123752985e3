package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/store"
)

const (
	fetchCooldown = 50 * time.Millisecond
	// keepCompleted is how long a finished job's row stays. River's leader sweeps
	// them out, which may be late: nobody reads them.
	keepCompleted = time.Hour
	// rescueAfter is never reached: River leaves jobs without a time limit of its
	// own alone, and ours have none. Orphans are freed by recover.
	rescueAfter = 365 * 24 * time.Hour
)

// River is the durable engine: River on the store's database
// (https://pkg.go.dev/github.com/riverqueue/river).
type River struct {
	performer *Performer
	st        *store.Store
	client    *river.Client[*sql.Tx]
}

var _ Engine = (*River)(nil)

// NewRiver brings River's own tables up to date and starts nothing. All engines
// on one store take turns: see Engine.Run.
func NewRiver(ctx context.Context, st *store.Store, o Options) (*River, error) {
	p, err := NewPerformer(o)
	if err != nil {
		return nil, err
	}
	r := &River{performer: p, st: st}
	logger := slog.New(&warnings{log: p.o.Log})
	driver := riversqlite.New(st.DB())
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: logger})
	if err != nil {
		return nil, fmt.Errorf("jobs: migrations: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, fmt.Errorf("jobs: migrations: %w", err)
	}
	if r.client, err = river.NewClient(driver, r.config(logger)); err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	return r, nil
}

func (r *River) config(logger *slog.Logger) *river.Config {
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{engine: r})
	queues := map[string]river.QueueConfig{}
	for name, n := range r.performer.Queues() {
		queues[name] = river.QueueConfig{MaxWorkers: n}
	}
	return &river.Config{
		CompletedJobRetentionPeriod: keepCompleted,
		FetchCooldown:               fetchCooldown,
		FetchPollInterval:           r.performer.o.Poll,
		JobTimeout:                  -1, // the Performer sets the kind's own
		Logger:                      logger,
		MaxAttempts:                 1,
		// Listening would read a notification table 20 times a second for the sake
		// of the second that a coarse job can well wait.
		PollOnly:             true,
		Queues:               queues,
		RescueStuckJobsAfter: rescueAfter,
		// 0 would be an endless grace.
		SoftStopTimeout: max(r.performer.Grace(), time.Nanosecond),
		// One clock for our rows and River's. The default is SQLite's own, which
		// does not follow a virtual one.
		Test:    river.TestConfig{Time: clock{}},
		Workers: workers,
	}
}

// clock gives River the process's time.
type clock struct{}

func (clock) Now() time.Time { return time.Now() }

func (clock) NowOrNil() *time.Time {
	now := time.Now()
	return &now
}

// envelope is the one kind of job that River knows; ours is inside.
type envelope struct {
	Job  string          `json:"job"`
	Key  string          `json:"key,omitempty" river:"unique"`
	Args json.RawMessage `json:"args,omitempty"`
}

// Kind implements river.JobArgs.
func (envelope) Kind() string { return "twiliosf" }

// unfinished are the states in which a job holds its key.
var unfinished = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
	rivertype.JobStateRetryable, rivertype.JobStateScheduled,
}

// Enqueue implements Engine.
func (r *River) Enqueue(ctx context.Context, jobs ...Job) (added int, err error) {
	err = r.st.Tx(ctx, func(tx *sql.Tx) error {
		added, err = r.EnqueueTx(ctx, tx, jobs...)
		return err
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

// EnqueueTx implements Engine.
func (r *River) EnqueueTx(ctx context.Context, tx *sql.Tx, jobs ...Job) (added int, err error) {
	jobs, err = r.performer.Admit(jobs)
	if err != nil || len(jobs) == 0 {
		return 0, err
	}
	params := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		// No ScheduledAt, not even one in the past: River would leave the job to its
		// leader, who looks every five seconds, while there is one.
		opts := &river.InsertOpts{Queue: r.performer.Queue(j.Kind)}
		if j.Key != "" {
			opts.UniqueOpts = river.UniqueOpts{ByArgs: true, ByState: unfinished}
		}
		params[i] = river.InsertManyParams{Args: envelope{Job: j.Kind, Key: j.Key, Args: j.Args}, InsertOpts: opts}
	}
	results, err := r.client.InsertManyTx(ctx, tx, params)
	if err != nil {
		return 0, fmt.Errorf("jobs: add: %w", err)
	}
	for _, res := range results {
		if !res.UniqueSkippedAsDuplicate {
			added++
		}
	}
	return added, nil
}

// Run implements Engine.
func (r *River) Run(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it was asked to stop
	}
	if err := r.recover(ctx); err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was asked to stop
		}
		return err
	}
	if err := r.client.Start(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("jobs: start: %w", err)
	}
	<-ctx.Done()
	return r.performer.AwaitStop(r.client.Stopped())
}

// recover makes every unfinished job available at once. One process holds an
// SQLite store, so a job found running is the orphan of one that was killed,
// and the leader's row is its too; River would let both lapse by time.
func (r *River) recover(ctx context.Context) error {
	for _, stmt := range []string{
		`UPDATE river_job SET state = 'available', attempt = 0, scheduled_at = '1970-01-01 00:00:00.000' WHERE finalized_at IS NULL`,
		`DELETE FROM river_leader`,
	} {
		if _, err := r.st.DB().ExecContext(ctx, stmt); err != nil {
			return fmt.Errorf("jobs: recover: %w", err)
		}
	}
	return nil
}

// worker runs envelopes.
type worker struct {
	river.WorkerDefaults[envelope]
	engine *River
}

// Work implements river.Worker. An interrupted job goes back to its queue
// because River sees its own cancellation come back.
func (w *worker) Work(ctx context.Context, job *river.Job[envelope]) error {
	if w.engine.performer.Perform(ctx, job.Args.Job, job.Args.Args) == Interrupted {
		return ctx.Err()
	}
	w.engine.complete(context.WithoutCancel(ctx), job)
	return nil
}

// complete marks the job as done now. River itself does so some time in the next
// 250 ms, which would hold the key and, after a kill, run the job again.
func (r *River) complete(ctx context.Context, job *river.Job[envelope]) {
	err := r.st.Tx(ctx, func(tx *sql.Tx) error {
		_, err := river.JobCompleteTx[*riversqlite.Driver](ctx, tx, job)
		return err
	})
	if err != nil { // River tries again, and again
		r.performer.o.Log.Warn("a finished job is not marked yet", zap.String("kind", job.Args.Job), zap.Error(err))
	}
}

package jobs_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/jobs"
	"github.com/twiliosf/twiliosf/sync/jobs/jobstest"
	"github.com/twiliosf/twiliosf/sync/schedule"
	"github.com/twiliosf/twiliosf/sync/store"
)

// plant is a store, an engine in memory and a wall clock that can be set.
type plant struct {
	t      *testing.T
	st     *store.Store
	engine *recorder
	offset atomic.Int64 // nanoseconds that the wall clock is off

	mu      sync.Mutex
	runs    []time.Time // by the wall clock
	skipped []string
	errs    []error
	takes   time.Duration // how long a job runs
}

// recorder counts what schedulers add, and can refuse.
type recorder struct {
	jobs.Engine
	added  atomic.Int32
	refuse atomic.Bool
}

var errRefused = errors.New("disk full")

func (r *recorder) EnqueueTx(ctx context.Context, tx *sql.Tx, js ...jobs.Job) (int, error) {
	if r.refuse.Load() {
		return 0, errRefused
	}
	r.added.Add(1)
	return r.Engine.EnqueueTx(ctx, tx, js...)
}

func newPlant(t *testing.T) *plant {
	t.Helper()
	p := &plant{t: t, st: jobstest.OpenStore(t)}
	m, err := jobstest.NewMemory(t.Context(), p.st, jobs.Options{Grace: time.Hour, Handlers: map[string]jobs.Handling{"sweep": {Do: p.sweep}}})
	require.NoError(t, err)
	p.engine = &recorder{Engine: m}
	jobstest.Start(t, m)
	return p
}

func (p *plant) now() time.Time { return time.Now().Add(time.Duration(p.offset.Load())) }

// set sets the wall clock.
func (p *plant) set(to time.Time) { p.offset.Store(int64(time.Until(to))) }

func (p *plant) sweep(context.Context, []byte) error {
	p.mu.Lock()
	p.runs = append(p.runs, p.now())
	takes := p.takes
	p.mu.Unlock()
	time.Sleep(takes)
	return nil
}

// taken answers the runs since it was last asked.
func (p *plant) taken() []time.Time {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	runs := p.runs
	p.runs = nil
	return runs
}

func (p *plant) scheduler(schedules ...jobs.Schedule) *jobs.Scheduler {
	p.t.Helper()
	s, err := jobs.NewScheduler(p.st, p.engine, schedules, jobs.SchedulerOptions{
		Now:       p.now,
		OnSkipped: func(name string) { p.mu.Lock(); p.skipped = append(p.skipped, name); p.mu.Unlock() },
		OnError:   func(err error) { p.mu.Lock(); p.errs = append(p.errs, err); p.mu.Unlock() },
	})
	require.NoError(p.t, err)
	return s
}

func sweeps(spec string) jobs.Schedule {
	return jobs.Schedule{Name: "sweep", Spec: spec, Job: jobs.Job{Kind: "sweep"}}
}

// row is the one row of the table.
func (p *plant) row(s *jobs.Scheduler) jobs.Status {
	p.t.Helper()
	rows, err := s.List(p.t.Context())
	require.NoError(p.t, err)
	require.Len(p.t, rows, 1)
	return rows[0]
}

// bubble runs the test in virtual time.
func bubble(t *testing.T, test func(*testing.T, *plant)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newPlant(t)) })
}

func TestANewScheduleRunsAtOnceAndKeepsItsDistance(t *testing.T) {
	bubble(t, func(t *testing.T, p *plant) {
		s := p.scheduler(sweeps(schedule.Every(15 * time.Second)))
		start := p.now()
		jobstest.Start(t, s)
		time.Sleep(time.Hour)
		runs := p.taken()
		require.Len(t, runs, 241)
		for i, at := range runs {
			require.Equal(t, time.Duration(i)*15*time.Second, at.Sub(start), "run %d", i)
		}
		require.Empty(t, p.skipped)
		row := p.row(s)
		require.Equal(t, "@every 15s", row.Spec)
		require.Equal(t, start.Add(time.Hour).Unix(), row.Last.Unix())
		require.Equal(t, start.Add(time.Hour+15*time.Second).Unix(), row.Next.Unix())
	})
}

func TestWhatFellDueWhileNobodyRanIsCaughtUpOnce(t *testing.T) {
	for name, spec := range map[string]string{"distance": "@every 15m", "fields": "*/15 * * * *"} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, p *plant) {
				stop := jobstest.Start(t, p.scheduler(sweeps(spec)))
				time.Sleep(time.Minute)
				require.NoError(t, stop())
				require.Len(t, p.taken(), 1)
				time.Sleep(10*time.Hour + 5*time.Minute)
				jobstest.Start(t, p.scheduler(sweeps(spec)))
				restart := p.now()
				time.Sleep(10 * time.Second)
				runs := p.taken()
				require.Len(t, runs, 1)
				require.Less(t, runs[0].Sub(restart), time.Second)
				time.Sleep(time.Hour)
				require.Len(t, p.taken(), 4)
			})
		})
	}
}

func TestAChangedExpression(t *testing.T) {
	for name, c := range map[string]struct {
		away      time.Duration // between the stop and the start with the new expression
		first     time.Duration // its first run, counted from that start
		spec      string
		perMinute int
	}{
		"counts from now":             {time.Minute, 10 * time.Second, "@every 10s", 6},
		"keeps a run that is overdue": {2 * time.Hour, 0, "@every 10s", 7},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, p *plant) {
				stop := jobstest.Start(t, p.scheduler(sweeps("@every 1h")))
				time.Sleep(time.Minute)
				require.NoError(t, stop())
				p.taken()
				time.Sleep(c.away)
				s := p.scheduler(sweeps(c.spec))
				start := p.now()
				jobstest.Start(t, s)
				time.Sleep(time.Minute)
				runs := p.taken()
				require.Len(t, runs, c.perMinute)
				require.Equal(t, c.first, runs[0].Sub(start))
				require.Equal(t, c.spec, p.row(s).Spec)
			})
		})
	}
}

func TestARemovedScheduleIsForgotten(t *testing.T) {
	bubble(t, func(t *testing.T, p *plant) {
		gone := jobs.Schedule{Name: "gone", Spec: "@every 1s", Job: jobs.Job{Kind: "sweep"}}
		stop := jobstest.Start(t, p.scheduler(sweeps("@daily"), gone))
		time.Sleep(time.Minute)
		require.NoError(t, stop())
		s := p.scheduler(sweeps("@daily"))
		p.taken()
		jobstest.Start(t, s)
		time.Sleep(time.Minute)
		require.Empty(t, p.taken())
		require.Equal(t, "sweep", p.row(s).Name)
		jobstest.Start(t, p.scheduler()) // one without schedules clears the table
		time.Sleep(time.Minute)
		rows, err := s.List(t.Context())
		require.NoError(t, err)
		require.Empty(t, rows)
	})
}

func TestARunIsSkippedWhileTheLastOneRuns(t *testing.T) {
	bubble(t, func(t *testing.T, p *plant) {
		p.takes = 40 * time.Second
		jobstest.Start(t, p.scheduler(sweeps("@every 15s")))
		time.Sleep(179 * time.Second) // runs at 0, 45, 90, 135
		require.Len(t, p.taken(), 4)
		require.Equal(t, []string{"sweep", "sweep", "sweep", "sweep", "sweep", "sweep", "sweep", "sweep"}, p.skipped)
	})
}

func TestTwoSchedulersOnOneStoreDoNotDouble(t *testing.T) {
	bubble(t, func(t *testing.T, p *plant) {
		for range 3 {
			jobstest.Start(t, p.scheduler(sweeps("@every 5s"), jobs.Schedule{Name: "b", Spec: "@every 7s", Job: jobs.Job{Kind: "sweep"}}))
		}
		time.Sleep(35*time.Minute - time.Second)
		require.Len(t, p.taken(), 420+300)
		require.EqualValues(t, 720, p.engine.added.Load(), "nobody even tried twice")
		require.Empty(t, p.skipped)
	})
}

func TestARefusingStoreLosesNoRun(t *testing.T) {
	bubble(t, func(t *testing.T, p *plant) {
		p.engine.refuse.Store(true)
		s := p.scheduler(sweeps("@hourly"))
		jobstest.Start(t, s)
		time.Sleep(time.Minute)
		require.Empty(t, p.taken())
		require.NotEmpty(t, p.errs)
		require.ErrorIs(t, p.errs[0], errRefused)
		require.ErrorContains(t, p.errs[0], "sweep")
		require.False(t, p.row(s).Next.After(p.now()), "the row has not moved on without its job")
		p.engine.refuse.Store(false)
		time.Sleep(10 * time.Second)
		require.Len(t, p.taken(), 1)
		require.NoError(t, p.errs[len(p.errs)-1], "and that it works again is told")
	})
}

func TestTriggerRunsAScheduleNow(t *testing.T) {
	bubble(t, func(t *testing.T, p *plant) {
		p.takes = time.Minute
		s := p.scheduler(sweeps("@daily"))
		jobstest.Start(t, s)
		time.Sleep(2 * time.Minute)
		p.taken()
		next := p.row(s).Next
		added, err := s.Trigger(t.Context(), "sweep")
		require.NoError(t, err)
		require.True(t, added)
		require.Len(t, p.taken(), 1)
		require.Equal(t, p.now().Unix(), p.row(s).Last.Unix())
		require.Equal(t, next, p.row(s).Next)
		added, err = s.Trigger(t.Context(), "sweep")
		require.NoError(t, err)
		require.False(t, added, "it runs already")
		_, err = s.Trigger(t.Context(), "swep")
		var unknown *jobs.UnknownScheduleError
		require.ErrorAs(t, err, &unknown)
	})
}

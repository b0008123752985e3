// Package jobstest helps to test what runs on the job engine: an engine in
// memory, fast enough for years of virtual time, and the suite that it and the
// durable one both pass.
package jobstest

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/sync/jobs"
	"github.com/twiliosf/twiliosf/sync/store"
)

// Memory is a jobs.Engine whose jobs live as long as it does. It looks for work
// only when there is some, so that virtual time can leap from job to job.
//
// A transaction cannot tell it how it ended, so each EnqueueTx leaves a mark in
// a table of its own; the mark is there afterwards if the transaction was
// committed. That asks for a store with one writing connection, as SQLite has.
type Memory struct {
	performer *jobs.Performer
	st        *store.Store
	wake      chan struct{}

	mu      sync.Mutex // taken after the database's connection, never before
	last    int64
	staged  map[int64][]jobs.Job // by mark: transactions whose end is not known yet
	waiting []entry              // by id
	held    map[string]bool      // keys of waiting and running jobs
	busy    map[string]int       // running jobs by queue
}

type entry struct {
	id  int64
	job jobs.Job
}

var _ jobs.Engine = (*Memory)(nil)

// NewMemory makes an engine for jobs that speak of st's rows; it starts nothing.
func NewMemory(ctx context.Context, st *store.Store, o jobs.Options) (*Memory, error) {
	p, err := jobs.NewPerformer(o)
	if err != nil {
		return nil, err
	}
	if _, err := st.DB().ExecContext(ctx, `CREATE TABLE IF NOT EXISTS jobstest_marks (id INTEGER PRIMARY KEY)`); err != nil {
		return nil, fmt.Errorf("jobstest: %w", err)
	}
	return &Memory{
		performer: p, st: st, wake: make(chan struct{}, 1),
		staged: map[int64][]jobs.Job{}, held: map[string]bool{}, busy: map[string]int{},
	}, nil
}

// Enqueue implements jobs.Engine.
func (m *Memory) Enqueue(ctx context.Context, js ...jobs.Job) (added int, err error) {
	err = m.st.Tx(ctx, func(tx *sql.Tx) error {
		added, err = m.EnqueueTx(ctx, tx, js...)
		return err
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

// EnqueueTx implements jobs.Engine.
func (m *Memory) EnqueueTx(ctx context.Context, tx *sql.Tx, js ...jobs.Job) (int, error) {
	js, err := m.performer.Admit(js)
	if err != nil || len(js) == 0 {
		return 0, err
	}
	marks, err := visible(ctx, tx)
	if err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	js = slices.DeleteFunc(js, func(j jobs.Job) bool { return j.Key != "" && m.holds(j.Key, marks) })
	if len(js) == 0 {
		return 0, nil
	}
	m.last += int64(len(js))
	id := m.last
	if _, err := tx.ExecContext(ctx, `INSERT INTO jobstest_marks (id) VALUES (?)`, id); err != nil {
		return 0, fmt.Errorf("jobstest: %w", err)
	}
	m.staged[id] = js
	go m.settle(id)
	return len(js), nil
}

// holds reports whether a key is taken, by a job or by a transaction that is
// committed or still this one. Without its mark a transaction was rolled back.
func (m *Memory) holds(key string, marks map[int64]bool) bool {
	if m.held[key] {
		return true
	}
	for id, js := range m.staged {
		if marks[id] && slices.ContainsFunc(js, func(j jobs.Job) bool { return j.Key == key }) {
			return true
		}
	}
	return false
}

func visible(ctx context.Context, tx *sql.Tx) (map[int64]bool, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id FROM jobstest_marks`)
	if err != nil {
		return nil, fmt.Errorf("jobstest: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err below has the cause
	marks := map[int64]bool{}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("jobstest: %w", err)
		}
		marks[id] = true
	}
	return marks, rows.Err()
}

// settle waits for the one connection, that is for the end of the transaction
// that has it, and takes the jobs over if the mark is there. It does so while it
// has the connection itself, so that no EnqueueTx sees the mark gone and the
// jobs not yet there. On a closed store the jobs are gone, as they should be.
func (m *Memory) settle(id int64) {
	var jobsOf []jobs.Job
	ctx := context.Background()
	_ = m.st.Tx(ctx, func(tx *sql.Tx) error { //nolint:errcheck // see above
		res, err := tx.ExecContext(ctx, `DELETE FROM jobstest_marks WHERE id = ?`, id)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		m.mu.Lock()
		defer m.mu.Unlock()
		jobsOf = m.staged[id]
		delete(m.staged, id)
		if n == 1 {
			m.take(id, jobsOf)
		}
		return err
	})
	m.signal()
}

// take puts committed jobs in line.
func (m *Memory) take(id int64, js []jobs.Job) {
	first := id - int64(len(js)) + 1
	for i, j := range js {
		if j.Key != "" {
			m.held[j.Key] = true
		}
		m.line(entry{id: first + int64(i), job: j})
	}
}

// line keeps the jobs in the order they were added.
func (m *Memory) line(e entry) {
	at, _ := slices.BinarySearchFunc(m.waiting, e, func(a, b entry) int { return cmp.Compare(a.id, b.id) })
	m.waiting = slices.Insert(m.waiting, at, e)
}

func (m *Memory) signal() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Run implements jobs.Engine.
func (m *Memory) Run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var running sync.WaitGroup
	for ctx.Err() == nil {
		for _, e := range m.next() {
			running.Go(func() { m.perform(work, e) })
		}
		select {
		case <-ctx.Done():
		case <-m.wake:
		}
	}
	stopped := make(chan struct{})
	go func() { running.Wait(); close(stopped) }()
	defer time.AfterFunc(m.performer.Grace(), cancel).Stop()
	return m.performer.AwaitStop(stopped)
}

// next takes as many jobs out of the line as there are free workers for.
func (m *Memory) next() []entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	workers := m.performer.Queues()
	var started, waiting []entry
	for _, e := range m.waiting {
		queue := m.performer.Queue(e.job.Kind)
		if m.busy[queue] >= workers[queue] {
			waiting = append(waiting, e)
			continue
		}
		m.busy[queue]++
		started = append(started, e)
	}
	m.waiting = waiting
	return started
}

func (m *Memory) perform(ctx context.Context, e entry) {
	outcome := m.performer.Perform(ctx, e.job.Kind, e.job.Args)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.busy[m.performer.Queue(e.job.Kind)]--
	if outcome == jobs.Interrupted {
		m.line(e)
	} else {
		delete(m.held, e.job.Key)
	}
	m.signal()
}

// Idle is nil when no job waits or runs.
func (m *Memory) Idle() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.waiting)+len(m.staged)+len(m.held) > 0 {
		return errors.New("jobstest: jobs are left")
	}
	for queue, n := range m.busy {
		if n > 0 {
			return fmt.Errorf("jobstest: queue %s is busy", queue)
		}
	}
	return nil
}

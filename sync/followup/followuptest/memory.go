package followuptest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/sync/followup"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Memory is a queue in memory.
type Memory struct {
	mu   sync.Mutex
	n    int64
	rows []row
	fail error
}

type row struct {
	followup.Queued
	retryAt time.Time // whole seconds; zero: due since ever
}

var (
	_ followup.Queue  = (*Memory)(nil)
	_ followup.Census = (*Memory)(nil)
)

// Fail makes every call fail with err, until it is nil.
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// Add implements followup.Queue.
func (m *Memory) Add(_ context.Context, all []message.FollowUp) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range all {
		m.n++
		m.rows = slices.DeleteFunc(m.rows, func(r row) bool { return r.FollowUp.Kind == f.Kind && r.FollowUp.Key == f.Key })
		m.rows = append(m.rows, row{Queued: followup.Queued{N: m.n, FollowUp: f}})
	}
	return m.fail
}

// Due implements followup.Queue.
func (m *Memory) Due(_ context.Context, kind message.FollowUpKind, now time.Time, limit int) ([]followup.Queued, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var due []row
	for _, r := range m.rows {
		if r.FollowUp.Kind == kind && r.retryAt.Unix() <= now.Unix() {
			due = append(due, r)
		}
	}
	slices.SortStableFunc(due, func(a, b row) int { return a.retryAt.Compare(b.retryAt) })
	var out []followup.Queued
	for _, r := range due[:min(limit, len(due))] {
		out = append(out, r.Queued)
	}
	return out, m.fail
}

// Settle implements followup.Queue.
func (m *Memory) Settle(ctx context.Context, settled []followup.Settlement) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := errors.Join(m.fail, ctx.Err()); err != nil {
		return err
	}
	for _, s := range settled {
		i := slices.IndexFunc(m.rows, func(r row) bool { return r.N == s.Queued.N })
		switch {
		case i < 0:
		case s.RetryAt.IsZero():
			m.rows = slices.Delete(m.rows, i, i+1)
		default:
			m.rows[i].retryAt = s.RetryAt.Truncate(time.Second)
			m.rows[i].Attempts++
		}
	}
	return nil
}

// NextDue implements followup.Queue.
func (m *Memory) NextDue(_ context.Context, kind message.FollowUpKind) (time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var next time.Time
	for _, r := range m.rows {
		at := r.retryAt
		if at.IsZero() {
			at = time.Unix(0, 0).UTC()
		}
		if r.FollowUp.Kind == kind && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next, m.fail
}

// Waiting implements followup.Census.
func (m *Memory) Waiting(_ context.Context, kind message.FollowUpKind, atMost int) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, r := range m.rows {
		if r.FollowUp.Kind == kind {
			n++
		}
	}
	return min(n, atMost), m.fail
}

package followuptest

import (
	"context"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/sync/followup"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Doer remembers what it was given, and fails as it is told. Once an engine has
// it, what decides is changed by Locked.
type Doer struct {
	// Slow is how long a call takes.
	Slow time.Duration
	// One decides about each follow-up; nil does all of them.
	One func(message.FollowUp) error
	// Batch decides about a call as a whole; nil takes every one.
	Batch func([]message.FollowUp) error

	mu      sync.Mutex
	done    []message.FollowUp
	batches []int
}

var _ followup.Doer = (*Doer)(nil)

// Do implements followup.Doer.
func (d *Doer) Do(ctx context.Context, batch []message.FollowUp) ([]error, error) {
	d.mu.Lock()
	d.batches = append(d.batches, len(batch))
	slow := d.Slow
	d.mu.Unlock()
	if slow > 0 {
		timer := time.NewTimer(slow)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.Batch != nil {
		if err := d.Batch(batch); err != nil {
			return nil, err
		}
	}
	outcomes := make([]error, len(batch))
	for i, f := range batch {
		if d.One != nil {
			outcomes[i] = d.One(f)
		}
		if outcomes[i] == nil {
			d.done = append(d.done, f)
		}
	}
	return outcomes, nil
}

// Locked calls f while nothing is decided: to change One and Batch, and to read
// and change what they share with the test.
func (d *Doer) Locked(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
}

// Done is what was done, in order.
func (d *Doer) Done() []message.FollowUp {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]message.FollowUp(nil), d.done...)
}

// Batches are the sizes of the calls, in order.
func (d *Doer) Batches() []int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]int(nil), d.batches...)
}

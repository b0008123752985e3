// Package alarm lets one wait for a time, for a wake-up or for a stop, whichever
// comes first.
package alarm

import (
	"context"
	"time"
)

// Alarm wakes one who waits, now or later. Make it with New.
type Alarm chan struct{}

// New makes an alarm that has not rung.
func New() Alarm { return make(Alarm, 1) }

// Ring wakes who waits, or who waits next. It never blocks.
func (a Alarm) Ring() {
	select {
	case a <- struct{}{}:
	default:
	}
}

// Wait waits for the alarm, but not longer than d or than ctx lasts.
func (a Alarm) Wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-a:
	case <-t.C:
	case <-ctx.Done():
	}
}

// Sleep waits for d and answers false when ctx ends first.
func Sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

package campaign

import (
	"context"
	"time"
)

// alarm wakes one who waits, now or later.
type alarm chan struct{}

func newAlarm() alarm { return make(alarm, 1) }

func (a alarm) ring() {
	select {
	case a <- struct{}{}:
	default:
	}
}

// wait waits for the alarm, but not longer than d or than ctx lasts.
func (a alarm) wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-a:
	case <-t.C:
	case <-ctx.Done():
	}
}

// wait sleeps and answers false when ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

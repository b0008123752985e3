// Package grace lets work that has begun outlive a stop, but not for ever.
package grace

import (
	"context"
	"errors"
	"time"
)

// errOver is why work was cut off that outlived its grace.
var errOver = errors.New("stopped: the time to finish is over")

// Context makes a context for work that outlives ctx by at most d. release frees it;
// the work must have ended by then.
func Context(ctx context.Context, d time.Duration) (work context.Context, release func()) {
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(errOver)
		case <-work.Done():
		}
	})
	return work, func() {
		stop()
		cancel(nil)
	}
}

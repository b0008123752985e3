package mirror

import (
	"context"
	"errors"
	"time"
)

// errGrace is why work was cut off that outlived its grace.
var errGrace = errors.New("stopped: the time to finish is over")

// grace makes a context for work that outlives ctx by at most d.
func grace(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(errGrace)
		case <-work.Done():
		}
	})
	return work, func() {
		stop()
		cancel(nil)
	}
}

package salesforce

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/twiliosf/twiliosf/sync/fault"
)

const (
	attempts     = 4
	firstWait    = 500 * time.Millisecond
	longestWait  = 8 * time.Second
	waitMultiple = 2.0
)

// retry repeats what is safe to repeat and likely to pass within seconds. The
// engines above go on for hours.
type retry struct {
	next    link
	metrics *metrics
}

func (t *retry) exchange(ctx context.Context, r *request) (*answer, error) {
	var (
		last error
		got  *answer
	)
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		got, last = t.next.exchange(ctx, r)
		return struct{}{}, again(r, last)
	},
		backoff.WithBackOff(&backoff.ExponentialBackOff{
			InitialInterval: firstWait, MaxInterval: longestWait, Multiplier: waitMultiple, RandomizationFactor: 0.5,
		}),
		backoff.WithMaxTries(attempts),
		backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(error, time.Duration) { t.metrics.retries.WithLabelValues(r.op).Inc() }),
	)
	if err == nil {
		return got, nil
	}
	return got, last
}

// again says in backoff's terms whether r may be made again after err.
func again(r *request, err error) error {
	f := fault.Of(err)
	switch {
	case err == nil:
		return nil
	case f == nil, !r.repeatable, f.After > longestWait, rules[f.Code].lasting:
		return backoff.Permanent(err)
	case f.Class == fault.Transient, f.Class == fault.Throttled && crowded(f):
		if f.After > 0 {
			return &backoff.RetryAfterError{Duration: f.After}
		}
		return err
	default:
		return backoff.Permanent(err)
	}
}

package twilio

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// What is repeated here is what passes quickly; the engines' schedules take
// care of the rest. Twilio's advice for 429 is 100 ms, doubling, with jitter.
// https://www.twilio.com/docs/api/errors/20429
const (
	firstPause     = 100 * time.Millisecond
	longestPause   = 24 * time.Second // and a quarter more by jitter: 30 s
	jitter         = 0.25
	transientTries = 5
	throttledTries = 10
	// patience is how long one request may be repeated in all. A Retry-After
	// beyond it is left to the caller, who finds it in the fault.
	patience = 2 * time.Minute
)

// repeat attempts an operation that may be repeated, until it is done, the
// fault is one that waiting does not cure, or patience ends. An Uncertain
// fault is never repeated.
func (a *Account) repeat(ctx context.Context, op operation, do func(*call) error) error {
	pauses := &pauses{exponential: backoff.ExponentialBackOff{
		InitialInterval: firstPause, MaxInterval: longestPause, Multiplier: 2, RandomizationFactor: jitter,
	}}
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		pauses.last = a.attempt(ctx, op, do)
		return struct{}{}, pauses.last
	}, backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(patience))
	if err != nil && fault.Of(err) == nil && ctx.Err() != nil {
		return fmt.Errorf("%s: %w", op.name, context.Cause(ctx))
	}
	return err
}

// pauses decides by the last fault whether and when to try again.
type pauses struct {
	exponential backoff.ExponentialBackOff
	last        error
	transient   int
	throttled   int
}

// Reset does nothing: pauses are made for one operation.
func (p *pauses) Reset() {}

// NextBackOff is the pause before the next try: what Twilio asks for in
// Retry-After, or the exponential one if that is longer.
func (p *pauses) NextBackOff() time.Duration {
	f := fault.Of(p.last)
	switch {
	case f == nil:
		return backoff.Stop
	case f.Class == fault.Transient:
		p.transient++
		if p.transient >= transientTries {
			return backoff.Stop
		}
	case f.Class == fault.Throttled:
		p.throttled++
		if p.throttled >= throttledTries {
			return backoff.Stop
		}
	default:
		return backoff.Stop
	}
	return max(p.exponential.NextBackOff(), f.After)
}

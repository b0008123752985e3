package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/twiliosf/twiliosf/sync/alarm"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

const (
	// gather is how long results wait for others that end at about the same time:
	// each batch is a call of the org's daily ones.
	gather = 2 * time.Second
	// refusedAgain is when a result that the org refuses is written again.
	refusedAgain = time.Hour
)

// writeTurn writes results back. It repeats that until their records show them, and
// nothing else: no send hangs on it.
func (o *Outbox) writeTurn(ctx context.Context) (time.Duration, error) {
	if rest := time.Until(o.writing.until); rest > 0 {
		return rest, nil
	}
	batch, err := o.Results.Unwritten(ctx, time.Now(), BatchSize)
	if err != nil {
		return 0, err
	}
	if len(batch) == 0 {
		return until(o.Results.NextUnwritten(ctx))
	}
	if len(batch) < BatchSize && alarm.Sleep(ctx, gather) {
		if batch, err = o.Results.Unwritten(ctx, time.Now(), BatchSize); err != nil {
			return 0, err
		}
	}
	results := make([]message.Result, len(batch))
	for i := range batch {
		results[i] = batch[i].Result
	}
	outcomes, err := o.Org.WriteBack(ctx, results)
	if err != nil {
		o.org.Had(ctx, err)
		o.metrics.written.WithLabelValues("batch_failed").Inc()
		return o.writing.failed(fault.After(err)), nil
	}
	o.writing.pause.Reset()
	o.org.Over()
	all, refusal := o.writings(batch, outcomes)
	if err := o.Results.Written(ctx, all); err != nil {
		return 0, err
	}
	return 0, o.tellRefusals(ctx, refusal)
}

// tellRefusals tells of a refusal of the org, nil for none, until no result waits any
// more that it has refused.
func (o *Outbox) tellRefusals(ctx context.Context, refusal error) error {
	if refusal != nil {
		o.Health.Raise(notTaken(refusal))
		return nil
	}
	n, err := o.Results.Refused(ctx)
	if err == nil && n == 0 {
		o.Health.Clear(condRefused)
	}
	return err
}

func (o *Outbox) writings(batch []Attempt, outcomes []error) (all []Writing, refusal error) {
	now := time.Now()
	all = make([]Writing, len(batch))
	for i := range batch {
		a := &batch[i]
		w := Writing{Attempt: *a}
		outcome := "written"
		switch err := outcomes[i]; {
		case err == nil:
		case errors.Is(err, ErrGone):
			outcome, w.Unshown = "gone", a.State == Accepted
		case fault.ClassOf(err) == fault.Permanent && a.State == Accepted:
			// The mirror writes the same record next, and keeps what is refused in its
			// quarantine, where an operator sees it.
			outcome, w.Refused, w.Unshown = "refused", true, true
		case fault.ClassOf(err) == fault.Permanent:
			refusal, outcome, w.Refused, w.RetryAt = err, "refused", true, now.Add(refusedAgain)
		default:
			outcome, w.RetryAt = "put_off", now.Add(max(fault.After(err), time.Second<<min(a.WriteTries, 9)))
		}
		o.metrics.written.WithLabelValues(outcome).Inc()
		all[i] = w
	}
	return all, refusal
}

package mirror

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
)

const (
	firstRetry = 2 * time.Second
	lastRetry  = 5 * time.Minute
	// stuckAfter is how often a record is put off before an operator hears of it.
	stuckAfter = 8
)

// settle adds what Salesforce's outcomes make of a batch.
func settle(all []Settlement, batch []Change, outcomes []error, now time.Time) []Settlement {
	all = slices.Grow(all, len(batch))
	settled := all[len(all) : len(all)+len(batch)]
	for i, c := range batch {
		settled[i] = Settlement{Change: c}
		err := outcomes[i]
		switch class := fault.ClassOf(err); {
		case errors.Is(err, errUnclaimed):
			settled[i].RetryAt = now.Add(claimAgain << min(c.Attempts, 5))
		case class == 0:
		case class == fault.Permanent:
			settled[i].Refusal = refusal(err, now)
		default:
			settled[i].RetryAt = now.Add(max(fault.After(err), fault.RetryIn(c.Attempts, firstRetry, lastRetry, 0)))
		}
	}
	return all[:len(all)+len(batch)]
}

func refusal(err error, now time.Time) *Refusal {
	r := &Refusal{Code: fault.CodeOf(err), Message: err.Error(), Hint: fault.Hint(err), At: now.UTC().Truncate(time.Second)}
	if f := fault.Of(err); f != nil {
		r.Fields = f.Fields
	}
	return r
}

// note takes the outcome of a batch into account.
func (w *Writer) note(ctx context.Context, r batchResult) {
	for _, c := range r.batch {
		delete(w.inFlight, c.Message.SID)
	}
	w.metrics.inFlight.Set(float64(len(w.inFlight)))
	if r.bulk {
		w.noteBulk(ctx, r)
		if r.err == nil && len(r.batch) == 0 {
			return
		}
	}
	if r.err != nil {
		if r.sent {
			w.newcomers.doubt(&r)
		}
		w.failed(ctx, r)
		return
	}
	w.newcomers.settled(&r)
	w.metrics.batches.WithLabelValues("ok").Inc()
	if !r.sent {
		return // all of it waits
	}
	if w.took == 0 {
		w.took = r.took
	}
	if !r.bulk {
		w.took += (r.took - w.took) / 8
	}
	w.pause.Reset()
	w.allowed = min(w.workers, w.allowed*2)
	w.size = min(BatchSize, w.size*2)
	w.stumble.Reset()
	w.Health.Clear("store")
	w.noteOutcomes(r)
	w.settled.send()
}

// failed: nothing is known of the batch. It stays queued; Salesforce is asked
// again after a pause, by one small batch first.
func (w *Writer) failed(ctx context.Context, r batchResult) {
	w.rescan = true
	if fault.Stopped(ctx, r.err) {
		return
	}
	w.metrics.batches.WithLabelValues(fault.ClassOf(r.err).String()).Inc()
	if fault.Of(r.err) == nil {
		return // the store's failure has its own condition and pause
	}
	w.allowed = 1
	if fault.ClassOf(r.err) != fault.Auth {
		w.size = max(w.size/2, 25)
	}
	w.notUntil = time.Now().Add(max(fault.After(r.err), w.pause.NextBackOff()))
	w.trouble.Had(r.err)
	w.log.Debug("batch not written", zap.Int("messages", len(r.batch)), zap.Stringer("class", fault.ClassOf(r.err)),
		zap.String("code", fault.CodeOf(r.err)), zap.Time("again", w.notUntil))
}

func (w *Writer) noteOutcomes(r batchResult) {
	trouble := error(nil)
	for i, err := range r.outcomes {
		c := r.batch[i]
		if errors.Is(err, errUnclaimed) {
			w.metrics.settled.WithLabelValues("put_off").Inc()
			continue
		}
		switch fault.ClassOf(err) {
		case 0:
			w.metrics.settled.WithLabelValues("written").Inc()
		case fault.Permanent:
			w.metrics.settled.WithLabelValues("refused").Inc()
			w.Health.Raise(Quarantined())
		case fault.Throttled:
			w.metrics.settled.WithLabelValues("put_off").Inc()
			w.storage.Had(err)
		case fault.Auth:
			w.metrics.settled.WithLabelValues("put_off").Inc()
			trouble = err
		default:
			w.metrics.settled.WithLabelValues("put_off").Inc()
			if c.Attempts >= stuckAfter {
				w.Health.Raise(stuck(err))
			}
		}
	}
	if trouble != nil {
		w.trouble.Had(trouble)
	} else {
		w.trouble.Over()
	}
}

func stuck(err error) health.Condition {
	return health.Condition{
		Name: condStuck, Severity: health.Degraded,
		Cause:  "Records have been put off again and again, the last one: " + err.Error(),
		Remedy: "Look for an automation in the org that holds locks on TwilioSF_Message__c or what it looks up; the records are tried again every few minutes.",
	}
}

// signal wakes everyone who waits for it. Its zero value is ready.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

// next is closed at the next send.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) send() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}

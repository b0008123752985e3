package followup

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

const (
	firstRetry = 2 * time.Second
	lastRetry  = 5 * time.Minute
	// setupRetry is the pause of what waits for an operator to put the org right.
	setupRetry = 10 * time.Minute
	// stuckAfter is how often one is put off before an operator hears of it.
	stuckAfter = 8
	// orphanAfter is how often one is put off whose parent is not there: about an
	// hour in all. A message's follow-ups are queued when its record is there, so
	// by then somebody has deleted it.
	orphanAfter = 19
	// lateAfter is the same for what should be there within moments.
	lateAfter = 3
	// smallest is how far a batch shrinks for faults that are nobody's in it.
	smallest = 25
	// tellAfter is how many batches in a row fail before an operator hears of it.
	tellAfter = 5
)

// settle turns a doer's outcomes into settlements, and says what is wrong. down is
// not nil if more wait behind a batch of which all were put off: then something is
// down that none of them can help.
func (e *Engine) settle(l *line, batch []Queued, outcomes []error) (settled []Settlement, down error) {
	settled = make([]Settlement, len(batch))
	trouble, stuck := error(nil), error(nil)
	failed := 0
	for i, q := range batch {
		settled[i].Queued = q
		err := outcomes[i]
		switch class := fault.ClassOf(err); {
		case err == nil, errors.Is(err, ErrNothingYet) && q.Attempts >= lateAfter:
			e.metrics.settled.WithLabelValues(string(l.kind), "done").Inc()
			continue
		case class == fault.Permanent, errors.Is(err, ErrNoParent) && q.Attempts >= orphanAfter:
			e.giveUp(l, q.FollowUp, err)
			continue
		case errors.Is(err, ErrNoParent), errors.Is(err, ErrNothingYet):
			// Nothing is wrong with the org.
		case class == fault.Auth:
			failed++
			trouble = err
		default:
			failed++
			if q.Attempts >= stuckAfter {
				stuck = err
			}
		}
		e.metrics.settled.WithLabelValues(string(l.kind), "put_off").Inc()
		settled[i].RetryAt = time.Now().Add(retryIn(q.Attempts, err))
	}
	if failed > 1 && failed == l.size { // a full batch, so there are others
		down = outcomes[0]
	}
	if down == nil || trouble != nil || stuck != nil {
		e.tell(l, trouble, stuck)
	}
	e.metrics.batches.WithLabelValues(string(l.kind), "ok").Inc()
	return settled, down
}

// breathe keeps an outage that is told for each follow-up by itself from being
// asked about for all that wait.
func (e *Engine) breathe(l *line, down error) {
	l.slow()
	if l.failures >= tellAfter && !l.stuck {
		e.blame(l, down)
	}
	l.hold(time.Now().Add(l.pause.NextBackOff()))
}

// tell raises the condition of what waits, or ends it when only the last batch
// was the reason.
func (e *Engine) tell(l *line, trouble, stuck error) {
	switch cause := errors.Join(trouble, stuck); {
	case cause != nil:
		l.waits, l.stuck = true, true // until nothing waits any more
		if trouble == nil {
			trouble = stuck
		}
		e.health.Raise(l.condWaits(trouble))
	case l.waits && !l.stuck:
		l.waits = false
		e.health.Clear(l.waitsName())
	}
}

// giveUp counts one that will never be done. It holds nothing up.
func (e *Engine) giveUp(l *line, f message.FollowUp, err error) {
	e.metrics.settled.WithLabelValues(string(l.kind), "given_up").Inc()
	fields := []zap.Field{zap.String("kind", string(l.kind)), zap.String("record", recordOf(&f)), zap.String("code", fault.CodeOf(err))}
	if errors.Is(err, ErrGone) || errors.Is(err, ErrNoParent) {
		e.log.Debug("follow-up given up: its record is gone", fields...)
		return
	}
	e.log.Info("follow-up given up", fields...)
	e.health.Raise(l.condRefused(err))
}

// recordOf names the record in logs. In the keys of an opt-in and of a member
// there is a number, which stays out of them (P8).
func recordOf(f *message.FollowUp) string {
	switch {
	case f.OptIn != nil:
		return string(f.OptIn.Message)
	case f.Member != nil:
		return f.Member.Campaign
	case f.Kind == message.FollowOptIn, f.Kind == message.FollowMember:
		return ""
	default:
		return f.Key
	}
}

// failed: nothing is known of the batch. It stays queued; smaller ones follow,
// for one record may be why all were refused.
func (e *Engine) failed(ctx context.Context, l *line, batch []Queued, err error) {
	class := fault.ClassOf(err)
	e.metrics.batches.WithLabelValues(string(l.kind), class.String()).Inc()
	now := time.Now()
	switch {
	case class == fault.Permanent && len(batch) > 1:
		l.size = max(len(batch)/2, 1)
		l.due = now
		return
	case class == fault.Permanent:
		e.giveUpAlone(ctx, l, batch[0], err)
		return
	case class == fault.Auth:
		l.failures++
	default:
		l.slow()
	}
	if class == fault.Auth || l.failures >= tellAfter {
		e.blame(l, err)
	}
	l.hold(now.Add(max(fault.After(err), l.pause.NextBackOff())))
	e.log.Debug("follow-ups not done", zap.String("kind", string(l.kind)), zap.Int("follow-ups", len(batch)),
		zap.Stringer("class", class), zap.String("code", fault.CodeOf(err)), zap.Time("again", l.held))
}

// giveUpAlone gives up the one follow-up of a batch that was refused as a whole.
func (e *Engine) giveUpAlone(ctx context.Context, l *line, q Queued, err error) {
	if err := e.queue.Settle(context.WithoutCancel(ctx), []Settlement{{Queued: q}}); err != nil {
		e.storeFailed(ctx, l, err)
		return
	}
	e.giveUp(l, q.FollowUp, err)
	l.due = time.Now()
}

// blame tells why a whole line waits. A condition with a name of its own (a
// login) is told by whoever writes messages.
func (e *Engine) blame(l *line, err error) {
	if f := fault.Of(err); f != nil && f.Condition != "" {
		return
	}
	l.waits = true
	e.health.Raise(l.condWaits(err))
}

// retryIn is the pause before one is tried again: doubled each time, with jitter
// so that those which failed together do not meet again, and no shorter than the
// vendor asked for.
func retryIn(attempts int, err error) time.Duration {
	least := time.Duration(0)
	if fault.ClassOf(err) == fault.Auth {
		least = setupRetry
	}
	return max(fault.RetryIn(attempts, firstRetry, lastRetry, least), fault.After(err))
}

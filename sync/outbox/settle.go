package outbox

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
)

// moments are when an uncertain send is looked up: for the first time since its
// intent, then since the first look that could be made, in parts of SettleAfter.
var moments = []float64{1. / 120, 1. / 40, 1. / 10, 1. / 4, 1. / 2, 1, 2, partsFor}

const (
	// absentAfter is how many look-ups that do not show it prove that it is not there,
	// if they took SettleAfter.
	absentAfter = 6
	// partsFor is for how many times SettleAfter a list that nobody can read whole is
	// asked before a human decides.
	partsFor = 3
	// asideFor is how long a look-up that could not be made, or not be trusted, waits.
	asideFor = 15 * time.Second
)

// looks is when the look-up after n others is made.
func (o *Outbox) looks(n int) time.Duration {
	return time.Duration(moments[min(n, len(moments)-1)] * float64(o.o.SettleAfter))
}

// next is when an attempt is looked up again after n looks, the first of them at a
// time. They are some time apart even when the first was long ago.
func (o *Outbox) next(first time.Time, n int) time.Time {
	at := first.Add(o.looks(n))
	if soonest := time.Now().Add(o.looks(0)); at.Before(soonest) {
		return soonest
	}
	return at
}

// settleTurn looks uncertain sends up.
func (o *Outbox) settleTurn(ctx context.Context) (time.Duration, error) {
	now := time.Now()
	batch, err := o.Ledger.Due(ctx, Uncertain, now, BatchSize)
	if err != nil {
		return 0, err
	}
	if len(batch) == 0 {
		return until(o.Ledger.NextDue(ctx, Uncertain))
	}
	seen, doubts := o.look(ctx, batch)
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	slices.SortFunc(batch, func(a, b Attempt) int { return cmp.Compare(a.N, b.N) })
	var undecided []Attempt
	for i := range batch {
		a := batch[i]
		if doubts[a.Out.To] == unread {
			a.Due = time.Now().Add(asideFor)
			undecided = append(undecided, a)
			continue
		}
		settled, err := o.decide(ctx, &a, seen[a.Out.To], now, doubts[a.Out.To] == partial)
		if err != nil {
			return 0, err
		}
		if !settled {
			undecided = append(undecided, a)
		}
	}
	revised, err := o.Ledger.Revise(ctx, undecided)
	if err != nil {
		return 0, err
	}
	o.told(undecided, revised)
	return 0, nil
}

// told wakes those who go on with what was not found.
func (o *Outbox) told(undecided []Attempt, revised []bool) {
	for i := range undecided {
		if !revised[i] {
			continue
		}
		switch a := &undecided[i]; a.State {
		case Fresh:
			o.metrics.lookups.WithLabelValues("sent_again").Inc()
			o.plan.Ring()
		case Held:
			o.metrics.lookups.WithLabelValues("held").Inc()
			o.Health.Raise(held())
			o.write.Ring()
		default:
		}
	}
}

// decide settles one attempt by what the list holds, or the part of it that can be
// read: what that does not show is not taken as absent. It is false when a stays
// to be revised.
func (o *Outbox) decide(ctx context.Context, a *Attempt, seen []message.Message, began time.Time, part bool) (bool, error) {
	for _, m := range candidates(a, seen) {
		mine, sure, err := o.Claims.Claim(ctx, a, m, time.Now())
		switch {
		case err != nil:
			return false, err
		case mine:
			o.metrics.lookups.WithLabelValues("found").Inc()
			o.write.Ring()
			o.plan.Ring()
			if o.o.Sent != nil && !RefusedCreate(m) {
				o.o.Sent(ctx, *m)
			}
			return true, nil
		case !sure: // an equal one is on its way, whose message this may be
			a.Due = time.Now().Add(asideFor)
			return false, nil
		}
	}
	if part {
		o.seenInPart(a, began)
		return false, nil
	}
	if a.Looked.IsZero() {
		a.Looked = began
	}
	a.Looks++
	if a.Looks < absentAfter || began.Sub(a.Looked) < o.o.SettleAfter {
		a.Due = o.next(a.Looked, min(a.Looks, absentAfter-1))
		return false, nil
	}
	doubt, err := o.anyFree(ctx, a, seen)
	if err != nil {
		return false, err
	}
	o.absent(a, doubt)
	return false, nil
}

// seenInPart is for what the readable part of a list does not show.
func (o *Outbox) seenInPart(a *Attempt, began time.Time) {
	if a.Parted.IsZero() {
		a.Parted = began
	}
	a.Parts++
	if began.Sub(a.Parted) < partsFor*o.o.SettleAfter {
		a.Due = o.next(a.Parted, a.Parts)
		return
	}
	a.hold(time.Now())
}

// anyFree says whether one of the messages that may be an attempt's all the same is
// nobody's.
func (o *Outbox) anyFree(ctx context.Context, a *Attempt, seen []message.Message) (bool, error) {
	var sids []message.SID
	for i := range seen {
		if mayBe(a, &seen[i]) {
			sids = append(sids, seen[i].SID)
		}
	}
	if len(sids) == 0 {
		return false, nil
	}
	free, err := o.Claims.Free(ctx, sids)
	return len(free) > 0, err
}

// absent is for what Twilio does not have. P5
func (o *Outbox) absent(a *Attempt, doubt bool) {
	now := time.Now()
	switch {
	case o.o.Hold || doubt:
		a.hold(now)
	case o.tooLate(a, now):
		a.refuse(late(o.o.LateLimit), now)
	default: // if its record still asks for it
		a.again()
		a.State, a.Reread = Fresh, true
	}
}

// hold leaves an attempt to a human.
func (a *Attempt) hold(now time.Time) {
	a.end(Held, message.Result{
		Status:       message.Uncertain,
		ErrorMessage: "Twilio's answer was lost, and its list does not show whether this was sent. An administrator decides (twiliosf outbox settle).",
	}, now)
}

package outbox

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/twiliosf/twiliosf/sync/alarm"
	"github.com/twiliosf/twiliosf/sync/message"
)

const (
	// laneBatch is how many attempts of one sender leave in one go at most, lanePart
	// for how long they may take at its pace: whoever is called off, or has come
	// since, is seen before the next go.
	laneBatch = 100
	lanePart  = 30 * time.Second
	// freshFor is how long a record that was read may wait in the line without being
	// read again: the poll does not show every change by which it asks no longer.
	freshFor = 5 * time.Minute
)

// runLanes has each sender's line drained by one of its own, so that a slow one
// holds up no other.
func (o *Outbox) runLanes(ctx, work context.Context) {
	var all, creates sync.WaitGroup
	start := func(sender string, wake alarm.Alarm) {
		all.Go(func() {
			o.loop(ctx, wake, func(ctx context.Context) (time.Duration, error) { return o.laneTurn(ctx, work, sender, &creates) })
		})
	}
	o.loop(ctx, o.lines, func(ctx context.Context) (time.Duration, error) {
		senders, err := o.Lines.Senders(ctx)
		for _, s := range senders {
			if wake, isNew := o.lane(s); isNew {
				start(s, wake)
			}
		}
		return idle, err
	})
	all.Wait()
	creates.Wait()
}

func (o *Outbox) lane(sender string) (wake alarm.Alarm, isNew bool) {
	o.lanesMu.Lock()
	defer o.lanesMu.Unlock()
	wake, known := o.lanes[sender]
	if !known {
		wake = alarm.New()
		o.lanes[sender] = wake
	}
	return wake, !known
}

// wakeLane tells a sender's line that there is more, or that there is one.
func (o *Outbox) wakeLane(sender string) {
	o.lanesMu.Lock()
	wake, known := o.lanes[sender]
	o.lanesMu.Unlock()
	if known {
		wake.Ring()
		return
	}
	o.lines.Ring()
}

// laneTurn sends what waits for one sender.
func (o *Outbox) laneTurn(ctx, work context.Context, sender string, creates *sync.WaitGroup) (time.Duration, error) {
	line, err := o.Lines.Ready(ctx, sender, time.Now(), BatchSize)
	if err != nil {
		return 0, err
	}
	if len(line) == 0 {
		return until(o.Lines.NextReady(ctx, sender))
	}
	n := min(len(line), laneBatch, o.pace.within(sender, lanePart))
	if changed, err := o.freshen(ctx, line, n); changed || err != nil {
		return 0, err
	}
	return o.drain(ctx, work, line[:n], creates)
}

// freshen refuses what has waited too long among the first n of a line, and reads
// again what was read too long ago, or would be before its turn. While it is at it, it
// does so for all of the line that soon would be. It says whether the line is another
// now.
func (o *Outbox) freshen(ctx context.Context, line []Attempt, n int) (bool, error) {
	now := time.Now()
	var changed []Attempt
	must := false
	for i := range line[:n] {
		if a := &line[i]; o.tooLate(a, now) {
			a.refuse(late(o.o.LateLimit), now)
			changed = append(changed, *a)
		} else {
			must = must || now.Sub(a.Read) > freshFor-lanePart
		}
	}
	if must {
		changed = append(changed, o.readAgain(ctx, line, now)...)
	}
	if len(changed) == 0 {
		return false, nil
	}
	revised, err := o.Ledger.Revise(ctx, changed)
	if err != nil {
		return false, err
	}
	o.planned(changed, revised)
	o.plan.Ring()
	return true, nil
}

// readAgain answers what becomes of those of a line that were not read just now.
func (o *Outbox) readAgain(ctx context.Context, line []Attempt, now time.Time) []Attempt {
	var old []*Attempt
	for i := range line {
		if a := &line[i]; a.State == Ready && now.Sub(a.Read) > freshFor/2 {
			old = append(old, a)
		}
	}
	drafts, err := o.readDrafts(ctx, old)
	again := make([]Attempt, len(old))
	for i, a := range old {
		a.freshen(drafts[a.Draft.ID], err, time.Now())
		again[i] = *a
	}
	return again
}

// freshen is an attempt in the line whose record was read again; nil: it is gone.
func (a *Attempt) freshen(d *message.Draft, err error, now time.Time) {
	if err == nil && a.Since.IsZero() && wants(d) && same(&a.Draft, d) {
		a.Read, a.Tries = now, 0
		return
	}
	a.renew(d, err, now)
	if a.State == Ready && err == nil {
		a.Tries = 0
		if a.Since.IsZero() { // it asks for something else
			a.State = Fresh
		}
	}
}

// drain lets a batch of one sender go. It returns when all their intents are
// committed, or what waits would be read again; the calls go on.
func (o *Outbox) drain(ctx, work context.Context, batch []Attempt, creates *sync.WaitGroup) (rest time.Duration, err error) {
	var intents errgroup.Group
	var failed atomic.Bool
	for i := range batch {
		a := batch[i]
		if rest = o.fullFor(a.Sender); rest > 0 {
			break
		}
		var t ticket
		if t, err = o.turn(ctx, a.Sender); err != nil {
			break
		}
		if failed.Load() || !o.fit(&a, time.Now()) { // it has waited for its turn for too long
			o.giveBack(t)
			break
		}
		intents.Go(func() error {
			ok, err := o.intend(ctx, &a)
			if ok {
				creates.Go(func() {
					defer func() { <-o.slots }()
					o.create(work, a, t)
				})
				return nil
			}
			if err != nil {
				failed.Store(true)
			}
			o.giveBack(t)
			if err != nil {
				o.withdraw(ctx, a)
			}
			return err
		})
	}
	if failed := intents.Wait(); failed != nil {
		err = failed
	}
	return max(rest, 0), err
}

// fit says whether an attempt may leave as it is.
func (o *Outbox) fit(a *Attempt, now time.Time) bool {
	return !o.tooLate(a, now) && now.Sub(a.Read) <= freshFor
}

// fullFor is how long a sender's queue at Twilio is taken as full.
func (o *Outbox) fullFor(sender string) time.Duration {
	until, known := o.full.Load(sender)
	if !known {
		return 0
	}
	return time.Until(until.(time.Time)) //nolint:errcheck,forcetypeassert // nothing else is stored
}

// turn waits until one attempt may leave: while Twilio takes none, then for the
// sender's turn, and then for one of the few that call at once. An error says that we
// are stopping.
func (o *Outbox) turn(ctx context.Context, sender string) (ticket, error) {
	t, err := o.circuit.enter(ctx)
	if err != nil {
		return 0, err
	}
	if err := o.pace.Turn(ctx, sender, true); err != nil {
		o.circuit.leave(t)
		return 0, err
	}
	select {
	case o.slots <- struct{}{}:
		return t, nil
	case <-ctx.Done():
		o.circuit.leave(t)
		return 0, context.Cause(ctx)
	}
}

// giveBack ends a turn that was not used.
func (o *Outbox) giveBack(t ticket) {
	<-o.slots
	o.circuit.leave(t)
}

package outbox

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// laneBatch is how many attempts a lane reads at once.
const laneBatch = 100

// queueFull is Twilio's for a sender that has hours of messages waiting: it alone
// pauses. https://www.twilio.com/docs/api/errors/21611
const queueFull = "21611"

// runLanes has each sender's line drained by one of its own, so that a slow one
// holds up no other.
func (o *Outbox) runLanes(ctx, work context.Context) {
	var all, creates sync.WaitGroup
	start := func(sender string, wake alarm) {
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

func (o *Outbox) lane(sender string) (wake alarm, isNew bool) {
	o.lanesMu.Lock()
	defer o.lanesMu.Unlock()
	wake, known := o.lanes[sender]
	if !known {
		wake = newAlarm()
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
		wake.ring()
		return
	}
	o.lines.ring()
}

// laneTurn sends what waits for one sender.
func (o *Outbox) laneTurn(ctx, work context.Context, sender string, creates *sync.WaitGroup) (time.Duration, error) {
	batch, err := o.Lines.Ready(ctx, sender, time.Now(), laneBatch)
	if err != nil {
		return 0, err
	}
	if len(batch) == 0 {
		return until(o.Lines.NextReady(ctx, sender))
	}
	rest, err := o.drain(ctx, work, batch, creates)
	if ctx.Err() != nil {
		return idle, nil
	}
	return rest, err
}

// drain lets a batch of one sender go. It returns when all their intents are
// committed, or what waits would be read again; the calls go on.
func (o *Outbox) drain(ctx, work context.Context, batch []Attempt, creates *sync.WaitGroup) (rest time.Duration, err error) {
	var intents errgroup.Group
	var failed atomic.Bool
	for i := range batch {
		if rest = o.fullFor(batch[i].Sender); rest > 0 || failed.Load() {
			break
		}
		if err = o.sendOne(ctx, batch[i], func(a Attempt) {
			intents.Go(func() error {
				ok, err := o.intend(ctx, &a)
				if !ok || err != nil {
					<-o.slots
					o.circuit.leave()
					failed.Store(failed.Load() || err != nil)
					return err
				}
				creates.Go(func() {
					defer func() { <-o.slots }()
					o.create(work, a)
				})
				return nil
			})
		}); err != nil {
			break
		}
	}
	if failed := intents.Wait(); failed != nil {
		err = failed
	}
	return max(rest, 0), err
}

// fullFor is how long a sender's queue at Twilio is taken as full.
func (o *Outbox) fullFor(sender string) time.Duration {
	until, known := o.full.Load(sender)
	if !known {
		return 0
	}
	return time.Until(until.(time.Time)) //nolint:errcheck,forcetypeassert // nothing else is stored
}

// sendOne waits until one attempt may leave, and lets it go. An error is the
// store's, or says that we are stopping.
func (o *Outbox) sendOne(ctx context.Context, a Attempt, send func(Attempt)) error {
	if now := time.Now(); o.tooLate(&a, now) && a.Since.IsZero() {
		a.refuse(late(o.o.LateLimit), now)
		defer o.write.ring()
		return o.Ledger.Revise(ctx, []Attempt{a})
	}
	if err := o.circuit.enter(ctx); err != nil {
		return err
	}
	if err := o.turn(ctx, a.Sender); err != nil {
		o.circuit.leave()
		return err
	}
	send(a)
	return nil
}

// turn waits for the sender's turn, and then for one of the few that call at once.
func (o *Outbox) turn(ctx context.Context, sender string) error {
	if err := o.pace.Turn(ctx, sender, true); err != nil {
		return err
	}
	select {
	case o.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// intend commits the intent. It is false when nothing is to be sent.
func (o *Outbox) intend(ctx context.Context, a *Attempt) (bool, error) {
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		return false, err
	}
	was := *a
	now := time.Now()
	a.Token, a.Intended, a.State, a.Looks = hex.EncodeToString(raw), now, Intended, 0
	if a.Since.IsZero() {
		a.Since = now
	}
	a.Out.Callback = callback(o.o.Callback, a.Token)
	ok, blocked, err := o.Intents.Intend(ctx, a)
	if err != nil {
		return false, o.withdraw(ctx, *a, err)
	}
	if !blocked {
		return ok, nil
	}
	was.refuse(optedOut(&a.Draft), now)
	o.metrics.ended.WithLabelValues("opted_out").Inc()
	defer o.write.ring()
	return false, o.Ledger.Revise(ctx, []Attempt{was})
}

// withdraw takes back an intent whose commit has failed: it may have taken effect
// all the same, and then nobody would send what it stands for. It waits for the
// store, and answers the commit's error.
func (o *Outbox) withdraw(ctx context.Context, a Attempt, failed error) error {
	a.unintend()
	for pause := newPause(); wait(ctx, pause.NextBackOff()); {
		err := o.Intents.Conclude(ctx, &a)
		if err == nil {
			break
		}
		o.storeTrouble(ctx, err)
	}
	return failed
}

// callback is where Twilio tells of one attempt's status.
func callback(base, token string) string {
	u, err := url.Parse(base)
	if base == "" || err != nil {
		return ""
	}
	q := u.Query()
	q.Set("ref", token)
	u.RawQuery = q.Encode()
	return u.String()
}

// create makes the one call and commits what came of it.
func (o *Outbox) create(ctx context.Context, a Attempt) {
	m, err := o.Account.Create(ctx, a.Out)
	if err == nil && m.SID == "" {
		err = fault.New(fault.Uncertain, "twilio create message", errNoSID)
	}
	o.judge(&a, &m, err)
	pause := newPause()
	// What Twilio has answered is worth remembering even while we stop. Where the
	// store does not take it, the intent stands, and is looked up after a restart.
	for {
		err := o.Intents.Conclude(context.WithoutCancel(ctx), &a)
		if err == nil {
			break
		}
		o.storeTrouble(ctx, err)
		if !wait(ctx, pause.NextBackOff()) {
			o.o.Log.Warn("the outcome of a send could not be kept; it will be looked up", zap.String("record", a.Draft.ID))
			return
		}
	}
	switch a.State {
	case Ready:
		o.wakeLane(a.Sender)
	case Uncertain:
		o.settle.ring()
	case Fresh:
		o.plan.ring()
	default:
		o.write.ring()
	}
	if err == nil && o.o.Sent != nil {
		o.o.Sent(context.WithoutCancel(ctx), m)
	}
}

// judge is what an answer of Twilio's means for an attempt. What nobody has
// classed may have happened.
func (o *Outbox) judge(a *Attempt, m *message.Message, err error) {
	now := time.Now()
	class := fault.ClassOf(err)
	if err != nil && fault.Of(err) == nil {
		class = fault.Uncertain
	}
	outcome := class.String()
	switch {
	case err == nil:
		outcome = "accepted"
		o.answered()
		a.accept(m, now)
	case class == fault.Permanent:
		o.answered()
		a.end(Rejected, refusedByTwilio(err), now)
	case class == fault.Uncertain:
		if o.circuit.doubt(err) {
			o.twilio.had(context.Background(), err)
		}
		a.State, a.Due = Uncertain, now.Add(o.looks(0))
	case fault.CodeOf(err) == queueFull:
		o.answered()
		a.unintend()
		a.putOff(err, now)
		o.full.Store(a.Sender, a.Due)
	default: // it did not happen, and nothing else would now
		o.circuit.bad(err)
		o.twilio.had(context.Background(), err)
		a.unintend()
	}
	o.metrics.creates.WithLabelValues(outcome).Inc()
}

// answered notes that Twilio takes sends.
func (o *Outbox) answered() {
	o.circuit.good()
	o.twilio.over()
}

// unintend takes an intent back of which nothing has become. One before it may
// still have.
func (a *Attempt) unintend() {
	if a.Since.Equal(a.Intended) {
		a.Since, a.Intended = time.Time{}, time.Time{}
	}
	a.again()
}

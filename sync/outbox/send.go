package outbox

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/alarm"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// queueFull is Twilio's for a sender that has hours of messages waiting: it alone
// pauses. https://www.twilio.com/docs/api/errors/21611
const (
	queueFull     = "21611"
	codeQueueFull = 21611
)

// intend commits the intent. It is false when nothing is to be sent.
func (o *Outbox) intend(ctx context.Context, a *Attempt) (bool, error) {
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		return false, err
	}
	was := *a
	now := time.Now()
	a.Token, a.Intended, a.State = hex.EncodeToString(raw), now, Intended
	a.unlooked()
	if a.Since.IsZero() {
		a.Since = now
	}
	a.Out.Callback = callback(o.o.Callback, a.Token)
	ok, blocked, err := o.Intents.Intend(ctx, a)
	if err != nil || !blocked {
		return ok && err == nil, err
	}
	was.refuse(optedOut(&a.Draft), now)
	o.metrics.ended.WithLabelValues("opted_out").Inc()
	defer o.write.Ring()
	_, err = o.Ledger.Revise(ctx, []Attempt{was})
	return false, err
}

// withdraw takes back an intent whose commit has failed: it may have taken effect
// all the same, and then nobody would send what it stands for. It waits for the
// store.
func (o *Outbox) withdraw(ctx context.Context, a Attempt) {
	a.unintend()
	_ = o.insist(ctx, func() error { return o.Intents.Conclude(ctx, &a) }) //nolint:errcheck // we are stopping: it is uncertain after the start
}

// insist repeats what the store must take until it does, or ctx is done.
func (o *Outbox) insist(ctx context.Context, do func() error) error {
	for pause := newPause(); ; {
		err := do()
		if err == nil {
			return nil
		}
		o.storeTrouble(ctx, err)
		if !alarm.Sleep(ctx, pause.NextBackOff()) {
			return err
		}
	}
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
func (o *Outbox) create(ctx context.Context, a Attempt, t ticket) {
	m, err := o.Account.Create(ctx, a.Out)
	if err == nil && m.SID == "" {
		err = fault.New(fault.Uncertain, "twilio create message", errNoSID)
	}
	o.judge(ctx, &a, t, &m, err)
	// What Twilio has answered is worth remembering even while we stop. Where the
	// store does not take it, the intent stands, and is looked up after a restart.
	if o.insist(ctx, func() error { return o.Intents.Conclude(context.WithoutCancel(ctx), &a) }) != nil {
		o.o.Log.Warn("the outcome of a send could not be kept; it will be looked up", zap.String("record", a.Draft.ID))
		return
	}
	switch a.State {
	case Ready:
		o.wakeLane(a.Sender)
	case Uncertain:
		o.settle.Ring()
	case Fresh:
		o.plan.Ring()
	default:
		o.write.Ring()
	}
	if err == nil && o.o.Sent != nil {
		o.o.Sent(context.WithoutCancel(ctx), m)
	}
}

// judge is what an answer of Twilio's means for an attempt. What nobody has
// classed may have happened.
func (o *Outbox) judge(ctx context.Context, a *Attempt, t ticket, m *message.Message, err error) {
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
		o.refused(t, err)
		a.end(Rejected, refusedByTwilio(err), now)
	case class == fault.Uncertain:
		if o.circuit.doubt(t, err) {
			o.twilio.Had(ctx, err)
		}
		a.State, a.Due = Uncertain, now.Add(o.looks(0))
	case fault.CodeOf(err) == queueFull:
		o.answered()
		a.turnedAway(codeQueueFull, "")
		a.putOff(err, now)
		o.full.Store(a.Sender, a.Due)
	default: // it did not happen, and nothing else would now
		o.circuit.bad(t, err)
		o.twilio.Had(ctx, err)
		a.unintend()
	}
	o.metrics.creates.WithLabelValues(outcome).Inc()
}

// answered notes that Twilio takes sends.
func (o *Outbox) answered() {
	o.circuit.good()
	o.twilio.Over()
}

// refused notes that one send was. Only who was asked has answered: some refusals
// are our own.
func (o *Outbox) refused(t ticket, err error) {
	if f := fault.Of(err); f != nil && f.Status != 0 {
		o.answered()
		return
	}
	o.circuit.leave(t)
}

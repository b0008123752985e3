package outbox

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/alarm"
	"github.com/twiliosf/twiliosf/sync/grace"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Ports are what the outbox works with. History and Personal may be nil, and so
// may Studio with Requests.
type Ports struct {
	Account       Account
	Studio        Studio
	Org           Org
	History       History
	Personal      Personal
	Ledger        Ledger
	Intents       Intents
	Lines         Lines
	Results       Results
	Claims        Claims
	Conversations Conversations
	Books         Books
	Requests      Requests
	Health        *health.Registry
}

// Options tune the outbox. Zero values mean the defaults in the comments.
type Options struct {
	Country     string        // by which numbers without a country code are read
	Sender      Sender        // the default sender; none
	SettleAfter time.Duration // how long an uncertain send is looked for: 10 min
	Hold        bool          // what is not found then is left to a human, and not sent again
	LateLimit   time.Duration // how long after its time a message is still sent: 12 h
	Callback    string        // the URL of status callbacks; none
	Rates       Rates
	InFlight    int           // creates under way at once: 8
	Grace       time.Duration // how long a stop lets creates in flight finish: 5 s
	// Begin returns when sends may begin, because it is known who has opted out (P6);
	// nil for at once.
	Begin func(context.Context) error
	// Sent hears of each message that Twilio has accepted, at most once; nil for nobody.
	Sent    func(context.Context, message.Message)
	Log     *zap.Logger
	Metrics prometheus.Registerer // may be nil
}

func (o *Options) defaults() {
	o.SettleAfter = cmp.Or(o.SettleAfter, 10*time.Minute)
	o.LateLimit = cmp.Or(o.LateLimit, 12*time.Hour)
	o.InFlight = cmp.Or(o.InFlight, 8)
	o.Grace = cmp.Or(o.Grace, 5*time.Second)
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
}

// Outbox is the engine. Run works; Take feeds it.
type Outbox struct {
	Ports
	o       Options
	metrics *metrics
	senders cache
	pace    *Pace
	circuit *circuit
	twilio  *health.Outage // with what we send
	listing *health.Outage // with what we ask
	parts   *health.Outage // with lists that cannot be read whole
	org     *health.Outage
	slots   chan struct{} // holds one for each create under way
	writing hold          // of results

	plan, settle, write, flows, lines alarm.Alarm

	full    sync.Map // until when a sender's queue at Twilio is full: string to time.Time
	lanesMu sync.Mutex
	lanes   map[string]alarm.Alarm
}

// New makes an outbox. It starts nothing and calls nobody.
func New(p Ports, o Options) (*Outbox, error) {
	if p.Account == nil || p.Org == nil || p.Ledger == nil || p.Intents == nil || p.Lines == nil || p.Results == nil || p.Claims == nil ||
		p.Conversations == nil || p.Books == nil || p.Health == nil || (p.Studio == nil) != (p.Requests == nil) {
		return nil, errors.New("outbox: a port is missing")
	}
	o.defaults()
	return &Outbox{
		Ports: p, o: o, metrics: newMetrics(o.Metrics), pace: NewPace(o.Rates), circuit: newCircuit(),
		twilio: health.NewOutage("twilio", p.Health), listing: health.NewOutage("twilio", p.Health), parts: health.NewOutage("twilio", p.Health), org: health.NewOutage("salesforce", p.Health), slots: make(chan struct{}, o.InFlight),
		writing: hold{pause: newPause()}, plan: alarm.New(), settle: alarm.New(), write: alarm.New(), flows: alarm.New(), lines: alarm.New(), lanes: map[string]alarm.Alarm{},
	}, nil
}

// Pace is the senders' pace, for whoever else sends.
func (o *Outbox) Pace() *Pace { return o.pace }

// Wake has results written that something else than the outbox has found out: a
// status callback. It never blocks.
func (o *Outbox) Wake() {
	o.write.Ring()
	o.settle.Ring()
}

// HandedOver has looked at what something else has put into the ledger to be sent.
// It never blocks.
func (o *Outbox) HandedOver() { o.plan.Ring() }

// Take merges what was read of records that ask, or no longer ask, to be sent. It
// is durable when Take returns nil.
func (o *Outbox) Take(ctx context.Context, drafts []message.Draft) error {
	if len(drafts) == 0 {
		return nil
	}
	n, err := o.Ledger.Take(ctx, drafts, time.Now())
	if n > 0 {
		o.plan.Ring()
		o.write.Ring()
	}
	return err
}

// Run works until ctx is done, then gives creates in flight the grace to end. One
// that is cut short is uncertain (P10).
func (o *Outbox) Run(ctx context.Context) error {
	work, release := grace.Context(ctx, o.o.Grace)
	defer release()
	if !o.recovered(ctx) {
		return context.Cause(ctx)
	}
	var all sync.WaitGroup
	all.Go(func() { o.loop(ctx, o.plan, o.planTurn) })
	all.Go(func() { o.loop(ctx, o.settle, o.settleTurn) })
	all.Go(func() {
		o.loop(ctx, o.write, func(context.Context) (time.Duration, error) { return o.writeTurn(work) })
	})
	all.Go(func() {
		if o.o.Begin == nil || o.o.Begin(ctx) == nil {
			o.runLanes(ctx, work)
		}
	})
	all.Go(func() { o.keepBooks(ctx) })
	if o.Studio != nil {
		all.Go(func() {
			o.loop(ctx, o.flows, func(context.Context) (time.Duration, error) { return o.flowTurn(ctx, work) })
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// recovered waits for the store to take note of the restart.
func (o *Outbox) recovered(ctx context.Context) bool {
	pause := newPause()
	for {
		err := o.Intents.Recover(ctx, time.Now())
		if err == nil {
			return true
		}
		o.storeTrouble(ctx, err)
		if !alarm.Sleep(ctx, pause.NextBackOff()) {
			return false
		}
	}
}

// idle bounds how long a loop waits for its wake-up.
const idle = time.Minute

// loop turns until ctx is done: after the time that a turn answers, or when the
// alarm rings.
func (o *Outbox) loop(ctx context.Context, wake alarm.Alarm, turn func(context.Context) (time.Duration, error)) {
	pause := newPause()
	for ctx.Err() == nil {
		next, err := turn(ctx)
		switch {
		case err != nil:
			o.storeTrouble(ctx, err)
			if !alarm.Sleep(ctx, pause.NextBackOff()) {
				return
			}
			continue
		case next <= 0:
			pause.Reset()
			continue
		}
		pause.Reset()
		wake.Wait(ctx, min(next, idle))
	}
}

// until is how long it is until something falls due.
func until(at time.Time, ok bool, err error) (time.Duration, error) {
	if err != nil || !ok {
		return idle, err
	}
	return max(time.Until(at), time.Millisecond), nil
}

// hold keeps a loop from trying while the org is in trouble, whoever wakes it.
type hold struct {
	until time.Time
	pause *backoff.ExponentialBackOff
}

func (h *hold) failed(after time.Duration) time.Duration {
	d := max(h.pause.NextBackOff(), after)
	h.until = time.Now().Add(d)
	return d
}

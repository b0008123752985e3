package campaign_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/campaign/campaigntest"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
)

const (
	ours    = "+14155550100"
	other   = "+14155550101"
	members = "701000000000001AAA"
)

// org is Salesforce in memory. While an engine runs, it is read and changed by its
// methods, or under locked.
type org struct {
	mu        sync.Mutex
	records   map[string]campaign.Campaign
	people    func(n int) campaign.Person
	size      int // of the audience
	page      int
	large     bool // it is read by an export
	exports   int
	finished  int
	lost      int // so many exports lose their rows after a page
	reading   func(ctx context.Context, locator string) error
	prepare   func(c campaign.Campaign, fields []campaign.Field) error
	err       error // of every call
	inHand    int   // people read, and not yet given up by the reader
	most      int
	tellings  []campaign.Telling
	toldAt    []time.Time
	tellErr   func(campaign.Telling) error
	recorded  map[string]campaign.Unsent
	recErr    func(campaign.Unsent) error
	calls     int // to Record and Answered
	answered  map[string]string
	forecast  map[string]campaign.Forecast
	forecasts int
}

func newOrg() *org {
	return &org{
		records: map[string]campaign.Campaign{}, people: contact, page: campaign.PageSize, recorded: map[string]campaign.Unsent{},
		answered: map[string]string{}, forecast: map[string]campaign.Forecast{},
	}
}

// contact is the n-th of an audience whom nothing is wrong with.
func contact(n int) campaign.Person {
	return campaign.Person{
		Link: message.Link{Object: "Contact", ID: fmt.Sprintf("003%015d", n)}, Member: fmt.Sprintf("00v%015d", n),
		Phones: []string{"", string(number(n))}, Fields: []string{fmt.Sprintf("Ada%d", n)},
	}
}

func number(n int) message.Number { return message.Number(fmt.Sprintf("+1212%07d", 2000000+n)) }

func (o *org) locked(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

func (o *org) Prepare(_ context.Context, c campaign.Campaign, fields []campaign.Field) (campaign.Audience, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return campaign.Audience{}, o.err
	}
	if o.prepare != nil {
		if err := o.prepare(c, fields); err != nil {
			return campaign.Audience{}, err
		}
	}
	return campaign.Audience{Object: "Contact", Phones: []string{"MobilePhone", "Phone"}, Fields: fields, Large: o.large}, nil
}

func (o *org) Begin(_ context.Context, a campaign.Audience) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil || !a.Large {
		return "", o.err
	}
	o.exports++
	return fmt.Sprintf("750%d", o.exports), nil
}

func (o *org) Page(ctx context.Context, _ campaign.Audience, export, locator string) ([]campaign.Person, string, error) {
	var reading func(context.Context, string) error
	o.locked(func() { reading = o.reading })
	if reading != nil {
		if err := reading(ctx, locator); err != nil {
			return nil, "", err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return nil, "", o.err
	}
	from, _ := strconv.Atoi(locator)
	if export != "" && from > 0 && o.lost > 0 {
		o.lost--
		return nil, "", campaign.ErrGone
	}
	to := min(from+o.page, o.size)
	people := make([]campaign.Person, 0, to-from)
	for n := from; n < to; n++ {
		people = append(people, o.people(n))
	}
	if to == o.size {
		return people, "", nil
	}
	return people, strconv.Itoa(to), nil
}

func (o *org) Finish(context.Context, string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.finished++
	return o.err
}

func (o *org) Read(_ context.Context, ids []string) ([]campaign.Campaign, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []campaign.Campaign
	for _, id := range ids {
		c, there := o.records[id]
		if !there {
			c = campaign.Campaign{ID: id, Deleted: true}
		}
		all = append(all, c)
	}
	return all, o.err
}

func (o *org) Tell(_ context.Context, all []campaign.Telling) ([]error, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.toldAt = append(o.toldAt, time.Now())
	if o.err != nil {
		return nil, o.err
	}
	outcomes := make([]error, len(all))
	for i, t := range all {
		c, there := o.records[t.ID]
		if !there {
			outcomes[i] = campaign.ErrGone
			continue
		}
		if o.tellErr != nil {
			if outcomes[i] = o.tellErr(t); outcomes[i] != nil {
				continue
			}
		}
		o.tellings = append(o.tellings, t)
		c.Status, c.Modified = t.Status, time.Now().UTC().Truncate(time.Second)
		if c.Command == t.Obeyed {
			c.Command = ""
		}
		o.records[t.ID] = c
	}
	return outcomes, nil
}

func (o *org) Record(_ context.Context, all []campaign.Unsent) ([]error, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls++
	if o.err != nil {
		return nil, o.err
	}
	outcomes := make([]error, len(all))
	for i, u := range all {
		if o.recErr != nil {
			if outcomes[i] = o.recErr(u); outcomes[i] != nil {
				continue
			}
		}
		o.recorded[u.Key] = u
	}
	return outcomes, nil
}

func (o *org) Answered(_ context.Context, all []campaign.Member) ([]error, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls++
	if o.err != nil {
		return nil, o.err
	}
	for _, m := range all {
		o.answered[m.ID] = m.Status
	}
	return make([]error, len(all)), nil
}

func (o *org) Forecast(_ context.Context, id string, f campaign.Forecast) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return o.err
	}
	o.forecasts++
	o.forecast[id] = f
	return nil
}

// shows is what a record shows at last.
func (o *org) shows(id string) (last campaign.Telling) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, t := range o.tellings {
		if t.ID == id {
			last = t
		}
	}
	return last
}

// statuses are what a record has shown, one after the other.
func (o *org) statuses(id string) []campaign.Status {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []campaign.Status
	for _, t := range o.tellings {
		if t.ID == id && (len(all) == 0 || all[len(all)-1] != t.Status) {
			all = append(all, t.Status)
		}
	}
	return all
}

// permission is consent in memory.
type permission struct {
	mu     sync.Mutex
	out    map[message.Number]bool
	joined map[message.Number]bool // of any keyword
	asked  int
}

func (p *permission) Allowed(_ context.Context, numbers []message.Number, keyword string) (map[message.Number]bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	all := map[message.Number]bool{}
	for _, n := range numbers {
		all[n] = !p.out[n] && (keyword == "" || p.joined[n])
	}
	return all, nil
}

func (p *permission) stop(n message.Number) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out[n] = true
}

// letter is a message that was sent.
type letter struct {
	key, sender, body string
	to                message.Number
	at                time.Time
}

// post is the outbox in memory: a lane a sender, with its pace and its intents.
type post struct {
	mu      sync.Mutex
	rate    float64
	box     campaigntest.Outbox
	consent *permission
	sent    []letter
	down    bool // Twilio takes nothing
	refuse  func(message.Draft) int
	wakes   map[string]chan struct{}
	longest int // most that waited for one sender
}

func (p *post) wake(sender string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case p.wakes[sender] <- struct{}{}:
	default:
	}
}

func (p *post) lane(ctx context.Context, sender string) {
	p.mu.Lock()
	wake, limit := p.wakes[sender], rate.NewLimiter(rate.Limit(p.rate), max(1, int(p.rate/10)))
	p.mu.Unlock()
	for ctx.Err() == nil {
		drafts, _ := p.box.Handed(ctx)
		mine := slices.DeleteFunc(drafts, func(d message.Draft) bool { return d.Sender != sender })
		p.mu.Lock()
		down := p.down
		p.longest = max(p.longest, len(mine))
		p.mu.Unlock()
		if len(mine) == 0 || down {
			rest := time.Minute
			if down {
				rest = time.Second
			}
			select {
			case <-wake:
			case <-time.After(rest):
			case <-ctx.Done():
			}
			continue
		}
		for _, d := range mine {
			if limit.Wait(ctx) != nil {
				return
			}
			p.send(ctx, d)
		}
	}
}

func (p *post) send(ctx context.Context, d message.Draft) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return
	}
	to := message.Number(d.To)
	if allowed, _ := p.consent.Allowed(ctx, []message.Number{to}, d.Keyword); !allowed[to] {
		_ = p.box.End(ctx, d.ID, campaigntest.End{Code: 21610, Text: "opted out"})
		return
	}
	if p.refuse != nil {
		if code := p.refuse(d); code != 0 {
			_ = p.box.End(ctx, d.ID, campaigntest.End{Code: code, Text: "refused"})
			return
		}
	}
	if ok, err := p.box.Try(ctx, d.ID); !ok || err != nil {
		return
	}
	p.sent = append(p.sent, letter{d.ID, d.Sender, d.Body, to, time.Now()})
	_ = p.box.End(ctx, d.ID, campaigntest.End{SID: message.SID(fmt.Sprintf("SM%032x", len(p.sent)))})
}

func (p *post) letters() []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sent)
}

func (p *post) locked(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// world is an engine with all that it works with, in memory.
type world struct {
	*campaign.Engine
	t       *testing.T
	org     *org
	consent *permission
	post    *post
	ledger  *campaigntest.Fake
	health  *health.Registry
	ports   campaign.Ports
	options campaign.Options
	stop    func()
	close   func()
}

// begin makes a world whose engine stands still. It must be called in a bubble.
func begin(t *testing.T, change ...func(*world)) *world {
	t.Helper()
	w := &world{
		t: t, org: newOrg(), ledger: campaigntest.NewFake(), health: health.New(zap.NewNop(), nil), stop: func() {},
		consent: &permission{out: map[message.Number]bool{}, joined: map[message.Number]bool{}},
		options: campaign.Options{Country: "US", Sender: ours},
	}
	w.post = &post{rate: 10, box: w.ledger, consent: w.consent, wakes: map[string]chan struct{}{}}
	for _, s := range []string{ours, other, "whatsapp:" + ours} {
		w.post.wakes[s] = make(chan struct{}, 1)
	}
	m := w.ledger.Memory()
	w.ports = campaign.Ports{
		Audiences: w.org, Org: w.org, Forecasts: w.org, Consent: w.consent, Runs: m.Runs, Books: m.Books, Recipients: m.Recipients,
		Handing: m.Handing, Results: m.Results, Notes: m.Notes, Health: w.health,
	}
	w.options.Handed = w.post.wake
	w.options.Known = func(_ context.Context, sender string) (bool, error) { return w.post.wakes[sender] != nil, nil }
	for _, c := range change {
		c(w)
	}
	if w.options.Rate == nil {
		pace := w.post.rate
		w.options.Rate = func(string) float64 { return pace }
	}
	w.renew()
	ctx, cancel := context.WithCancel(context.Background())
	var lanes sync.WaitGroup
	for s := range w.post.wakes {
		lanes.Go(func() { w.post.lane(ctx, s) })
	}
	w.close = func() {
		w.stop()
		cancel()
		lanes.Wait()
	}
	return w
}

// renew makes another engine.
func (w *world) renew() {
	var err error
	w.Engine, err = campaign.New(w.ports, w.options)
	require.NoError(w.t, err)
}

// run starts the engine.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	engine := w.Engine
	go func() {
		defer close(ended)
		_ = engine.Run(ctx)
	}()
	w.stop = func() {
		cancel()
		<-ended
		w.stop = func() {}
	}
}

// inBubble is a test in virtual time with a world that runs.
func inBubble(t *testing.T, body func(t *testing.T, w *world), change ...func(*world)) {
	t.Helper()
	from(t, time.Time{}, body, change...)
}

// from is inBubble from a date on.
func from(t *testing.T, date time.Time, body func(t *testing.T, w *world), change ...func(*world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(date)) // while nothing runs
		w := begin(t, change...)
		w.run()
		defer w.close()
		synctest.Wait()
		body(t, w)
	})
}

func id(n int) string { return fmt.Sprintf("a0C%012dAAA", n) }

// asking is a record that asks to be sent to the audience.
func asking(n int) campaign.Campaign {
	return campaign.Campaign{
		ID: id(n), Name: fmt.Sprintf("Spring %d", n), Modified: time.Now().UTC().Truncate(time.Second), Status: campaign.Send, Members: members,
		Body: "Hello, we are open again.",
	}
}

// ask writes a record and lets the poll see it.
func (w *world) ask(c campaign.Campaign) {
	w.t.Helper()
	w.org.locked(func() { w.org.records[c.ID] = c })
	require.NoError(w.t, w.Take(w.t.Context(), []campaign.Campaign{c}))
}

// poll shows the engine the records as they are.
func (w *world) poll() {
	w.t.Helper()
	var all []campaign.Campaign
	w.org.locked(func() { all = slices.Collect(maps.Values(w.org.records)) })
	require.NoError(w.t, w.Take(w.t.Context(), all))
}

// says changes a record as its author would.
func (w *world) says(id string, change func(c *campaign.Campaign)) {
	w.t.Helper()
	w.org.locked(func() {
		c := w.org.records[id]
		change(&c)
		c.Modified = time.Now().UTC().Truncate(time.Second)
		w.org.records[id] = c
	})
	w.poll()
}

// audience is of so many.
func audience(n int) func(*world) { return func(w *world) { w.org.size = n } }

// paced is a sender's rate.
func paced(perSecond float64) func(*world) { return func(w *world) { w.post.rate = perSecond } }

// once holds that each of the audience's first n was sent to exactly once, and
// nobody else.
func (w *world) once(n int) {
	w.t.Helper()
	got := map[message.Number]int{}
	for _, l := range w.post.letters() {
		got[l.to]++
	}
	for i := range n {
		require.Equal(w.t, 1, got[number(i)], "person %d", i)
	}
	require.Len(w.t, w.post.letters(), n)
}

var errAway = errors.New("no answer")

func transient() error { return fault.New(fault.Transient, "salesforce query", errAway) }

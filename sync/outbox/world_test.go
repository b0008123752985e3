package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/consent"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/outbox"
	"github.com/twiliosf/twiliosf/sync/store"
)

const (
	long    message.Number = "+14155550100"
	other   message.Number = "+14155550101"
	free    message.Number = "+18005550100"
	short   message.Number = "12345"
	theirs  message.Number = "+14155550199"
	service                = "MG00000000000000000000000000000001"
)

// failure is how a create fails.
type failure int

const (
	none   failure = iota
	before         // the connection is reset before Twilio has seen anything
	after          // after Twilio has made the message
	lost           // the request was sent, and Twilio never made it
)

// account is Twilio in memory. While an outbox runs, its fields are read and
// changed by its methods, or under locked.
type account struct {
	mu       sync.Mutex
	messages []message.Message
	to       map[message.Number][]int // the indexes of a number's messages
	tokens   map[message.SID]string
	tried    int
	latency  time.Duration
	lag      time.Duration // how long the list does not show a message
	fail     func(n int, o message.Outgoing) failure
	err      func(o message.Outgoing) error // in place of creating
	blind    error                          // of the list
	partial  error                          // of the list, at its end
	slow     time.Duration                  // how far its clock is behind ours
	senders  outbox.Senders
	asked    int // for the senders
	created  []time.Time
}

func newAccount() *account {
	return &account{
		to: map[message.Number][]int{}, tokens: map[message.SID]string{},
		senders: outbox.Senders{
			Numbers: []message.Number{long, other, free, short}, Services: map[string][]message.Number{service: {other}},
		},
	}
}

var errReset = errors.New("connection reset")

func (a *account) Create(ctx context.Context, o message.Outgoing) (message.Message, error) {
	var latency time.Duration
	a.locked(func() { latency = a.latency })
	if latency > 0 {
		select {
		case <-time.After(latency):
		case <-ctx.Done():
			return message.Message{}, fault.New(fault.Uncertain, "create", ctx.Err())
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	n := a.tried
	a.tried++
	if a.err != nil {
		if err := a.err(o); err != nil {
			return message.Message{}, err
		}
	}
	how := none
	if a.fail != nil {
		how = a.fail(n, o)
	}
	switch how {
	case before:
		return message.Message{}, fault.New(fault.Transient, "create", errReset)
	case lost:
		return message.Message{}, fault.New(fault.Uncertain, "create", errReset)
	}
	m := a.make(o, message.Queued)
	if how == after {
		return message.Message{}, fault.New(fault.Uncertain, "create", errReset)
	}
	return m, nil
}

func (a *account) make(o message.Outgoing, s message.Status) message.Message {
	m := message.Message{
		SID: message.SID(fmt.Sprintf("SM%032x", len(a.messages)+1)), From: o.From, To: o.To, Body: o.Body, ServiceSID: o.Service,
		Direction: message.OutboundAPI, Status: s, Created: time.Now().Add(-a.slow).UTC().Truncate(time.Second),
	}
	m.Updated = m.Created
	a.to[m.To] = append(a.to[m.To], len(a.messages))
	a.messages = append(a.messages, m)
	a.created = append(a.created, time.Now())
	if u, err := url.Parse(o.Callback); err == nil {
		a.tokens[m.SID] = u.Query().Get("ref")
	}
	return m
}

func (a *account) Outgoing(_ context.Context, to message.Number, since time.Time, page func([]message.Message) (bool, error)) error {
	a.mu.Lock()
	if err := a.blind; err != nil {
		a.mu.Unlock()
		return err
	}
	wanted := a.messages
	if to != "" {
		wanted = nil
		for _, i := range a.to[to] {
			wanted = append(wanted, a.messages[i])
		}
	}
	var all []message.Message
	for i := len(wanted) - 1; i >= 0; i-- {
		if m := &wanted[i]; !m.Created.Before(since.Truncate(time.Second)) && time.Since(m.Created) >= a.lag {
			all = append(all, *m)
		}
	}
	partial := a.partial
	a.mu.Unlock()
	for chunk := range slices.Chunk(all, 1000) {
		if more, err := page(chunk); err != nil || !more {
			return err
		}
	}
	return partial
}

func (a *account) Senders(context.Context) (outbox.Senders, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked++
	return a.senders, nil
}

// locked calls f while the account answers nobody.
func (a *account) locked(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

// attempts is how often a message was to be created.
func (a *account) attempts() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tried
}

// inquiries is how often somebody asked for the senders.
func (a *account) inquiries() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked
}

// times are when the messages were made.
func (a *account) times() []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.created)
}

// token is what a message's status callback carries.
func (a *account) token(sid message.SID) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tokens[sid]
}

// sent are the messages that Twilio has made.
func (a *account) sent() []message.Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.messages)
}

// org is Salesforce in memory: records as users see them. While an outbox runs,
// its fields are read and changed by its methods, or under locked.
type org struct {
	mu      sync.Mutex
	drafts  map[string]message.Draft
	results map[string]message.Result
	writes  map[string]int
	calls   int
	reads   int
	err     error
	refuse  func(message.Result) error
	flows   map[string]message.StudioResult
	last    map[message.Number]message.Number
}

func newOrg() *org {
	return &org{
		drafts: map[string]message.Draft{}, results: map[string]message.Result{}, writes: map[string]int{},
		flows: map[string]message.StudioResult{}, last: map[message.Number]message.Number{},
	}
}

func (o *org) ReadDrafts(_ context.Context, ids []string) ([]message.Draft, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reads++
	if o.err != nil {
		return nil, o.err
	}
	var all []message.Draft
	for _, id := range ids {
		if d, ok := o.drafts[id]; ok {
			all = append(all, d)
		}
	}
	return all, nil
}

func (o *org) WriteBack(_ context.Context, results []message.Result) ([]error, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls++
	if o.err != nil {
		return nil, o.err
	}
	outcomes := make([]error, len(results))
	for i, r := range results {
		d, ok := o.drafts[r.ID]
		if !ok {
			outcomes[i] = outbox.ErrGone
			continue
		}
		if o.refuse != nil {
			if outcomes[i] = o.refuse(r); outcomes[i] != nil {
				continue
			}
		}
		d.Ask, d.Modified = message.Ask(r.Status), time.Now().Truncate(time.Second)
		o.drafts[r.ID] = d
		o.results[r.ID] = r
		o.writes[r.ID]++
	}
	return outcomes, nil
}

func (o *org) WriteStudio(_ context.Context, results []message.StudioResult) ([]error, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return nil, o.err
	}
	for _, r := range results {
		o.flows[r.ID] = r
	}
	return make([]error, len(results)), nil
}

func (o *org) LastSenders(_ context.Context, theirs []message.Number) (map[message.Number]message.Number, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return nil, o.err
	}
	found := map[message.Number]message.Number{}
	for _, n := range theirs {
		if s, ok := o.last[n]; ok {
			found[n] = s
		}
	}
	return found, nil
}

// locked calls f while the org answers nobody.
func (o *org) locked(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

// shown are the results on the records.
func (o *org) shown() map[string]message.Result {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.results)
}

// written is how often a record was.
func (o *org) written(id string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.writes[id]
}

// inquiries is how often drafts were read.
func (o *org) inquiries() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.reads
}

// called is how often results were to be written.
func (o *org) called() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.calls
}

func (o *org) result(id string) message.Result {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.results[id]
}

// personal knows one user's number.
type personal map[string]message.Number

func (p personal) Personal(_ context.Context, user string, _ []message.Number) (message.Number, error) {
	return p[user], nil
}

// world is an outbox between both, with a real store.
type world struct {
	*outbox.Outbox
	t       *testing.T
	account *account
	org     *org
	studio  *studio
	store   *store.Store
	dir     string
	health  *health.Registry
	ports   outbox.Ports
	options outbox.Options
	stop    func()
}

// begin makes a world that stands still. It must be called in a bubble.
func begin(t *testing.T, change ...func(*world)) *world {
	t.Helper()
	w := &world{
		t: t, account: newAccount(), org: newOrg(), studio: newStudio(), dir: t.TempDir(), health: health.New(zap.NewNop(), nil),
		options: outbox.Options{Country: "US", Sender: outbox.Sender{Number: long}, Callback: "https://sms.example.com/twilio", InFlight: 50},
		stop:    func() {},
	}
	w.ports = outbox.Ports{Account: w.account, Studio: w.studio, Org: w.org, History: w.org, Health: w.health}
	for _, c := range change {
		c(w)
	}
	w.open()
	return w
}

func (w *world) open() {
	var err error
	w.store, err = store.Open(w.t.Context(), store.Options{URL: "sqlite://" + w.dir + "/m.db"})
	require.NoError(w.t, err)
	v, err := consent.NewVocabulary(consent.Lists{})
	require.NoError(w.t, err)
	w.store.Use(v.Read)
	b := w.store.Outbox()
	p := w.ports
	p.Ledger, p.Intents, p.Lines, p.Results, p.Claims, p.Books, p.Requests, p.Conversations = b, b, b, b, b, b, b, w.store.Conversations()
	w.Outbox, err = outbox.New(p, w.options)
	require.NoError(w.t, err)
	b.OnBound(w.Wake)
}

// run starts the engine.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	engine := w.Outbox
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

func (w *world) close() {
	w.stop()
	require.NoError(w.t, w.store.Close())
}

// inBubble is a test in virtual time with a world that runs.
func inBubble(t *testing.T, body func(t *testing.T, w *world), change ...func(*world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, change...)
		w.run()
		defer w.close()
		synctest.Wait()
		body(t, w)
	})
}

func id(n int) string { return fmt.Sprintf("a0B%015d", n) }

// draft is a record that asks to be sent.
func draft(n int) message.Draft {
	return message.Draft{
		ID: id(n), Modified: time.Now().UTC().Truncate(time.Second), Ask: message.AskSend, To: string(theirs), Body: fmt.Sprintf("hello %d", n),
	}
}

// ask writes records and lets the poll see them.
func (w *world) ask(drafts ...message.Draft) {
	w.t.Helper()
	w.put(drafts...)
	require.NoError(w.t, w.Take(w.t.Context(), drafts))
}

// put writes records that nobody has read yet.
func (w *world) put(drafts ...message.Draft) {
	w.org.mu.Lock()
	defer w.org.mu.Unlock()
	for _, d := range drafts {
		w.org.drafts[d.ID] = d
	}
}

// callback is Twilio's status callback about a message.
func (w *world) callback(sid message.SID, s message.Status) {
	w.t.Helper()
	e := message.Event{Kind: message.StatusEvent, SID: sid, Status: s, To: theirs, From: long, Ref: w.account.token(sid), Received: time.Now().UTC().Truncate(time.Second)}
	_, err := w.store.Keep(w.t.Context(), e)
	require.NoError(w.t, err)
	w.fold()
}

func (w *world) fold() {
	w.t.Helper()
	waiting, err := w.store.Waiting(w.t.Context(), time.Now(), 100)
	require.NoError(w.t, err)
	_, _, err = w.store.Fold(w.t.Context(), waiting)
	require.NoError(w.t, err)
}

// says is a message of theirs to a number of ours.
func (w *world) says(from, to message.Number, body string) {
	w.t.Helper()
	_, err := w.store.Keep(w.t.Context(), message.Event{
		Kind: message.InboundEvent, SID: message.SID(fmt.Sprintf("SM%032x", time.Now().UnixNano())), From: from, To: to, Status: message.Received,
		Body: body, Received: time.Now().UTC().Truncate(time.Second),
	})
	require.NoError(w.t, err)
	w.fold()
}

// once holds that each record was sent exactly once and says so.
func (w *world) once(n int) {
	w.t.Helper()
	bodies := map[string]int{}
	for _, m := range w.account.sent() {
		bodies[m.Body]++
	}
	for i := range n {
		require.Equal(w.t, 1, bodies[fmt.Sprintf("hello %d", i)], "record %d", i)
		require.True(w.t, strings.HasPrefix(string(w.org.result(id(i)).SID), "SM"), "record %d: %+v", i, w.org.result(id(i)))
	}
	require.Len(w.t, w.account.sent(), n)
}

var _ mirror.Events = (*store.Store)(nil)

// slowAnswer makes the message at once and answers late.
type slowAnswer struct {
	*account
	by time.Duration
}

func (s *slowAnswer) Create(ctx context.Context, o message.Outgoing) (message.Message, error) {
	m, err := s.account.Create(ctx, o)
	time.Sleep(s.by)
	return m, err
}

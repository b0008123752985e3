package daemon_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/outbox"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// fewSendKills is how often a daemon that sends is killed in a run of all tests.
const fewSendKills = 14

// sendKinds are the phases of a send in which a daemon may end, and some others.
var sendKinds = []kind{
	{"a poll", isPoll, 2, ""},
	{"before a commit of intents", nil, 30, "intent"},
	{"behind a commit of intents", nil, 30, "intent+"},
	{"a create", isCreate, 10, ""},
	{"a create after others", isCreate, 40, ""},
	{"before a commit of outcomes", nil, 30, "outcome"},
	{"behind a commit of outcomes", nil, 30, "outcome+"},
	{"a write by record", isUpdate, 1, ""},
	{"a write by record after others", isUpdate, 4, ""},
	{"before the store notes a write-back", nil, 20, "shown"},
	{"behind the store's note of a write-back", nil, 20, "shown+"},
	{"a look-up of a send", isLookUp, 4, ""},
	{"any request", func(call) bool { return true }, 80, ""},
	{"a commit of the store", nil, 80, "commit"},
}

// P5 and P10: a daemon that is killed at any moment of a send, whose creates are
// answered by resets now and then besides, sends each record's message once.
func TestCrashesSendEachRecordOnce(t *testing.T) {
	kills := number(t, "TWILIOSF_KILLS", fewSendKills)
	seed := uint64(number(t, "TWILIOSF_SEED", 5))
	w := newCrashWorld(t, seed)
	w.people.past(2, 20, 160)
	w.ask(t, seed)
	d := &deck{kinds: sendKinds, rng: rand.New(rand.NewPCG(seed, 4))}
	timely, found := map[string]int{}, findings{}
	for n := range kills {
		if n%5 == 4 {
			w.askers.burst()
			w.live(t, d.stop())
		}
		m := d.deal()
		w.askers.burst()
		if w.live(t, m) {
			timely[m.name]++
		}
		w.askers.requireNoneTwice(t, w.Twilio)
		found.note(t, w)
	}
	all := 0
	for _, k := range sendKinds {
		all += timely[k.name]
		t.Logf("%4d kills: %s", timely[k.name], k.name)
	}
	t.Logf("%d kills, %d of them at their moment; %s", kills, all, &found)
	require.Greater(t, all, kills/2, "too few kills came at their moment: the suite shows little")
	require.Greater(t, found.inFlight, kills/5, "too few kills fell into a send: the suite shows little")
	w.askers.sleep()
	w.finish(t)
	w.requireSent(t)
	w.requireEqual(t)
}

// sender is a short code, whose pace lets many leave in a short life.
const sender = "55501"

// askedTo begins the numbers to which only records have messages sent.
const askedTo = "+1646"

// ask gives the world people who set records to Send, and lets one of eight
// creates be answered by a reset.
func (w *crashWorld) ask(t *testing.T, seed uint64) {
	t.Helper()
	w.askers = &askers{
		org: w.Org, rng: rand.New(rand.NewPCG(seed, 3)), asked: map[twiliotest.Sent]int{}, records: map[string]twiliotest.Sent{},
	}
	w.Twilio.SetWeather(
		twiliotest.Chance{P: 0.06, Fault: twiliotest.ResetAfter().On(twiliotest.CreateMessage)},
		twiliotest.Chance{P: 0.06, Fault: twiliotest.ResetBefore().On(twiliotest.CreateMessage)},
	)
	w.yaml = strings.Replace(w.yaml, "twilio:\n", "twilio:\n  sender: \""+sender+"\"\n", 1)
	require.NoError(t, os.WriteFile(w.configPath(), []byte(w.yaml), 0o600))
}

// askers are the org's users who want messages sent.
type askers struct {
	org *salesforcetest.Server

	mu      sync.Mutex
	rng     *rand.Rand
	left    int // how often they still ask while this daemon works
	n       int
	last    map[string]any
	asked   map[twiliotest.Sent]int
	records map[string]twiliotest.Sent
}

// act lets a user ask, now and then, while the daemon works.
func (a *askers) act() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.left > 0 && a.rng.IntN(4) == 0 {
		a.left--
		a.one()
	}
}

// burst is what they ask for before a daemon starts, and lets them ask for as much
// while it works.
func (a *askers) burst() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.left = 20
	for range a.left {
		a.one()
	}
}

func (a *askers) sleep() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.left = 0
}

// one makes a record that asks: to another number each, or once more what the last
// one did.
func (a *askers) one() {
	if a.last == nil || a.rng.IntN(8) > 0 {
		a.n++
		a.last = map[string]any{
			"Status__c": "Send", "To_Number__c": fmt.Sprintf("%s%07d", askedTo, 2_000_000+a.n), "Body__c": fmt.Sprintf("Your table %d is ready.", a.n),
		}
		// Few, or their slow senders would have more left in the end than finish waits for.
		switch n := a.rng.IntN(200); {
		case n == 0:
			a.last["From_Number__c"] = ours
		case n < 12:
			a.last["Messaging_Service_Sid__c"] = twiliotest.DefaultServiceSID
		}
	}
	record := maps.Clone(a.last)
	if a.rng.IntN(6) == 0 {
		record["Send_At__c"] = time.Now().Add(time.Duration(1+a.rng.IntN(4)) * time.Second)
	}
	id, err := a.org.Insert(sandbox.MessageObject, record)
	if err != nil {
		panic(err) // the org takes all of them
	}
	what := twiliotest.Sent{To: fmt.Sprint(record["To_Number__c"]), Body: fmt.Sprint(record["Body__c"])}
	a.asked[what]++
	a.records[id] = what
}

// requireNoneTwice is P5 at any moment.
func (a *askers) requireNoneTwice(t *testing.T, tw *twiliotest.Server) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for what, n := range tw.Accepted() {
		require.LessOrEqual(t, n, a.asked[what], "%q was sent %d times, %d records have asked for it", what.Body, n, a.asked[what])
	}
}

// requireSent compares what was asked for with what was sent and is shown, when
// all is over.
func (w *crashWorld) requireSent(t *testing.T) {
	t.Helper()
	a := w.askers
	require.Equal(t, a.asked, w.Twilio.Accepted(), "each record's message is sent once")
	sids := map[string]bool{}
	for id, what := range a.records {
		row, ok := w.Org.Row(sandbox.MessageObject, id)
		require.True(t, ok, "the record of %q is gone", what.Body)
		sid := fmt.Sprint(row[sandbox.SIDField])
		m, ok := w.Twilio.Message(sid)
		require.True(t, ok, "the record of %q shows %q", what.Body, sid)
		shown := twiliotest.Sent{To: m.To, Body: m.Body}
		require.Equal(t, what, shown, "the record shows another's message")
		require.Equal(t, m.Status, row["Status__c"])
		sids[sid] = true
	}
	require.Len(t, sids, len(a.records), "two records show one message")
	st := w.look(t)
	defer func() { require.NoError(t, st.Close()) }()
	open, err := st.Outbox().Attempts(t.Context(), "", len(a.records))
	require.NoError(t, err)
	require.Empty(t, open)
	accepted, err := st.Outbox().Attempts(t.Context(), outbox.Accepted, 2*len(a.records))
	require.NoError(t, err)
	require.Len(t, accepted, len(a.records), "one attempt a record")
	t.Logf("%d records have asked, %d of them for what another had asked for too", len(a.records), len(a.records)-len(a.asked))
}

// findings are what dead daemons have left in their stores.
type findings struct {
	kills, inFlight, sends, uncertain, unwritten int
}

func (f *findings) note(t *testing.T, w *crashWorld) {
	t.Helper()
	st := w.look(t)
	defer func() { require.NoError(t, st.Close()) }()
	count := func(where string) (n int) {
		require.NoError(t, st.DB().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM outbox WHERE `+where).Scan(&n))
		return n
	}
	f.kills++
	if n := count(`state = 'intended'`); n > 0 {
		f.inFlight++
		f.sends += n
	}
	if count(`state = 'uncertain'`) > 0 {
		f.uncertain++
	}
	if count(`write_at IS NOT NULL`) > 0 {
		f.unwritten++
	}
}

// String tells into what the kills fell.
func (f *findings) String() string {
	return fmt.Sprintf("%d fell while sends were in flight (%d sends), %d while one was uncertain, %d while a result was not written back",
		f.inFlight, f.sends, f.uncertain, f.unwritten)
}

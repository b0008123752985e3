package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// switchSettings is one account for each position of each switch: all as we
// guess, each one flipped alone, and all flipped at once. A switch that is added
// to the emulator is in the table by itself.
func switchSettings() map[string]twiliotest.Switches {
	table := map[string]twiliotest.Switches{"as we guess": {}}
	all := reflect.New(reflect.TypeFor[twiliotest.Switches]()).Elem()
	for i := range all.NumField() {
		one := reflect.New(all.Type()).Elem()
		for _, s := range []reflect.Value{one, all} {
			if f := s.Field(i); f.Kind() == reflect.Bool {
				f.SetBool(true)
			} else {
				f.SetUint(1)
			}
		}
		table[all.Type().Field(i).Name] = one.Interface().(twiliotest.Switches)
	}
	table["all flipped at once"] = all.Interface().(twiliotest.Switches)
	return table
}

// Messages arrive, move and go while the list is walked: none is lost and none is
// there twice, whatever Twilio does where its documentation is silent.
func TestTenThousandMessagesArrivingDuringAWalk(t *testing.T) {
	t.Parallel()
	for name, sw := range switchSettings() {
		t.Run(name, func(t *testing.T) {
			tw := twiliotest.Options{
				Switches: sw, Latency: 300 * time.Millisecond,
				// Prices are there at once, or each message would be written twice.
				Life: twiliotest.Life{
					Queued: twiliotest.Span{Min: 2 * time.Second}, Sending: twiliotest.Span{Min: 2 * time.Second},
					Sent: twiliotest.Span{Min: 5 * time.Second},
				},
			}
			inBubble(t, tw, salesforcetest.Options{}, func(t *testing.T, w *world) {
				w.history(900, 20*time.Hour)
				h := newHaste(w, 10_000)
				w.start()
				w.until(10*time.Minute, 10*time.Second, "mirrored", func() bool { return h.over() && h.mirrored() })
				time.Sleep(20 * time.Second)
				w.receive(50)
				w.until(time.Minute, 5*time.Second, "mirrored at once again", h.mirrored)
				require.GreaterOrEqual(t, w.twilio.Len(), 12_000)
				require.NotEmpty(t, h.deleted)
				require.Empty(t, w.twilio.Unknown(), "parameters that Twilio would ignore")
				require.Zero(t, w.status().Counts.Quarantined)
				for _, line := range w.logs.FilterMessage("condition").All() {
					require.NotContains(t, line.ContextMap()["condition"], "twilio", "all of this is an account's everyday life")
				}
			})
		})
	}
}

// haste is what happens to the account while its list is walked.
type haste struct {
	w *world

	mu      sync.Mutex
	left    int // messages that are still to arrive
	pages   int
	early   []string // without a date_sent when the walk begins
	deleted map[string]bool
}

func newHaste(w *world, n int) *haste {
	h := &haste{w: w, left: n, deleted: map[string]bool{}}
	for i := range 60 {
		created := time.Now().Add(-time.Duration(i) * 50 * time.Second)
		h.early = append(h.early, w.twilio.Seed(twiliotest.Row{
			From: ours, To: theirs, Body: fmt.Sprintf("%s that wait, number %d", confidential, i),
			Direction: "outbound-api", Status: "queued", Created: created,
		})...)
	}
	// More than a page of messages that wait for a slow sender, without a
	// date_sent.
	w.twilio.SeedFunc(1100, func(i int) twiliotest.Row {
		return twiliotest.Row{
			From: ours, To: theirs, Body: fmt.Sprintf("%s for later, number %d", confidential, i),
			Direction: "outbound-api", Status: "queued", Created: time.Now().Add(-23 * time.Hour),
		}
	}, nil)
	w.twilio.OnRequest(h.meanwhile)
	return h
}

// meanwhile is called before each page is answered.
func (h *haste) meanwhile(r *http.Request) {
	if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/Messages.json") {
		return
	}
	if h.arrivals(r) {
		h.creates() // takes virtual time, which a lock that is held would stop
	}
}

// arrivals answers whether anything is left to happen.
func (h *haste) arrivals(r *http.Request) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.left <= 0 {
		return false
	}
	h.pages++
	h.arrive(min(h.left, 700))
	h.sendEarly()
	// Twice in all, and never twice in one walk, the message of the page's own
	// token is deleted.
	if token := strings.TrimPrefix(r.URL.Query().Get("PageToken"), "PA"); token != "" && (h.pages == 3 || h.pages == 9) {
		require.True(h.w.t, h.w.twilio.Delete(token))
		h.deleted[token] = true
	}
	return true
}

// arrive lets n messages come in, one in ten of which is a while receiving.
func (h *haste) arrive(n int) {
	h.left -= n
	for i := range n {
		in := twiliotest.Inbound{From: theirs, To: ours, Body: fmt.Sprintf("%s in haste, number %d 🏃", confidential, h.left+i)}
		if i%10 == 0 {
			in.Receiving = time.Duration(i%7) * 5 * time.Second
		}
		h.w.twilio.Receive(in)
	}
	h.w.twilio.Script(twiliotest.Throttle(1).On(twiliotest.ListMessage))
}

// creates are what other systems ask the account for; not all of it is granted.
func (h *haste) creates() {
	for i := range 5 {
		h.create(url.Values{"From": {ours}, "To": {theirs}, "Body": {fmt.Sprintf("%s sent, number %d", confidential, i)}})
	}
	h.create(url.Values{"MessagingServiceSid": {twiliotest.DefaultServiceSID}, "To": {theirs}, "Body": {confidential}})
	h.create(url.Values{"MessagingServiceSid": {twiliotest.DefaultServiceSID}, "From": {ours}, "To": {theirs}, "Body": {confidential}})
	h.create(url.Values{"From": {ours}, "To": {theirs}, "Body": {confidential + strings.Repeat("🙂", 1500)}})
	h.create(url.Values{"From": {ours}, "To": {"+15005550001"}, "Body": {confidential}})
	h.create(url.Values{
		"From": {ours}, "To": {theirs}, "Body": {confidential}, "ScheduleType": {"fixed"},
		"SendAt": {time.Now().Add(20 * time.Minute).UTC().Format(time.RFC3339)},
	})
}

// sendEarly gives some of those that waited a date_sent, which moves them to the
// top of a list whose top has been read already; and one more is canceled and
// never gets any.
func (h *haste) sendEarly() {
	for range min(len(h.early), 4) {
		sid := h.early[0]
		h.early = h.early[1:]
		require.True(h.w.t, h.w.twilio.SetStatus(sid, "sent", 0))
	}
	if len(h.early) > 0 {
		require.True(h.w.t, h.w.twilio.SetStatus(h.early[len(h.early)-1], "canceled", 0))
		h.early = h.early[:len(h.early)-1]
	}
}

// create is another system's, through the API; whether it is refused is the
// switches' affair.
func (h *haste) create(form url.Values) {
	r, err := http.NewRequestWithContext(h.w.t.Context(), http.MethodPost,
		h.w.twilio.URL+"/2010-04-01/Accounts/"+h.w.twilio.AccountSID+"/Messages.json", strings.NewReader(form.Encode()))
	require.NoError(h.w.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(h.w.twilio.AccountSID, h.w.twilio.AuthToken)
	resp, err := h.w.twilio.Client().Do(r)
	require.NoError(h.w.t, err)
	require.NoError(h.w.t, resp.Body.Close())
}

func (h *haste) over() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.left <= 0
}

// mirrored: each message has its one record, and the only records without a
// message are of those that were deleted, which Salesforce keeps.
func (h *haste) mirrored() bool {
	if h.w.status().Counts.Waiting > 0 {
		return false
	}
	c := h.w.compare()
	kept := 0
	for sid := range h.deleted {
		kept += len(h.w.org.ByKey(object, "Message_SID__c", sid))
	}
	return c.Lost == 0 && c.Stale == 0 && c.Duplicated == c.Strange && c.Strange == kept &&
		kept == len(h.deleted)
}

package daemon_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// unwanted is in the bodies that the org's validation rule refuses.
const unwanted = "lottery"

// people are those who write to and from the account. They act when a request
// comes in, which is before, during and after each of the daemon's walks.
type people struct {
	twilio *twiliotest.Server

	mu      sync.Mutex
	rng     *rand.Rand
	home    bool     // they are asleep: nothing happens any more
	n       int      // messages written
	recent  []string // SIDs of all that were written since the start
	pushed  []string // those whose statuses only push moves
	doubted map[string]bool
	meeting chan struct{} // a walk waits here for another one
}

func newPeople(tw *twiliotest.Server, rng *rand.Rand) *people {
	return &people{twilio: tw, rng: rng, doubted: map[string]bool{}}
}

// past gives the account some days of history, and more messages in its last
// hour than a page of its list holds.
func (p *people) past(days, aDay, lastHour int) {
	now := time.Now().UTC()
	history := days * aDay
	p.twilio.SeedFunc(history+lastHour, func(i int) twiliotest.Row {
		if i < history {
			return p.old(i, now.Add(-time.Hour-time.Duration(history-i)*24*time.Hour/time.Duration(aDay)))
		}
		return p.old(i, now.Add(-time.Duration(history+lastHour-i)*50*time.Minute/time.Duration(lastHour)))
	}, func(i int, sid string) { p.doubted[sid] = i%wonOnce == 0 })
}

// wonOnce is how many messages of the past stand between two unwanted ones.
const wonOnce = 150

func (p *people) old(i int, at time.Time) twiliotest.Row {
	row := twiliotest.Row{From: theirs(i), To: ours, Body: fmt.Sprintf("message %d of the past \U0001F600", i), Created: at, Sent: at, Price: "-0.00750"}
	if i%3 == 1 {
		row.From, row.To, row.Direction = row.To, row.From, "outbound-api"
	}
	if i%wonOnce == 0 {
		row.Body = fmt.Sprintf("You have won the %s, ticket %d", unwanted, i)
	}
	return row
}

const ours = "+14155550100"

func theirs(i int) string { return fmt.Sprintf("+1310555%04d", 100+i%100) }

// act lets a little happen.
func (p *people) act() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.home {
		return
	}
	switch p.rng.IntN(8) {
	case 0, 1:
		p.receive()
	case 2:
		p.send()
	case 3:
		p.pushable()
	case 4:
		p.redact()
	}
}

// burst is what happens while no daemon runs.
func (p *people) burst() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.receive()
	p.send()
	p.pushable()
}

func (p *people) receive() {
	p.n++
	in := twiliotest.Inbound{From: theirs(p.n), To: ours, Body: fmt.Sprintf("Is parcel %d there? \U0001F4E6", p.n)}
	bad := p.rng.IntN(8) == 0
	if bad {
		in.Body = fmt.Sprintf("You have won the %s, ticket %d", unwanted, p.n)
	}
	if p.rng.IntN(4) == 0 {
		in.Receiving = 200 * time.Millisecond
	}
	sid := p.twilio.Receive(in)
	p.doubted[sid] = bad
	p.recent = append(p.recent, sid)
}

func (p *people) send() {
	p.n++
	out := twiliotest.Outbound{From: ours, To: theirs(p.n), Body: fmt.Sprintf("  Your parcel %d\x00 is here. ", p.n)}
	if p.rng.IntN(3) == 0 {
		out.From, out.ServiceSID = "", twiliotest.DefaultServiceSID
	}
	p.recent = append(p.recent, p.twilio.Send(out))
}

// pushable makes messages that wait in Twilio until push moves them.
func (p *people) pushable() {
	for range 2 {
		p.n++
		p.pushed = append(p.pushed, p.twilio.Seed(twiliotest.Row{
			From: ours, To: theirs(p.n), Direction: "outbound-api", Status: "queued", Body: fmt.Sprintf("parcel %d", p.n),
		})...)
	}
}

// push takes some of these messages one status further, all of them to the end
// when the evening has come.
func (p *people) push(share float64) {
	left := p.pushed[:0]
	for _, sid := range p.pushed {
		if p.rng.Float64() >= share {
			left = append(left, sid)
			continue
		}
		m, _ := p.twilio.Message(sid)
		switch next := map[string]string{"queued": "sending", "sending": "sent", "sent": "delivered"}[m.Status]; {
		case p.home, next == "delivered":
			p.twilio.SetStatus(sid, "delivered", 0)
		default:
			p.twilio.SetStatus(sid, next, 0)
			left = append(left, sid)
		}
	}
	p.pushed = left
}

// redact clears a body that was written since the start.
func (p *people) redact() {
	if len(p.recent) > 0 {
		p.twilio.Update(p.recent[p.rng.IntN(len(p.recent))], func(r *twiliotest.Row) { r.Body = "" })
	}
}

// sleep ends it all.
func (p *people) sleep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.home = true
	p.push(1)
}

// delay makes the first page of an open walk old before it is told: statuses
// move on, another walk reads them, and both pages arrive together. P4 is in
// danger only then.
func (p *people) delay(c call, l *life) {
	if c.at != atTwilio || !isOpenWalk(c) {
		return
	}
	p.mu.Lock()
	if p.meeting != nil {
		close(p.meeting)
		p.meeting = nil
		p.mu.Unlock()
		return
	}
	if p.home || p.rng.IntN(3) == 0 {
		p.mu.Unlock()
		return
	}
	met := make(chan struct{})
	p.meeting = met
	p.push(0.7)
	p.mu.Unlock()
	alone := time.NewTimer(300 * time.Millisecond)
	defer alone.Stop()
	select {
	case <-met:
		return
	case <-alone.C:
	case <-l.dead:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.meeting == met {
		p.meeting = nil
	}
}

// wasUnwanted reports whether the org refuses the message, or did once.
func (p *people) wasUnwanted(sid string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.doubted[sid]
}

// unwantedNow are the SIDs that the org refuses.
func (p *people) unwantedNow() []string {
	var sids []string
	for m := range p.twilio.Messages() {
		if strings.Contains(m.Body, unwanted) {
			sids = append(sids, m.SID)
		}
	}
	return sids
}

// What a request is for, by its form.

func isList(c call) bool {
	return c.at == atTwilio && c.r.Method == http.MethodGet && strings.HasSuffix(c.r.URL.Path, "/Messages.json")
}

func query(c call) url.Values { return c.r.URL.Query() }

func isDay(c call) bool { return isList(c) && query(c).Has("DateSent") }

func isNextPage(c call) bool { return isList(c) && query(c).Has("PageToken") }

func isOpenWalk(c call) bool { return isList(c) && !isDay(c) && !isNextPage(c) && !isLookUp(c) }

// isLookUp is for a send that is uncertain.
func isLookUp(c call) bool { return isList(c) && query(c).Has("To") }

func isCreate(c call) bool {
	return c.at == atTwilio && c.r.Method == http.MethodPost && strings.HasSuffix(c.r.URL.Path, "/Messages.json")
}

func isFetch(c call) bool { return c.at == atTwilio && strings.Contains(c.r.URL.Path, "/Messages/") }

func isLogin(c call) bool {
	return c.at == atOrg && strings.HasSuffix(c.r.URL.Path, "/services/oauth2/token")
}

func isDescribe(c call) bool { return c.at == atOrg && strings.HasSuffix(c.r.URL.Path, "/describe") }

func isUpsert(c call) bool {
	return c.at == atOrg && strings.Contains(c.r.URL.Path, "/composite/sobjects/")
}

// isPoll is the question for what records ask.
func isPoll(c call) bool { return c.at == atOrg && strings.HasSuffix(c.r.URL.Path, "/composite") }

// isUpdate writes records by their ids, as the outbox writes its results back.
func isUpdate(c call) bool {
	return c.at == atOrg && c.r.Method == http.MethodPatch && strings.HasSuffix(c.r.URL.Path, "/composite/sobjects")
}

// sidsIn are the SIDs of the records in a write, and the numbers that those go to.
func sidsIn(body []byte) (sids, to []string) {
	var request struct {
		Records []map[string]any `json:"records"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, nil // the org refuses it
	}
	for _, r := range request.Records {
		if sid, _ := r[sandbox.SIDField].(string); sid != "" {
			number, _ := r["To_Number__c"].(string)
			sids, to = append(sids, sid), append(to, number)
		}
	}
	return sids, to
}

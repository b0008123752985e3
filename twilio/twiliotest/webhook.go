package twiliotest

import (
	"container/heap"
	"encoding/binary"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// Webhook says where the account announces the messages that come in and the
// statuses of those that go out, and what goes wrong on the way. Calls are made
// by Deliver and Run only.
// https://www.twilio.com/docs/messaging/guides/webhook-request and
// https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
type Webhook struct {
	// URL gets every call that has no address of its own: a create's
	// StatusCallback, a service's or a number's addresses come before it. A
	// fragment (#rc=3&rp=all) says how often a call is made again:
	// https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
	//
	// With neither URL nor Via nothing is called, whatever has an address.
	URL string
	// Via carries the calls; nil means http.DefaultTransport.
	Via http.RoundTripper
	// Lost, Twice and Late are shares of all calls: never made, made twice,
	// and made up to Delay later. Late ones are overtaken by others.
	Lost, Twice, Late float64
	Delay             time.Duration
}

// off says that nobody is listening, so that nothing is kept for anybody.
func (w Webhook) off() bool { return w.URL == "" && w.Via == nil }

// WebhookCalls counts what became of the account's calls: every call that was
// Made was Accepted, Refused, or has Failed. Calls made twice or again count
// each time.
type WebhookCalls struct {
	Made     int
	Accepted int // answered 2xx
	Refused  int // answered otherwise
	Failed   int // no answer
	Lost     int // never made: Webhook.Lost, or pending when the webhook was taken away
	Replies  int // messages that answers made
}

// call is one request that the account owes.
type call struct {
	at      int64  // when it is due
	n       uint64 // calls that are due at one moment keep their order
	message string // SID of what it is about; its calls are made one by one
	to      address
	form    url.Values
	token   string // I-Twilio-Idempotency-Token
	inbound bool
}

// address is where a call goes.
type address struct{ url, method string }

// switchboard holds the calls that are still to be made.
type switchboard struct {
	hook    Webhook
	pending callHeap
	serial  uint64 // of the next call
	counts  WebhookCalls
	wake    chan struct{} // for Run: something is due earlier than it knows
}

func newSwitchboard(w Webhook) switchboard {
	return switchboard{hook: w, wake: make(chan struct{}, 1)}
}

// stir wakes Run; one sign is enough, however much there is.
func (b *switchboard) stir() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// SetWebhook changes Options.Webhook. What is pending keeps its address, but a
// webhook that is taken away takes its calls along.
func (s *Server) SetWebhook(w Webhook) {
	s.lock() // what has happened until now is the old one's to know
	defer s.mu.Unlock()
	s.calls.hook = w
	if w.off() {
		s.calls.counts.Lost += len(s.calls.pending)
		s.calls.pending = nil
	}
	s.calls.stir()
}

// WebhookCalls counts the calls since the start.
func (s *Server) WebhookCalls() WebhookCalls {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls.counts
}

// owe plans a call about the record, with the trouble it draws; the lock is
// held. The dice fall by message and status, so that a concurrent test finds
// the same trouble again.
func (s *Server) owe(r *record, at int64, to address, form url.Values) {
	hook := s.calls.hook
	dice := rand.New(rand.NewPCG(s.opts.Seed, mix(binary.BigEndian.Uint64(r.id[:8])^uint64(r.status))))
	if dice.Float64() < hook.Lost {
		s.calls.counts.Lost++
		return
	}
	times := 1
	if dice.Float64() < hook.Twice {
		times = 2
	}
	c := call{message: r.sid(), to: to, form: form, inbound: r.direction == inbound, token: s.token()}
	for range times {
		s.calls.serial++
		c.n, c.at = s.calls.serial, at
		if late := dice.Float64() < hook.Late; late && hook.Delay > 0 {
			c.at += 1 + dice.Int64N(int64(hook.Delay))
		}
		heap.Push(&s.calls.pending, c)
	}
	s.calls.stir()
}

// token is a UUID that all attempts at one call share.
func (s *Server) token() string {
	hex := maker{s.opts.Seed + 2}.digits(s.calls.serial).sid("ID")[2:]
	return hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:]
}

// callHeap holds the pending calls, the next one first.
type callHeap []call

func (h callHeap) Len() int { return len(h) }
func (h callHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].n < h[j].n
}
func (h callHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push is called by container/heap.
func (h *callHeap) Push(x any) { *h = append(*h, x.(call)) } //nolint:errcheck // as container/heap gives it

// Pop is called by container/heap.
func (h *callHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = call{} // its form can go
	*h = old[:len(old)-1]
	return last
}

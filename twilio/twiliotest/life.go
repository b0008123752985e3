package twiliotest

import (
	"math/rand/v2"
	"strings"
	"time"
)

// Span is a duration drawn evenly between Min and Max.
type Span struct{ Min, Max time.Duration }

// Life says how long outbound messages stay in each status and how they end:
// accepted, queued, sending, sent and then delivered, undelivered or read, or
// failed without having been sent. The zero value means DefaultLife.
type Life struct {
	// Still keeps every message as it was made, for ever.
	Still bool
	// Accepted, Queued, Sending and Sent are how long each status lasts. A
	// stuck message stays sent for ever, as where carriers give no receipt.
	Accepted, Queued, Sending, Sent Span
	// Priced is how long after it was sent or received a message is billed.
	Priced Span
	// Undelivered, Failed, Stuck and Read are shares of all messages, together
	// at most 1; the rest is delivered. Read counts only for channels that
	// know it (whatsapp:, rcs:), and such a message is delivered first.
	Undelivered, Failed, Stuck, Read float64
}

// DefaultLife is a quick and mostly kind world.
func DefaultLife() Life {
	return Life{
		Accepted: Span{200 * time.Millisecond, time.Second},
		Queued:   Span{200 * time.Millisecond, 2 * time.Second},
		Sending:  Span{100 * time.Millisecond, time.Second},
		Sent:     Span{time.Second, 8 * time.Second},
		Priced:   Span{2 * time.Second, 20 * time.Second},

		Undelivered: 0.04, Failed: 0.02, Stuck: 0.05, Read: 0.3,
	}
}

func (l Life) withDefaults() Life {
	if l == (Life{}) {
		return DefaultLife()
	}
	return l
}

// step is one change in a message's life.
type step struct {
	at     int64
	status status
	code   int32
	price  bool   // only the price appears
	from   string // the sender that a service chose
}

// apply makes the step true of the record.
func (s step) apply(r *record) {
	r.updated = s.at
	if s.price {
		r.price = priceOf(r)
		return
	}
	r.status, r.code = s.status, s.code
	if s.from != "" {
		r.from = s.from
	}
	if r.segments == 0 && s.status != scheduled && s.status != accepted {
		r.segments = segmentsOf(Row{Body: r.body, Media: make([]Media, len(r.media()))})
	}
	if r.sent == null && s.status.leftTwilio() {
		r.sent = s.at
	}
}

// Prices in priceScale parts of a dollar: 0.0075 a segment, 0.02 an MMS.
const (
	segmentPrice = 750
	mmsPrice     = 2000
)

func priceOf(r *record) int32 {
	if len(r.media()) > 0 {
		return -mmsPrice
	}
	return -segmentPrice * int32(max(r.segments, 1))
}

// receipts are what carriers answer for an undelivered message.
var receipts = []int32{30003, 30005, 30006, 30007, 30008}

// plan writes the record's schedule from the moment start on: what it has
// before it, given its status. from is the sender a service will choose.
func (s *Server) plan(r *record, start int64, from string) {
	if s.opts.Life.Still {
		return
	}
	p := planner{life: s.opts.Life, at: start, rng: rand.New(rand.NewPCG(s.opts.Seed, mix(uint64(r.id[0])<<56|uint64(s.ledger.made))))}
	if r.status == scheduled {
		p.add(step{status: accepted})
	}
	if r.status == accepted || r.status == scheduled {
		p.wait(p.life.Accepted)
		p.add(step{status: queued, from: from})
	}
	fate := p.rng.Float64()
	p.wait(p.life.Queued)
	p.add(step{status: sending, from: from})
	p.wait(p.life.Sending)
	if fate < p.life.Failed {
		p.add(step{status: failed, code: 30008})
	} else {
		p.add(step{status: sent})
		p.end(fate-p.life.Failed, strings.HasPrefix(r.to, "whatsapp:") || strings.HasPrefix(r.to, "rcs:"))
	}
	r.extra().schedule = p.steps
}

type planner struct {
	life  Life
	rng   *rand.Rand
	at    int64
	steps []step
}

func (p *planner) wait(s Span) { p.at += int64(p.draw(s)) }

func (p *planner) draw(s Span) time.Duration {
	if s.Max <= s.Min {
		return s.Min
	}
	return s.Min + time.Duration(p.rng.Int64N(int64(s.Max-s.Min)))
}

func (p *planner) add(s step) {
	s.at = p.at
	p.steps = append(p.steps, s)
}

// end plans what follows sent; the price comes whenever it comes.
func (p *planner) end(fate float64, receipted bool) {
	priced := step{at: p.at + int64(p.draw(p.life.Priced)), price: true}
	switch {
	case fate < p.life.Stuck:
	case fate < p.life.Stuck+p.life.Undelivered:
		p.wait(p.life.Sent)
		p.add(step{status: undelivered, code: receipts[p.rng.IntN(len(receipts))]})
	default:
		p.wait(p.life.Sent)
		p.add(step{status: delivered})
		if receipted && fate < p.life.Stuck+p.life.Undelivered+p.life.Read {
			p.wait(p.life.Sent)
			p.add(step{status: read})
		}
	}
	i := len(p.steps)
	for i > 0 && p.steps[i-1].at > priced.at {
		i--
	}
	p.steps = append(p.steps[:i], append([]step{priced}, p.steps[i:]...)...)
}

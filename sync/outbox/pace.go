package outbox

import (
	"cmp"
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/twiliosf/twiliosf/sync/alarm"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Rates are messages a second that a sender may send, by its class.
// https://help.twilio.com/articles/115002943027
type Rates struct {
	Default   float64 // a long code: 1
	TollFree  float64 // 3
	ShortCode float64 // 100
	Service   float64 // 10
}

func (r Rates) orDefaults() Rates {
	return Rates{
		Default: cmp.Or(r.Default, 1), TollFree: cmp.Or(r.TollFree, 3),
		ShortCode: cmp.Or(r.ShortCode, 100), Service: cmp.Or(r.Service, 10),
	}
}

// tollFree are the area codes of North America that are free for the caller.
var tollFree = []string{"800", "833", "844", "855", "866", "877", "888"}

// of is the rate of a lane.
func (r Rates) of(lane string) float64 {
	switch {
	case serviceSID.MatchString(lane):
		return r.Service
	case shortCode.MatchString(lane):
		return r.ShortCode
	}
	plain := strings.TrimPrefix(lane, channel(message.Number(lane)))
	for _, code := range tollFree {
		if strings.HasPrefix(plain, "+1"+code) {
			return r.TollFree
		}
	}
	return r.Default
}

// Pace gives senders their turns: no sender exceeds its rate, whoever sends, and
// who is in a hurry comes first.
type Pace struct {
	rates Rates
	mu    sync.Mutex
	lanes map[string]*turns
}

// NewPace makes a pace. Zero rates mean the defaults.
func NewPace(r Rates) *Pace {
	return &Pace{rates: r.orDefaults(), lanes: map[string]*turns{}}
}

// Rate is how many messages a second a sender may send.
func (p *Pace) Rate(sender string) float64 { return p.rates.of(sender) }

// within is how many messages a lane may send in a time, at least one.
func (p *Pace) within(lane string, d time.Duration) int {
	return max(1, int(p.rates.of(lane)*d.Seconds()))
}

// turns are one sender's.
type turns struct {
	limit  *rate.Limiter
	hurry  atomic.Int64  // how many in a hurry wait
	others chan struct{} // holds one: the one of the others that may wait for a turn
}

// catchUp is for how long turns may be taken late without being lost: a commit that
// takes longer than the distance between two turns of a quick sender would cost it
// some of its rate for ever. A slow sender's turns are further apart than that.
const catchUp = 100 * time.Millisecond

func newTurns(perSecond float64) *turns {
	burst := max(1, int(perSecond*catchUp.Seconds()))
	t := &turns{limit: rate.NewLimiter(rate.Limit(perSecond), burst), others: make(chan struct{}, 1)}
	t.limit.AllowN(time.Now(), burst-1) // nothing is late yet
	return t
}

// Turn returns when it is the caller's turn to send one message from a lane.
// first lets it go before all who are not.
func (p *Pace) Turn(ctx context.Context, lane string, first bool) error {
	p.mu.Lock()
	t := p.lanes[lane]
	if t == nil {
		t = newTurns(p.rates.of(lane))
		p.lanes[lane] = t
	}
	p.mu.Unlock()
	if first {
		t.hurry.Add(1)
		defer t.hurry.Add(-1)
		return t.limit.Wait(ctx)
	}
	return t.waitBehind(ctx)
}

// waitBehind takes a turn that nobody in a hurry wants. Only one of those who can
// wait stands at the limiter, or they would have taken all turns to come.
func (t *turns) waitBehind(ctx context.Context) error {
	select {
	case t.others <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-t.others }()
	for t.hurry.Load() > 0 {
		if !alarm.Sleep(ctx, time.Duration(float64(time.Second)/float64(t.limit.Limit()))) {
			return context.Cause(ctx)
		}
	}
	return t.limit.Wait(ctx)
}

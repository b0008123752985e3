package salesforce

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/twiliosf/twiliosf/sync/fault"
)

const (
	// weightPerSlot divides the semaphore finely enough for every share.
	weightPerSlot = 1 << 10
	// fallEvery keeps one crowded moment, seen by every call under way, from
	// counting more than once.
	fallEvery = time.Second
	// riseEvery is how long the org must stay uncrowded for one more slot.
	riseEvery = 5 * time.Second
	// crowdedBelow tells waits of seconds from those of a spent daily limit.
	crowdedBelow = time.Minute
)

// pace bounds how many exchanges are under way. When the org is crowded the
// bound is halved, down to one, and rises again by one every few seconds.
//
// The semaphore's size never changes; what one exchange takes of it does.
type pace struct {
	next    link
	slots   *semaphore.Weighted
	most    int
	metrics *metrics

	mu      sync.Mutex
	allowed int
	changed time.Time
}

func newPace(next link, most int, m *metrics) *pace {
	m.slots.Set(float64(most))
	return &pace{next: next, slots: semaphore.NewWeighted(int64(most) * weightPerSlot), most: most, metrics: m, allowed: most}
}

func (p *pace) exchange(ctx context.Context, r *request) (*answer, error) {
	weight := p.weight(time.Now())
	if err := p.slots.Acquire(ctx, weight); err != nil {
		return nil, fault.New(fault.Transient, opName(r.op), context.Cause(ctx))
	}
	defer p.slots.Release(weight)
	a, err := p.next.exchange(ctx, r)
	if f := fault.Of(err); f != nil && crowded(f) {
		p.fall(time.Now())
	}
	return a, err
}

// weight is what one exchange takes now.
func (p *pace) weight(now time.Time) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.allowed < p.most && now.Sub(p.changed) >= riseEvery {
		p.set(p.allowed+1, p.changed.Add(riseEvery))
	}
	return int64(p.most*weightPerSlot) / int64(p.allowed)
}

func (p *pace) fall(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed.IsZero() || now.Sub(p.changed) >= fallEvery {
		p.set(max(p.allowed/2, 1), now)
	}
}

func (p *pace) set(allowed int, at time.Time) {
	p.allowed, p.changed = allowed, at
	p.metrics.slots.Set(float64(allowed))
}

// crowded tells "too many at once" from limits that take hours or an operator.
// Salesforce calls both REQUEST_LIMIT_EXCEEDED; only the wait differs.
func crowded(f *fault.Error) bool {
	return f.Class == fault.Throttled && f.After < crowdedBelow && (f.Code == CodeRequestLimit || f.Status == 429)
}

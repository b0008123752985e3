package twilio

import (
	"context"
	"slices"
	"sync"
)

// successesToGrow is how many requests in a row must go well before one more
// is allowed at a time.
const successesToGrow = 20

// gate lets a number of requests through at a time. Twilio limits how many
// requests of an account are under way, not how many come a second, and does
// not publish the limit, so it is found by trying: a refusal halves the number,
// a run of successes adds one, up to the configured maximum.
// https://www.twilio.com/docs/api/errors/20429
type gate struct {
	mu      sync.Mutex
	allowed int
	most    int
	busy    int
	streak  int             // successes since allowed last changed
	cuts    int             // how often allowed was halved
	first   []chan struct{} // who goes before the others
	waiting []chan struct{}
	ahead   int // turns in a row that went to the first while others waited
	changed func(allowed int)
}

// maxAhead is how many turns in a row may go to those who go first. A send then
// waits for one request to end, however long a backfill is, and ten thousand
// sends leave the reads a quarter.
const maxAhead = 3

// slot is the right to one request. It remembers how often the gate had been
// narrowed when it was given: eight requests refused together are one piece of
// news, not eight.
type slot struct{ cuts int }

func newGate(most int, changed func(allowed int)) *gate {
	changed(most)
	return &gate{allowed: most, most: most, changed: changed}
}

// enter waits for a slot: first come first served, but for those who go first.
func (g *gate) enter(ctx context.Context, first bool) (slot, error) {
	if ctx.Err() != nil {
		return slot{}, context.Cause(ctx)
	}
	g.mu.Lock()
	if g.busy < g.allowed && len(g.first)+len(g.waiting) == 0 {
		defer g.mu.Unlock()
		g.busy++
		return slot{cuts: g.cuts}, nil
	}
	turn := make(chan struct{})
	if first {
		g.first = append(g.first, turn)
	} else {
		g.waiting = append(g.waiting, turn)
	}
	g.mu.Unlock()

	select {
	case <-turn:
		g.mu.Lock()
		defer g.mu.Unlock()
		return slot{cuts: g.cuts}, nil
	case <-ctx.Done():
		g.giveUp(turn)
		return slot{}, context.Cause(ctx)
	}
}

// giveUp leaves the queue; a turn that came in the same moment is passed on.
func (g *gate) giveUp(turn chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, line := range []*[]chan struct{}{&g.first, &g.waiting} {
		if i := slices.Index(*line, turn); i >= 0 {
			*line = slices.Delete(*line, i, i+1)
			return
		}
	}
	g.busy--
	g.admit()
}

// leave gives a slot back. throttled says that Twilio refused the request for
// being one too many, ok that it was answered.
func (g *gate) leave(s slot, throttled, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy--
	switch {
	case throttled:
		g.streak = 0
		if s.cuts == g.cuts {
			g.cuts++
			g.allow(max(1, g.allowed/2))
		}
	case ok && g.allowed < g.most:
		g.streak++
		if g.streak >= successesToGrow {
			g.streak = 0
			g.allow(g.allowed + 1)
		}
	}
	g.admit()
}

func (g *gate) allow(n int) {
	if n != g.allowed {
		g.allowed = n
		g.changed(n)
	}
}

func (g *gate) admit() {
	for g.busy < g.allowed && len(g.first)+len(g.waiting) > 0 {
		g.busy++
		line := &g.waiting
		if len(g.first) > 0 && (len(g.waiting) == 0 || g.ahead < maxAhead) {
			line = &g.first
		}
		if line == &g.first && len(g.waiting) > 0 {
			g.ahead++
		} else {
			g.ahead = 0
		}
		close((*line)[0])
		*line = slices.Delete(*line, 0, 1)
	}
}

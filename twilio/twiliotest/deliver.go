package twiliotest

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// atOnce is how many calls are under way at one time.
const atOnce = 16

// Deliver applies what is due, makes every call that is due and waits for the
// answers. It says when the next thing is due, zero when nothing is to come.
// Its error is the context's: calls that were not made by then stay pending.
func (s *Server) Deliver(ctx context.Context) (next time.Time, err error) {
	c := s.courier()
	for {
		due, next := s.due()
		if len(due) == 0 {
			return next, ctx.Err()
		}
		c.carry(ctx, due)
		c.active.Wait()
		if err := ctx.Err(); err != nil {
			return next, err
		}
	}
}

// Run makes every call when it is due, until the context ends or the server is
// closed, and returns when the last call is over. A webhook that is slow holds
// up its own message's calls and no others, as long as fewer than 16 are slow.
func (s *Server) Run(ctx context.Context) {
	if !s.begin() {
		return
	}
	defer s.active.Done()
	ctx, cancel := context.WithCancel(ctx)
	c := s.courier()
	defer c.active.Wait()
	defer cancel()
	c.active.Go(func() {
		select {
		case <-s.done:
			cancel()
		case <-ctx.Done():
		}
	})
	for ctx.Err() == nil {
		due, next := s.due()
		c.carry(ctx, due)
		s.rest(ctx, next)
	}
}

// begin holds Close until Run is over. It is false after Close.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done:
		return false
	default:
		s.active.Add(1)
		return true
	}
}

// rest waits until the next moment that something is due, or until something
// new is.
func (s *Server) rest(ctx context.Context, next time.Time) {
	var over <-chan time.Time
	if !next.IsZero() {
		timer := time.NewTimer(next.Sub(s.opts.Now()))
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-over:
	case <-s.calls.wake:
	case <-ctx.Done():
	}
}

// due takes the calls that are due, in order, and says when the next step of
// a message's life or the next call is.
func (s *Server) due() (calls []call, next time.Time) {
	now := s.lock()
	defer s.mu.Unlock()
	pending := &s.calls.pending
	for len(*pending) > 0 && (*pending)[0].at <= now {
		calls = append(calls, heap.Pop(pending).(call)) //nolint:errcheck // nothing else is in it
	}
	first := int64(null)
	if len(*pending) > 0 {
		first = (*pending)[0].at
	}
	if due := s.ledger.due; len(due) > 0 && (first == null || due[0].at < first) {
		first = due[0].at
	}
	return calls, moment(first)
}

// postpone puts back a call that was not made.
func (s *Server) postpone(c call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls.hook.off() {
		s.calls.counts.Lost++
		return
	}
	heap.Push(&s.calls.pending, c)
}

// courier carries calls: one message's in order, different messages' at once.
type courier struct {
	s      *Server
	slots  chan struct{}
	active sync.WaitGroup

	mu    sync.Mutex
	lanes map[string][]call // by message; a lane exists while someone drains it
}

func (s *Server) courier() *courier {
	return &courier{s: s, slots: make(chan struct{}, atOnce), lanes: map[string][]call{}}
}

// carry starts the calls. It waits for a free slot, but not for the answers.
func (c *courier) carry(ctx context.Context, due []call) {
	for _, next := range due {
		if !c.enqueue(next) {
			continue
		}
		select {
		case c.slots <- struct{}{}:
			c.active.Go(func() {
				defer func() { <-c.slots }()
				c.drain(ctx, next.message)
			})
		case <-ctx.Done():
			c.drain(ctx, next.message) // puts it back
		}
	}
}

// enqueue reports whether the call's lane is new and needs someone to drain it.
func (c *courier) enqueue(next call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, drained := c.lanes[next.message]
	c.lanes[next.message] = append(c.lanes[next.message], next)
	return !drained
}

// drain makes a lane's calls until there are no more.
func (c *courier) drain(ctx context.Context, lane string) {
	for {
		next, ok := c.take(lane)
		if !ok {
			return
		}
		if ctx.Err() != nil {
			c.s.postpone(next)
			continue
		}
		c.s.ring(ctx, next)
	}
}

func (c *courier) take(lane string) (next call, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	waiting := c.lanes[lane]
	if len(waiting) == 0 {
		delete(c.lanes, lane)
		return call{}, false
	}
	c.lanes[lane] = waiting[1:]
	return waiting[0], true
}

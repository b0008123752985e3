package twiliotest

import (
	"maps"
	"slices"
	"sync"
)

// Calls are what came in. Every request counts, whatever became of it.
type Calls struct {
	Total       int
	ByOperation map[Operation]int
	// ByStatus counts answers by HTTP status; 0 is no answer at all.
	ByStatus map[int]int
}

type counters struct {
	calls   Calls
	unknown map[string]int
}

func newCounters() counters {
	return counters{
		calls:   Calls{ByOperation: map[Operation]int{}, ByStatus: map[int]int{}},
		unknown: map[string]int{},
	}
}

func (c *counters) arrived(op Operation) {
	c.calls.Total++
	c.calls.ByOperation[op]++
}

func (c *counters) answered(mu *sync.Mutex, r reply) {
	mu.Lock()
	defer mu.Unlock()
	c.calls.ByStatus[r.status]++
}

// Calls tells what came in since the start or ResetCalls.
func (s *Server) Calls() Calls {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts.calls
	return Calls{Total: c.Total, ByOperation: maps.Clone(c.ByOperation), ByStatus: maps.Clone(c.ByStatus)}
}

// ResetCalls starts Calls anew.
func (s *Server) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	unknown := s.counts.unknown
	s.counts = newCounters()
	s.counts.unknown = unknown
}

// Unknown names the parameters that Twilio would have ignored, as "operation
// parameter", sorted: a client that means them is wrong.
func (s *Server) Unknown() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.counts.unknown))
}

// ignore notes parameters that are not among the known ones.
func (s *Server) ignore(op Operation, given map[string][]string, known map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range given {
		if !known[name] {
			s.counts.unknown[string(op)+" "+name]++
		}
	}
}

package outbox_test

import (
	"context"
	"fmt"
	"sync"
)

// studio starts flows in memory.
type studio struct {
	mu      sync.Mutex
	started []string // the addresses and parameters
	err     error
	status  map[string]string
}

func newStudio() *studio { return &studio{status: map[string]string{}} }

func (s *studio) Execute(_ context.Context, flow, to, from, parameters string) (string, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return "", "", s.err
	}
	sid := fmt.Sprintf("FN%032x", len(s.started)+1)
	s.started = append(s.started, flow+" "+to+" "+from+" "+parameters)
	s.status[sid] = "active"
	return sid, "active", nil
}

func (s *studio) Execution(_ context.Context, _, sid string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status[sid], nil
}

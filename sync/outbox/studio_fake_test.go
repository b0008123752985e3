package outbox_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// studio starts flows in memory.
type studio struct {
	mu      sync.Mutex
	started []string // the addresses and parameters
	err     error
	status  map[string]string
	slow    time.Duration
}

func newStudio() *studio { return &studio{status: map[string]string{}} }

func (s *studio) Execute(ctx context.Context, flow, to, from, parameters string) (string, string, error) {
	if s.slow > 0 {
		timer := time.NewTimer(s.slow)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done(): // whether Twilio has begun nobody knows
			return "", "", fault.New(fault.Uncertain, "twilio start flow", errReset)
		}
	}
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

// locked calls f while no flow is started or looked at.
func (s *studio) locked(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// starts are the flows that were started.
func (s *studio) starts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.started)
}

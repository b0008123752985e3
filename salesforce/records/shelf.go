package records

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/salesforce"
)

// shelfFor is how long an object is taken to be as it was described. A campaign is
// prepared again after its author has had a field made.
const shelfFor = 10 * time.Minute

// shelf keeps what objects were described as.
type shelf struct {
	org describer

	mu  sync.Mutex
	all map[string]described
}

type described struct {
	object salesforce.Object
	at     time.Time
}

func newShelf(org describer) *shelf { return &shelf{org: org, all: map[string]described{}} }

// Describe implements describer.
func (s *shelf) Describe(ctx context.Context, name string) (salesforce.Object, error) {
	key := strings.ToLower(name)
	s.mu.Lock()
	known, ok := s.all[key]
	s.mu.Unlock()
	if ok && time.Since(known.at) < shelfFor {
		return known.object, nil
	}
	object, err := s.org.Describe(ctx, name)
	if err != nil {
		return salesforce.Object{}, err
	}
	s.mu.Lock()
	s.all[key] = described{object, time.Now()}
	s.mu.Unlock()
	return object, nil
}

// forget lets everything be described anew.
func (s *shelf) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.all)
}

package health

import (
	"context"
	"slices"
	"sync"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// Outage tells of one side's trouble, unless somebody else has told of the same
// already: one outage is one condition, however many notice it. It is safe for
// concurrent use.
type Outage struct {
	mu       sync.Mutex
	side     string
	troubles *Troubles
	registry *Registry
}

// NewOutage makes the outage of a side: see Of.
func NewOutage(side string, r *Registry) *Outage {
	return &Outage{side: side, troubles: NewTroubles(side, r), registry: r}
}

// Had raises the condition of a fault. What only says that we are stopping, and what
// is no vendor's, is none.
func (o *Outage) Had(ctx context.Context, err error) {
	if fault.Stopped(ctx, err) || fault.Of(err) == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	name := Of(o.side, err).Name
	if !slices.ContainsFunc(o.registry.Active(), func(c Condition) bool { return c.Name == name }) {
		o.troubles.Had(err)
	}
}

// Over ends the conditions that Had has raised.
func (o *Outage) Over() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.troubles.Over()
}

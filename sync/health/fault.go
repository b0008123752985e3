package health

import "github.com/twiliosf/twiliosf/sync/fault"

// Of tells an operator what err means. side is who answered, "twilio" or
// "salesforce"; it names the condition where the fault itself does not.
func Of(side string, err error) Condition {
	c := Condition{
		Name:     side + "-unreachable",
		Severity: Degraded,
		Cause:    err.Error(),
		Remedy:   fault.Hint(err),
	}
	switch fault.ClassOf(err) {
	case fault.Auth:
		c.Name, c.Severity = side+"-access", Blocking
	case fault.Throttled:
		c.Name = side + "-throttled"
	case fault.Permanent:
		c.Name = side + "-refuses"
	default: // it passes: the side is unreachable
	}
	if f := fault.Of(err); f != nil && f.Condition != "" {
		c.Name = f.Condition
	}
	if c.Remedy == "" {
		c.Remedy = "Nothing to do unless it lasts: it is tried again, and nothing is lost."
	}
	return c
}

// StoreFailed is the condition that the store refuses: whoever meets it first
// raises it, and it is over when the store works again for any of them.
func StoreFailed(err error) Condition {
	return Condition{
		Name: "store", Severity: Blocking, Cause: err.Error(),
		Remedy: "Look at the disk (full? read-only?) and at the permissions of the store's folder.",
	}
}

// Troubles remembers which conditions one side has had, so that its next success
// ends them and no others. A side has one trouble at a time, or the list would
// only grow. It is not safe for concurrent use.
type Troubles struct {
	side     string
	registry *Registry
	names    map[string]bool
}

// NewTroubles makes the troubles of a side: see Of.
func NewTroubles(side string, r *Registry) *Troubles {
	return &Troubles{side: side, registry: r, names: map[string]bool{}}
}

// Had raises the condition of err in place of the one before.
func (t *Troubles) Had(err error) {
	c := Of(t.side, err)
	for name := range t.names {
		if name != c.Name {
			t.registry.Clear(name)
			delete(t.names, name)
		}
	}
	t.names[c.Name] = true
	t.registry.Raise(c)
}

// Over ends the side's conditions.
func (t *Troubles) Over() {
	for name := range t.names {
		t.registry.Clear(name)
		delete(t.names, name)
	}
}

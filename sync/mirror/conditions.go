package mirror

import (
	"strconv"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
)

// Names of the mirror's own conditions. Those of the vendors come with their
// faults (fault.Error.Condition).
const (
	condQuarantine = "quarantine"
	condStuck      = "records-put-off"
)

// side is one of the two vendors.
type side string

const (
	sideTwilio     side = "twilio"
	sideSalesforce side = "salesforce"
)

// conditionOf tells an operator what err means.
func conditionOf(s side, err error) health.Condition {
	c := health.Condition{
		Name:     string(s) + "-unreachable",
		Severity: health.Degraded,
		Cause:    err.Error(),
		Remedy:   fault.Hint(err),
	}
	switch fault.ClassOf(err) {
	case fault.Auth:
		c.Name, c.Severity = string(s)+"-access", health.Blocking
	case fault.Throttled:
		c.Name = string(s) + "-throttled"
	case fault.Permanent:
		c.Name = string(s) + "-refuses"
	}
	if f := fault.Of(err); f != nil && f.Condition != "" {
		c.Name = f.Condition
	}
	if c.Remedy == "" {
		c.Remedy = "Nothing to do unless it lasts: it is tried again, and nothing is lost."
	}
	return c
}

// troubles remembers which conditions a side has, so that its next success ends
// them and no others.
type troubles struct {
	side   side
	health *health.Registry
	names  map[string]bool
}

func newTroubles(s side, h *health.Registry) *troubles {
	return &troubles{side: s, health: h, names: map[string]bool{}}
}

// had raises the condition of err. Its conditions of before end: a side has one
// trouble at a time, or the list would only grow.
func (t *troubles) had(err error) {
	c := conditionOf(t.side, err)
	for name := range t.names {
		if name != c.Name {
			t.health.Clear(name)
			delete(t.names, name)
		}
	}
	t.names[c.Name] = true
	t.health.Raise(c)
}

// over ends the side's conditions.
func (t *troubles) over() {
	for name := range t.names {
		t.health.Clear(name)
		delete(t.names, name)
	}
}

// quarantined raises the condition that tells of refused records.
func quarantined(h *health.Registry, r *Refusal, n int) {
	h.Raise(health.Condition{
		Name:     condQuarantine,
		Severity: health.Notice,
		Cause:    "Salesforce refuses " + strconv.Itoa(n) + " or more messages for good, the last one with " + r.Code + ".",
		Remedy:   "twiliosf quarantine list shows them with the reason; put it right in the org, then twiliosf quarantine retry --all.",
	})
}

package checkup

import (
	"fmt"
	"slices"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// State is how a fact stands.
type State string

// The states. With one Fail the daemon cannot do its work.
const (
	OK      State = "ok"
	Todo    State = "todo"    // the daemon runs, and somebody should do something
	Fail    State = "fail"    // the daemon cannot do its work
	Skipped State = "skipped" // not asked, because what it needs has failed
)

// Fact is one line.
type Fact struct {
	// Name is stable; several facts may share one: each field of the org that is
	// missing has a line.
	Name  string `json:"name"`
	State State  `json:"state"`
	Says  string `json:"says"`
	// Remedy is what to do about it, a whole sentence; "" for OK.
	Remedy string `json:"remedy,omitzero"`
}

// Report is all facts, in the order in which they were looked at: local and cheap
// ones first.
type Report struct {
	// Runs says that the daemon can do its work.
	Runs  bool   `json:"runs"`
	Facts []Fact `json:"facts"`
}

// list gathers facts.
type list struct{ facts []Fact }

func (l *list) addf(name string, s State, remedy, format string, args ...any) {
	l.facts = append(l.facts, Fact{Name: name, State: s, Says: fmt.Sprintf(format, args...), Remedy: remedy})
}

func (l *list) okf(name, format string, args ...any) { l.addf(name, OK, "", format, args...) }

// fault adds what a vendor or the machine has refused.
func (l *list) fault(name string, s State, err error) {
	remedy := fault.Hint(err)
	if remedy == "" {
		remedy = "Try again; if it lasts, report it with this text."
	}
	l.addf(name, s, remedy, "%s", err)
}

// bad says that a fact has failed or was not asked for.
func (l *list) bad(name string) bool {
	return slices.ContainsFunc(l.facts, func(f Fact) bool { return f.Name == name && (f.State == Fail || f.State == Skipped) })
}

// may says that all a fact needs is there; else it is a line that says what is not.
func (l *list) may(name string, needs ...string) bool {
	for _, need := range needs {
		if l.bad(need) {
			l.addf(name, Skipped, "", "not asked, because %s failed", l.root(need))
			return false
		}
	}
	return true
}

// root is what has failed in the first place.
func (l *list) root(name string) string {
	for _, f := range l.facts {
		if f.Name == name && f.State == Skipped {
			var first string
			if _, err := fmt.Sscanf(f.Says, "not asked, because %s failed", &first); err == nil {
				return first
			}
		}
	}
	return name
}

func (l *list) report() *Report {
	return &Report{Facts: l.facts, Runs: !slices.ContainsFunc(l.facts, func(f Fact) bool { return f.State == Fail })}
}

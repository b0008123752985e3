// Package health keeps the daemon's named conditions: what is wrong, why, and
// what the operator should do. A condition is one fact with one name for as long
// as it lasts; it is logged when it comes, changes and goes, counted in a
// metric, and shown by readiness, `twiliosf status` and systemd. Repetitions are
// not logged.
package health

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Severity says how much a condition takes away.
type Severity uint8

const (
	// Notice: everything works; somebody should know.
	Notice Severity = iota
	// Degraded: something waits; nothing is lost.
	Degraded
	// Blocking: the daemon cannot do its work; it is not ready.
	Blocking
)

// String is the severity's name in logs and JSON.
func (s Severity) String() string {
	switch s {
	case Degraded:
		return "degraded"
	case Blocking:
		return "blocking"
	default:
		return "notice"
	}
}

// MarshalText writes the severity's name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the severity's name, so that the command line can read
// what the daemon shows. A name that it does not know is a newer daemon's.
func (s *Severity) UnmarshalText(name []byte) error {
	for _, known := range []Severity{Notice, Degraded, Blocking} {
		if known.String() == string(name) {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("health: there is no severity %q", name)
}

// Condition is one thing that is wrong. Cause and Remedy are whole sentences
// without secrets, bodies or unmasked numbers.
type Condition struct {
	Name     string    `json:"name"` // stable, kebab-case: "salesforce-login"
	Severity Severity  `json:"severity"`
	Cause    string    `json:"cause"`
	Remedy   string    `json:"remedy"`
	Since    time.Time `json:"since"`
}

// Registry holds the conditions. Make one with New.
type Registry struct {
	log   *zap.Logger
	gauge *prometheus.GaugeVec

	mu       sync.Mutex
	active   map[string]Condition
	watchers []func()
}

// New makes a registry that logs to log and measures in reg, which may be nil.
func New(log *zap.Logger, reg prometheus.Registerer) *Registry {
	r := &Registry{log: log, active: map[string]Condition{}, gauge: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "twiliosf_condition",
		Help: "1 while the named condition lasts.",
	}, []string{"name", "severity"})}
	if reg != nil {
		reg.MustRegister(r.gauge)
	}
	return r
}

// Raise sets a condition. One that is raised again keeps its beginning; it is
// logged again only when there is something else to do about it, because two
// callers that meet one trouble name different causes by turns.
func (r *Registry) Raise(c Condition) {
	r.mu.Lock()
	was, there := r.active[c.Name]
	c.Since = time.Now().UTC()
	if there {
		c.Since = was.Since
	}
	if there && was == c {
		r.mu.Unlock()
		return
	}
	if there {
		r.gauge.DeleteLabelValues(was.Name, was.Severity.String())
	}
	r.active[c.Name] = c
	r.gauge.WithLabelValues(c.Name, c.Severity.String()).Set(1)
	watchers := r.watchers
	r.mu.Unlock()

	if !there || was.Severity != c.Severity || was.Remedy != c.Remedy {
		r.log.Warn("condition", zap.String("condition", c.Name), zap.Stringer("severity", c.Severity),
			zap.String("cause", c.Cause), zap.String("remedy", c.Remedy))
	}
	for _, w := range watchers {
		w()
	}
}

// Clear ends conditions; those that do not last are left alone.
func (r *Registry) Clear(names ...string) {
	r.mu.Lock()
	var gone []Condition
	for _, name := range names {
		if c, there := r.active[name]; there {
			delete(r.active, name)
			r.gauge.DeleteLabelValues(c.Name, c.Severity.String())
			gone = append(gone, c)
		}
	}
	watchers := r.watchers
	r.mu.Unlock()

	if len(gone) == 0 {
		return
	}
	for _, c := range gone {
		r.log.Info("condition over", zap.String("condition", c.Name), zap.Duration("lasted", time.Since(c.Since).Round(time.Second)))
	}
	for _, w := range watchers {
		w()
	}
}

// Active lists the conditions, the worst first, then the oldest.
func (r *Registry) Active() []Condition {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]Condition, 0, len(r.active))
	for _, c := range r.active {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Condition) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), a.Since.Compare(b.Since), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// Ready reports whether no condition keeps the daemon from its work.
func (r *Registry) Ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.active {
		if c.Severity == Blocking {
			return false
		}
	}
	return true
}

// OnChange calls fn, from then on, after each change.
func (r *Registry) OnChange(fn func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchers = append(r.watchers, fn)
}

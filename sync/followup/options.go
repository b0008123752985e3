package followup

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Ports are what the engine works with. All are required.
type Ports struct {
	Queue  Queue
	Doers  map[message.FollowUpKind]Doer
	Health *health.Registry
}

// Options tune the engine. Zero values mean the defaults in the comments.
type Options struct {
	Poll    time.Duration // how often the queue is read though nobody woke the engine: 1 min
	Grace   time.Duration // how long a stop lets the call in flight finish: 5 s
	Log     *zap.Logger
	Metrics prometheus.Registerer // may be nil
}

// New makes an engine. It starts nothing and calls nobody.
func New(p Ports, o Options) (*Engine, error) {
	if p.Queue == nil || p.Health == nil || len(p.Doers) == 0 {
		return nil, errors.New("followup: a port is missing")
	}
	if o.Poll <= 0 {
		o.Poll = time.Minute
	}
	if o.Grace <= 0 {
		o.Grace = 5 * time.Second
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	e := &Engine{queue: p.Queue, health: p.Health, log: o.Log, poll: o.Poll, grace: o.Grace, metrics: newMetrics(o.Metrics), wake: make(chan struct{}, 1)}
	for kind, doer := range p.Doers {
		if doer == nil {
			return nil, errors.New("followup: the doer of " + string(kind) + " is missing")
		}
		e.lines = append(e.lines, newLine(kind, doer))
	}
	// The order of their first turns is the same each time.
	slices.SortFunc(e.lines, func(a, b *line) int { return cmp.Compare(a.kind, b.kind) })
	return e, nil
}

package archive

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/semaphore"

	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Ports are what the engine works with. All but Budget are required.
type Ports struct {
	Source     Source
	Leaver     Leaver
	Returner   Returner
	Target     Target
	Format     Format
	Journal    Journal
	Contents   Contents
	Departures Departures
	Absent     Absent
	Budget     Budget
	Health     *health.Registry
}

// Options tune the engine. Zero values mean the defaults in the comments.
type Options struct {
	// Account names whose messages they are in manifests, so that a target that was
	// mixed up brings nobody else's.
	Account  string
	After    time.Duration // the age at which a message may leave; required, Lookback at least
	Lookback time.Duration // how long a status may still change; required
	Delete   bool          // else messages are marked and stay
	PageRows int           // messages read at a time: 2,000
	RunRows  int           // messages of a run: 20,000
	FileRows int           // records of a file: 10,000
	FileSize int           // bytes of a file from which on there is another: 8 MiB
	Log      *zap.Logger
	Metrics  prometheus.Registerer // may be nil
}

// RestoredFor is how long a restored message stays in the org.
const RestoredFor = 90 * 24 * time.Hour

const (
	defaultPage = 2000
	defaultRun  = 20_000
	defaultFile = 10_000
	defaultSize = 8 << 20
	// openParts is how many files are made at once, each of another month: records
	// come in the order of their ids, which is nearly that of their months.
	openParts = 4
	// refusedFor is how long a record that the org did not let go is left alone.
	refusedFor = 7 * 24 * time.Hour
)

// Engine is the archive.
type Engine struct {
	Ports
	o       Options
	log     *zap.Logger
	metrics *metrics
	one     *semaphore.Weighted // a run or a restore at a time
	refused int                 // records, in this Run
}

// ErrBusy says that the archive is at work already.
var ErrBusy = errors.New("the archive is at work: wait until that is done (twiliosf archive list)")

// New makes an engine. It starts nothing and calls nobody.
func New(p Ports, o Options) (*Engine, error) {
	switch {
	case p.Source == nil, p.Leaver == nil, p.Returner == nil, p.Target == nil, p.Format == nil, p.Journal == nil,
		p.Contents == nil, p.Departures == nil, p.Absent == nil, p.Health == nil:
		return nil, errors.New("archive: a port is missing")
	case o.Lookback <= 0 || o.After < o.Lookback:
		return nil, errors.New("archive: messages may leave only when their status changes no more: after must be at least lookback")
	}
	for _, d := range []struct {
		value    *int
		standard int
	}{{&o.PageRows, defaultPage}, {&o.RunRows, defaultRun}, {&o.FileRows, defaultFile}, {&o.FileSize, defaultSize}} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if p.Budget == nil {
		p.Budget = func() error { return nil }
	}
	return &Engine{Ports: p, o: o, log: o.Log, metrics: newMetrics(o.Metrics), one: semaphore.NewWeighted(1)}, nil
}

// criteria are those of a run that begins now.
func (e *Engine) criteria(now time.Time) Criteria {
	before := now.Add(-e.o.After).UTC().Truncate(time.Second)
	return Criteria{
		Before: before, Days: int(e.o.After / (24 * time.Hour)), Scheduled: before.Add(-message.MaxSchedule), Unmarked: !e.o.Delete,
	}
}

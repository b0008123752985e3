package mirror

import (
	"cmp"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/health"
)

// Ports are what the mirror works with. All are required but those that say what nil means.
type Ports struct {
	Source  Source
	Sink    Sink
	People  People
	Sends   Sends // may be nil: nothing is sent from here
	Ledger  Ledger
	Open    OpenLedger
	Changes Changes
	Cursors Cursors
	Backlog Backlog
	Events  Events
	Watches Watches  // nil: nobody looks on
	Bulk    BulkSink // nil: all is written in batches
	Health  *health.Registry
}

// Options tune the mirror. Zero values mean the defaults in the comments.
type Options struct {
	Writers   int           // batches being written at once: 4
	BulkAt    int           // how many changes must wait for a bulk job: 2,000
	ActiveFor time.Duration // how long a conversation stays active: 10 min
	Lookback  time.Duration // how long a status may still change: 72 h
	Start     time.Duration // how far back the first run reads: 30 days
	Shared    bool          // others make records of messages too, so the org is asked before one is made
	Grace     time.Duration // how long a stop lets batches in flight finish: 5 s
	Log       *zap.Logger
	Metrics   prometheus.Registerer // may be nil
}

func (o *Options) defaults() {
	o.Writers = cmp.Or(o.Writers, 4)
	o.BulkAt = cmp.Or(o.BulkAt, 2000)
	o.ActiveFor = cmp.Or(o.ActiveFor, 10*time.Minute)
	o.Lookback = cmp.Or(o.Lookback, 72*time.Hour)
	o.Start = cmp.Or(o.Start, 30*24*time.Hour)
	o.Grace = cmp.Or(o.Grace, 5*time.Second)
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
}

// Mirror is the engine: a Writer and an Inbox, which must Run, and the walks that
// feed the Writer too.
type Mirror struct {
	Writer   *Writer
	Inbox    *Inbox
	Sweeper  *Sweeper
	Backfill *Backfill
}

// New makes a mirror. It starts nothing and calls nobody.
func New(p Ports, o Options) (*Mirror, error) {
	if p.Source == nil || p.Sink == nil || p.People == nil || p.Ledger == nil || p.Open == nil || p.Changes == nil ||
		p.Cursors == nil || p.Backlog == nil || p.Events == nil || p.Health == nil {
		return nil, errors.New("mirror: a port is missing")
	}
	o.defaults()
	m := newMetrics(o.Metrics)
	w := newWriter(p, o, m)
	walk := &walker{Ports: p, writer: w, metrics: m}
	return &Mirror{
		Writer:   w,
		Inbox:    newInbox(walk, o),
		Sweeper:  &Sweeper{walker: walk, o: o},
		Backfill: &Backfill{walker: walk, o: o},
	}, nil
}

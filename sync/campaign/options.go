package campaign

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/alarm"
	"github.com/twiliosf/twiliosf/sync/health"
)

// Ports are what campaigns work with. Forecasts may be nil: then nothing is
// forecast.
type Ports struct {
	Audiences  Audiences
	Org        Org
	Forecasts  Forecasts
	Consent    Consent
	Runs       Runs
	Books      Books
	Recipients Recipients
	Handing    Handing
	Results    Results
	Notes      Notes
	Health     *health.Registry
}

// Options tune campaigns. Zero values mean the defaults in the comments.
type Options struct {
	Country    string         // by which numbers without a country code are read
	Sender     string         // the default sender, a number or a Messaging Service's SID; none
	Quiet      Quiet          // when nobody is texted; never
	Zone       *time.Location // whose clock counts; nil: the recipient's
	LateLimit  time.Duration  // how long after its time a campaign still begins: 12 h
	CountEvery time.Duration  // how often counts are told while they change: 15 s
	// Rate is how many messages a second a sender may send: 1.
	Rate func(sender string) float64
	// Known says whether the account has a sender: all are taken as known.
	Known func(ctx context.Context, sender string) (bool, error)
	// Price is what a segment costs; nil when nobody knows.
	Price func(ctx context.Context) Price
	// Handed hears that something waits for a sender; nil for nobody.
	Handed  func(sender string)
	Grace   time.Duration // how long a stop lets calls to the org finish: 5 s
	Log     *zap.Logger
	Metrics prometheus.Registerer // may be nil
}

func (o *Options) defaults() {
	o.LateLimit = cmp.Or(o.LateLimit, 12*time.Hour)
	o.CountEvery = cmp.Or(o.CountEvery, countEvery)
	o.Grace = cmp.Or(o.Grace, 5*time.Second)
	if o.Rate == nil {
		o.Rate = func(string) float64 { return 1 }
	}
	if o.Known == nil {
		o.Known = func(context.Context, string) (bool, error) { return true, nil }
	}
	if o.Price == nil {
		o.Price = func(context.Context) Price { return Price{} }
	}
	if o.Handed == nil {
		o.Handed = func(string) {}
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
}

// Engine sends campaigns. Run works; Take and TakeForecasts feed it.
type Engine struct {
	Ports
	o       Options
	metrics *metrics
	org     *health.Outage // with what is written
	reading *health.Outage // with what is read
	lanes   *lanes
	wake    alarm.Alarm
	news    *news

	mu    sync.Mutex
	desks map[int64]*desk

	previewing sync.Map // the records of which a preview is being made
}

// New makes an engine. It starts nothing and calls nobody.
func New(p Ports, o Options) (*Engine, error) {
	if p.Audiences == nil || p.Org == nil || p.Consent == nil || p.Runs == nil || p.Books == nil || p.Recipients == nil ||
		p.Handing == nil || p.Results == nil || p.Notes == nil || p.Health == nil {
		return nil, errors.New("campaign: a port is missing")
	}
	o.defaults()
	return &Engine{
		Ports: p, o: o, metrics: newMetrics(o.Metrics), org: health.NewOutage("salesforce", p.Health), reading: health.NewOutage("salesforce", p.Health), lanes: newLanes(),
		wake: alarm.New(), news: newNews(), desks: map[int64]*desk{},
	}, nil
}

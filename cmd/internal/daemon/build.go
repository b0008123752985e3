package daemon

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/config"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/consent"
	"github.com/twiliosf/twiliosf/sync/followup"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/jobs"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/outbox"
	"github.com/twiliosf/twiliosf/sync/people"
	"github.com/twiliosf/twiliosf/sync/store"
	"github.com/twiliosf/twiliosf/twilio"
	"github.com/twiliosf/twiliosf/twilio/webhook"
)

// generation is everything that one configuration made.
type generation struct {
	cfg       *config.Config
	log       *zap.Logger
	health    *health.Registry
	store     *store.Store
	metrics   *prometheus.Registry
	account   *twilio.Account
	receiver  *webhook.Receiver // nil: no webhook is configured
	org       *salesforce.Org
	records   *records.Messages
	consent   *consent.Consent
	optIns    *records.OptInReader
	people    *people.Engine
	poll      *poll
	mirror    *mirror.Mirror
	outbox    *outbox.Outbox
	campaigns *campaign.Engine
	bulk      *records.Campaigns
	forecasts *records.Deliverability
	followups *followup.Engine
	archive   *archiving
	engine    jobs.Engine
	scheduler *jobs.Scheduler
	failedJob atomic.Value // string: the kind of job that failed last
	// unlinkedAt is when a record came without its links, in seconds since 1970.
	unlinkedAt atomic.Int64
	// waking: the writer will be told of what was sent.
	waking atomic.Bool
	// orgInDoubt has the org looked at again.
	orgInDoubt chan struct{}
}

// build makes a generation: all that can fail, and nothing that acts.
func (d *Daemon) build(ctx context.Context, cfg *config.Config) (*generation, error) {
	g := &generation{cfg: cfg, log: d.log, health: d.health, store: d.store, metrics: prometheus.NewRegistry(), orgInDoubt: make(chan struct{}, 1)}
	for _, step := range []func() error{
		func() error { return g.buildTwilio(d.o.Twilio) },
		func() error { return g.buildSalesforce(d.o.Salesforce) },
		func() error { return g.buildConsent(ctx) },
		g.buildPeople,
		g.buildPoll,
		g.buildFollowUps,
		g.buildMirror,
		g.buildOutbox,
		g.buildCampaigns,
		g.buildWebhook,
		func() error { return g.buildArchive(ctx) },
		func() error { return g.buildJobs(ctx, d.o.Engine) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return g, nil
}

func (g *generation) buildTwilio(carrier http.RoundTripper) (err error) {
	g.account, err = openAccount(g.cfg.Twilio, carrier, g.metrics)
	return err
}

func openAccount(c config.Twilio, carrier http.RoundTripper, metrics prometheus.Registerer) (*twilio.Account, error) {
	account, err := twilio.New(twilio.Options{
		AccountSID: c.AccountSID, APIKeySID: c.APIKeySID, APIKeySecret: c.APIKeySecret.Reveal(), AuthToken: c.AuthToken.Reveal(),
		BaseURL: c.BaseURL, Concurrency: c.Concurrency, HTTP: carrier, Registerer: metrics,
	})
	if err != nil {
		return nil, &ConfigError{err}
	}
	return account, nil
}

func (g *generation) buildSalesforce(carrier http.RoundTripper) (err error) {
	c := g.cfg.Salesforce
	if g.org, err = openOrg(c, carrier, g.metrics, g.log); err != nil {
		return err
	}
	g.records, err = records.New(g.org, records.Options{Names: names(c.Objects), Lookups: lookups(g.cfg.People), Unlinked: g.unlinked})
	if err != nil {
		return &ConfigError{err}
	}
	return nil
}

func openOrg(c config.Salesforce, carrier http.RoundTripper, metrics prometheus.Registerer, log *zap.Logger) (*salesforce.Org, error) {
	org, err := salesforce.New(salesforce.Options{
		LoginURL: c.LoginURL, Audience: c.Audience, Auth: grant(c), APIVersion: c.APIVersion, Concurrency: c.Concurrency,
		DailyShare: c.DailyAPIShare, HTTP: carrier, Registerer: metrics, Logger: log,
	})
	if err != nil {
		return nil, &ConfigError{err}
	}
	return org, nil
}

// restoreUsage takes over the API calls that the one before has counted, which
// is right only when that one calls nobody any more.
func (g *generation) restoreUsage(ctx context.Context) error {
	earlier, err := g.store.Usage(ctx, time.Now().Add(-25*time.Hour))
	if err != nil {
		return err
	}
	var hours []salesforce.HourUsage
	for hour, calls := range earlier {
		hours = append(hours, salesforce.HourUsage{Hour: hour, Calls: calls})
	}
	g.org.RestoreUsage(hours)
	return nil
}

// grant is how the configuration logs in.
func grant(c config.Salesforce) salesforce.Grant {
	switch c.Auth {
	case config.AuthClientCredentials:
		return salesforce.ClientCredentials{ClientID: c.ClientID, ClientSecret: c.ClientSecret.Reveal()}
	case config.AuthPassword:
		return salesforce.Password{Username: c.Username, Password: c.Password.Reveal(), SecurityToken: c.SecurityToken.Reveal()}
	default:
		return salesforce.JWT{ClientID: c.ClientID, Username: c.Username, PrivateKey: []byte(c.PrivateKey.Reveal())}
	}
}

func (g *generation) buildMirror() (err error) {
	c := g.cfg.Sync
	g.mirror, err = mirror.New(mirror.Ports{
		Source: g.account, Sink: g.records, People: g.people, Sends: g.sends(), Ledger: g.store, Open: g.store, Changes: g.wakingFollowUps(), Cursors: g.store,
		Backlog: &backlog{Store: g.store, generation: g}, Events: g.store, Watches: g.poll.watches, Health: g.health,
		Bulk: g.records.Bulk(g.org, g.store.BulkJobs()),
	}, mirror.Options{
		Writers: g.cfg.Salesforce.Concurrency, BulkAt: g.cfg.Salesforce.BulkThreshold, ActiveFor: c.ActiveFor, Lookback: c.Lookback, Start: c.Start,
		Shared: g.mirrorOnly(), Grace: g.cfg.Drain / 2, Log: g.log, Metrics: g.metrics,
	})
	return err
}

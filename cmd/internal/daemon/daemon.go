// Package daemon is the composition root: the only place where configuration,
// vendors, engines and the store meet. It is a library: commands, tests and the
// demo run the same daemon.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/config"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/jobs"
	"github.com/twiliosf/twiliosf/sync/store"
	"github.com/twiliosf/twiliosf/twilio/webhook"
)

// Options are a daemon's. Load is required.
type Options struct {
	// Load reads the configuration: at the start and at each reload.
	Load func() (*config.Config, error)
	// Version of this binary.
	Version string
	// Twilio and Salesforce carry the requests; nil is the network.
	Twilio, Salesforce http.RoundTripper
	// Log is used as it is; nil makes one from the configuration.
	Log *zap.Logger
	// Reload asks for a reload with each value; it may be nil.
	Reload <-chan struct{}
	// Notify tells the service manager; nil tells nobody. See sd_notify(3).
	Notify func(state string)
	// Watchdog is how often the service manager wants a sign of life, 0 for never.
	Watchdog time.Duration
	// Engine makes the job engine; nil is River on the store. A test that passes
	// hours of virtual time gives one that does not poll.
	Engine func(context.Context, *store.Store, jobs.Options) (jobs.Engine, error)
	// Idle leaves the schedules out: only what is asked for over the control
	// API is done.
	Idle bool
	// Deaf listens on no address. A test in virtual time needs it: its clock
	// stands still while anything waits for a socket.
	Deaf bool
}

// Daemon is one configured daemon. Make it with New, Run it, Close it.
type Daemon struct {
	o       Options
	log     *zap.Logger
	level   zap.AtomicLevel
	store   *store.Store
	process *prometheus.Registry
	health  *health.Registry
	started time.Time
	current atomic.Pointer[generation]
	// receiver serves Twilio's calls. It changes together with the address and the
	// certificate: a generation may still drain when the next one's calls come.
	receiver atomic.Pointer[webhook.Receiver]
	console  atomic.Pointer[string] // the address that is listened on
}

// New reads the configuration, opens the store and builds all that can fail. It
// starts nothing and calls nobody. A configuration that is wrong is a
// *ConfigError, a store that another daemon holds a *store.HeldError.
func New(ctx context.Context, o Options) (*Daemon, error) {
	cfg, err := o.Load()
	if err != nil {
		return nil, &ConfigError{err}
	}
	if o.Notify == nil {
		o.Notify = func(string) {}
	}
	if o.Engine == nil {
		o.Engine = func(ctx context.Context, st *store.Store, jo jobs.Options) (jobs.Engine, error) {
			return jobs.NewRiver(ctx, st, jo)
		}
	}
	d := &Daemon{o: o, log: o.Log, process: prometheus.NewRegistry(), started: time.Now()}
	if d.log == nil {
		if d.log, d.level, err = newLogger(cfg.Log); err != nil {
			return nil, &ConfigError{err}
		}
	}
	d.process.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	d.health = health.New(d.log, d.process)
	if d.store, err = store.Open(ctx, store.Options{URL: cfg.Store, Version: o.Version}); err != nil {
		return nil, err
	}
	g, err := d.build(ctx, cfg)
	if err == nil {
		err = g.restoreUsage(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, d.store.Close())
	}
	d.current.Store(g)
	g.consent.Install()
	d.receiver.Store(g.receiver)
	return d, nil
}

// ConfigError says that the configuration is wrong: nothing but a change of it
// will help.
type ConfigError struct{ Err error }

func (e *ConfigError) Error() string { return e.Err.Error() }

// Unwrap gives the faults.
func (e *ConfigError) Unwrap() error { return e.Err }

// Close gives the store up. Run must have returned.
func (d *Daemon) Close() error {
	_ = d.log.Sync() //nolint:errcheck // standard error cannot be synced on every system
	return d.store.Close()
}

// ConsoleAddr is the address the console listens on, "" before it does.
func (d *Daemon) ConsoleAddr() string {
	if p := d.console.Load(); p != nil {
		return *p
	}
	return ""
}

// Run works until ctx is done, then drains: it takes no more work in and lets
// what is under way finish, for at most the configured drain time (P10). It is
// nil after a clean stop.
func (d *Daemon) Run(ctx context.Context) error {
	f, err := d.listen(d.current.Load().cfg)
	if err != nil {
		return err
	}
	defer f.close()
	stop := d.notifyState(ctx)
	defer stop()
	for {
		next, err := d.generation(ctx, f)
		if next == nil {
			d.log.Info("stopped")
			return err
		}
		d.current.Store(next)
		d.forgetConditions()
	}
}

// forgetConditions ends what the former configuration found wrong: whoever would
// have ended it has stopped, and what still lasts is found again at once.
func (d *Daemon) forgetConditions() {
	for _, c := range d.health.Active() {
		d.health.Clear(c.Name)
	}
}

// generation runs the present configuration until ctx is done or until there is
// another one, which it answers.
func (d *Daemon) generation(ctx context.Context, f *fronts) (*generation, error) {
	g := d.current.Load()
	run, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- g.run(run, d.o.Idle) }()
	d.log.Info("running", zap.String("version", d.o.Version), zap.String("console", d.ConsoleAddr()))
	d.o.Notify("READY=1")
	for {
		select {
		case err := <-ended:
			d.o.Notify("STOPPING=1")
			return nil, err
		case <-ctx.Done():
			d.o.Notify("STOPPING=1")
			d.log.Info("stopping", zap.Duration("drain", g.cfg.Drain))
			return nil, <-ended
		case <-d.o.Reload:
			next := d.reload(ctx, f)
			if next == nil {
				continue
			}
			cancel()
			if err := <-ended; err != nil {
				return nil, fmt.Errorf("stop the former configuration: %w", err)
			}
			if err := next.restoreUsage(ctx); err != nil {
				next.storeState(err)
			}
			return next, nil
		}
	}
}

// reload builds everything that can fail before it touches anything alive; a bad
// configuration leaves the running one as it is.
func (d *Daemon) reload(ctx context.Context, f *fronts) *generation {
	d.o.Notify(reloadingState())
	defer d.o.Notify("READY=1")
	const name = "reload-refused"
	refuse := func(err error) *generation {
		d.health.Raise(health.Condition{
			Name: name, Severity: health.Degraded,
			Cause:  "The new configuration is refused and the former one goes on: " + err.Error(),
			Remedy: "Put the named lines right (twiliosf config check) and reload again.",
		})
		return nil
	}
	cfg, err := d.o.Load()
	if err != nil {
		return refuse(err)
	}
	was := d.current.Load().cfg
	if cfg.Store != was.Store || cfg.ControlPath() != was.ControlPath() {
		return refuse(errors.New("store and control change only with a restart"))
	}
	if hook, now := was.Twilio.Webhook, cfg.Twilio.Webhook; hook.PublicURL != "" && now.PublicURL != "" && hook.Listen == now.Listen && (hook.TLSCertFile == "") != (now.TLSCertFile == "") {
		return refuse(errors.New("at one address, TLS begins or ends only with a restart"))
	}
	next, err := d.build(ctx, cfg)
	if err != nil {
		return refuse(err)
	}
	if err := f.move(d, cfg); err != nil {
		return refuse(err)
	}
	next.consent.Install()
	d.receiver.Store(next.receiver)
	d.health.Clear(name)
	if d.o.Log == nil {
		d.level.SetLevel(levelOf(cfg.Log))
	}
	d.log.Info("configuration reloaded")
	return next
}

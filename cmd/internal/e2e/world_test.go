package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/config"
	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/jobs"
	"github.com/twiliosf/twiliosf/sync/jobs/jobstest"
	"github.com/twiliosf/twiliosf/sync/store"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// still is a life in which nothing changes but what a test changes.
var still = twiliotest.Life{Still: true}

// world is a daemon between an emulated account and an emulated org.
type world struct {
	t      *testing.T
	twilio *twiliotest.Server
	org    *salesforcetest.Server
	orgs   []*salesforcetest.Server // all that there ever were
	// twilioHTTP and orgHTTP carry the daemon's requests.
	twilioHTTP, orgHTTP http.RoundTripper
	deaf                bool
	// durable jobs outlive the daemon. Others live in memory, where hours of
	// virtual time cost nothing because nobody polls.
	durable bool

	reload  chan struct{}
	core    zapcore.Core
	logs    *observer.ObservedLogs
	daemon  *daemon.Daemon
	stopRun func() error
	secrets secrets

	mu       sync.Mutex
	settings settings
	busy     int // requests to the org that are under way
	most     int // at once
}

// inBubble runs a test in virtual time, with both emulators in process.
func inBubble(t *testing.T, tw twiliotest.Options, sf salesforcetest.Options, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tw, sf)
		w.deaf, w.twilioHTTP, w.orgHTTP, w.durable = true, w.twilio.Client().Transport, toOrg{w}, false
		defer w.close()
		test(t, w)
	})
}

func newWorld(t *testing.T, tw twiliotest.Options, sf salesforcetest.Options) *world {
	t.Helper()
	w := &world{t: t, twilio: twiliotest.NewServer(tw), reload: make(chan struct{}), durable: true}
	w.replaceOrg(sf)
	w.core, w.logs = observer.New(zapcore.DebugLevel)
	w.settings = defaultSettings(t, w)
	w.secrets.add(w.twilio.APIKeySecret, w.twilio.AuthToken, salesforcetest.DefaultPassword,
		salesforcetest.DefaultSecurityToken, salesforcetest.DefaultConsumerSecret)
	w.secrets.addKey(w.org.PrivateKeyPEM())
	return w
}

// replaceOrg puts an org in the place of the one that was there, as an
// administrator does who changes what the emulator fixes when it is made.
func (w *world) replaceOrg(sf salesforcetest.Options) {
	if sf.Schema == nil {
		sf.Schema = metadata.FS
	}
	org := salesforcetest.NewServer(sf)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.org, w.orgs = org, append(w.orgs, org)
}

// toOrg carries a request to the org that is there at the moment.
type toOrg struct{ *world }

// RoundTrip implements http.RoundTripper.
func (o toOrg) RoundTrip(r *http.Request) (*http.Response, error) {
	o.mu.Lock()
	org := o.org
	o.busy++
	o.most = max(o.most, o.busy)
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.busy--
	}()
	return org.Client().Transport.RoundTrip(r)
}

// start runs the daemon until stop or the end of the test.
func (w *world) start() {
	w.t.Helper()
	o := daemon.Options{
		Load: w.load, Version: "test", Log: zap.New(w.core), Reload: w.reload, Deaf: w.deaf,
		Twilio: w.twilioHTTP, Salesforce: w.orgHTTP,
	}
	if !w.durable {
		o.Engine = func(ctx context.Context, st *store.Store, o jobs.Options) (jobs.Engine, error) {
			return jobstest.NewMemory(ctx, st, o)
		}
	}
	d, err := daemon.New(w.t.Context(), o)
	require.NoError(w.t, err)
	w.daemon = d
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	w.stopRun = func() error {
		select {
		case err := <-ended:
			return fmt.Errorf("the daemon has ended by itself: %w", err)
		default:
		}
		cancel()
		return <-ended
	}
}

// stop ends the daemon as SIGTERM does, and answers how long it took.
func (w *world) stop() time.Duration {
	w.t.Helper()
	w.requireNoLeak()
	began := time.Now()
	err := w.stopRun()
	took := time.Since(began)
	w.stopRun = nil
	require.NoError(w.t, w.daemon.Close())
	require.NoError(w.t, err)
	w.requireNoLeakInLog()
	return took
}

func (w *world) close() {
	switch {
	case w.stopRun != nil && w.t.Failed():
		_ = w.stopRun() // the test has failed for another reason already
		_ = w.daemon.Close()
	case w.stopRun != nil:
		w.stop()
	}
	w.twilio.Close()
	for _, org := range w.orgs {
		org.Close()
	}
}

// load is the daemon's Options.Load. In process the emulators are not reached by
// an address: the org answers to its own name only, which no file may hold.
func (w *world) load() (*config.Config, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	cfg, err := config.Parse("twiliosf.yaml", []byte(w.settings.yaml()), nil)
	if err == nil && w.deaf {
		cfg.Salesforce.LoginURL, cfg.Salesforce.Audience = w.org.URL, w.org.URL
	}
	return cfg, err
}

// change edits what the daemon reads at its next start or reload.
func (w *world) change(edit func(*settings)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	edit(&w.settings)
}

// reconfigure is what an operator does: edit, then SIGHUP.
func (w *world) reconfigure(edit func(*settings)) {
	w.change(edit)
	w.reload <- struct{}{}
}

func (w *world) status() daemon.Status {
	w.t.Helper()
	s, err := w.daemon.Client().Status(w.t.Context())
	require.NoError(w.t, err)
	return s
}

// conditions are the present ones.
func (w *world) conditions() []health.Condition {
	w.t.Helper()
	return w.status().Conditions
}

// compare is what the two emulators hold, side by side.
func (w *world) compare() sandbox.Comparison { return sandbox.Compare(w.twilio, w.org) }

// until lets time pass, in steps, until the daemon has come so far.
func (w *world) until(limit, step time.Duration, what string, done func() bool) {
	w.t.Helper()
	for began := time.Now(); !done(); time.Sleep(step) {
		if time.Since(began) > limit {
			w.t.Fatalf("after %s: not %s: %s %v, conditions %v", limit, what, w.compare(), w.compare().Examples, w.conditions())
		}
	}
}

// mirrored: every message has one record, equal in every field, and nothing waits.
func (w *world) mirrored() bool {
	return w.compare().Clean() && w.status().Counts.Waiting == 0
}

// untilMirrored waits until all is mirrored and nothing is wrong any more.
func (w *world) untilMirrored(limit time.Duration) {
	w.t.Helper()
	w.until(limit, 15*time.Second, "mirrored and well", func() bool { return w.mirrored() && len(w.conditions()) == 0 })
}

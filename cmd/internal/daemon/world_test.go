package daemon_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/config"
	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/jobs"
	"github.com/twiliosf/twiliosf/sync/store"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const object = "TwilioSF_Message__c"

// world is a daemon between an emulated account and an emulated org, in process.
type world struct {
	twilio *twiliotest.Server
	org    *salesforcetest.Server
	dir    string
	yaml   string // appended to the configuration
	edit   func(string) string
	logs   *observer.ObservedLogs
	reload chan struct{}
	notify func(string)
	engine func(context.Context, *store.Store, jobs.Options) (jobs.Engine, error) // nil is River
	daemon *daemon.Daemon
}

func newWorld(t *testing.T, tw twiliotest.Options, sf salesforcetest.Options) *world {
	t.Helper()
	sf.Schema = metadata.FS
	w := &world{
		twilio: twiliotest.NewServer(tw), org: salesforcetest.NewServer(sf), dir: t.TempDir(),
		reload: make(chan struct{}), edit: func(s string) string { return s },
	}
	return w
}

func (w *world) close() {
	w.twilio.Close()
	w.org.Close()
}

// config is a configuration for the emulators. The addresses are never dialed:
// the daemon's requests are carried in process.
func (w *world) config() (*config.Config, error) {
	key := "    " + strings.ReplaceAll(strings.TrimSpace(string(w.org.PrivateKeyPEM())), "\n", "\n    ")
	text := fmt.Sprintf(`
twilio:
  account_sid: %s
  api_key_sid: %s
  api_key_secret: %s
  base_url: http://127.0.0.1:1
salesforce:
  login_url: http://127.0.0.1:2
  client_id: %s
  username: %s
  private_key: |
%s
store: sqlite://%s/twiliosf.db
control: %s/c.sock
console: {listen: "127.0.0.1:0"}
%s`, w.twilio.AccountSID, w.twilio.APIKeySID, w.twilio.APIKeySecret,
		salesforcetest.DefaultConsumerKey, salesforcetest.DefaultUsername, key, w.dir, w.dir, w.yaml)
	cfg, err := config.Parse("twiliosf.yaml", []byte(w.edit(text)), nil)
	if err == nil {
		// The org in process answers to its own name only, which no file may hold.
		cfg.Salesforce.LoginURL, cfg.Salesforce.Audience = w.org.URL, w.org.URL
	}
	return cfg, err
}

func (w *world) options() daemon.Options {
	core, logs := observer.New(zapcore.DebugLevel)
	w.logs = logs
	return daemon.Options{
		Load: w.config, Version: "test", Log: zap.New(core), Reload: w.reload, Notify: w.notify, Deaf: true, Engine: w.engine,
		Twilio: w.twilio.Client().Transport, Salesforce: w.org.Client().Transport,
	}
}

// run runs the daemon for the time of a test function.
func (w *world) run(t *testing.T, during func(ctx context.Context, c *daemon.Client)) {
	t.Helper()
	d, err := daemon.New(t.Context(), w.options())
	require.NoError(t, err)
	w.daemon = d
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	defer func() {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, d.Close())
	}()
	during(ctx, d.Client())
}

// records are the org's message records by SID.
func (w *world) records() map[string][]map[string]any {
	all := map[string][]map[string]any{}
	for row := range w.org.Rows(object) {
		sid, _ := row["Message_SID__c"].(string)
		all[sid] = append(all[sid], row)
	}
	return all
}

// requireMirrored compares both emulators: one record a message, and true.
func (w *world) requireMirrored(t *testing.T) {
	t.Helper()
	records := w.records()
	n := 0
	for m := range w.twilio.Messages() {
		n++
		require.Len(t, records[m.SID], 1, "records of %s", m.SID)
		require.Equal(t, m.Status, records[m.SID][0]["Status__c"], "status of %s", m.SID)
	}
	require.Len(t, records, n)
}

func conditionNames(s daemon.Status) []string {
	names := []string{}
	for _, c := range s.Conditions {
		names = append(names, c.Name)
	}
	return names
}

package sandbox_test

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/config"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/twilio"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newSandbox(t testing.TB, o sandbox.Options) *sandbox.Sandbox {
	t.Helper()
	s, err := sandbox.New(o)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// clients are what a daemon makes of the sandbox's own configuration.
func clients(t testing.TB, s *sandbox.Sandbox, tw, sf http.RoundTripper) (*twilio.Account, *records.Messages) {
	t.Helper()
	c := parse(t, s, "/tmp")
	account, err := twilio.New(twilio.Options{
		AccountSID: c.Twilio.AccountSID, APIKeySID: c.Twilio.APIKeySID, APIKeySecret: c.Twilio.APIKeySecret.Reveal(),
		BaseURL: c.Twilio.BaseURL, HTTP: tw,
	})
	require.NoError(t, err)
	org, err := salesforce.New(salesforce.Options{
		LoginURL: c.Salesforce.LoginURL, Audience: c.Salesforce.Audience, HTTP: sf,
		Auth: salesforce.JWT{ClientID: c.Salesforce.ClientID, Username: c.Salesforce.Username, PrivateKey: []byte(c.Salesforce.PrivateKey.Reveal())},
	})
	require.NoError(t, err)
	sink, err := records.New(org, records.Options{})
	require.NoError(t, err)
	return account, sink
}

func parse(t testing.TB, s *sandbox.Sandbox, dir string) *config.Config {
	t.Helper()
	c, err := config.Parse(filepath.Join(dir, "twiliosf.yaml"), []byte(s.ConfigYAML(dir)), nil)
	require.NoError(t, err)
	require.Empty(t, c.Warnings())
	return c
}

// carry copies every message that the account lists, as the mirror's adapters do.
func carry(t testing.TB, account *twilio.Account, sink *records.Messages) {
	t.Helper()
	ctx := context.Background()
	require.NoError(t, account.Walk(ctx, mirror.Window{PageSize: mirror.BatchSize}, func(page []message.Message) (bool, error) {
		batch := make([]mirror.Record, len(page))
		for i := range page {
			batch[i].Message = &page[i]
		}
		outcomes, err := sink.Upsert(ctx, batch)
		for _, refused := range outcomes {
			require.NoError(t, refused)
		}
		return true, err
	}))
}

func TestItsConfigurationIsOneThatTheDaemonTakes(t *testing.T) {
	s := newSandbox(t, sandbox.Options{})
	const dir = `/srv/a "folder" with 100% odd characters`
	c := parse(t, s, dir)
	require.Equal(t, filepath.Join(dir, "twiliosf.db"), c.StorePath())
	require.Equal(t, s.Twilio.URL, c.Twilio.BaseURL)
	require.Equal(t, s.Org.URL, c.Salesforce.LoginURL)
	require.Equal(t, s.Login().Username, c.Salesforce.Username)
	require.Equal(t, 5*time.Second, c.Sync.ActiveEvery)
	require.Equal(t, time.Minute, c.Sync.FullEvery)
	require.Equal(t, "127.0.0.1:0", c.Console.Listen)

	other := newSandbox(t, sandbox.Options{Console: "127.0.0.1:9999", Org: salesforcetest.Options{
		Credentials: salesforcetest.Credentials{Username: "somebody@example.com"},
	}})
	c = parse(t, other, dir)
	require.Equal(t, "127.0.0.1:9999", c.Console.Listen)
	require.Equal(t, "somebody@example.com", c.Salesforce.Username)
	require.Equal(t, salesforcetest.DefaultConsumerKey, c.Salesforce.ClientID)
}

func TestADaemonCanWorkInProcessAndOverTCP(t *testing.T) {
	for name, listen := range map[string]bool{"in process": false, "over TCP": true} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t, sandbox.Options{})
			tw, sf := s.TwilioTransport(), s.OrgTransport()
			if listen {
				require.NoError(t, s.Listen("127.0.0.1:0", "127.0.0.1:0"))
				own := &http.Transport{}
				t.Cleanup(own.CloseIdleConnections)
				tw, sf = own, own
			}
			fill(s)
			account, sink := clients(t, s, tw, sf)
			carry(t, account, sink)
			c := sandbox.Compare(s.Twilio, s.Org)
			require.Empty(t, c.Examples)
			require.True(t, c.Clean())
			require.Equal(t, s.Twilio.Len(), c.Messages)
			require.Equal(t, s.Twilio.Len(), c.Records)
			require.Empty(t, s.Twilio.Unknown())
		})
	}
}

func TestListeningTwiceOnOnePortSaysSo(t *testing.T) {
	one, two := newSandbox(t, sandbox.Options{}), newSandbox(t, sandbox.Options{})
	require.NoError(t, one.Listen("127.0.0.1:0", "127.0.0.1:0"))
	taken := strings.TrimPrefix(one.Org.URL, "http://")
	require.ErrorContains(t, two.Listen("127.0.0.1:0", taken), taken)
}

func TestAClientThatForgetsTheAddressReachesNobody(t *testing.T) {
	s := newSandbox(t, sandbox.Options{})
	for name, transport := range map[string]http.RoundTripper{"twilio": s.TwilioTransport(), "org": s.OrgTransport()} {
		r, err := http.NewRequest(http.MethodGet, "https://login.salesforce.com/services/data/", http.NoBody)
		require.NoError(t, err)
		_, err = transport.RoundTrip(r)
		require.ErrorIs(t, err, sandbox.ErrOutside, name)
	}
}

func TestASchemaThatCannotBeReadIsAnError(t *testing.T) {
	_, err := sandbox.New(sandbox.Options{Org: salesforcetest.Options{Schema: brokenSchema()}})
	require.ErrorContains(t, err, "sandbox:")
}

// One base URL stands for all of Twilio's hosts.
func TestTheSandboxSendsStartsFlowsAndListsSenders(t *testing.T) {
	s := newSandbox(t, sandbox.Options{})
	account, _ := clients(t, s, s.TwilioTransport(), s.OrgTransport())
	all, err := account.Senders(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, all.Numbers)
	require.NotEmpty(t, all.Services)

	m, err := account.Create(t.Context(), message.Outgoing{To: "+14155550199", From: all.Numbers[0].Number, Body: "hello"})
	require.NoError(t, err)
	_, there := s.Twilio.Message(string(m.SID))
	require.True(t, there)

	sid, _, err := account.Execute(t.Context(), twiliotest.DefaultFlowSID, "+14155550199", string(all.Numbers[0].Number), `{"name":"Anna"}`)
	require.NoError(t, err)
	status, err := account.Execution(t.Context(), twiliotest.DefaultFlowSID, sid)
	require.NoError(t, err)
	require.Equal(t, "active", status)
}

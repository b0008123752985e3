package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/config"
)

func TestTheEnvironmentWinsOverTheFile(t *testing.T) {
	t.Parallel()
	cfg := load(t, minimal+"sync: {full_every: 5m}\n",
		"TWILIOSF_SYNC_FULL_EVERY=7m", "TWILIOSF_TWILIO_AUTH_TOKEN=from-env", "TWILIOSF_SALESFORCE_CLIENT_ID=env=key",
		"TWILIOSF_TWILIO_CONCURRENCY=2", "TWILIOSF_SALESFORCE_DAILY_API_SHARE=0.25", "TWILIOSF_STORE=sqlite:///x/y.db",
		"TWILIOSF_SALESFORCE_API_VERSION=63.0", "TWILIOSF_SALESFORCE_OBJECTS={message: {body: B__c}}", "PATH=/bin", "broken")
	require.Equal(t, 7*time.Minute, cfg.Sync.FullEvery)
	require.Equal(t, "from-env", cfg.Twilio.AuthToken.Reveal())
	require.Equal(t, "env=key", cfg.Salesforce.ClientID)
	require.Equal(t, 2, cfg.Twilio.Concurrency)
	require.InDelta(t, 0.25, cfg.Salesforce.DailyAPIShare, 0)
	require.Equal(t, "/x/y.db", cfg.StorePath())
	require.Equal(t, "63.0", cfg.Salesforce.APIVersion)
	require.Equal(t, map[string]string{"body": "B__c"}, cfg.Salesforce.Objects.Message())
	require.Empty(t, cfg.Warnings())
}

func TestTheEnvironmentAloneCanGiveEverything(t *testing.T) {
	t.Parallel()
	cfg := load(t, "# all by environment\n",
		"TWILIOSF_TWILIO_ACCOUNT_SID="+accountSID, "TWILIOSF_TWILIO_API_KEY_SID="+apiKeySID, "TWILIOSF_TWILIO_API_KEY_SECRET="+keySecret,
		"TWILIOSF_SALESFORCE_CLIENT_ID=consumer-key", "TWILIOSF_SALESFORCE_USERNAME=daemon@example.com", "TWILIOSF_SALESFORCE_PRIVATE_KEY="+pkcs8(t, rsaKey()))
	require.Equal(t, keySecret, cfg.Twilio.APIKeySecret.Reveal())
	require.Contains(t, cfg.Salesforce.PrivateKey.Reveal(), "BEGIN PRIVATE KEY")
}

func TestAnEmptyVariableIsNotSet(t *testing.T) {
	t.Parallel()
	cfg := load(t, minimal, "TWILIOSF_TWILIO_AUTH_TOKEN=", "TWILIOSF_DRAIN=")
	require.Equal(t, authToken, cfg.Twilio.AuthToken.Reveal())
	require.Equal(t, 20*time.Second, cfg.Drain)
}

func TestAFaultInTheEnvironmentNamesTheVariable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ variable, want string }{
		"duration":  {"TWILIOSF_SYNC_FULL_EVERY=15", `TWILIOSF_SYNC_FULL_EVERY: sync.full_every: "15" is not a duration; write numbers with units, such as 15m (d, h, m, s)`},
		"number":    {"TWILIOSF_TWILIO_CONCURRENCY=x", `TWILIOSF_TWILIO_CONCURRENCY: twilio.concurrency: "x" is not a whole number; it must be from 1 to 100`},
		"pattern":   {"TWILIOSF_TWILIO_ACCOUNT_SID=x", "TWILIOSF_TWILIO_ACCOUNT_SID: twilio.account_sid: must be AC and 32 lower-case hexadecimal digits"},
		"secret":    {"TWILIOSF_TWILIO_AUTH_TOKEN=hidden\nvalue", "TWILIOSF_TWILIO_AUTH_TOKEN: twilio.auth_token: has more than one line, or a control character; store the value alone, on one line"},
		"rule":      {"TWILIOSF_SYNC_FULL_EVERY=5s", `TWILIOSF_SYNC_FULL_EVERY: sync.full_every: "5s" is out of range; it must be from 1m to 24h`},
		"cross":     {"TWILIOSF_SYNC_ACTIVE_EVERY=30m", "TWILIOSF_SYNC_ACTIVE_EVERY: sync.active_every: 30m is longer than full_every, 15m; it must be at most as long"},
		"file":      {"TWILIOSF_TWILIO_AUTH_TOKEN_FILE=/nowhere/x", "TWILIOSF_TWILIO_AUTH_TOKEN_FILE: twilio.auth_token_file: /nowhere/x does not exist; put the auth token there, or correct the path"},
		"objects":   {"TWILIOSF_SALESFORCE_OBJECTS={message: {bodi: X__c}}", "TWILIOSF_SALESFORCE_OBJECTS: salesforce.objects.message.bodi: unknown key; did you mean body?"},
		"no object": {"TWILIOSF_SALESFORCE_OBJECTS={", "TWILIOSF_SALESFORCE_OBJECTS: salesforce.objects: the value is neither default, managed nor a mapping; write default or managed, or {message: {object: X__c, body: My_Body__c}}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, refusal(t, minimal, c.variable))
		})
	}
}

func TestFaultsOfTheFileComeBeforeThoseOfTheEnvironment(t *testing.T) {
	t.Parallel()
	lines := strings.Split(refusal(t, minimal+"drain: 0s\ncontrol: x\n", "TWILIOSF_LOG_LEVEL=x", "TWILIOSF_LOG_FORMAT=y"), "\n")
	require.Len(t, lines, 4)
	require.Contains(t, lines[0], "drain")
	require.Contains(t, lines[1], "control")
	require.Contains(t, lines[2], "TWILIOSF_LOG_FORMAT")
	require.Contains(t, lines[3], "TWILIOSF_LOG_LEVEL")
}

// Kubernetes sets such variables by itself: they must not keep the daemon down.
func TestAVariableThatSetsNoKeyIsAWarning(t *testing.T) {
	t.Parallel()
	cfg := load(t, minimal, "TWILIOSF_SYNC_FULL_EVRY=5m", "TWILIOSF_SERVICE_PORT=tcp://10.0.0.1:9464")
	require.Equal(t, 15*time.Minute, cfg.Sync.FullEvery)
	require.Equal(t, []string{
		"TWILIOSF_SERVICE_PORT: sets no key",
		"TWILIOSF_SYNC_FULL_EVRY: sets no key; did you mean TWILIOSF_SYNC_FULL_EVERY?",
	}, strings.Split(cfg.Warnings().Error(), "\n"))
	require.Equal(t, config.Faults(nil), load(t, minimal).Warnings())
}

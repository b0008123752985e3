package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/config"
)

func TestWhatIsNotGivenHasItsDefault(t *testing.T) {
	t.Parallel()
	cfg := load(t, minimal)
	require.Equal(t, config.Sync{
		ActiveEvery: 15 * time.Second, FullEvery: 15 * time.Minute, RefreshEvery: time.Hour, DraftsEvery: 15 * time.Second,
		ActiveFor: 10 * time.Minute, Lookback: 72 * time.Hour, Start: 30 * 24 * time.Hour,
	}, cfg.Sync)
	require.Equal(t, 8, cfg.Twilio.Concurrency)
	require.Empty(t, cfg.Twilio.BaseURL)
	require.Equal(t, "64.0", cfg.Salesforce.APIVersion)
	require.InDelta(t, 0.5, cfg.Salesforce.DailyAPIShare, 0)
	require.Equal(t, 8, cfg.Salesforce.Concurrency)
	require.Empty(t, cfg.Salesforce.Objects.Message())
	require.Equal(t, "/var/lib/twiliosf/twiliosf.db", cfg.StorePath())
	require.Equal(t, "/var/lib/twiliosf/control.sock", cfg.ControlPath())
	require.Equal(t, "127.0.0.1:9464", cfg.Console.Listen)
	require.Equal(t, config.Media{Store: config.MediaLink}, cfg.Media)
	require.Equal(t, config.Log{Level: "info", Format: "json"}, cfg.Log)
	require.Equal(t, 20*time.Second, cfg.Drain)
	require.Empty(t, cfg.Warnings())
	require.Equal(t, "https://login.salesforce.com", load(t, jwtText(t)).Salesforce.LoginURL)
}

func jwtText(t *testing.T) string {
	t.Helper()
	key := pkcs8(t, rsaKey())
	return "twilio: {account_sid: " + accountSID + ", auth_token: " + authToken + "}\n" +
		"salesforce:\n  client_id: consumer-key\n  username: daemon@example.com\n  private_key: |\n    " +
		strings.ReplaceAll(strings.TrimSpace(key), "\n", "\n    ") + "\n"
}

func TestEveryKeyIsTakenFromTheFile(t *testing.T) {
	t.Parallel()
	cfg := load(t, `
twilio: {account_sid: `+accountSID+`, api_key_sid: `+apiKeySID+`, api_key_secret: `+keySecret+`, auth_token: `+authToken+`, base_url: "http://127.0.0.1:8401/", concurrency: 3}
salesforce:
  login_url: http://[::1]:8402/
  audience: https://test.salesforce.com
  auth: password
  client_id: consumer-key
  username: daemon@example.com
  password: `+userPassword+`
  security_token: `+loginToken+`
  api_version: "63.0"
  daily_api_share: 1
  concurrency: 2
  objects: {message: {object: X__c, body: My_Body__c, their_number: ns__Other__c}}
sync: {active_every: 5s, full_every: 1m, refresh_every: 5m, drafts_every: 1m, active_for: 1m30s, lookback: 1d12h, start: 1.5d}
store: sqlite:///tmp/a%20b/x.db
media: {store: files}
console: {listen: ":0"}
control: /run/x.sock
log: {level: debug, format: console}
drain: 1s
`)
	require.Equal(t, accountSID, cfg.Twilio.AccountSID)
	require.Equal(t, apiKeySID, cfg.Twilio.APIKeySID)
	require.Equal(t, keySecret, cfg.Twilio.APIKeySecret.Reveal())
	require.Equal(t, authToken, cfg.Twilio.AuthToken.Reveal())
	require.Equal(t, "http://127.0.0.1:8401", cfg.Twilio.BaseURL)
	require.Equal(t, 3, cfg.Twilio.Concurrency)
	sf := cfg.Salesforce
	require.Equal(t, "http://[::1]:8402", sf.LoginURL)
	require.Equal(t, "https://test.salesforce.com", sf.Audience)
	require.Equal(t, config.AuthPassword, sf.Auth)
	require.Equal(t, "daemon@example.com", sf.Username)
	require.Equal(t, userPassword, sf.Password.Reveal())
	require.Equal(t, loginToken, sf.SecurityToken.Reveal())
	require.Equal(t, "63.0", sf.APIVersion)
	require.InDelta(t, 1, sf.DailyAPIShare, 0)
	require.Equal(t, 2, sf.Concurrency)
	require.Equal(t, map[string]string{"object": "X__c", "body": "My_Body__c", "their_number": "ns__Other__c"}, sf.Objects.Message())
	require.Equal(t, config.Sync{
		ActiveEvery: 5 * time.Second, FullEvery: time.Minute, RefreshEvery: 5 * time.Minute, DraftsEvery: time.Minute,
		ActiveFor: 90 * time.Second, Lookback: 36 * time.Hour, Start: 36 * time.Hour,
	}, cfg.Sync)
	require.Equal(t, "/tmp/a b/x.db", cfg.StorePath())
	require.Equal(t, config.Media{Store: config.MediaFiles}, cfg.Media)
	require.Equal(t, "/run/x.sock", cfg.ControlPath())
	require.Equal(t, ":0", cfg.Console.Listen)
	require.Equal(t, config.Log{Level: "debug", Format: "console"}, cfg.Log)
	require.Equal(t, time.Second, cfg.Drain)
}

func TestTheAudienceIsTheLoginURLUnlessGiven(t *testing.T) {
	t.Parallel()
	require.Equal(t, "https://login.salesforce.com", load(t, jwtText(t)).Salesforce.Audience)
}

func TestTwoLoadsOfOneFileAreEqual(t *testing.T) {
	t.Parallel()
	text := jwtText(t) + "  objects: {message: {body: B__c}}\n"
	first := load(t, text)
	require.Equal(t, first, load(t, text))
	require.NotEqual(t, load(t, text), load(t, text+"drain: 5s\n"))
	other := strings.Replace(text, authToken, "another", 1)
	require.NotEqual(t, load(t, text), load(t, other), "a changed secret is a change")
}

func TestACallerCannotChangeTheConfiguration(t *testing.T) {
	t.Parallel()
	cfg := load(t, strings.Replace(minimal, "salesforce:\n", "salesforce:\n  objects: {message: {body: B__c}}\n", 1))
	cfg.Salesforce.Objects.Message()["body"] = "changed"
	require.Equal(t, "B__c", cfg.Salesforce.Objects.Message()["body"])
}

func TestAnchorsAndMergeKeysMayBeUsed(t *testing.T) {
	t.Parallel()
	cfg := load(t, minimal+`
sync: &rhythm
  active_for: &long 30m
  full_every: *long
  <<: {refresh_every: 2h, full_every: 1m}
`)
	require.Equal(t, 30*time.Minute, cfg.Sync.FullEvery, "what stands there wins over what is merged")
	require.Equal(t, 2*time.Hour, cfg.Sync.RefreshEvery)
}

func TestASectionMayBeEmptyAndAFileMayHaveAByteOrderMark(t *testing.T) {
	t.Parallel()
	cfg := load(t, "\ufeff"+strings.TrimLeft(minimal, "\n")+"sync:\n  # full_every: 1m\nlog:\r\n  level: warn\r\n")
	require.Equal(t, 15*time.Minute, cfg.Sync.FullEvery)
	require.Equal(t, "warn", cfg.Log.Level)
}

func TestAFileThatCannotBeReadSaysWhatToDo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	large := write(t, dir, "large.yaml", strings.Repeat("# nothing\n", 1<<20))
	gone := filepath.Join(dir, "gone.yaml")
	for name, c := range map[string]struct{ path, want string }{
		"missing":        {gone, gone + ": does not exist; write one with: twiliosf config init > " + gone},
		"a directory":    {dir, dir + ": is a directory; name the file in it"},
		"ten megabytes":  {large, large + ": is larger than 256 KiB; this is probably another file"},
		"a pipe":         {pipe, pipe + ": is not a regular file; name a file that can be read again at a reload"},
		"none":           {"", "no file is named; name one with --config"},
		"behind a file":  {large + "/x", large + "/x: cannot be read: not a directory"},
		"an endless one": {"/dev/zero", "/dev/zero: is not a regular file; name a file that can be read again at a reload"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(c.path, nil)
			require.EqualError(t, err, c.want)
		})
	}
	_, err := config.Load(gone, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

package sandbox

import (
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// ConfigYAML is a whole configuration of a daemon for this sandbox as it is now
// (after Listen, if it is to listen), with its store in dir, an absolute
// directory that exists. The rhythm is as quick as a configuration may be, so
// that somebody who watches need not wait. It holds the emulators' credentials,
// which open nothing else.
func (s *Sandbox) ConfigYAML(dir string) string {
	store := url.URL{Scheme: "sqlite", Path: filepath.Join(dir, "twiliosf.db")}
	y := &yamlText{}
	y.line(0, "# A configuration for the emulated account and org of the sandbox.")
	y.line(0, "twilio:")
	y.text(1, "account_sid", s.Twilio.AccountSID)
	y.text(1, "api_key_sid", s.Twilio.APIKeySID)
	y.text(1, "api_key_secret", s.Twilio.APIKeySecret)
	y.text(1, "base_url", s.Twilio.URL)
	if s.webhook != "" {
		y.text(1, "auth_token", s.Twilio.AuthToken)
		y.line(1, "webhook:")
		y.text(2, "public_url", s.webhookURL())
		y.text(2, "listen", s.webhook)
	}
	y.line(0, "salesforce:")
	y.text(1, "login_url", s.Org.URL)
	y.text(1, "auth", "jwt")
	y.text(1, "client_id", s.login.ConsumerKey)
	y.text(1, "username", s.login.Username)
	y.block(1, "private_key", string(s.Org.PrivateKeyPEM()))
	y.line(0, "sync:")
	y.line(1, "active_every: 5s")
	y.line(1, "full_every: 1m")
	y.line(1, "refresh_every: 5m")
	y.line(1, "drafts_every: 5s")
	y.line(1, "start: 7d")
	y.text(0, "store", store.String())
	y.line(0, "console:")
	y.text(1, "listen", s.console)
	y.line(0, "log:")
	y.line(1, "level: warn")
	y.line(1, "format: console")
	y.line(0, "drain: 5s")
	return y.String()
}

// yamlText writes the little YAML that is needed here.
type yamlText struct{ strings.Builder }

func (y *yamlText) line(depth int, text string) {
	y.WriteString(strings.Repeat("  ", depth) + text + "\n") //nolint:gosec // a Builder takes everything
}

// text writes a key with its value in double quotes, whose escapes YAML shares
// with Go as far as our values go.
func (y *yamlText) text(depth int, key, value string) {
	y.line(depth, key+": "+strconv.Quote(value))
}

// block writes a value of several lines as it is.
func (y *yamlText) block(depth int, key, value string) {
	y.line(depth, key+": |")
	for line := range strings.Lines(value) {
		y.line(depth+1, strings.TrimSuffix(line, "\n"))
	}
}

package webhook

import (
	"encoding/hex"
	"errors"
	"net/url"
	"regexp"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Options say which calls are Twilio's and who takes them. PublicURL,
// AccountSID, AuthTokens and Inbox are required.
type Options struct {
	// PublicURL is the webhook URL as it is configured at Twilio: what Twilio
	// signs, whatever proxies make of it. A user, a password and a fragment
	// (#rc=3) may stand in it; Twilio does not sign them.
	PublicURL  string
	AccountSID string // AC and 32 hex digits
	// AuthTokens are the account's auth token or, while it is being rotated, the
	// two of them; Twilio signs with the primary one, and never with an API key.
	// https://www.twilio.com/docs/iam/api/authtoken
	AuthTokens []string
	Inbox      Inbox
	// MaxBody bounds a body, and a query, in bytes; 0 means 64 KiB.
	MaxBody int64
	// Log may be nil.
	Log *zap.Logger
	// Registerer takes the metrics; it may be nil.
	Registerer prometheus.Registerer
}

const defaultMaxBody = 64 << 10

// secretText is what Twilio's auth tokens consist of. A line break at the end,
// as of a file, would make every signature wrong.
var secretText = regexp.MustCompile(`^[a-zA-Z0-9]+$`)

// New makes a receiver. Its error names everything that is wrong, without a
// secret in it.
func New(o Options) (*Receiver, error) {
	public, err := parsePublic(o.PublicURL)
	if err := errors.Join(err, o.validate()); err != nil {
		return nil, err
	}
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, err
	}
	rc := &Receiver{
		account: o.AccountSID, path: public.EscapedPath(), signed: newVerifier(public, o.AuthTokens),
		inbox: o.Inbox, maxBody: o.MaxBody, log: o.Log, metrics: m,
	}
	if rc.path == "" {
		rc.path = "/" // what HTTP asks for then
	}
	return rc, nil
}

func (o Options) validate() error {
	var faults []error
	check := func(ok bool, text string) {
		if !ok {
			faults = append(faults, errors.New("webhook: "+text))
		}
	}
	check(validID(o.AccountSID, "AC"), "the account SID must be AC and 32 hex digits")
	check(len(o.AuthTokens) == 1 || len(o.AuthTokens) == 2, "one auth token is needed, or two while it is being rotated")
	for _, token := range o.AuthTokens {
		check(secretText.MatchString(token), "an auth token must consist of letters and digits")
	}
	check(o.Inbox != nil, "an inbox is needed")
	check(o.MaxBody >= 0, "the largest body must not be negative")
	return errors.Join(faults...)
}

func parsePublic(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		// err would repeat a password in it.
		return nil, errors.New("webhook: the public URL must be the whole URL that Twilio calls: https, a host, and a path")
	}
	return u, nil
}

// validID reports whether s is a Twilio id: its kind in two letters and 32 hex
// digits. https://www.twilio.com/docs/glossary/what-is-a-sid
func validID(s, kind string) bool {
	if len(s) != 34 || s[:2] != kind {
		return false
	}
	_, err := hex.DecodeString(s[2:])
	return err == nil
}

package twilio

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/twiliosf/twiliosf/sync/mirror"
)

// Account is one Twilio account. It is safe for concurrent use.
type Account struct {
	sid      string
	user     string
	password string
	byKey    bool     // user is an API key, not the account
	base     *url.URL // nil: Twilio itself
	timeout  time.Duration
	http     *http.Client // for reads
	writes   *http.Client // for what must not happen twice
	gate     *gate
	metrics  *metrics
	calls    atomic.Int64
}

var _ mirror.Source = (*Account)(nil)

// Options say which account and how it is reached. AccountSID and one
// credential are required; where both are given, the API key is used.
type Options struct {
	AccountSID   string // AC and 32 hex digits
	APIKeySID    string // SK and 32 hex digits, with APIKeySecret
	APIKeySecret string
	AuthToken    string
	// BaseURL answers for all of Twilio's hosts (an emulator, a proxy, one
	// regional host); TWILIO_REGION and TWILIO_EDGE then mean nothing. With ""
	// they choose the host, as for every client of Twilio's own.
	// https://www.twilio.com/docs/global-infrastructure/using-the-twilio-rest-api-in-a-non-us-region
	BaseURL string
	// Concurrency is how many requests may be under way at once; 0 means 8.
	Concurrency int
	// Timeout is for one request, until its answer is read; 0 means 30 s.
	Timeout time.Duration
	// HTTP carries the requests; nil is two pools of connections, for reads and for
	// writes. One that does not tell net/http/httptrace what it does makes every
	// write that fails an Uncertain one.
	HTTP http.RoundTripper
	// Registerer takes the metrics; it may be nil.
	Registerer prometheus.Registerer
}

const (
	defaultConcurrency = 8
	defaultTimeout     = 30 * time.Second
)

// secretText is what Twilio's credentials consist of. Its own clients refuse
// others too: a line break would end up in a header.
var secretText = regexp.MustCompile(`^[a-zA-Z0-9]+$`)

// validate reports everything that is wrong, without a secret in it.
func (o Options) validate() error {
	var faults []error
	check := func(ok bool, text string) {
		if !ok {
			faults = append(faults, errors.New("twilio: "+text))
		}
	}
	check(validID(o.AccountSID, "AC"), "the account SID must be AC and 32 hex digits")
	switch {
	case o.APIKeySID != "" || o.APIKeySecret != "":
		check(validID(o.APIKeySID, "SK"), "the API key SID must be SK and 32 hex digits")
		check(secretText.MatchString(o.APIKeySecret), "the API key secret must be there and consist of letters and digits")
	default:
		check(secretText.MatchString(o.AuthToken), "an API key with its secret, or an auth token of letters and digits, is needed")
	}
	if o.BaseURL != "" {
		_, err := parseBase(o.BaseURL)
		check(err == nil, "the base URL must be http or https, a host, and perhaps a path")
	}
	check(o.Concurrency >= 0, "concurrency must not be negative")
	check(o.Timeout >= 0, "the timeout must not be negative")
	return errors.Join(faults...)
}

// New makes an account. It starts nothing and calls nobody: wrong credentials
// show at the first request.
func New(opts Options) (*Account, error) {
	if err := opts.validate(); err != nil {
		return nil, err
	}
	if opts.Concurrency == 0 {
		opts.Concurrency = defaultConcurrency
	}
	if opts.Timeout == 0 {
		opts.Timeout = defaultTimeout
	}
	writes := opts.HTTP
	if opts.HTTP == nil {
		opts.HTTP, writes = newTransport(opts.Concurrency), newWriteTransport(opts.Concurrency)
	}
	m, err := newMetrics(opts.Registerer)
	if err != nil {
		return nil, err
	}
	a := &Account{
		sid: opts.AccountSID, user: opts.APIKeySID, password: opts.APIKeySecret, byKey: opts.APIKeySID != "",
		timeout: opts.Timeout,
		http:    &http.Client{Transport: opts.HTTP, CheckRedirect: noRedirect},
		writes:  &http.Client{Transport: writes, CheckRedirect: noRedirect},
		gate:    newGate(opts.Concurrency, func(allowed int) { m.allowed.Set(float64(allowed)) }),
		metrics: m,
	}
	if !a.byKey {
		a.user, a.password = opts.AccountSID, opts.AuthToken
	}
	if opts.BaseURL != "" {
		a.base, err = parseBase(opts.BaseURL)
	}
	return a, err
}

// Calls is the number of requests made so far, repeated ones included.
func (a *Account) Calls() int64 { return a.calls.Load() }

// newTransport keeps a connection for each request that may be under way; the
// standard one keeps two a host. An HTTP/2 connection that has gone silent (a
// firewall forgot it) is found by a ping; else every request on it would time
// out until the kernel gives it up, a quarter of an hour later.
func newTransport(concurrency int) *http.Transport {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		t = standard.Clone()
	}
	t.MaxIdleConnsPerHost = concurrency
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second}
	return t
}

// noRedirect keeps the credentials with the host they are for.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func parseBase(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("twilio: the base URL is no URL") // err would repeat a password in it
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, errors.New("twilio: the base URL must be http or https, a host, and perhaps a path")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	return u, nil
}

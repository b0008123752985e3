// Package sandbox is the pair of emulated vendors that the demo and the sandbox
// command run: a Twilio account and a Salesforce org with the objects that we
// ship. It also compares what the two hold, independently of the code that
// carries messages from one to the other.
package sandbox

import (
	"errors"
	"fmt"
	"net/http"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// Where the emulators seem to be while they do not listen. A configuration takes
// plain http to this machine only; nothing ever listens at these two ports, so
// what by mistake takes a socket is refused and reaches nobody.
const (
	twilioInProcess = "http://127.0.0.1:1"
	orgInProcess    = "http://127.0.0.1:2"
)

// Options say what is emulated. The zero value is a good pair.
type Options struct {
	// Twilio is the account.
	Twilio twiliotest.Options
	// Org is the org. Its Schema, when nil, is the one in deploy/salesforce. Its
	// Credentials.PublicKey stays nil, or ConfigYAML has no key that fits.
	Org salesforcetest.Options
	// EmptyOrg leaves our objects out: what a Schema is deployed to.
	EmptyOrg bool
	// Console is where a daemon on ConfigYAML serves its metrics and health;
	// empty means a free port of this machine.
	Console string
	// Webhook is where a daemon on ConfigYAML takes the account's calls, host:port;
	// empty means that it takes none. The account calls while its Run runs.
	Webhook string
}

// Sandbox is both emulators.
type Sandbox struct {
	Twilio *twiliotest.Server
	Org    *salesforcetest.Server

	console string
	webhook string
	login   salesforcetest.Credentials
}

// New makes both. Nothing listens before Listen. An error is a schema that cannot
// be read.
func New(o Options) (*Sandbox, error) {
	if o.Org.Schema == nil && !o.EmptyOrg {
		o.Org.Schema = metadata.FS
	}
	if o.Console == "" {
		o.Console = "127.0.0.1:0"
	}
	org, err := salesforcetest.New(o.Org)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	s := &Sandbox{Twilio: twiliotest.NewServer(o.Twilio), Org: org, console: o.Console, webhook: o.Webhook, login: loginOf(o.Org.Credentials)}
	s.Twilio.URL, s.Org.URL = twilioInProcess, orgInProcess
	if o.Webhook != "" {
		s.Twilio.SetWebhook(twiliotest.Webhook{URL: s.webhookURL()})
	}
	return s, nil
}

// webhookURL is what the account calls and signs.
func (s *Sandbox) webhookURL() string { return "http://" + s.webhook + "/twilio" }

// loginOf fills the org's defaults in.
func loginOf(c salesforcetest.Credentials) salesforcetest.Credentials {
	orElse := func(p *string, fallback string) {
		if *p == "" {
			*p = fallback
		}
	}
	orElse(&c.Username, salesforcetest.DefaultUsername)
	orElse(&c.Password, salesforcetest.DefaultPassword)
	orElse(&c.SecurityToken, salesforcetest.DefaultSecurityToken)
	orElse(&c.ConsumerKey, salesforcetest.DefaultConsumerKey)
	orElse(&c.ConsumerSecret, salesforcetest.DefaultConsumerSecret)
	return c
}

// Login is what the org's login endpoints accept.
func (s *Sandbox) Login() salesforcetest.Credentials { return s.login }

// Listen serves both over TCP ("127.0.0.1:0" takes a free port) until Close, and
// sets their URLs. It may be called once, before the first request. After an
// error the sandbox is closed.
func (s *Sandbox) Listen(twilioAddr, orgAddr string) error {
	err := s.Twilio.Listen(twilioAddr)
	if err == nil {
		err = s.Org.Listen(orgAddr)
	}
	if err != nil {
		s.Close()
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

// Close ends both emulators' listeners and requests. What they hold stays
// readable.
func (s *Sandbox) Close() {
	s.Twilio.Close()
	s.Org.Close()
}

// TwilioTransport reaches the account without a socket, at the address in
// ConfigYAML, and so in virtual time as well.
func (s *Sandbox) TwilioTransport() http.RoundTripper {
	return only{s.Twilio.URL, s.Twilio.Client().Transport}
}

// OrgTransport does the same for the org.
func (s *Sandbox) OrgTransport() http.RoundTripper {
	return only{s.Org.URL, s.Org.Client().Transport}
}

// ErrOutside says that a request for another host was stopped.
var ErrOutside = errors.New("sandbox: only the emulated accounts can be reached")

// only lets requests to one address through: a client that forgets base_url must
// not look as if it worked.
type only struct {
	url  string
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (o only) RoundTrip(r *http.Request) (*http.Response, error) {
	if at := r.URL.Scheme + "://" + r.URL.Host; at != o.url {
		if r.Body != nil {
			_ = r.Body.Close() //nolint:errcheck // the contract of a RoundTripper; the request is lost either way
		}
		return nil, fmt.Errorf("%w, not %s", ErrOutside, r.URL.Host)
	}
	return o.next.RoundTrip(r)
}

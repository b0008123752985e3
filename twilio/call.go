package twilio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// apiURL is where the generated services believe the API is.
const apiURL = "https://api.twilio.com"

const (
	maxAnswer  = 64 << 20 // of a good answer: a page of the longest messages has 12 MB
	maxRefusal = 64 << 10 // of a bad one
	maxDrain   = 256 << 10
)

// operation is one thing that is asked of Twilio.
type operation struct {
	name  string // in errors: "twilio list messages"
	label string // in metrics
	first bool   // somebody waits for it: it goes before what may wait
}

// call is one attempt at an operation. It is the client.BaseClient on which
// the vendor's generated services run: cheap to make, and so able to carry the
// context that their own client has no room for.
type call struct {
	account *Account
	op      operation
	ctx     context.Context // the generated services pass none on
	method  string          // of the request, "" before it
	url     *url.URL        // where it went
	body    io.ReadCloser   // of the answer
	wire    wire            // of a write
}

var _ client.BaseClient = (*call)(nil)

// errTimeout says that one request took longer than Options.Timeout.
var errTimeout = errors.New("no answer in time")

// attempt runs one request with a slot and a deadline of its own, and classes
// what comes of it.
func (a *Account) attempt(ctx context.Context, op operation, do func(*call) error) error {
	s, err := a.gate.enter(ctx, op.first)
	if err != nil {
		return fault.New(fault.Transient, op.name, err) // nothing has left
	}
	bounded, cancel := context.WithTimeoutCause(ctx, a.timeout, errTimeout)
	defer cancel()
	c := &call{account: a, op: op, ctx: bounded}
	start := time.Now()
	err = do(c)
	c.close()
	if err != nil {
		err = c.explain(ctx, err)
	}
	f := fault.Of(err) // a sender's full queue is Throttled too, but says nothing of the account
	a.gate.leave(s, f != nil && f.Status == http.StatusTooManyRequests, err == nil)
	a.metrics.observe(op, label(ctx, err), time.Since(start))
	return err
}

// label is what came of a request, for the metrics.
func label(ctx context.Context, err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, mirror.ErrGone):
		return "gone"
	case fault.Stopped(ctx, err):
		return "stopped"
	default:
		return fault.ClassOf(err).String()
	}
}

// SendRequest does what the generated services ask for. Unlike the library's
// own it gives back only answers in the 200s, hands every other out as a fault
// with its body read and closed, and leaves the query as it is.
func (c *call) SendRequest(method, rawURL string, data url.Values, headers map[string]any, body ...byte) (*http.Response, error) {
	req, err := c.request(method, rawURL, data, headers, body)
	if err != nil {
		return nil, err
	}
	c.method, c.url = method, req.URL
	c.account.calls.Add(1)
	via := c.account.http
	if method == http.MethodPost {
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
		via = c.account.writes
		req = c.wire.watch(req, via.Transport)
	}
	resp, err := via.Do(req)
	if err != nil {
		return nil, err
	}
	c.body = resp.Body
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) //nolint:errcheck // a body that cannot be read says as little as one that is no JSON
		return nil, c.refusal(resp, text)
	}
	// The service closes the body after the last brace, and a connection whose
	// answer was not read to its end is lost; close does it better.
	resp.Body = io.NopCloser(io.LimitReader(resp.Body, maxAnswer))
	return resp, nil
}

func (c *call) request(method, rawURL string, data url.Values, headers map[string]any, body []byte) (*http.Request, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fault.New(fault.Permanent, c.op.name, errors.New("the request has no valid URL"))
	}
	c.account.reroute(u)
	var content io.Reader
	switch {
	case method == http.MethodGet || method == http.MethodDelete:
		if len(data) > 0 {
			u.RawQuery = data.Encode()
		}
	case len(body) > 0:
		content = strings.NewReader(string(body))
	default:
		content = strings.NewReader(data.Encode())
	}
	req, err := http.NewRequestWithContext(c.ctx, method, u.String(), content)
	if err != nil {
		return nil, fault.New(fault.Permanent, c.op.name, errors.New("the request cannot be made"))
	}
	for name, value := range headers {
		if content != nil || name != "Content-Type" {
			req.Header.Set(name, fmt.Sprint(value))
		}
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "twiliosf twilio-go/"+client.LibraryVersion)
	req.SetBasicAuth(c.account.user, c.account.password)
	return req, nil
}

// reroute sends a request for one of Twilio's hosts to the base URL. It comes
// after the library has put a region into the host's name, and so undoes that.
func (a *Account) reroute(u *url.URL) {
	if a.base == nil {
		return
	}
	u.Scheme, u.Host = a.base.Scheme, a.base.Host
	if u.RawPath != "" {
		u.RawPath = a.base.EscapedPath() + u.RawPath
	}
	u.Path = a.base.Path + u.Path
}

// close gives the connection back: the rest of the body is read, unless it is
// long, and the body is closed.
func (c *call) close() {
	if c.body == nil {
		return
	}
	_, _ = io.CopyN(io.Discard, c.body, maxDrain) //nolint:errcheck // all that is at stake is the connection
	_ = c.body.Close()                            //nolint:errcheck // as above
}

// AccountSid is the account in the path of requests.
func (c *call) AccountSid() string { return c.account.sid }

// SetTimeout does nothing: Options.Timeout is for every request.
func (c *call) SetTimeout(time.Duration) {}

// SetOauth does nothing: the library's OAuth loses its token under concurrent
// calls, so API keys are used.
func (c *call) SetOauth(client.OAuth) {}

// OAuth is nil: see SetOauth.
func (c *call) OAuth() client.OAuth { return nil }

package salesforce

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/simpleforce/simpleforce"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// Org is one authenticated Salesforce org. It is safe for concurrent use. It
// logs in when the first call needs it.
type Org struct {
	opts   Options
	chain  link
	limits *limits
	login  *sessions
	http   http.RoundTripper
}

// New makes an Org. It starts nothing and calls nobody; its errors are faults
// of opts, all of them at once.
func New(opts Options) (*Org, error) {
	if err := opts.complete(); err != nil {
		return nil, fmt.Errorf("salesforce: %w", err)
	}
	m := newMetrics(opts.Registerer)
	w := newWire(&opts)
	base := &measure{next: w, metrics: m}
	counted := newLimits(base, opts.DailyShare, m)
	login := newSessions(newPace(counted, opts.Concurrency, m), &lobby{link: base, opts: &opts})
	return &Org{opts: opts, chain: &retry{next: login, metrics: m}, limits: counted, login: login, http: w.http}, nil
}

// Close gives up connections that are kept for later calls. Calls under way are
// not disturbed.
func (o *Org) Close() {
	if c, ok := o.http.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// Call is one JSON call.
type Call struct {
	// Op names it in errors and as a metric label: few and fixed, like "upsert".
	Op     string
	Method string
	// Path starts with "/services/", or is taken below /services/data/vXX.0.
	Path string
	// Body is JSON, nil for none.
	Body []byte
	// Repeatable says that making the call twice does what making it once
	// does: reads, and upserts by external id. Only such calls are repeated,
	// and any other may end Uncertain.
	Repeatable bool
}

// Do makes a JSON call and gives the answer's body, which is valid JSON or empty.
func (o *Org) Do(ctx context.Context, c Call) ([]byte, error) {
	return o.send(ctx, c, nil)
}

// send is Do with headers beside the usual ones.
func (o *Org) send(ctx context.Context, c Call, extra http.Header) ([]byte, error) {
	cr := &carrier{ctx: ctx, chain: o.chain, op: c.Op, repeatable: c.Repeatable || c.Method == http.MethodGet, extra: extra, kept: true}
	var body io.Reader
	if c.Body != nil {
		body = bytes.NewReader(c.Body)
	}
	_, err := o.library(cr).ApexREST(c.Method, strings.TrimPrefix(o.path(c.Path), "/"), body)
	return cr.body, cr.result(err)
}

// path completes a path below the API version's root.
func (o *Org) path(p string) string {
	if strings.HasPrefix(p, "/services/") {
		return p
	}
	return "/services/data/v" + o.opts.APIVersion + p
}

// library is a simpleforce client for one call. Session and host are
// placeholders: the session link puts in what is current.
func (o *Org) library(cr *carrier) *simpleforce.Client {
	c := simpleforce.NewClient(placeholderURL, clientName, o.opts.APIVersion)
	c.SetHttpClient(&http.Client{Transport: cr})
	c.SetSidLoc("placeholder", placeholderURL)
	return c
}

const (
	placeholderURL = "https://org.invalid"
	// clientName is how we show up in the org's event monitoring and in
	// changeOrigin of change events.
	clientName = "twiliosf"
)

// op is how operations are named in faults.
func opName(op string) string { return "salesforce " + op }

// unreadable is the fault of an answer that is not what the API promises.
func unreadable(op string, cause error) *fault.Error {
	return &fault.Error{
		Class: fault.Transient, Op: opName(op), Code: CodeUnreadable, Err: cause,
		Hint: "Something between this machine and Salesforce (a proxy, a maintenance page) may have answered instead of the org.",
	}
}

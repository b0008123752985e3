package salesforcetest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// call is one REST call, or one part of a composite call. The org's lock is held
// while it runs.
type call struct {
	s       *Server
	op      Operation
	method  string
	version int
	segs    []string
	query   url.Values
	header  http.Header
	text    string // the whole request body, which errors point into
	body    *node  // parsed body, nil when there is none
	x       *tx
	refuse  []func(record map[string]any) *Refusal
	base    string
}

// sforceHeaders are those of the Sforce- family that the org knows; others are refused.
var sforceHeaders = []string{
	"Sforce-Query-Options", "Sforce-Call-Options", "Sforce-Mru", "Sforce-Auto-Assign", "Sforce-Duplicate-Rule-Header",
}

// process runs a request that no fault stopped.
func (s *Server) process(x *exchange) *reply {
	if !x.route.data {
		return x.route.login(s, x)
	}
	var body *node
	var bad *Error
	if len(x.body) > 0 && x.route.op != OpIngestUpload && x.route.op != OpDeployStart {
		body, bad = x.parse()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settleDeploys()
	flip := s.flip()
	if rep := s.admit(x, flip); rep != nil {
		return rep
	}
	if x.route.fault != nil {
		return errorReply(flip, x.route.fault)
	}
	if bad == nil {
		bad = x.headers()
	}
	if bad != nil {
		return errorReply(flip, bad)
	}
	c := &call{
		s: s, op: x.route.op, method: x.r.Method, version: x.route.version, segs: x.route.segs,
		query: x.r.URL.Query(), header: x.r.Header, text: string(x.body), body: body, x: &tx{s: s},
	}
	for i := range x.faults {
		if x.faults[i].kind == faultRows {
			c.refuse = append(c.refuse, x.faults[i].refuse)
		}
	}
	rep := c.run(x.route.run, flip)
	if x.route.version <= 40 {
		rep.set("Warning", `299 - "This API version is deprecated and will be removed by Summer '28"`)
	}
	return rep
}

// admit checks the session and the daily limit, and counts the call.
func (s *Server) admit(x *exchange, flip bool) *reply {
	if e := s.authenticate(x.r.Header.Get("Authorization")); e != nil {
		return errorReply(flip, e).set("WWW-Authenticate", "Token")
	}
	now := time.Now()
	if s.usage.used(now) >= s.opts.DailyLimit {
		return errorReply(flip, fail(http.StatusForbidden, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
	}
	if x.route.op != OpBatch { // a batch counts its parts
		s.count(now)
	}
	return nil
}

// flip alternates: the order of an error's keys is not fixed in a real org.
func (s *Server) flip() bool {
	s.errorsSent++
	return s.errorsSent%2 == 0
}

func (s *Server) count(now time.Time) {
	s.usage.add(now, 1)
	s.stats.total++
}

// run calls the handler; its own error becomes the error array.
func (c *call) run(h handler, flip bool) *reply {
	c.base = "/services/data/v" + strconv.Itoa(c.version) + ".0"
	rep, e := h(c)
	if e != nil {
		return errorReply(flip, e.placed(c.text))
	}
	return rep
}

func (x *exchange) parse() (*node, *Error) {
	kind, _, _ := strings.Cut(x.r.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "application/json") {
		return nil, fail(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "Content type '"+kind+"' is not supported by this resource. Use application/json")
	}
	return parseJSON(string(x.body))
}

// headers refuses what would silently have no effect.
func (x *exchange) headers() *Error {
	for k := range x.r.Header {
		if strings.HasPrefix(k, "Sforce-") && !slices.Contains(sforceHeaders, k) {
			return fail(400, "INVALID_HEADER", "The header "+k+" is not supported by this emulated org")
		}
	}
	accept := x.r.Header.Get("Accept")
	if x.route.op.results() {
		if accept != "" && !strings.Contains(accept, "*/*") && !strings.Contains(accept, "text/csv") {
			return fail(http.StatusNotAcceptable, "NOT_ACCEPTABLE", "The results of a bulk job are text/csv only")
		}
		return nil
	}
	if accept != "" && !strings.Contains(accept, "*/*") && !strings.Contains(accept, "application/*") && !strings.Contains(accept, "json") {
		return fail(http.StatusNotAcceptable, "NOT_ACCEPTABLE", "This emulated org answers application/json only")
	}
	return nil
}

// only refuses query parameters that the resource does not know.
func (c *call) only(known ...string) *Error {
	for k := range c.query {
		if k != "_HttpMethod" && !slices.Contains(known, k) {
			return fail(400, "ILLEGAL_QUERY_PARAMETER_VALUE", "The query parameter '"+k+"' is not supported by this resource")
		}
	}
	return nil
}

// noBody refuses a body where none belongs.
func (c *call) noBody() *Error {
	if c.body != nil {
		return jsonError("This resource takes no request body")
	}
	return nil
}

// members checks that the body is an object with known keys only.
func (c *call) members(known ...string) *Error {
	if c.body == nil {
		return jsonError("The HTTP entity body is required, but this request has no entity body.")
	}
	if c.body.kind != nodeObject {
		return jsonError("Cannot deserialize request body from " + tokenName(c.body))
	}
	for i := range c.body.kids {
		if !slices.Contains(known, c.body.kids[i].key) {
			return jsonError(`Unrecognized field "` + c.body.kids[i].key + `"`)
		}
	}
	return nil
}

// flag reads an optional boolean of a body.
func flag(n *node, key string) (bool, *Error) {
	v := n.get(key)
	if v == nil || v.kind == nodeNull {
		return false, nil
	}
	if v.kind != nodeBool {
		return false, cannotRead("boolean", v)
	}
	return v.text == "true", nil
}

// object finds the sObject type named in the path.
func (c *call) object(name string) (*object, *Error) {
	o := c.s.schema.object(name)
	if o == nil || o.hidden {
		return nil, notFound()
	}
	return o, nil
}

package twiliotest

import (
	"net"
	"net/http"
	"strings"
)

// Operation names what a request asks for, in the words of Twilio's OpenAPI
// documents where they have one.
type Operation string

// The operations that the account knows.
const (
	ListMessage             Operation = "ListMessage"
	CreateMessage           Operation = "CreateMessage"
	FetchMessage            Operation = "FetchMessage"
	UpdateMessage           Operation = "UpdateMessage"
	DeleteMessage           Operation = "DeleteMessage"
	ListMedia               Operation = "ListMedia"
	FetchMedia              Operation = "FetchMedia"
	DeleteMedia             Operation = "DeleteMedia"
	FetchAccount            Operation = "FetchAccount"
	FetchBalance            Operation = "FetchBalance"
	ListIncomingPhoneNumber Operation = "ListIncomingPhoneNumber"
	// FetchIncomingPhoneNumber and UpdateIncomingPhoneNumber are about where a
	// number's messages are announced; so are the services'.
	FetchIncomingPhoneNumber  Operation = "FetchIncomingPhoneNumber"
	UpdateIncomingPhoneNumber Operation = "UpdateIncomingPhoneNumber"
	ListService               Operation = "ListService"
	FetchService              Operation = "FetchService"
	UpdateService             Operation = "UpdateService"
	// ListPool is any of the four lists of a service's senders.
	ListPool        Operation = "ListPool"
	ListShortCode   Operation = "ListShortCode"
	CreateExecution Operation = "CreateExecution"
	FetchExecution  Operation = "FetchExecution"
	// RedirectMedia is the media resource's address without .json; it leads to
	// MediaContent, the bytes, on another host.
	RedirectMedia Operation = "RedirectMedia"
	MediaContent  Operation = "MediaContent"
	// Unrouted is everything else.
	Unrouted Operation = "Unrouted"
)

// target is where a request leads: to an operation, or to a refusal.
type target struct {
	op      Operation
	path    string
	parent  string // first SID in the path
	message string // SID in the path
	sid     string // of the last resource in the path
	serve   func(*Server, *http.Request, target) reply
	refusal *reply
}

// resource is one path of the API, given by its segments after the account;
// "*" is a SID.
type resource struct {
	segments []string
	methods  map[string]action
}

type action struct {
	op    Operation
	serve func(*Server, *http.Request, target) reply
}

var resources = []resource{
	{nil, map[string]action{"GET": {FetchAccount, (*Server).fetchAccount}}},
	{[]string{"Messages"}, map[string]action{"GET": {ListMessage, (*Server).listMessages}, "POST": {CreateMessage, (*Server).createMessage}}},
	{[]string{"Messages", "*"}, map[string]action{"GET": {FetchMessage, (*Server).fetchMessage}, "POST": {UpdateMessage, (*Server).updateMessage}, "DELETE": {DeleteMessage, (*Server).deleteMessage}}},
	{[]string{"Messages", "*", "Media"}, map[string]action{"GET": {ListMedia, (*Server).listMedia}}},
	{[]string{"Messages", "*", "Media", "*"}, map[string]action{"GET": {FetchMedia, (*Server).fetchMedia}, "DELETE": {DeleteMedia, (*Server).deleteMedia}}},
	{[]string{"IncomingPhoneNumbers"}, map[string]action{"GET": {ListIncomingPhoneNumber, (*Server).listNumbers}}},
	{[]string{"IncomingPhoneNumbers", "*"}, map[string]action{"GET": {FetchIncomingPhoneNumber, (*Server).fetchNumber}, "POST": {UpdateIncomingPhoneNumber, (*Server).updateNumber}}},
	{[]string{"SMS", "ShortCodes"}, map[string]action{"GET": {ListShortCode, (*Server).listShortCodes}}},
	{[]string{"Balance"}, map[string]action{"GET": {FetchBalance, (*Server).fetchBalance}}},
}

// product is one of Twilio's other APIs, which speak nothing but JSON.
type product struct {
	host      string // begins with
	prefix    string
	resources []resource
}

var products = []product{
	{"messaging.", servicePrefix, []resource{
		{nil, map[string]action{"GET": {ListService, (*Server).listServices}}},
		{[]string{"*"}, map[string]action{"GET": {FetchService, (*Server).fetchService}, "POST": {UpdateService, (*Server).updateService}}},
		{[]string{"*", "PhoneNumbers"}, map[string]action{"GET": {ListPool, (*Server).listPool}}},
		{[]string{"*", "ShortCodes"}, map[string]action{"GET": {ListPool, (*Server).listPool}}},
		{[]string{"*", "AlphaSenders"}, map[string]action{"GET": {ListPool, (*Server).listPool}}},
		{[]string{"*", "ChannelSenders"}, map[string]action{"GET": {ListPool, (*Server).listPool}}},
	}},
	{"studio.", flowPrefix, []resource{
		{[]string{"*", "Executions"}, map[string]action{"POST": {CreateExecution, (*Server).createExecution}}},
		{[]string{"*", "Executions", "*"}, map[string]action{"GET": {FetchExecution, (*Server).fetchExecution}}},
	}},
}

const (
	servicePrefix = "/v1/Services"
	flowPrefix    = "/v2/Flows"
	corePrefix    = "/2010-04-01/Accounts/"
	storePrefix   = "/media-store/"
)

func host(r *http.Request) string {
	h := r.Host
	if h == "" {
		h = r.URL.Host
	}
	return h
}

func hostname(r *http.Request) string {
	h := host(r)
	if name, _, err := net.SplitHostPort(h); err == nil {
		return name
	}
	return h
}

// route finds the target by host and path. Of Twilio's product hosts only
// api.twilio.com and those of the products above are built, with their edges
// (api.dublin.ie1.twilio.com). Any other name is all of them.
func (s *Server) route(r *http.Request) target {
	path := r.URL.Path
	t := target{op: Unrouted, path: path}
	name := hostname(r)
	if rest, ok := strings.CutPrefix(path, storePrefix); ok && r.Method == http.MethodGet {
		return target{op: MediaContent, path: path, sid: rest, serve: (*Server).mediaContent}
	}
	twilios := strings.HasSuffix(name, ".twilio.com")
	for _, p := range products {
		if rest, ok := strings.CutPrefix(path, p.prefix); ok && (!twilios || strings.HasPrefix(name, p.host)) {
			return s.routeProduct(r, t, p, rest)
		}
	}
	if twilios && !strings.HasPrefix(name, "api.") {
		return t.refuse(notFound(path))
	}
	rest, ok := strings.CutPrefix(path, corePrefix)
	if !ok {
		return t.refuse(notFound(path))
	}
	rest, isJSON := strings.CutSuffix(rest, ".json")
	segments := strings.Split(rest, "/")
	account, segments := segments[0], segments[1:]
	for _, res := range resources {
		if res.match(segments) {
			return s.aim(r, res, aimed{account, segments, isJSON, path})
		}
	}
	return t.refuse(notFound(path))
}

func (s *Server) routeProduct(r *http.Request, t target, p product, rest string) target {
	segments := strings.Split(rest, "/")[1:]
	for _, res := range p.resources {
		if strings.HasPrefix(rest+"/", "/") && res.match(segments) {
			return s.aim(r, res, aimed{s.AccountSID, segments, true, t.path})
		}
	}
	return t.refuse(notFound(t.path))
}

type aimed struct {
	account  string
	segments []string
	isJSON   bool
	path     string
}

// aim settles method, representation and account of a known path.
func (s *Server) aim(r *http.Request, res resource, a aimed) target {
	t := target{op: Unrouted, path: a.path}
	if n := len(a.segments); n > 0 {
		t.parent, t.sid = a.segments[0], a.segments[n-1]
	}
	if len(a.segments) > 1 {
		t.message = a.segments[1]
	}
	act, ok := res.methods[r.Method]
	if !ok {
		return t.refuse(refusal(http.StatusMethodNotAllowed, 20004, ""))
	}
	t.op, t.serve = act.op, act.serve
	if !a.isJSON {
		if act.op != FetchMedia {
			return t.refuse(refusal(http.StatusNotFound, 20404,
				"The requested resource "+a.path+" was not found: this account speaks JSON only, end the path in .json"))
		}
		t.op, t.serve = RedirectMedia, (*Server).redirectMedia
	}
	if a.account != s.AccountSID {
		return t.refuse(notFound(a.path))
	}
	return t
}

func (t target) refuse(r reply) target {
	t.refusal = &r
	return t
}

func (res resource) match(segments []string) bool {
	if len(segments) != len(res.segments) {
		return false
	}
	for i, want := range res.segments {
		if want != segments[i] && (want != "*" || segments[i] == "") {
			return false
		}
	}
	return true
}

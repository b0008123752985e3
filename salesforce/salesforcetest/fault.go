package salesforcetest

import (
	"math/rand/v2"
	"slices"
	"time"
)

// faultKind says what a fault does to its request.
type faultKind byte

const (
	faultLatency faultKind = iota
	faultReply
	faultResetBefore
	faultResetAfter
	faultTruncated
	faultHang
	faultRows
	faultRevoke
)

// Refusal is why a chosen record is refused, e.g. by a validation rule.
type Refusal struct {
	Code    string // e.g. FIELD_CUSTOM_VALIDATION_EXCEPTION
	Message string
	Fields  []string
}

// Fault is one thing that goes wrong. The functions below make them; On, When,
// Times and Forever shape them. A Fault is a value: shaping returns another.
type Fault struct {
	kind    faultKind
	after   time.Duration
	reply   *reply
	refuse  func(record map[string]any) *Refusal
	ops     []Operation
	when    func(Request) bool
	times   int
	forever bool
}

// Latency lets the request wait, then serves it. The wait ends with the request's context.
func Latency(d time.Duration) Fault { return Fault{kind: faultLatency, after: d, times: 1} }

// ResetBefore cuts the connection before the request is processed.
func ResetBefore() Fault { return Fault{kind: faultResetBefore, times: 1} }

// ResetAfter processes the request and cuts the connection instead of answering.
func ResetAfter() Fault { return Fault{kind: faultResetAfter, times: 1} }

// TruncatedJSON processes the request and sends the first half of the answer
// only, although the headers promise all of it.
func TruncatedJSON() Fault { return Fault{kind: faultTruncated, times: 1} }

// Hang never answers; it ends with the request's context.
func Hang() Fault { return Fault{kind: faultHang, times: 1} }

// RevokedSessions ends all sessions just before the request is looked at.
func RevokedSessions() Fault { return Fault{kind: faultRevoke, times: 1} }

// Answer replies with any status, content type and body, without processing.
func Answer(status int, contentType, body string) Fault {
	r := &reply{status: status, body: []byte(body)}
	r.set("Content-Type", contentType)
	return Fault{kind: faultReply, reply: r, times: 1}
}

func answerError(status int, code, message string) Fault {
	return Fault{kind: faultReply, reply: errorReply(false, fail(status, code, message)), times: 1}
}

// ServerUnavailable is the 503 of a busy server, as JSON.
func ServerUnavailable() Fault {
	return answerError(503, "SERVER_UNAVAILABLE", "Server busy, please try again later")
}

// MaintenancePage is the 503 that the edge answers with, as HTML.
func MaintenancePage() Fault {
	return Answer(503, "text/html;charset=UTF-8", "<html><head><title>Maintenance</title></head><body><h1>We are down for maintenance.</h1><p>Sorry for the inconvenience. We'll be back shortly.</p></body></html>")
}

// UnknownException is the 500 of an internal error.
func UnknownException() Fault {
	return answerError(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support: 12345-67890 (1234567890)")
}

// Garbage is a 200 that holds HTML, as a proxy in between answers.
func Garbage() Fault {
	return Answer(200, "text/html;charset=UTF-8", "<html><body>It works!</body></html>")
}

// DailyLimit is the 403 of an org whose calls are used up.
func DailyLimit() Fault {
	return answerError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
}

// ConcurrentLimit is the same code for another cause: too many long calls at once.
func ConcurrentLimit() Fault {
	return answerError(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
}

const lockText = "unable to obtain exclusive access to this record or 1 records"

// Lock refuses a whole call with UNABLE_TO_LOCK_ROW.
func Lock() Fault { return answerError(400, "UNABLE_TO_LOCK_ROW", lockText) }

// LockRows refuses the rows that choose picks with UNABLE_TO_LOCK_ROW; nil picks
// all rows of the call. choose gets a row as it was sent, with Id when known.
func LockRows(choose func(record map[string]any) bool) Fault {
	return Refuse(func(record map[string]any) *Refusal {
		if choose != nil && !choose(record) {
			return nil
		}
		message := lockText
		if id, known := record["Id"].(string); known {
			message += ": " + id
		}
		return &Refusal{Code: "UNABLE_TO_LOCK_ROW", Message: message}
	})
}

// Refuse refuses the rows for which choose returns a reason, as validation rules
// and triggers do. Give it Forever to make a rule of it. choose runs inside the
// org's transaction and must not call the Server.
func Refuse(choose func(record map[string]any) *Refusal) Fault {
	return Fault{kind: faultRows, refuse: choose, times: 1}
}

// On restricts a fault to operations. Without On, a fault meets every request but
// logins, and a fault of rows every write.
func (f Fault) On(ops ...Operation) Fault {
	f.ops = ops
	return f
}

// When restricts a fault to requests that match.
func (f Fault) When(match func(Request) bool) Fault {
	f.when = match
	return f
}

// Times lets a fault happen to n matching requests. The default is 1.
func (f Fault) Times(n int) Fault {
	f.times = n
	return f
}

// Forever lets a fault happen until ClearFaults. Faults that follow it in the
// script and match the same request still come, after it.
func (f Fault) Forever() Fault {
	f.forever = true
	return f
}

func (f Fault) matches(r Request) bool {
	if f.when != nil && !f.when(r) {
		return false
	}
	if r.Operation == OpIngestRun && f.kind != faultRows || f.kind == faultRows && !r.Operation.writes() {
		return false
	}
	if len(f.ops) == 0 {
		return !r.Operation.login()
	}
	return slices.Contains(f.ops, r.Operation)
}

// faultPlan is what is still to go wrong.
type faultPlan struct {
	script []Fault
	chance []chanced
	random *rand.Rand
}

type chanced struct {
	fault Fault
	p     float64
}

// take returns the faults of one request: all standing ones that match, the
// first of the others, and what chance adds.
func (p *faultPlan) take(r Request) []Fault {
	var out []Fault
	used := false
	kept := p.script[:0]
	for _, f := range p.script {
		switch {
		case !f.matches(r):
		case f.forever:
			out = append(out, f)
		case !used:
			used = true
			out = append(out, f)
			f.times--
		}
		if f.forever || f.times > 0 {
			kept = append(kept, f)
		}
	}
	p.script = kept
	for i := range p.chance {
		if p.chance[i].fault.matches(r) && p.random.Float64() < p.chance[i].p {
			out = append(out, p.chance[i].fault)
		}
	}
	return out
}

// Script adds faults that happen in order: each request meets the first that matches it.
func (s *Server) Script(faults ...Fault) {
	s.faultMu.Lock()
	defer s.faultMu.Unlock()
	s.faults.script = append(s.faults.script, faults...)
}

// Chance makes a fault happen with probability p (0 to 1) to each request it
// matches, until ClearFaults.
func (s *Server) Chance(p float64, f Fault) {
	s.faultMu.Lock()
	defer s.faultMu.Unlock()
	s.faults.chance = append(s.faults.chance, chanced{f, p})
}

// ClearFaults ends all scripted and random faults.
func (s *Server) ClearFaults() {
	s.faultMu.Lock()
	defer s.faultMu.Unlock()
	s.faults.script, s.faults.chance = nil, nil
}

// Pending is how many scripted faults have not happened yet, standing ones left out.
func (s *Server) Pending() int {
	s.faultMu.Lock()
	defer s.faultMu.Unlock()
	n := 0
	for _, f := range s.faults.script {
		if !f.forever {
			n += f.times
		}
	}
	return n
}

// OnRequest installs a hook that sees every request once its body was read and
// before it is processed, in the request's goroutine. Nil removes it.
func (s *Server) OnRequest(hook func(Request)) {
	s.faultMu.Lock()
	defer s.faultMu.Unlock()
	s.onReq = hook
}

package twiliotest

import (
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"syscall"
	"time"
)

// Fault is one thing that goes wrong. Make it with one of the functions below,
// then narrow it with On, Times and Processed:
//
//	srv.Script(twiliotest.ResetAfter().On(twiliotest.CreateMessage), twiliotest.Throttle(3))
type Fault struct {
	wait      time.Duration
	hang      bool
	answer    func(*Server) reply // in place of the account's own
	spoil     func(reply) reply   // of the account's own
	processed bool                // answer only after the account has acted
	ops       []Operation
	times     int
}

// Chance is a fault that strikes a matching request with a probability of P,
// drawn from Options.Seed. The chances of one request add up to 1 at most.
type Chance struct {
	P     float64
	Fault Fault
}

// On limits the fault to requests of these operations.
func (f Fault) On(ops ...Operation) Fault {
	f.ops = ops
	return f
}

// Times makes the fault strike n requests; 1 is the default.
func (f Fault) Times(n int) Fault {
	f.times = n
	return f
}

// Processed lets the account act on the request before the fault's answer
// takes the place of its own: the message is sent, its SID is never told.
func (f Fault) Processed() Fault {
	f.processed = true
	return f
}

// After delays the fault by d.
func (f Fault) After(d time.Duration) Fault {
	f.wait += d
	return f
}

// Latency delays an answer by d; the request's context ends the wait.
func Latency(d time.Duration) Fault { return Fault{wait: d} }

// Hang never answers; it ends with the request's context or the server.
func Hang() Fault { return Fault{hang: true} }

// Throttle answers 429/20429 to n requests, unprocessed:
// https://www.twilio.com/docs/api/errors/20429
func Throttle(n int) Fault {
	return Fault{answer: (*Server).tooMany}.Times(n)
}

// Refuse answers with Twilio's error body, unprocessed; message "" means the
// code's usual text.
func Refuse(status, code int, message string) Fault {
	return Fault{answer: func(*Server) reply { return refusal(status, code, message) }}
}

// InternalError answers 500/20500.
func InternalError() Fault { return Refuse(http.StatusInternalServerError, 20500, "") }

// Unavailable answers 503/20503.
func Unavailable() Fault { return Refuse(http.StatusServiceUnavailable, 20503, "") }

// Revoked answers 401/20003, as after the credentials were revoked.
func Revoked() Fault { return Fault{answer: func(*Server) reply { return unauthorized() }} }

// Suspended answers 401/20005, as for an account that is not active.
func Suspended() Fault { return Refuse(http.StatusUnauthorized, 20005, "") }

// HTML answers with the status and a proxy's page of HTML.
func HTML(status int) Fault { return Fault{answer: func(*Server) reply { return htmlPage(status) }} }

// Garbage answers 200 with HTML where JSON belongs.
func Garbage() Fault { return HTML(http.StatusOK) }

// ResetBefore resets the connection before the account has acted.
func ResetBefore() Fault {
	return Fault{answer: func(*Server) reply { return reply{cut: noAnswer} }}
}

// ResetAfter resets the connection after the account has acted.
func ResetAfter() Fault { return ResetBefore().Processed() }

// Unreachable refuses the connection: nothing of the request left. Over a listener,
// which must accept it first, it is a ResetBefore.
func Unreachable() Fault {
	return Fault{answer: func(*Server) reply { return reply{cut: noAnswer, err: errRefused} }}
}

// errRefused is what a client in the same process sees of it.
var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}

// TruncatedJSON gives an answer that is whole for HTTP, with half its JSON.
func TruncatedJSON() Fault {
	return Fault{spoil: func(r reply) reply {
		r.body = r.body[:len(r.body)/2]
		return r
	}}
}

// CutBody breaks the connection in the middle of the answer's body.
func CutBody() Fault {
	return Fault{spoil: func(r reply) reply {
		r.cut = halfAway
		return r
	}}
}

func htmlPage(status int) reply {
	const page = "<html><head><title>Gateway</title></head><body><h1>The page cannot be displayed</h1></body></html>\n"
	return reply{status: status, header: http.Header{"Content-Type": {"text/html"}}, body: []byte(page)}
}

// tooMany is the answer to a request above the concurrency limit.
func (s *Server) tooMany() reply {
	r := refusal(http.StatusTooManyRequests, 20429, "")
	if s.opts.Switches.RetryAfter {
		r.header.Set("Retry-After", "1")
	}
	return r
}

func (f Fault) matches(op Operation) bool {
	if slices.Contains(f.ops, op) {
		return true
	}
	return len(f.ops) == 0
}

// faults are what is scripted and what may strike.
type faults struct {
	script  []Fault
	weather []Chance
	rng     *rand.Rand
}

// next takes the first scripted fault that matches, or else what the weather
// brings; the zero Fault is none.
func (f *faults) next(op Operation) Fault {
	for i, fault := range f.script {
		if !fault.matches(op) {
			continue
		}
		f.script[i].times--
		if f.script[i].times <= 0 {
			f.script = append(f.script[:i:i], f.script[i+1:]...)
		}
		return fault
	}
	if len(f.weather) == 0 {
		return Fault{}
	}
	// One draw for all: a second chance of 30 % is not one of 21 %.
	draw := f.rng.Float64()
	for _, c := range f.weather {
		if !c.Fault.matches(op) {
			continue
		}
		if draw -= c.P; draw < 0 {
			return c.Fault
		}
	}
	return Fault{}
}

// Script appends faults. Each request takes the first that matches it, as
// often as its Times; scripted ones go before the weather.
func (s *Server) Script(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.script = append(s.faults.script, faults...)
}

// Scripted is how many scripted faults have not struck to the end.
func (s *Server) Scripted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.faults.script)
}

// SetWeather replaces the faults that strike by chance.
func (s *Server) SetWeather(weather ...Chance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.weather = weather
}

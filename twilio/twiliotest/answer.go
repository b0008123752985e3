package twiliotest

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// visit is a request that has been let in.
type visit struct {
	fault  Fault
	busy   int // requests under way, this one included
	number int // of this request
}

// answer takes one request from the door to the reply: route, count, trouble,
// credentials, hooks, the account itself, headers.
func (s *Server) answer(r *http.Request) reply {
	t := s.route(r)
	v, open := s.enter(t.op)
	if !open {
		return reply{cut: abandoned, err: errClosed}
	}
	defer s.leave()
	began := s.opts.Now()
	rep := s.troubled(r, t, v)
	s.counts.answered(&s.mu, rep)
	if rep.cut == abandoned || rep.cut == noAnswer {
		return rep
	}
	rep.header.Set("Date", began.UTC().Format(http.TimeFormat))
	rep.header.Set("Twilio-Concurrent-Requests", strconv.Itoa(v.busy))
	rep.header.Set("Twilio-Request-Duration", strconv.FormatFloat(s.opts.Now().Sub(began).Seconds(), 'f', 3, 64))
	rep.header.Set("Twilio-Request-Id", maker{s.opts.Seed + 1}.digits(uint64(v.number)).sid("RQ"))
	return rep
}

// enter counts a request in and draws its fault. It is not open after Close.
func (s *Server) enter(op Operation) (v visit, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done:
		return visit{}, false
	default:
	}
	s.active.Add(1)
	s.busy++
	s.counts.arrived(op)
	return visit{fault: s.faults.next(op), busy: s.busy, number: s.counts.calls.Total}, true
}

func (s *Server) leave() {
	s.mu.Lock()
	s.busy--
	s.mu.Unlock()
	s.active.Done()
}

// troubled answers under a fault.
func (s *Server) troubled(r *http.Request, t target, v visit) reply {
	if limit := s.limit(); limit > 0 && v.busy > limit {
		return s.tooMany()
	}
	f := v.fault
	if rep, ok := s.pause(r, f); !ok {
		return rep
	}
	if f.answer != nil && !f.processed {
		return f.answer(s)
	}
	rep := s.serve(r, t)
	switch {
	case f.answer != nil:
		return f.answer(s)
	case f.spoil != nil:
		return f.spoil(rep)
	default:
		return rep
	}
}

// pause waits out the latency. It is not ok when nobody waits any more.
func (s *Server) pause(r *http.Request, f Fault) (reply, bool) {
	wait := f.wait + s.latency()
	if wait <= 0 && !f.hang {
		return reply{}, true
	}
	var over <-chan time.Time
	if !f.hang {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-over:
		return reply{}, true
	case <-r.Context().Done():
		return reply{cut: abandoned, err: r.Context().Err()}, false
	case <-s.done:
		return reply{cut: abandoned, err: errClosed}, false
	}
}

// serve is the account without trouble.
func (s *Server) serve(r *http.Request, t target) reply {
	if t.op != MediaContent && !s.authentic(r) {
		return unauthorized()
	}
	s.mu.Lock()
	hooks := s.hooks
	s.mu.Unlock()
	for _, hook := range hooks {
		hook(r)
	}
	if t.refusal != nil {
		return *t.refusal
	}
	return t.serve(s, r, t)
}

// authentic checks HTTP Basic credentials: the account's, or the API key's.
func (s *Server) authentic(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	if !ok {
		return false
	}
	return same(user, s.AccountSID) && same(password, s.AuthToken) ||
		same(user, s.APIKeySID) && same(password, s.APIKeySecret)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (s *Server) limit() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts.Concurrency
}

func (s *Server) latency() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts.Latency
}

// SetConcurrency changes Options.Concurrency.
func (s *Server) SetConcurrency(limit int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Concurrency = limit
}

// SetLatency changes Options.Latency for requests from now on.
func (s *Server) SetLatency(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Latency = d
}

// OnRequest adds a hook that is called for every authenticated request just
// before the account answers it, in the request's goroutine and without a
// lock: it may receive messages, or change them, while a walk is under way.
func (s *Server) OnRequest(hook func(*http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = append(slices.Clip(s.hooks), hook)
}

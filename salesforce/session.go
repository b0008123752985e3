package salesforce

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"

	"github.com/twiliosf/twiliosf/sync/fault"
)

const (
	firstHold   = 15 * time.Second
	longestHold = 15 * time.Minute
)

// session is one login's outcome.
type session struct {
	token    string
	instance string // scheme and host of the org
	// proven: an exchange has been answered under it. A new session that is
	// refused is not cured by a newer one.
	proven atomic.Bool
}

// sessions attaches the current token, and logs in when there is none or it has
// ended: once for all callers. A login that is refused, and a new session that
// is refused, are remembered, so that a wrong set-up costs one attempt in 15 s
// to 15 min instead of one a call, which could lock the user out.
type sessions struct {
	next   link
	lobby  *lobby
	flight singleflight.Group

	mu      sync.Mutex
	current *session
	refusal *fault.Error
	until   time.Time
	refused int                // in a row
	waiting int                // callers who wait for a login
	abandon context.CancelFunc // ends the login that is under way
}

func newSessions(next link, l *lobby) *sessions {
	return &sessions{next: next, lobby: l}
}

func (s *sessions) exchange(ctx context.Context, r *request) (*answer, error) {
	cur, err := s.get(ctx, nil)
	if err != nil {
		return nil, renamed(err, r)
	}
	a, err := s.under(ctx, cur, r)
	if !sessionEnded(err) {
		return a, err
	}
	if s.isCurrent(cur) && !cur.proven.Load() {
		return a, s.reject(cur, err)
	}
	if cur, err = s.get(ctx, cur); err != nil {
		return nil, renamed(err, r)
	}
	a, err = s.under(ctx, cur, r)
	if sessionEnded(err) {
		err = s.reject(cur, err)
	}
	return a, err
}

// under makes the exchange with one session.
func (s *sessions) under(ctx context.Context, cur *session, r *request) (*answer, error) {
	withToken := *r
	withToken.host, withToken.token = cur.instance, cur.token
	a, err := s.next.exchange(ctx, &withToken)
	if a != nil && !sessionEnded(err) && !cur.proven.Swap(true) {
		s.mu.Lock()
		s.refused = 0
		s.mu.Unlock()
	}
	return a, err
}

// sessionEnded is true for 401 and for the code wherever else it stands.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
func sessionEnded(err error) bool {
	f := fault.Of(err)
	return f != nil && (f.Status == http.StatusUnauthorized || f.Code == CodeInvalidSession)
}

// get gives a session that is not ended, logging in if it must. Callers who
// come while a login is under way wait for that one; one who gives up does not
// take it away from the others, and the last one who does ends it.
func (s *sessions) get(ctx context.Context, ended *session) (*session, error) {
	if cur, err := s.known(ended); cur != nil || err != nil {
		return cur, err
	}
	s.wait(1)
	defer s.wait(-1)
	done := s.flight.DoChan("login", func() (any, error) {
		if cur, err := s.known(ended); cur != nil || err != nil {
			return cur, err
		}
		return s.logIn(s.awaited(ctx))
	})
	select {
	case <-ctx.Done():
		return nil, fault.New(fault.Transient, opName("login"), context.Cause(ctx))
	case r := <-done:
		cur, _ := r.Val.(*session) //nolint:errcheck // nil where the login failed
		return cur, r.Err
	}
}

// wait counts who waits for a login. When nobody does any more, because all of
// them are stopping, a login that hangs must not outlive them.
func (s *sessions) wait(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting += n; s.waiting == 0 && s.abandon != nil {
		s.abandon()
		s.abandon = nil
	}
}

// awaited is a context that lasts for as long as anybody waits for a login.
func (s *sessions) awaited(ctx context.Context) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if s.abandon = cancel; s.waiting == 0 {
		cancel()
	}
	return ctx
}

// known is the current session unless it is the ended one, or the refusal that
// still holds, or neither.
func (s *sessions) known(ended *session) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil && s.current != ended {
		return s.current, nil
	}
	if left := time.Until(s.until); s.refusal != nil && left > 0 {
		f := *s.refusal
		f.After = left
		return nil, &f
	}
	return nil, nil //nolint:nilnil // nothing is known: the caller logs in
}

// logIn runs in the single flight.
func (s *sessions) logIn(ctx context.Context) (*session, error) {
	cur, err := s.lobby.opts.Auth.login(ctx, s.lobby)
	s.mu.Lock()
	defer s.mu.Unlock()
	log := s.lobby.opts.Logger
	if err != nil {
		s.current = nil
		f := fault.Of(err)
		if f != nil && (f.Class == fault.Auth || f.Class == fault.Throttled) {
			s.hold(f)
		}
		return nil, err
	}
	if s.refusal != nil || s.current == nil {
		log.Info("logged in to Salesforce", zap.String("instance", cur.instance))
	}
	s.current, s.refusal = cur, nil
	return cur, nil
}

// hold remembers a refusal. The caller holds the lock.
func (s *sessions) hold(f *fault.Error) {
	if s.refusal == nil {
		s.lobby.opts.Logger.Warn("Salesforce refuses the login", zap.String("code", f.Code), zap.String("hint", f.Hint))
	}
	wait := min(firstHold<<min(s.refused, 10), longestHold)
	s.refused++
	s.refusal, s.until = f, time.Now().Add(max(wait, f.After))
}

// reject remembers that a new session is refused as well, once a session.
func (s *sessions) reject(cur *session, err error) error {
	f := *fault.Of(err)
	f.Class, f.Hint = fault.Auth, sessionHint(f.Err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == cur {
		s.current = nil
		s.hold(&f)
	}
	return &f
}

func (s *sessions) isCurrent(cur *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current == cur
}

// renamed says which call failed because of the login.
func renamed(err error, r *request) error {
	f := *fault.Of(err)
	if f.Op == opName("login") {
		f.Op = opName(r.op) + ": login"
	}
	return &f
}

package salesforcetest

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// session is one access token.
type session struct {
	opened, used time.Time
}

// open makes a session. The lock must be held.
func (s *Server) open() (token string, at time.Time) {
	var secret [48]byte
	_, _ = rand.Read(secret[:]) // never fails, by its documentation
	token = s.orgID()[:15] + "!" + base64.RawURLEncoding.EncodeToString(secret[:])
	at = time.Now()
	s.sessions[token] = &session{opened: at, used: at}
	s.stats.logins++
	return token, at
}

// alive tells whether a token is good now. The lock must be held.
func (s *Server) alive(token string) *session {
	found := s.sessions[token]
	if found == nil {
		return nil
	}
	if time.Since(found.used) >= s.opts.SessionTTL {
		delete(s.sessions, token)
		return nil
	}
	return found
}

// authenticate checks an Authorization header and prolongs its session.
func (s *Server) authenticate(header string) *Error {
	scheme, token, _ := strings.Cut(header, " ")
	if header != "" && !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "OAuth") {
		return fail(http.StatusUnauthorized, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
	}
	found := s.alive(token)
	if found == nil {
		return fail(http.StatusUnauthorized, "INVALID_SESSION_ID", "Session expired or invalid")
	}
	if s.sick != "" {
		return fail(http.StatusUnauthorized, "INVALID_SESSION_ID", s.sick)
	}
	found.used = time.Now()
	return nil
}

// RevokeSessions ends all sessions; the next call with any of them answers 401.
func (s *Server) RevokeSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.sessions)
}

// RefuseSessions makes every call answer 401 INVALID_SESSION_ID with a message
// although logins succeed, which no new token cures. An empty message ends it. A
// real one is "This session is not valid for use with the REST API".
func (s *Server) RefuseSessions(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sick = message
}

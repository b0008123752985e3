package salesforcetest

import (
	"net/http"
	"strconv"
	"strings"
)

func (s *Server) identityURL() string { return s.URL + "/id/" + s.orgID() + "/" + s.userID() }

// versions serves GET /services/data/, which needs no session.
func (s *Server) versions(x *exchange) *reply {
	if x.r.Method != http.MethodGet {
		return errorReply(false, methodNotAllowed(x.r.Method, "GET", "HEAD"))
	}
	if len(x.r.URL.Query()) > 0 {
		return errorReply(false, fail(400, "ILLEGAL_QUERY_PARAMETER_VALUE", "This resource takes no query parameters"))
	}
	b := []byte{'['}
	for v := oldestVersion; v <= newestVersion; v++ {
		if v > oldestVersion {
			b = append(b, ',')
		}
		k := v - oldestVersion // three releases a year, v31 was Summer '14
		season, year := [...]string{"Summer", "Winter", "Spring"}[k%3], 14+(k+2)/3
		n := strconv.Itoa(v) + ".0"
		b = append(b, '{')
		b = appendPair(b, "label", season+" '"+strconv.Itoa(year))
		b = append(b, ',')
		b = appendPair(b, "url", "/services/data/v"+n)
		b = append(b, ',')
		b = appendPair(b, "version", n)
		b = append(b, '}')
	}
	return ok(append(b, ']'))
}

// introspect serves POST /services/oauth2/introspect.
func (s *Server) introspect(x *exchange) *reply {
	vals, bad := form(x)
	if bad == nil {
		bad = s.client(x, vals)
	}
	if bad != nil {
		return bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.alive(vals.Get("token"))
	if found == nil {
		return ok([]byte(`{"active":false}`))
	}
	b := []byte(`{"active":true`)
	for _, kv := range [][2]string{
		{"scope", "api"}, {"client_id", s.opts.Credentials.ConsumerKey}, {"username", s.opts.Credentials.Username},
		{"sub", s.identityURL()}, {"token_type", "access_token"},
	} {
		b = append(b, ',')
		b = appendPair(b, kv[0], kv[1])
	}
	for _, kv := range []struct {
		key string
		at  int64
	}{{"exp", found.used.Add(s.opts.SessionTTL).Unix()}, {"iat", found.used.Unix()}, {"nbf", found.used.Unix()}} {
		b = append(b, ',')
		b = appendString(b, kv.key)
		b = append(b, ':')
		b = strconv.AppendInt(b, kv.at, 10)
	}
	return ok(append(b, '}'))
}

// revoke serves /services/oauth2/revoke: 200 without a body.
func (s *Server) revoke(x *exchange) *reply {
	token := x.r.URL.Query().Get("token")
	if x.r.Method == http.MethodPost {
		vals, bad := form(x)
		if bad != nil {
			return bad
		}
		token = vals.Get("token")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.alive(token) == nil {
		return oauthError("unsupported_token_type", "this token type is not supported")
	}
	delete(s.sessions, token)
	return ok(nil)
}

// admitPlain checks the session of the identity endpoints, which answer 403 and
// plain text, and which also take the token as a parameter.
// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_openid.htm
func (s *Server) admitPlain(x *exchange) *reply {
	if x.r.Method != http.MethodGet && x.r.Method != http.MethodPost {
		return errorReply(false, methodNotAllowed(x.r.Method, "GET", "POST"))
	}
	query := x.r.URL.Query()
	for k, v := range query {
		if k != "oauth_token" && k != "access_token" && (k != "format" || v[0] != "json") {
			return errorReply(false, fail(400, "ILLEGAL_QUERY_PARAMETER_VALUE", "The query parameter '"+k+"' is not supported by this resource"))
		}
	}
	header := x.r.Header.Get("Authorization")
	if token := query.Get("oauth_token") + query.Get("access_token"); header == "" {
		header = "Bearer " + token
	}
	if s.authenticate(header) == nil {
		return nil
	}
	return (&reply{status: http.StatusForbidden, body: []byte("Bad_OAuth_Token")}).set("Content-Type", htmlType)
}

// identity serves GET /id/{org}/{user}.
func (s *Server) identity(x *exchange) *reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bad := s.admitPlain(x); bad != nil {
		return bad
	}
	part := strings.Split(strings.Trim(x.r.URL.Path, "/"), "/")
	if len(part) != 3 || part[1] != s.orgID() || part[2] != s.userID() {
		return errorReply(false, notFound())
	}
	b := s.appendPerson(nil)
	b = append(b[:len(b)-1], `,"mobile_phone":null,"mobile_phone_verified":false,"status":{"created_date":null,"body":null},"urls":{`...)
	for i, name := range []string{"enterprise", "metadata", "partner"} {
		if i > 0 {
			b = append(b, ',')
		}
		kind := []string{"c", "m", "u"}[i]
		b = appendPair(b, name, s.URL+"/services/Soap/"+kind+"/{version}/"+s.orgID()[:15])
	}
	for _, kv := range [][2]string{{"rest", ""}, {"sobjects", "sobjects/"}, {"query", "query/"}} {
		b = append(b, ',')
		b = appendPair(b, kv[0], s.URL+"/services/data/v{version}/"+kv[1])
	}
	b = append(b, `},"active":true,"user_type":"STANDARD","language":"en_US","locale":"en_US","utcOffset":0,"is_app_installed":true}`...)
	return ok(b)
}

// userinfo serves GET /services/oauth2/userinfo.
func (s *Server) userinfo(x *exchange) *reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bad := s.admitPlain(x); bad != nil {
		return bad
	}
	b := s.appendPerson(nil)
	b = append(b[:len(b)-1], ',')
	b = appendPair(b, "sub", s.identityURL())
	b = append(b, ',')
	b = appendPair(b, "preferred_username", s.opts.Credentials.Username)
	return ok(append(b, '}'))
}

func (s *Server) appendPerson(b []byte) []byte {
	b = append(b, `{"asserted_user":true`...)
	for _, kv := range [][2]string{
		{"id", s.identityURL()}, {"user_id", s.userID()}, {"organization_id", s.orgID()}, {"username", s.opts.Credentials.Username},
		{"nick_name", "twiliosf"}, {"display_name", "TwilioSF Integration"}, {"email", "integration@example.com"},
		{"first_name", "TwilioSF"}, {"last_name", "Integration"}, {"timezone", "GMT"},
	} {
		b = append(b, ',')
		b = appendPair(b, kv[0], kv[1])
	}
	return append(b, `,"email_verified":true}`...)
}

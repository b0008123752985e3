package salesforcetest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// oauthError is the token endpoint's error: an object, status 400.
// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flow_errors.htm
func oauthError(code, description string) *reply {
	b := appendPair([]byte{'{'}, "error", code)
	b = append(b, ',')
	b = appendPair(b, "error_description", description)
	return (&reply{status: http.StatusBadRequest, body: append(b, '}')}).set("Cache-Control", "no-cache, no-store")
}

// grantParams are the form fields each grant knows, beside grant_type.
var grantParams = map[string][]string{
	"urn:ietf:params:oauth:grant-type:jwt-bearer": {"assertion", "format"},
	"client_credentials":                          {"client_id", "client_secret", "format"},
	"password":                                    {"client_id", "client_secret", "username", "password", "format"},
	"refresh_token":                               {"refresh_token", "client_id", "client_secret", "format"},
}

// form reads an urlencoded body, and refuses other types and repeated fields.
func form(x *exchange) (url.Values, *reply) {
	if x.r.Method != http.MethodPost {
		return nil, oauthError("invalid_request", "must use HTTP POST")
	}
	kind, _, _ := strings.Cut(x.r.Header.Get("Content-Type"), ";")
	vals, err := url.ParseQuery(string(x.body))
	if !strings.EqualFold(kind, "application/x-www-form-urlencoded") || err != nil {
		return nil, oauthError("invalid_request", "the body must be application/x-www-form-urlencoded")
	}
	for k, v := range x.r.URL.Query() {
		vals[k] = append(vals[k], v...)
	}
	for k, v := range vals {
		if len(v) > 1 {
			return nil, oauthError("invalid_request", "parameter given twice: "+k)
		}
	}
	return vals, nil
}

// token serves POST /services/oauth2/token.
func (s *Server) token(x *exchange) *reply {
	vals, bad := form(x)
	if bad != nil {
		return bad
	}
	grant := vals.Get("grant_type")
	if grant == "" {
		return oauthError("invalid_request", "missing required parameter: grant_type")
	}
	known, supported := grantParams[grant]
	if !supported {
		return oauthError("unsupported_grant_type", "grant type not supported")
	}
	for k := range vals {
		if k != "grant_type" && !slices.Contains(known, k) {
			return oauthError("invalid_request", "parameter not supported for this grant type: "+k)
		}
	}
	if f := vals.Get("format"); f != "" && f != "json" {
		return oauthError("invalid_request", "format not supported: "+f)
	}
	switch grant {
	case "client_credentials":
		bad = s.grantClient(x, vals)
	case "password":
		bad = s.grantPassword(vals)
	case "refresh_token":
		bad = oauthError("invalid_grant", "expired access/refresh token")
	default:
		bad = s.grantJWT(vals.Get("assertion"), time.Now().Add(s.opts.ClockSkew))
	}
	if bad != nil {
		return bad
	}
	return s.tokenReply(grant)
}

// client checks the app's id and secret, from the body or Basic.
func (s *Server) client(x *exchange, vals url.Values) *reply {
	id, secret := vals.Get("client_id"), vals.Get("client_secret")
	if user, pass, basic := x.r.BasicAuth(); basic {
		id, secret = user, pass
	}
	if id != s.opts.Credentials.ConsumerKey {
		return oauthError("invalid_client_id", "client identifier invalid")
	}
	if secret != s.opts.Credentials.ConsumerSecret {
		return oauthError("invalid_client", "invalid client credentials")
	}
	return nil
}

func (s *Server) grantClient(x *exchange, vals url.Values) *reply {
	if loginHosts[strings.ToLower(x.r.Host)] {
		return oauthError("invalid_grant", "request not supported on this domain")
	}
	if bad := s.client(x, vals); bad != nil {
		return bad
	}
	if s.opts.NoRunAsUser {
		return oauthError("invalid_grant", "no client credentials user enabled")
	}
	return nil
}

func (s *Server) grantPassword(vals url.Values) *reply {
	creds := s.opts.Credentials
	if vals.Get("client_id") != creds.ConsumerKey {
		return oauthError("invalid_client_id", "client identifier invalid")
	}
	if vals.Get("client_secret") != creds.ConsumerSecret {
		return oauthError("invalid_client", "invalid client credentials")
	}
	if !s.opts.AllowPasswordGrant || !s.passwordFits(vals.Get("username"), vals.Get("password")) {
		return oauthError("invalid_grant", "authentication failure")
	}
	return nil
}

// passwordFits compares a user name and password with security token.
func (s *Server) passwordFits(user, password string) bool {
	creds := s.opts.Credentials
	return strings.EqualFold(user, creds.Username) &&
		(password == creds.Password+creds.SecurityToken || s.opts.TrustedIP && password == creds.Password)
}

// tokenReply opens a session and answers with it. A JWT's answer has no
// issued_at and no signature; no answer says when the session ends.
func (s *Server) tokenReply(grant string) *reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	token, at := s.open()
	id := s.identityURL()
	b := appendPair([]byte{'{'}, "access_token", token)
	for _, kv := range [][2]string{{"instance_url", s.URL}, {"id", id}, {"token_type", "Bearer"}, {"scope", "api"}} {
		b = append(b, ',')
		b = appendPair(b, kv[0], kv[1])
	}
	if !strings.HasPrefix(grant, "urn:") {
		issued := strconv.FormatInt(at.UnixMilli(), 10)
		mac := hmac.New(sha256.New, []byte(s.opts.Credentials.ConsumerSecret))
		mac.Write([]byte(id + issued))
		b = append(b, ',')
		b = appendPair(b, "issued_at", issued)
		b = append(b, ',')
		b = appendPair(b, "signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return ok(append(b, '}')).set("Cache-Control", "no-cache, no-store")
}

package salesforcetest_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

const jwtGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

func TestJWTLogin(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	key := orgKey(t, u.org)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change      func(claims map[string]any)
		key         *rsa.PrivateKey
		alg         string
		code, texts string // empty: accepted
	}{
		"good":              {},
		"own URL as aud":    {change: func(c map[string]any) { c["aud"] = u.org.URL }},
		"exp far away":      {change: func(c map[string]any) { c["exp"] = time.Now().UnixMilli() }},
		"unknown consumer":  {change: func(c map[string]any) { c["iss"] = "nobody" }, code: "invalid_client_id", texts: "client identifier invalid"},
		"unknown user":      {change: func(c map[string]any) { c["sub"] = "eve@example.com" }, code: "invalid_grant", texts: "user hasn't approved this consumer"},
		"wrong audience":    {change: func(c map[string]any) { c["aud"] = "https://example.com" }, code: "invalid_grant", texts: "audience is invalid"},
		"in the past":       {change: func(c map[string]any) { c["exp"] = time.Now().Add(-time.Minute).Unix() }, code: "invalid_grant", texts: "expired authorization code"},
		"exp as text":       {change: func(c map[string]any) { c["exp"] = "soon" }, code: "invalid_grant", texts: "invalid assertion"},
		"another's key":     {key: other, code: "invalid_grant", texts: "invalid assertion"},
		"another algorithm": {alg: "RS512", code: "invalid_grant", texts: "invalid assertion"},
	} {
		t.Run(name, func(t *testing.T) {
			claims := goodClaims()
			if c.change != nil {
				c.change(claims)
			}
			if c.key == nil {
				c.key = key
			}
			if c.alg == "" {
				c.alg = "RS256"
			}
			status, body := u.grant(url.Values{"grant_type": {jwtGrant}, "assertion": {assertion(t, c.key, c.alg, claims)}})
			if c.code != "" {
				require.Equal(t, 400, status)
				require.Equal(t, map[string]any{"error": c.code, "error_description": c.texts}, parse(t, body))
				return
			}
			require.Equal(t, 200, status, body)
			token := parse(t, body)
			require.Equal(t, u.org.URL, token["instance_url"])
			require.Equal(t, "Bearer", token["token_type"])
			require.NotContains(t, token, "refresh_token")
			require.NotContains(t, token, "issued_at")
			require.Contains(t, token["access_token"], "!")
		})
	}
}

func TestOtherGrants(t *testing.T) {
	const id, secret = salesforcetest.DefaultConsumerKey, salesforcetest.DefaultConsumerSecret
	password := url.Values{
		"grant_type": {"password"}, "client_id": {id}, "client_secret": {secret}, "username": {salesforcetest.DefaultUsername},
		"password": {salesforcetest.DefaultPassword + salesforcetest.DefaultSecurityToken},
	}
	with := func(form url.Values, k, v string) url.Values {
		out := url.Values{}
		for key, val := range form {
			out[key] = val
		}
		out.Set(k, v)
		return out
	}
	client := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
	open := salesforcetest.Options{AllowPasswordGrant: true}
	for name, c := range map[string]struct {
		opts       salesforcetest.Options
		form       url.Values
		code, text string
	}{
		"client credentials":          {form: client},
		"wrong secret":                {form: with(client, "client_secret", "x"), code: "invalid_client", text: "invalid client credentials"},
		"wrong app":                   {form: with(client, "client_id", "x"), code: "invalid_client_id", text: "client identifier invalid"},
		"no run-as user":              {opts: salesforcetest.Options{NoRunAsUser: true}, form: client, code: "invalid_grant", text: "no client credentials user enabled"},
		"password, as a rule blocked": {form: password, code: "invalid_grant", text: "authentication failure"},
		"password, where allowed":     {opts: open, form: password},
		"password without the token":  {opts: open, form: with(password, "password", salesforcetest.DefaultPassword), code: "invalid_grant", text: "authentication failure"},
		"refresh token":               {form: with(with(client, "grant_type", "refresh_token"), "refresh_token", "x"), code: "invalid_grant", text: "expired access/refresh token"},
		"typo":                        {form: with(client, "grant_type", "client_credential"), code: "unsupported_grant_type", text: "grant type not supported"},
		"scope with a JWT":            {form: url.Values{"grant_type": {jwtGrant}, "assertion": {"x"}, "scope": {"api"}}, code: "invalid_request", text: "parameter not supported for this grant type: scope"},
		"no JWT":                      {form: url.Values{"grant_type": {jwtGrant}, "assertion": {"x.y"}}, code: "invalid_grant", text: "invalid assertion"},
	} {
		t.Run(name, func(t *testing.T) {
			u := visit(t, c.opts)
			status, body := u.grant(c.form)
			if c.code == "" {
				require.Equal(t, 200, status, body)
				require.Regexp(t, `^\d{13}$`, parse(t, body)["issued_at"])
				return
			}
			require.Equal(t, 400, status)
			require.Equal(t, map[string]any{"error": c.code, "error_description": c.text}, parse(t, body))
		})
	}
	u := login(t, salesforcetest.Options{})
	resp, err := u.client.PostForm("https://login.salesforce.com/services/oauth2/token", client)
	require.NoError(t, err)
	status, body := read(t, resp)
	require.Equal(t, 400, status, "client credentials work at the My Domain host only")
	require.Contains(t, body, "not supported on this domain")
}

func TestASessionEndsTwoHoursAfterItsLastUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := login(t, salesforcetest.Options{})
		for range 3 {
			time.Sleep(2*time.Hour - time.Second)
			status, body := u.call("GET", data+"/limits", "")
			require.Equal(t, 200, status, body)
		}
		time.Sleep(2 * time.Hour)
		status, body := u.call("GET", data+"/limits", "")
		require.Equal(t, 401, status)
		require.Equal(t, []fault{{Message: "Session expired or invalid", ErrorCode: "INVALID_SESSION_ID"}}, faults(t, body))
		u.relogin()
		status, _ = u.call("GET", data+"/limits", "")
		require.Equal(t, 200, status)
		require.Equal(t, 2, u.org.Calls().Logins)
	})
}

func TestSessionsThatAreRevokedOrRefused(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	u.org.RevokeSessions()
	status, _ := u.call("GET", data+"/limits", "")
	require.Equal(t, 401, status)
	u.org.RefuseSessions("This session is not valid for use with the REST API")
	u.relogin()
	status, body := u.call("GET", data+"/limits", "")
	require.Equal(t, 401, status)
	require.Equal(t, "This session is not valid for use with the REST API", faults(t, body)[0].Message)
	u.org.RefuseSessions("")
	status, _ = u.call("GET", data+"/limits", "")
	require.Equal(t, 200, status)

	form := url.Values{"token": {u.token}, "client_id": {salesforcetest.DefaultConsumerKey}, "client_secret": {salesforcetest.DefaultConsumerSecret}}
	post := func(path string) (int, string) {
		resp, err := u.client.PostForm(u.org.URL+path, form)
		require.NoError(t, err)
		return read(t, resp)
	}
	_, body = post("/services/oauth2/introspect")
	alive := parse(t, body)
	require.Equal(t, true, alive["active"])
	require.InDelta(t, 7200, alive["exp"].(float64)-alive["iat"].(float64), 0)
	form = url.Values{"token": {u.token}}
	status, _ = post("/services/oauth2/revoke")
	require.Equal(t, 200, status)
	status, _ = u.call("GET", data+"/limits", "")
	require.Equal(t, 401, status)
}

func TestWhoAmI(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	_, body := u.call("GET", data, "")
	identity := parse(t, body)["identity"].(string)
	status, body := u.call("GET", strings.TrimPrefix(identity, u.org.URL), "")
	require.Equal(t, 200, status, body)
	require.Equal(t, salesforcetest.DefaultUsername, parse(t, body)["username"])
	require.Equal(t, []string{salesforcetest.DefaultUsername}, u.found("SELECT Username FROM User WHERE Id = '"+parse(t, body)["user_id"].(string)+"'", "Username"))
	resp, err := u.client.Get(identity + "?format=json&oauth_token=" + url.QueryEscape(u.token))
	require.NoError(t, err)
	status, body = read(t, resp)
	require.Equal(t, 200, status, body)
	u.token = "nobody's"
	status, body = u.call("GET", strings.TrimPrefix(identity, u.org.URL), "")
	require.Equal(t, 403, status)
	require.Equal(t, "Bad_OAuth_Token", body)
}

func TestVersions(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	u.token = ""
	resp := u.do("GET", "/services/data/", "")
	require.Empty(t, resp.Header.Get("Sforce-Limit-Info"))
	status, body := read(t, resp)
	require.Equal(t, 200, status)
	require.Contains(t, body, `{"label":"Summer '25","url":"/services/data/v64.0","version":"64.0"}`)
	require.Contains(t, body, `{"label":"Winter '26","url":"/services/data/v65.0","version":"65.0"}`)
	require.Contains(t, body, `{"label":"Spring '24","url":"/services/data/v60.0","version":"60.0"}`)
	u.relogin()
	for version, want := range map[string]int{"v64.0": 200, "v30.0": http.StatusGone, "v99.0": 404, "64.0": 404, "v64": 404} {
		status, body := u.call("GET", "/services/data/"+version+"/limits", "")
		require.Equal(t, want, status, "%s %s", version, body)
	}
	require.Contains(t, u.do("GET", "/services/data/v40.0/limits", "").Header.Get("Warning"), "299")
	require.Empty(t, u.do("GET", "/services/data/v41.0/limits", "").Header.Get("Warning"))
}

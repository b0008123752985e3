package salesforce_test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
)

func TestJWTAsksAsTheUserWithASignedShortLivedAssertion(t *testing.T) {
	var form url.Values
	f := always(ok(`{}`))
	f.login = func(r *http.Request, body string) reply {
		assert.Equal(t, "application/x-www-form-urlencoded", r.Header.Get("Content-Type"))
		form, _ = url.ParseQuery(body)
		return reply{}
	}
	org := newOrg(t, f, func(o *salesforce.Options) {
		o.Audience = "https://login.salesforce.com"
		o.Auth = salesforce.JWT{ClientID: "consumer-key", Username: "integration@acme.test", PrivateKey: signingKeyPEM()}
	})
	require.NoError(t, ping(t.Context(), org))
	require.Equal(t, "urn:ietf:params:oauth:grant-type:jwt-bearer", form.Get("grant_type"))
	require.NotContains(t, form, "scope", "the flow takes no scope")

	claims := jwt.MapClaims{}
	_, err := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"})).ParseWithClaims(form.Get("assertion"), claims,
		func(*jwt.Token) (any, error) { return &signingKey().PublicKey, nil })
	require.NoError(t, err)
	require.Equal(t, "consumer-key", claims["iss"])
	require.Equal(t, "integration@acme.test", claims["sub"])
	require.Equal(t, "https://login.salesforce.com", claims["aud"])
	expires, err := claims.GetExpirationTime()
	require.NoError(t, err)
	require.InDelta(t, 180, time.Until(expires.Time).Seconds(), 5)
}

func TestClientCredentialsAreSentInTheBody(t *testing.T) {
	f := always(ok(`{}`))
	f.login = func(r *http.Request, body string) reply {
		assert.Equal(t, "client_id=consumer-key&client_secret=consumer-secret&grant_type=client_credentials", body)
		assert.Empty(t, r.URL.RawQuery)
		return reply{}
	}
	require.NoError(t, ping(t.Context(), newOrg(t, f)))
	require.Equal(t, 1, f.loginCount())
}

func soapAnswer(session, server string) reply {
	return reply{status: 200, header: http.Header{"Content-Type": {"text/xml"}}, body: fmt.Sprintf(
		`<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><loginResponse><result>`+
			`<serverUrl>%s</serverUrl><sessionId>%s</sessionId><userInfo><userName>u&amp;i@acme.test</userName></userInfo>`+
			`</result></loginResponse></soapenv:Body></soapenv:Envelope>`, server, session)}
}

func soapFault(code, text string) reply {
	return reply{status: 500, header: http.Header{"Content-Type": {"text/xml"}}, body: fmt.Sprintf(
		`<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com">`+
			`<soapenv:Body><soapenv:Fault><faultcode>sf:%s</faultcode><faultstring>%s: %s</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>`,
		code, code, text)}
}

func byPassword(o *salesforce.Options) {
	o.Auth = salesforce.Password{Username: "u&i@acme.test", Password: "p<4>ss", SecurityToken: "t&ken"}
}

func TestThePasswordLoginWritesCredentialsThatXMLMustEscape(t *testing.T) {
	f := always(ok(`{}`))
	f.login = func(r *http.Request, body string) reply {
		assert.Equal(t, "/services/Soap/u/64.0", r.URL.Path)
		assert.Equal(t, "login", r.Header.Get("SOAPAction"))
		var sent struct {
			Username string `xml:"Body>login>username"`
			Password string `xml:"Body>login>password"`
		}
		assert.NoError(t, xml.Unmarshal([]byte(body), &sent))
		assert.Equal(t, "u&i@acme.test", sent.Username)
		assert.Equal(t, "p<4>sst&ken", sent.Password)
		f.token = "soap-session"
		return soapAnswer(f.token, host+"/services/Soap/u/64.0/00D000000000001")
	}
	require.NoError(t, ping(t.Context(), newOrg(t, f, byPassword)))
}

func TestARefusedLoginSaysWhatToDo(t *testing.T) {
	oauth := func(code, text string) reply {
		return reply{status: 400, body: fmt.Sprintf(`{"error":%q,"error_description":%q}`, code, text)}
	}
	for _, c := range []struct {
		answer reply
		class  fault.Class
		hint   string
	}{
		{oauth("invalid_grant", "user hasn't approved this consumer"), fault.Auth, "Pre-authorize"},
		{oauth("invalid_grant", "user is not admin approved to access this app"), fault.Auth, "permission set"},
		{oauth("invalid_grant", "audience is invalid"), fault.Auth, "salesforce.audience"},
		{oauth("invalid_grant", "Audience validation failed"), fault.Auth, "salesforce.audience"},
		{oauth("invalid_grant", "invalid assertion"), fault.Auth, "private key"},
		{oauth("invalid_grant", "expired authorization code"), fault.Auth, "clock"},
		{oauth("invalid_grant", "expired access/refresh token"), fault.Auth, "authorize the app"},
		{oauth("invalid_grant", "ip restricted"), fault.Auth, "address"},
		{oauth("invalid_grant", "no client credentials user enabled"), fault.Auth, "run-as user"},
		{oauth("invalid_grant", "authentication failure"), fault.Auth, "user name, password"},
		{oauth("invalid_grant", ""), fault.Auth, "user name, password"},
		{oauth("invalid_client_id", "client identifier invalid"), fault.Auth, "ten minutes"},
		{oauth("invalid_client", "invalid client credentials"), fault.Auth, "client_secret"},
		{oauth("unsupported_grant_type", "grant type not supported"), fault.Auth, "OAuth flow"},
		{oauth("invalid_scope", ""), fault.Auth, "scope"},
		{oauth("inactive_user", ""), fault.Auth, "Activate"},
		{oauth("inactive_org", ""), fault.Auth, "org is locked"},
		{oauth("invalid_request", "must use HTTP POST"), fault.Auth, "login history"},
		{oauth("rate_limit_exceeded", ""), fault.Throttled, "Too many logins"},
		{oauth("server_error", ""), fault.Transient, "later"},
		{reply{status: 404, body: "<html>nothing here</html>"}, fault.Auth, "login_url"},
		{ok(`{"token_type":"Bearer"}`), fault.Transient, "proxy"},
		{ok(`{"access_token":"t","instance_url":"nowhere"}`), fault.Transient, "proxy"},
		{reply{err: errNoRoute}, fault.Transient, "reaches Salesforce"},
	} {
		f := always(ok(`{}`))
		f.login = func(*http.Request, string) reply { return c.answer }
		err := loginOnce(t, f, func(*salesforce.Options) {})
		require.Equal(t, c.class, fault.ClassOf(err), "%v %v", c.answer, err)
		require.Contains(t, fault.Hint(err), c.hint, "%v", c.answer)
	}
}

func TestARefusedPasswordLoginSaysWhatToDo(t *testing.T) {
	for _, c := range []struct {
		code, text string
		class      fault.Class
		hint       string
	}{
		{"INVALID_LOGIN", "Invalid username, password, security token; or user locked out.", fault.Auth, "security token"},
		{"INVALID_OPERATION", "SOAP API login() is disabled by default in this org.", fault.Auth, "auth: jwt"},
		{"LOGIN_MUST_USE_SECURITY_TOKEN", "x", fault.Auth, "security_token"},
		{"INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "x", fault.Auth, "expired"},
		{"LOGIN_DURING_RESTRICTED_DOMAIN", "x", fault.Auth, "IP ranges"},
		{"LOGIN_DURING_RESTRICTED_TIME", "x", fault.Auth, "login hours"},
		{"UNSUPPORTED_API_VERSION", "x", fault.Auth, "api_version"},
		{"SERVER_UNAVAILABLE", "x", fault.Transient, "later"},
		{"SOMETHING_NEW", "x", fault.Auth, "login history"},
	} {
		f := always(ok(`{}`))
		f.login = func(*http.Request, string) reply { return soapFault(c.code, c.text) }
		err := loginOnce(t, f, byPassword)
		require.Equal(t, c.code, fault.CodeOf(err))
		require.Equal(t, c.class, fault.ClassOf(err), c.code)
		require.Contains(t, fault.Hint(err), c.hint, c.code)
	}
}

// loginOnce makes a call whose login fails, without waiting for the repetition
// of what might pass.
func loginOnce(t *testing.T, f *fakeOrg, change func(*salesforce.Options)) error {
	t.Helper()
	org := newOrg(t, f, change)
	_, err := org.Do(t.Context(), create)
	require.Error(t, err)
	require.Empty(t, f.seen())
	return err
}

func TestOptionsAreCheckedAllAtOnce(t *testing.T) {
	_, err := salesforce.New(salesforce.Options{
		LoginURL: "login.salesforce.com", APIVersion: "sixty", Concurrency: -1, DailyShare: 2,
		Auth: salesforce.JWT{PrivateKey: []byte("-----BEGIN NONSENSE")},
	})
	for _, part := range []string{"login URL", "API version", "concurrency", "share", "client id", "user name", "private key"} {
		require.ErrorContains(t, err, part)
	}
	for what, change := range map[string]func(*salesforce.Options){
		"no authentication":               func(o *salesforce.Options) { o.Auth = nil },
		"a retired version":               func(o *salesforce.Options) { o.APIVersion = "30.0" },
		"SOAP login where there is none":  func(o *salesforce.Options) { byPassword(o); o.APIVersion = "65.0" },
		"password without a password":     func(o *salesforce.Options) { o.Auth = salesforce.Password{Username: "u"} },
		"credentials without a secret":    func(o *salesforce.Options) { o.Auth = salesforce.ClientCredentials{ClientID: "c"} },
		"credentials at the common login": func(o *salesforce.Options) { o.LoginURL = "https://login.salesforce.com" },
	} {
		o := options(always(ok(`{}`)))
		change(&o)
		_, err := salesforce.New(o)
		require.Error(t, err, what)
	}
	o := options(always(ok(`{}`)))
	o.APIVersion, o.LoginURL = "v62", o.LoginURL+"/"
	_, err = salesforce.New(o)
	require.NoError(t, err)
}

package salesforce

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/simpleforce/simpleforce"
)

// assertionLife is long enough for clocks that differ a little.
const assertionLife = 180 * time.Second

// JWT logs in by the OAuth 2.0 JWT bearer flow: the recommended one.
// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_jwt_flow.htm
type JWT struct {
	// ClientID is the app's consumer key.
	ClientID string
	// Username is the integration user's login name, not its e-mail address.
	Username string
	// PrivateKey is an RSA key in PEM (PKCS #1 or #8, not encrypted). Its
	// certificate is the one uploaded to the app.
	PrivateKey []byte
}

func (JWT) String() string { return "jwt" }

// GoString keeps %#v from showing the fields.
func (JWT) GoString() string { return "jwt" }

func (g JWT) check(*Options) error {
	var faults []error
	if g.ClientID == "" {
		faults = append(faults, errors.New("jwt needs the client id (consumer key)"))
	}
	if g.Username == "" {
		faults = append(faults, errors.New("jwt needs the user name"))
	}
	if _, err := jwt.ParseRSAPrivateKeyFromPEM(g.PrivateKey); err != nil {
		faults = append(faults, fmt.Errorf("jwt needs an unencrypted RSA private key in PEM: %w", err))
	}
	return errors.Join(faults...)
}

func (g JWT) login(ctx context.Context, l *lobby) (*session, error) {
	key, err := jwt.ParseRSAPrivateKeyFromPEM(g.PrivateKey)
	if err != nil {
		return nil, unreadable("login", err)
	}
	assertion, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": g.ClientID, "sub": g.Username, "aud": l.opts.Audience,
		"exp": time.Now().Add(assertionLife).Unix(),
	}).SignedString(key)
	if err != nil {
		return nil, unreadable("login", err)
	}
	return l.token(ctx, url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"},
		"assertion":  {assertion},
	})
}

// ClientCredentials logs in as the app's run-as user, at the org's My Domain
// URL only.
// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_client_credentials_flow.htm
type ClientCredentials struct {
	ClientID     string
	ClientSecret string
}

func (ClientCredentials) String() string { return "client_credentials" }

// GoString keeps %#v from showing the fields.
func (ClientCredentials) GoString() string { return "client_credentials" }

func (g ClientCredentials) check(o *Options) error {
	var faults []error
	if g.ClientID == "" || g.ClientSecret == "" {
		faults = append(faults, errors.New("client_credentials needs the client id and the client secret"))
	}
	if u, err := url.Parse(o.LoginURL); err == nil && (u.Host == "login.salesforce.com" || u.Host == "test.salesforce.com") {
		faults = append(faults, errors.New("client_credentials needs the org's My Domain URL (https://MyDomain.my.salesforce.com) as login URL"))
	}
	return errors.Join(faults...)
}

func (g ClientCredentials) login(ctx context.Context, l *lobby) (*session, error) {
	return l.token(ctx, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {g.ClientID}, "client_secret": {g.ClientSecret},
	})
}

// Password logs in by the SOAP call login(), which API versions above 64.0 no
// longer have and newly created orgs switch off.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_login.htm
type Password struct {
	Username string
	Password string
	// SecurityToken may be empty where the org trusts this machine's address.
	SecurityToken string
}

func (Password) String() string { return "password" }

// GoString keeps %#v from showing the fields.
func (Password) GoString() string { return "password" }

func (g Password) check(o *Options) error {
	var faults []error
	if g.Username == "" || g.Password == "" {
		faults = append(faults, errors.New("password needs the user name and the password"))
	}
	if o.major() > lastSOAPLoginVersion {
		faults = append(faults, fmt.Errorf("password needs API version %d.0 or older: later ones have no login() call", lastSOAPLoginVersion))
	}
	return errors.Join(faults...)
}

func (g Password) login(ctx context.Context, l *lobby) (*session, error) {
	quietLibrary()
	c := &carrier{ctx: ctx, chain: l.link, op: "login", repeatable: true, soap: true, host: l.opts.LoginURL}
	lib := simpleforce.NewClient(l.opts.LoginURL, clientName, l.opts.APIVersion)
	lib.SetHttpClient(&http.Client{Transport: c})
	// The library escapes the password and writes the rest into XML as it is.
	err := lib.LoginPassword(html.EscapeString(g.Username), g.Password, html.EscapeString(g.SecurityToken))
	if err := c.result(err); err != nil {
		return nil, err
	}
	if lib.GetSid() == "" {
		return nil, unreadable("login", errors.New("the answer holds no session id"))
	}
	return newSession(lib.GetSid(), lib.GetLoc())
}

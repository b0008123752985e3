package salesforce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// Grant is a way to log in: JWT, ClientCredentials or Password. It prints as
// its name only, so that no credential gets into a log.
type Grant interface {
	fmt.Stringer
	fmt.GoStringer
	// check reports every fault of the credentials themselves.
	check(o *Options) error
	// login asks for a session.
	login(ctx context.Context, l *lobby) (*session, error)
}

// lobby is what a login needs: a link that needs no session, and the options.
type lobby struct {
	link link
	opts *Options
}

// token posts a form to the token endpoint.
// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_endpoints.htm
func (l *lobby) token(ctx context.Context, form url.Values) (*session, error) {
	r := &request{
		op: "login", method: http.MethodPost, host: l.opts.LoginURL, path: "/services/oauth2/token",
		body: []byte(form.Encode()), contentType: "application/x-www-form-urlencoded", repeatable: true,
	}
	a, err := l.link.exchange(ctx, r)
	if err != nil {
		if a != nil {
			return nil, loginFault(r, a, err)
		}
		return nil, err
	}
	return readToken(a)
}

// readToken needs only the token and the instance: what else the answer holds
// differs from flow to flow.
func readToken(a *answer) (*session, error) {
	var t struct {
		AccessToken string `json:"access_token"`
		InstanceURL string `json:"instance_url"`
	}
	// The decoder's error could quote the token, so it is not kept.
	if json.Unmarshal(a.body, &t) != nil || t.AccessToken == "" {
		return nil, unreadable("login", errors.New("the answer holds no access token"))
	}
	return newSession(t.AccessToken, t.InstanceURL)
}

func newSession(token, instance string) (*session, error) {
	u, err := url.Parse(instance)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, unreadable("login", errors.New("the answer holds no usable instance URL"))
	}
	return &session{token: token, instance: u.Scheme + "://" + u.Host}, nil
}

// condLogin is the condition of a login that the org refuses.
const condLogin = "salesforce-login"

// loginFault makes the fault of a refused login. err is how the answer would be
// classed as a REST call; it stands where the answer says nothing of its own.
func loginFault(r *request, a *answer, err error) error {
	code, description := oauthError(a.body)
	if r.soap {
		if e, ok := xmlError(a.body); ok {
			code, description = e.Code, e.Message
		}
	}
	if code == "" {
		return err
	}
	m := meaningOf(code, description)
	f := &fault.Error{Class: m.class, Op: opName("login"), Code: code, Status: a.status, Hint: m.hint, After: m.after}
	if m.class == fault.Auth {
		f.Condition = condLogin
	}
	if description != "" {
		f.Err = errors.New(Scrub(description, credentialsIn(r)))
	}
	return f
}

func oauthError(body []byte) (code, description string) {
	var e struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &e) != nil {
		return "", ""
	}
	return e.Error, e.Description
}

// credentialsIn are the values of a login request that its answer might echo.
func credentialsIn(r *request) []string {
	var values []string
	if r.soap {
		for part := range strings.SplitSeq(string(r.body), "<") {
			if _, text, ok := strings.Cut(part, ">"); ok && strings.TrimSpace(text) != "" && text != clientName {
				values = append(values, text)
			}
		}
		return values
	}
	form, err := url.ParseQuery(string(r.body))
	if err != nil {
		return nil
	}
	for name, vs := range form {
		if name != "grant_type" {
			values = append(values, vs...)
		}
	}
	return values
}

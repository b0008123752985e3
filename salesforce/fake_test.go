package salesforce_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
)

const host = "https://acme.my.salesforce.test"

var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func signingKeyPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(signingKey())})
}

// reply is what the fake org answers.
type reply struct {
	status int
	header http.Header
	body   string
	err    error // the connection breaks instead
	broken bool  // it breaks after the body
	stalls bool  // nothing comes after the body
}

func ok(body string) reply { return reply{status: 200, body: body} }

func refused(status int, code, message string) reply {
	return reply{status: status, body: fmt.Sprintf(`[{"message":%q,"errorCode":%q}]`, message, code)}
}

// call is one request that the fake org saw, logins not included.
type call struct {
	method, path, body string
	query              url.Values
	header             http.Header
}

// fakeOrg is an org in a RoundTripper: it gives sessions and answers the rest by
// a function of the test.
type fakeOrg struct {
	mu     sync.Mutex
	host   string // host without scheme; "" is that of the constant
	token  string
	logins int
	calls  []call
	login  func(*http.Request, string) reply // nil: a new token
	serve  func(n int, c call) reply         // n counts the calls from 1
}

func (f *fakeOrg) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
	}
	r := f.answer(req, string(body))
	if r.err != nil {
		return nil, r.err
	}
	h := http.Header{"Content-Type": {"application/json;charset=UTF-8"}}
	for k, v := range r.header {
		h[k] = v
	}
	if r.broken || r.stalls {
		return &http.Response{StatusCode: r.status, Header: h, ContentLength: -1, Request: req, Body: io.NopCloser(&wireBody{req: req, reply: r, rest: r.body})}, nil
	}
	return &http.Response{
		StatusCode: r.status, Header: h, Body: io.NopCloser(strings.NewReader(r.body)),
		ContentLength: int64(len(r.body)), Request: req,
	}, nil
}

// wireBody comes a few bytes at a time and ends with its request, as a body
// from a connection does.
type wireBody struct {
	req   *http.Request
	reply reply
	rest  string
}

func (b *wireBody) Read(p []byte) (int, error) {
	switch ctx := b.req.Context(); {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case b.rest == "" && b.reply.stalls:
		<-ctx.Done()
		return 0, ctx.Err()
	case b.rest == "":
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p[:min(len(p), 8)], b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (f *fakeOrg) answer(req *http.Request, body string) reply {
	f.mu.Lock()
	if strings.HasPrefix(req.URL.Path, "/services/oauth2/token") || strings.HasPrefix(req.URL.Path, "/services/Soap/") {
		defer f.mu.Unlock()
		f.logins++
		if f.login != nil {
			if r := f.login(req, body); r.status != 0 || r.err != nil {
				return r
			}
		}
		f.token = fmt.Sprintf("00D!session%d", f.logins)
		return ok(fmt.Sprintf(`{"access_token":%q,"instance_url":%q,"id":"x","token_type":"Bearer"}`, f.token, "https://"+f.at()))
	}
	if req.Header.Get("Authorization") != "Bearer "+f.token || req.URL.Host != f.at() {
		f.mu.Unlock()
		return refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
	}
	c := call{req.Method, req.URL.Path, body, req.URL.Query(), req.Header}
	f.calls = append(f.calls, c)
	n := len(f.calls)
	f.mu.Unlock()
	return f.serve(n, c)
}

func (f *fakeOrg) at() string {
	if f.host != "" {
		return f.host
	}
	return strings.TrimPrefix(host, "https://")
}

func (f *fakeOrg) revoke() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.token = "revoked"
}

func (f *fakeOrg) seen() []call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]call(nil), f.calls...)
}

func (f *fakeOrg) loginCount() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.logins
}

// options log in to the fake by client credentials.
func options(f *fakeOrg) salesforce.Options {
	return salesforce.Options{
		LoginURL: host, HTTP: f, Auth: salesforce.ClientCredentials{ClientID: "consumer-key", ClientSecret: "consumer-secret"},
	}
}

func newOrg(t *testing.T, f *fakeOrg, change ...func(*salesforce.Options)) *salesforce.Org {
	t.Helper()
	o := options(f)
	for _, c := range change {
		c(&o)
	}
	org, err := salesforce.New(o)
	require.NoError(t, err)
	return org
}

// always answers every call alike.
func always(r reply) *fakeOrg {
	return &fakeOrg{serve: func(int, call) reply { return r }}
}

// inTurn answers the first calls in turn and all others with the last.
func inTurn(replies ...reply) *fakeOrg {
	return &fakeOrg{serve: func(n int, _ call) reply { return replies[min(n, len(replies))-1] }}
}

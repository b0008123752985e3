package salesforcetest_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	message = "TwilioSF_Message__c"
	data    = "/services/data/v64.0"
	rows    = data + "/sobjects/" + message
	many    = data + "/composite/sobjects"
	upsert  = many + "/" + message + "/Message_SID__c"
)

// user is a client of the org that is logged in.
type user struct {
	t      testing.TB
	org    *salesforcetest.Server
	client *http.Client
	token  string
}

// login makes an org with our objects and a session in it.
func login(t testing.TB, opts salesforcetest.Options) *user {
	t.Helper()
	u := visit(t, opts)
	u.relogin()
	return u
}

// visit is login without a session.
func visit(t testing.TB, opts salesforcetest.Options) *user {
	t.Helper()
	if opts.Schema == nil {
		opts.Schema = metadata.FS
	}
	org := salesforcetest.NewServer(opts)
	t.Cleanup(org.Close)
	return &user{t: t, org: org, client: org.Client()}
}

func (u *user) relogin() {
	u.t.Helper()
	status, body := u.grant(url.Values{
		"grant_type": {"client_credentials"}, "client_id": {salesforcetest.DefaultConsumerKey},
		"client_secret": {salesforcetest.DefaultConsumerSecret},
	})
	require.Equal(u.t, 200, status, body)
	u.token = parse(u.t, body)["access_token"].(string)
}

func (u *user) grant(form url.Values) (int, string) {
	u.t.Helper()
	resp, err := u.client.PostForm(u.org.URL+"/services/oauth2/token", form)
	require.NoError(u.t, err)
	return read(u.t, resp)
}

func read(t testing.TB, resp *http.Response) (int, string) {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode, string(body)
}

// do makes a request; headers come as "Name: value".
func (u *user) do(method, path, body string, headers ...string) *http.Response {
	u.t.Helper()
	resp, err := u.try(method, path, body, headers...)
	require.NoError(u.t, err)
	return resp
}

func (u *user) try(method, path, body string, headers ...string) (*http.Response, error) {
	u.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(u.t.Context(), method, u.org.URL+path, in)
	require.NoError(u.t, err)
	req.Header.Set("Authorization", "Bearer "+u.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		k, v, _ := strings.Cut(h, ": ")
		req.Header.Set(k, v)
	}
	return u.client.Do(req)
}

// call is do that returns status and body.
func (u *user) call(method, path, body string, headers ...string) (int, string) {
	u.t.Helper()
	return read(u.t, u.do(method, path, body, headers...))
}

func (u *user) query(soql string) (int, string) {
	u.t.Helper()
	return u.call("GET", data+"/query?q="+url.QueryEscape(soql), "")
}

// found runs a query that must succeed and returns one column as text.
func (u *user) found(soql, column string) []string {
	u.t.Helper()
	status, body := u.query(soql)
	require.Equal(u.t, 200, status, "%s: %s", soql, body)
	out := []string{}
	for _, r := range parse(u.t, body)["records"].([]any) {
		out = append(out, fmt.Sprint(r.(map[string]any)[column]))
	}
	return out
}

// create makes a record that must be accepted and returns its id.
func (u *user) create(object, body string) string {
	u.t.Helper()
	status, answer := u.call("POST", data+"/sobjects/"+object, body)
	require.Equal(u.t, 201, status, answer)
	return parse(u.t, answer)["id"].(string)
}

func parse(t testing.TB, body string) map[string]any {
	t.Helper()
	out := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(body), &out), body)
	return out
}

// fault is one error of an answer's array.
type fault struct {
	Message, ErrorCode string
	Fields             []string
}

func faults(t testing.TB, body string) []fault {
	t.Helper()
	var out []fault
	require.NoError(t, json.Unmarshal([]byte(body), &out), body)
	return out
}

// result is one row of a collections answer.
type result struct {
	ID      string
	Success bool
	Created *bool
	Errors  []struct {
		StatusCode, Message string
		Fields              []string
	}
}

func results(t testing.TB, body string) []result {
	t.Helper()
	var out []result
	dec := json.NewDecoder(bytes.NewReader([]byte(body)))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&out), body)
	return out
}

// records renders a collections body; each row is the inside of an object.
func records(rows ...string) string { return recordsOf(message, false, rows...) }

func recordsOf(object string, allOrNone bool, rows ...string) string {
	for i, r := range rows {
		rows[i] = `{"attributes":{"type":"` + object + `"}`
		if r != "" {
			rows[i] += "," + r
		}
		rows[i] += "}"
	}
	return fmt.Sprintf(`{"allOrNone":%t,"records":[%s]}`, allOrNone, strings.Join(rows, ","))
}

// assertion signs a JWT as the org's connected app would.
func assertion(t testing.TB, key *rsa.PrivateKey, alg string, claims map[string]any) string {
	t.Helper()
	head, err := json.Marshal(map[string]string{"alg": alg})
	require.NoError(t, err)
	body, err := json.Marshal(claims)
	require.NoError(t, err)
	text := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	require.NoError(t, err)
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func orgKey(t testing.TB, org *salesforcetest.Server) *rsa.PrivateKey {
	t.Helper()
	block, _ := pem.Decode(org.PrivateKeyPEM())
	require.NotNil(t, block)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	return key.(*rsa.PrivateKey)
}

func goodClaims() map[string]any {
	return map[string]any{
		"iss": salesforcetest.DefaultConsumerKey, "sub": salesforcetest.DefaultUsername,
		"aud": "https://login.salesforce.com", "exp": time.Now().Add(3 * time.Minute).Unix(),
	}
}

func sid(n int) string { return fmt.Sprintf("SM%032x", n) }

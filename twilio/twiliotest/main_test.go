package twiliotest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// api is a bare client of an account: it knows the wire and nothing else.
type api struct {
	t      *testing.T
	srv    *twiliotest.Server
	client *http.Client
	base   string
}

func newAPI(t *testing.T, o twiliotest.Options) *api {
	t.Helper()
	srv := twiliotest.NewServer(o)
	t.Cleanup(srv.Close)
	return &api{t: t, srv: srv, client: srv.Client(), base: srv.URL}
}

// still is an account where nothing happens by itself.
func still() twiliotest.Options {
	return twiliotest.Options{Life: twiliotest.Life{Still: true}}
}

func (a *api) path(rest string) string { return "/2010-04-01/Accounts/" + a.srv.AccountSID + rest }

func (a *api) request(method, path string, form url.Values) *http.Request {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.base+path, body)
	require.NoError(a.t, err)
	req.SetBasicAuth(a.srv.APIKeySID, a.srv.APIKeySecret)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req
}

// object is decoded JSON.
type object map[string]any

func (o object) text(name string) string {
	s, _ := o[name].(string)
	return s
}

// call makes one request and decodes the answer, if there is one.
func (a *api) call(method, path string, form url.Values) (int, object) {
	a.t.Helper()
	resp, err := a.client.Do(a.request(method, path, form))
	require.NoError(a.t, err)
	defer func() { require.NoError(a.t, resp.Body.Close()) }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(a.t, err)
	if len(body) == 0 {
		return resp.StatusCode, nil
	}
	var o object
	require.NoError(a.t, json.Unmarshal(body, &o), "%s", body)
	return resp.StatusCode, o
}

func (a *api) get(path string) object {
	a.t.Helper()
	status, o := a.call(http.MethodGet, path, nil)
	require.Equal(a.t, http.StatusOK, status, "%v", o)
	return o
}

// list reads one page of messages; query has no leading question mark.
func (a *api) list(query string) object {
	a.t.Helper()
	return a.get(a.path("/Messages.json?" + query))
}

// walk follows next_page_uri to the end and returns the SIDs in order.
func (a *api) walk(query string) []string {
	a.t.Helper()
	var sids []string
	page := a.list(query)
	for {
		sids = append(sids, sidsOf(page)...)
		next := page.text("next_page_uri")
		if next == "" {
			return sids
		}
		page = a.get(next)
	}
}

func messagesOf(page object) []object {
	var list []object
	for _, m := range page["messages"].([]any) {
		list = append(list, m.(map[string]any))
	}
	return list
}

func sidsOf(page object) []string {
	sids := []string{}
	for _, m := range messagesOf(page) {
		sids = append(sids, m.text("sid"))
	}
	return sids
}

// create posts a message with the pairs of names and values.
func (a *api) create(pairs ...string) (int, object) {
	a.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return a.call(http.MethodPost, a.path("/Messages.json"), form)
}

// requireRefused wants Twilio's error body with the code.
func requireRefused(t *testing.T, wantStatus, wantCode, status int, o object) {
	t.Helper()
	require.Equal(t, wantStatus, status, "%v", o)
	require.EqualValues(t, wantCode, o["code"], "%v", o)
	require.EqualValues(t, wantStatus, o["status"])
	require.NotEmpty(t, o["message"])
	require.Contains(t, o["more_info"], "https://www.twilio.com/docs/errors/")
}

package openapitest_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest/openapitest"
)

func spec(t *testing.T) string {
	t.Helper()
	file, err := openapitest.Spec("twilio_api_v2010.yaml")
	if errors.Is(err, openapitest.ErrNoDocument) {
		t.Skip("Twilio's OpenAPI documents are not on this machine: ", err)
	}
	require.NoError(t, err)
	return file
}

// spoiler changes answers on their way.
type spoiler struct {
	next  http.RoundTripper
	spoil func(*http.Response, string) string
}

func (s spoiler) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := s.next.RoundTrip(r)
	if err != nil || s.spoil == nil {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(strings.NewReader(s.spoil(resp, string(body))))
	return resp, nil
}

func replace(old, text string) func(*http.Response, string) string {
	return func(_ *http.Response, body string) string { return strings.Replace(body, old, text, 1) }
}

// Each wrong exchange must be found out, and the right one not.
func TestDriftIsFoundOut(t *testing.T) {
	file := spec(t)
	const list, create = "/Messages.json", "To=%2B14155550199&From=%2B14155550100&Body=x"
	for _, c := range []struct {
		name, path, form string
		spoil            func(*http.Response, string) string
		fault            string
	}{
		{name: "a list as it should be", path: list + "?PageSize=50&DateSent%3E=2026-01-01"},
		{name: "a create as it should be", path: list, form: create},
		{name: "an unknown query parameter", path: list + "?DateCreated=2026-01-01", fault: "no query parameter"},
		{name: "an unknown form field", path: list, form: create + "&Sender=x", fault: "no form field"},
		{name: "a missing recipient", path: list, form: "From=%2B14155550100&Body=x", spoil: asCreated, fault: "To"},
		{name: "an unknown path", path: "/Texts.json", spoil: asCreated, fault: "no such path"},
		{name: "a page size out of bounds", path: list + "?PageSize=1001", fault: "PageSize"},
		{name: "a number where a string belongs", path: list, spoil: replace(`"num_segments":"1"`, `"num_segments":1`), fault: "num_segments"},
		{name: "a status that does not exist", path: list, spoil: replace(`"received"`, `"arrived"`), fault: "status"},
		{name: "a field that is missing", path: list, spoil: replace(`"price":null,`, ``), fault: `lacks "price"`},
		{name: "a field too many", path: list, spoil: replace(`"price":null,`, `"price":null,"cost":null,`), fault: `has "cost"`},
		{name: "a status code that is not documented", path: list, spoil: asCreated, fault: "status is not supported"},
		{name: "an error of another shape", path: list + "?PageSize=0", spoil: replace(`"more_info"`, `"info"`), fault: "lacks code"},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := twiliotest.NewServer(twiliotest.Options{})
			defer srv.Close()
			srv.Receive(twiliotest.Inbound{From: "+14155550199", To: "+14155550100", Body: "hi"})
			rt, faults := openapitest.Validate(spoiler{srv.Client().Transport, c.spoil}, file)
			send(t, srv, rt, c.path, c.form)
			if c.fault == "" {
				require.Empty(t, faults())
				return
			}
			require.Len(t, faults(), 1)
			require.ErrorContains(t, faults()[0], c.fault)
		})
	}
}

func asCreated(r *http.Response, body string) string {
	r.StatusCode = http.StatusAccepted
	return body
}

func send(t *testing.T, srv *twiliotest.Server, rt http.RoundTripper, path, form string) {
	t.Helper()
	method := http.MethodGet
	if form != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+"/2010-04-01/Accounts/"+srv.AccountSID+path, strings.NewReader(form))
	require.NoError(t, err)
	req.SetBasicAuth(srv.APIKeySID, srv.APIKeySecret)
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}

func TestMissingCredentialsAreFoundOut(t *testing.T) {
	srv := twiliotest.NewServer(twiliotest.Options{})
	defer srv.Close()
	rt, faults := openapitest.Validate(bearer{srv.Client().Transport, srv}, spec(t))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/2010-04-01/Accounts/"+srv.AccountSID+"/Messages.json", http.NoBody)
	require.NoError(t, err)
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Len(t, faults(), 1)
	require.ErrorContains(t, faults()[0], "no HTTP Basic credentials")
}

// bearer adds the credentials behind the validator's back.
type bearer struct {
	next http.RoundTripper
	srv  *twiliotest.Server
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.SetBasicAuth(b.srv.APIKeySID, b.srv.APIKeySecret)
	return b.next.RoundTrip(r)
}

func TestABrokenBodyStaysBroken(t *testing.T) {
	srv := twiliotest.NewServer(twiliotest.Options{})
	defer srv.Close()
	srv.Script(twiliotest.CutBody())
	rt, faults := openapitest.Validate(srv.Client().Transport, spec(t))
	client := &http.Client{Transport: bearer{rt, srv}}
	resp, err := client.Get(srv.URL + "/2010-04-01/Accounts/" + srv.AccountSID + "/Messages.json")
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.NoError(t, resp.Body.Close())
	require.Empty(t, faults())
}

func TestAnUnreadableDocumentIsAFault(t *testing.T) {
	srv := twiliotest.NewServer(twiliotest.Options{})
	defer srv.Close()
	_, faults := openapitest.Validate(srv.Client().Transport, url.PathEscape("no such file"))
	require.Len(t, faults(), 1)
}

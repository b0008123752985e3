package twilio_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/twilio"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const (
	accountSID = "AC00000000000000000000000000000001"
	keySID     = "SK00000000000000000000000000000002"
	keySecret  = "s3cretS3cret"
	authToken  = "t0kenT0kenT0ken"
	listPath   = "/2010-04-01/Accounts/" + accountSID + "/Messages.json"
)

// answerer answers requests in process and remembers them.
type answerer struct {
	mu       sync.Mutex
	requests []*http.Request
	bodies   []*body
	answer   func(n int, r *http.Request) (*http.Response, error) // n counts from 1
}

func (a *answerer) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	a.requests = append(a.requests, r)
	n := len(a.requests)
	a.mu.Unlock()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp, err := a.answer(n, r)
	if resp != nil {
		b := &body{ReadCloser: resp.Body}
		a.mu.Lock()
		a.bodies = append(a.bodies, b)
		a.mu.Unlock()
		resp.Body, resp.Request = b, r
	}
	return resp, err
}

// paths are the requests' addresses without the host.
func (a *answerer) paths() (paths []string) {
	for _, r := range a.requests {
		paths = append(paths, r.URL.RequestURI())
	}
	return paths
}

// body tells whether it was read to its end and closed.
type body struct {
	io.ReadCloser
	ended, closed bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.ended = b.ended || errors.Is(err, io.EOF)
	return n, err
}

func (b *body) Close() error {
	b.closed = true
	return b.ReadCloser.Close()
}

func respond(status int, text string, headers ...string) *http.Response {
	resp := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text))}
	for i := 0; i+1 < len(headers); i += 2 {
		resp.Header.Set(headers[i], headers[i+1])
	}
	return resp
}

// refuse is an error as Twilio writes it.
func refuse(status, code int) *http.Response {
	return respond(status, fmt.Sprintf(`{"code":%d,"message":"secret text about +14155550100","more_info":"x","status":%d}`, code, status))
}

// page is a list page; next is given as JSON is.
func page(next string, sids ...string) string {
	rows := make([]string, len(sids))
	for i, sid := range sids {
		rows[i] = row(sid)
	}
	link := "null"
	if next != "" {
		link = `"` + next + `"`
	}
	return `{"messages":[` + strings.Join(rows, ",") + `],"next_page_uri":` + link + `}`
}

func row(sid string) string {
	return `{"sid":"` + sid + `","date_created":"Thu, 30 Jul 2015 20:12:31 +0000","status":"received","direction":"inbound","body":"secret"}`
}

func sid(n int) string { return fmt.Sprintf("SM%032x", n) }

// account is an account whose requests f answers.
func account(t *testing.T, f func(n int, r *http.Request) (*http.Response, error), change ...func(*twilio.Options)) (*twilio.Account, *answerer) {
	t.Helper()
	a := &answerer{answer: f}
	opts := twilio.Options{AccountSID: accountSID, APIKeySID: keySID, APIKeySecret: keySecret, HTTP: a}
	for _, c := range change {
		c(&opts)
	}
	acc, err := twilio.New(opts)
	require.NoError(t, err)
	return acc, a
}

// emulated is an account of the emulator's.
func emulated(t *testing.T, srv *twiliotest.Server, change ...func(*twilio.Options)) *twilio.Account {
	t.Helper()
	opts := twilio.Options{
		AccountSID: srv.AccountSID, APIKeySID: srv.APIKeySID, APIKeySecret: srv.APIKeySecret,
		BaseURL: srv.URL, HTTP: srv.Client().Transport,
	}
	for _, c := range change {
		c(&opts)
	}
	acc, err := twilio.New(opts)
	require.NoError(t, err)
	return acc
}

// walked are the SIDs of every page of a walk, page by page.
func walked(t *testing.T, acc *twilio.Account, w mirror.Window) (pages [][]string, err error) {
	t.Helper()
	err = acc.Walk(t.Context(), w, func(rows []message.Message) (bool, error) {
		sids := []string{}
		for _, m := range rows {
			sids = append(sids, string(m.SID))
		}
		pages = append(pages, sids)
		return true, nil
	})
	return pages, err
}

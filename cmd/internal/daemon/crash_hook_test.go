package daemon_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/store"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// line is Twilio's telephone to whatever daemon runs, and a list of what a daemon
// has said that it took in.
type line struct {
	url string

	mu       sync.Mutex
	store    int                // which one, of those that were taken away one after another
	accepted map[[2]string]bool // SID and status
}

// renew forgets what a daemon took into a store that is no more.
func (l *line) renew() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.store++
	l.accepted = map[[2]string]bool{}
}

// storm lets the account call the daemon about everything, some calls never,
// some twice and some late, until the test ends.
func (w *crashWorld) storm(t *testing.T) {
	t.Helper()
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := free.Addr().String()
	require.NoError(t, free.Close())
	w.line = &line{url: "http://" + addr + "/twilio", accepted: map[[2]string]bool{}}
	w.yaml = strings.Replace(w.ConfigYAML(w.dir), "twilio:\n",
		fmt.Sprintf("twilio:\n  auth_token: %s\n  webhook: {public_url: %q, listen: %q}\n", w.Twilio.AuthToken, w.line.url, addr), 1)
	w.Twilio.SetWebhook(twiliotest.Webhook{URL: w.line.url, Via: w.line, Lost: 0.1, Twice: 0.2, Late: 0.2, Delay: time.Second})
	ctx, cancel := context.WithCancel(context.Background())
	var calling sync.WaitGroup
	calling.Go(func() { w.Twilio.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		calling.Wait()
	})
}

// RoundTrip implements http.RoundTripper.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	l.mu.Lock()
	began := l.store
	l.mu.Unlock()
	// A connection of its own for each call: a killed daemon leaves none behind.
	carrier := &http.Transport{DisableKeepAlives: true}
	resp, err := carrier.RoundTrip(r)
	if err == nil && resp.StatusCode/100 == 2 {
		form, _ := url.ParseQuery(string(body))
		status := form.Get("MessageStatus")
		if status == "" {
			status = form.Get("SmsStatus")
		}
		l.mu.Lock()
		if began == l.store {
			l.accepted[[2]string{form.Get("MessageSid"), status}] = true
		}
		l.mu.Unlock()
	}
	return resp, err
}

// requireEvents is P1: what was answered 2xx is on disk.
func (l *line) requireEvents(t *testing.T, st *store.Store) {
	t.Helper()
	rows, err := st.DB().QueryContext(t.Context(), `SELECT sid, status FROM events`)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	kept := map[[2]string]bool{}
	for rows.Next() {
		var key [2]string
		require.NoError(t, rows.Scan(&key[0], &key[1]))
		kept[key] = true
	}
	require.NoError(t, rows.Err())
	l.mu.Lock()
	defer l.mu.Unlock()
	for key := range l.accepted {
		require.True(t, kept[key], "%v was answered 2xx and is not in the store", key)
	}
}

// calls is how many calls daemons have taken in.
func (l *line) calls() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.accepted)
}

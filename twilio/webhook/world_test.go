package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/twilio/webhook"
)

const (
	account   = "AC0123456789abcdef0123456789abcdef"
	sid       = "SM0123456789abcdef0123456789abcdef"
	mediaSID  = "ME0123456789abcdef0123456789abcdef"
	token     = "9f86d081884c7d659a2feaa0c55ad015"
	publicURL = "https://sms.example.com/twilio/in"
	form      = "application/x-www-form-urlencoded"
)

// inbox keeps what it accepts; with err it accepts nothing.
type inbox struct {
	mu     sync.Mutex
	events []message.Event
	reply  webhook.Reply
	err    error
}

func (i *inbox) Accept(_ context.Context, e message.Event) (webhook.Reply, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.err != nil {
		return webhook.Reply{}, i.err
	}
	i.events = append(i.events, e)
	return i.reply, nil
}

// world is a receiver with everything around it.
type world struct {
	*webhook.Receiver

	inbox *inbox
	logs  *observer.ObservedLogs
	reg   *prometheus.Registry
}

func newWorld(tb testing.TB, change ...func(*webhook.Options)) *world {
	tb.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	w := &world{inbox: &inbox{}, logs: logs, reg: prometheus.NewRegistry()}
	o := webhook.Options{
		PublicURL: publicURL, AccountSID: account, AuthTokens: []string{token}, Inbox: w.inbox,
		Log: zap.New(core), Registerer: w.reg,
	}
	for _, c := range change {
		c(&o)
	}
	var err error
	w.Receiver, err = webhook.New(o)
	require.NoError(tb, err)
	return w
}

// public is a change of the public URL.
func public(text string) func(*webhook.Options) {
	return func(o *webhook.Options) { o.PublicURL = text }
}

// sign is the signature, written anew from Twilio's page:
// https://www.twilio.com/docs/usage/security#validating-requests
func sign(key, signedURL string, params url.Values) string {
	names := make([]string, 0, len(params))
	for name := range params {
		names = append(names, name)
	}
	slices.Sort(names)
	text := signedURL
	for _, name := range names {
		seen := map[string]bool{}
		for _, value := range slices.Sorted(slices.Values(params[name])) {
			if !seen[value] {
				text += name + value
			}
			seen[value] = true
		}
	}
	mac := hmac.New(sha1.New, []byte(key))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// post is a call as Twilio makes it, to target, a path with perhaps a query.
func post(target, contentType, body, signature string) *http.Request {
	// The proxy's host is not the public one.
	r := httptest.NewRequest(http.MethodPost, "http://10.0.0.7:8080"+target, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("X-Forwarded-Host", "evil.example.com")
	if signature != "" {
		r.Header.Set("X-Twilio-Signature", signature)
	}
	return r
}

// signed is a call with these parameters and the right signature for publicURL.
func signed(params url.Values) *http.Request {
	return post("/twilio/in", form, params.Encode(), sign(token, publicURL, params))
}

func (w *world) do(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

// only is the one event that was accepted.
func (w *world) only(t *testing.T) message.Event {
	t.Helper()
	require.Len(t, w.inbox.events, 1)
	return w.inbox.events[0]
}

// inbound are the parameters of a message that somebody wrote, with changes:
// a name and its value in turn.
func inbound(change ...string) url.Values {
	v := url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "SmsMessageSid": {sid}, "AccountSid": {account},
		"From": {"+14155550100"}, "To": {"+14155550199"}, "Body": {"Hello there"}, "NumMedia": {"0"}, "NumSegments": {"1"},
		"SmsStatus": {"received"}, "ApiVersion": {"2010-04-01"}, "FromCity": {""}, "FromCountry": {"US"},
	}
	return with(v, change)
}

// callback are the parameters of a status.
func callback(change ...string) url.Values {
	v := url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "AccountSid": {account}, "From": {"+14155550199"}, "To": {"+14155550100"},
		"MessageStatus": {"delivered"}, "SmsStatus": {"delivered"}, "ApiVersion": {"2010-04-01"}, "RawDlrDoneDate": {"2601021504"},
	}
	return with(v, change)
}

func with(v url.Values, change []string) url.Values {
	for pair := range slices.Chunk(change, 2) {
		v[pair[0]] = []string{pair[1]}
	}
	return v
}

// counted reports whether the one call was counted so, and timed.
func (w *world) counted(t *testing.T, kind, outcome string) {
	t.Helper()
	families, err := w.reg.Gather()
	require.NoError(t, err)
	require.Len(t, families, 2)
	for _, family := range families {
		require.Len(t, family.GetMetric(), 1, family.GetName())
		m := family.GetMetric()[0]
		if h := m.GetHistogram(); h != nil {
			require.Equal(t, uint64(1), h.GetSampleCount())
			continue
		}
		require.Equal(t, "twiliosf_webhook_requests_total", family.GetName())
		require.InDelta(t, 1, m.GetCounter().GetValue(), 0)
		labels := map[string]string{}
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		require.Equal(t, map[string]string{"kind": kind, "outcome": outcome}, labels)
	}
}

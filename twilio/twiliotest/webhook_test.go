package twiliotest_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	twilioclient "github.com/twilio/twilio-go/client"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const hookURL = "https://crm.example.com/twilio?tenant=1"

// heard is one call that reached a listener.
type heard struct {
	at     time.Duration // since the listener began
	url    string
	method string
	header http.Header
	form   map[string]string
}

// listener is a webhook in the same process. It answers 204 unless answer does.
type listener struct {
	began  time.Time
	answer func(*http.Request) (*http.Response, error)

	mu    sync.Mutex
	calls []heard
}

func (l *listener) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	h := heard{at: time.Since(l.began), url: r.URL.String(), method: r.Method, header: r.Header, form: map[string]string{}}
	for name := range values {
		h.form[name] = values.Get(name)
	}
	l.mu.Lock()
	l.calls = append(l.calls, h)
	l.mu.Unlock()
	if l.answer != nil {
		return l.answer(r)
	}
	return says(http.StatusNoContent, "", ""), nil
}

func (l *listener) heard() []heard {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]heard(nil), l.calls...)
}

// statuses are those of one message, in the order in which they were told.
func (l *listener) statuses(sid string) []string {
	var list []string
	for _, h := range l.heard() {
		if h.form["MessageSid"] == sid {
			list = append(list, h.form["SmsStatus"])
		}
	}
	return list
}

func says(status int, kind, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body))}
}

func always(status int, kind, body string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return says(status, kind, body), nil }
}

// announced runs a test in virtual time with a listener, and the account's
// calls on their way until its end.
func announced(t *testing.T, o twiliotest.Options, test func(t *testing.T, a *api, l *listener)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &listener{began: time.Now()}
		if o.Life == (twiliotest.Life{}) {
			o.Life = exactly()
		}
		o.Webhook.Via = l
		a := newAPI(t, o)
		ctx, stop := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() {
			defer close(over)
			a.srv.Run(ctx)
		}()
		test(t, a, l)
		stop()
		<-over
	})
}

func hooked() twiliotest.Options {
	return twiliotest.Options{Webhook: twiliotest.Webhook{URL: hookURL}}
}

func hears() twiliotest.Inbound {
	return twiliotest.Inbound{From: customer, To: ours, Body: "Grüße & more"}
}

// requireSigned wants what Twilio's own library accepts.
func requireSigned(t *testing.T, token string, h heard) {
	t.Helper()
	validator := twilioclient.NewRequestValidator(token)
	require.True(t, validator.Validate(h.url, h.form, h.header.Get("X-Twilio-Signature")))
}

func TestATextIsAnnouncedAndSigned(t *testing.T) {
	announced(t, hooked(), func(t *testing.T, a *api, l *listener) {
		in := hears()
		in.Media = []twiliotest.Media{{ContentType: "image/jpeg"}, {ContentType: "text/vcard"}}
		sid := a.srv.Receive(in)
		synctest.Wait()
		require.Len(t, l.heard(), 1)
		h := l.heard()[0]
		requireSigned(t, a.srv.AuthToken, h)
		row, _ := a.srv.Message(sid)
		media := a.srv.URL + a.path("/Messages/"+sid+"/Media/")
		require.Equal(t, map[string]string{
			"MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, "AccountSid": a.srv.AccountSID,
			"From": customer, "To": ours, "Body": "Grüße & more", "NumMedia": "2", "NumSegments": "1",
			"SmsStatus": "received", "ApiVersion": "2010-04-01", "MessagingServiceSid": service,
			"MediaUrl0": media + row.Media[0].SID, "MediaContentType0": "image/jpeg",
			"MediaUrl1": media + row.Media[1].SID, "MediaContentType1": "text/vcard",
		}, h.form)
		require.Equal(t, []string{"POST", hookURL, "TwilioProxy/1.1"}, []string{h.method, h.url, h.header.Get("User-Agent")})
		require.Regexp(t, "^[0-9a-f-]{36}$", h.header.Get("I-Twilio-Idempotency-Token"))
		requireStatus(t, a.client, a.request(http.MethodGet, a.path("/Messages/"+sid+"/Media/"+row.Media[0].SID), nil), http.StatusOK)
		require.Equal(t, twiliotest.WebhookCalls{Made: 1, Accepted: 1}, a.srv.WebhookCalls())
	})
}

func TestATextIsAnnouncedWhenItHasBeenReceived(t *testing.T) {
	announced(t, hooked(), func(t *testing.T, a *api, l *listener) {
		in := hears()
		in.To, in.Receiving = "+447700900123", 3*time.Second
		a.srv.Receive(in)
		time.Sleep(time.Minute)
		require.Len(t, l.heard(), 1)
		require.Equal(t, 3*time.Second, l.heard()[0].at)
		require.NotContains(t, l.heard()[0].form, "MessagingServiceSid", "London is in no service")
	})
}

func TestStatusesComeInTheOrderOfLifeWithoutTheFirst(t *testing.T) {
	announced(t, hooked(), func(t *testing.T, a *api, l *listener) {
		_, m := a.create("To", customer, "MessagingServiceSid", service, "Body", "x")
		_, direct := a.create("To", customer, "From", ours, "Body", "x")
		time.Sleep(time.Minute)
		require.Equal(t, []string{"queued", "sending", "sent", "delivered"}, l.statuses(m.text("sid")))
		require.Equal(t, []string{"sending", "sent", "delivered"}, l.statuses(direct.text("sid")))
		for _, h := range l.heard() {
			requireSigned(t, a.srv.AuthToken, h)
			require.NotContains(t, h.form, "ErrorCode")
			require.Equal(t, h.form["MessageSid"] == m.text("sid"), h.form["MessagingServiceSid"] == service)
			require.Equal(t, h.form["SmsStatus"], h.form["MessageStatus"])
		}
		require.Equal(t, time.Second, l.heard()[0].at, "as soon as it happens")
	})
}

func TestAFailureIsToldWithItsCode(t *testing.T) {
	o := hooked()
	o.Life = exactly()
	o.Life.Failed = 1
	announced(t, o, func(t *testing.T, a *api, l *listener) {
		_, m := a.create("To", customer, "From", ours, "Body", "x")
		time.Sleep(time.Minute)
		require.Equal(t, []string{"sending", "failed"}, l.statuses(m.text("sid")))
		require.Equal(t, "30008", l.heard()[1].form["ErrorCode"])
	})
}

func TestACancelAndAChangeByHandAreTold(t *testing.T) {
	announced(t, hooked(), func(t *testing.T, a *api, l *listener) {
		_, m := a.create("To", customer, "MessagingServiceSid", service, "Body", "x", "ScheduleType", "fixed",
			"SendAt", time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		a.call(http.MethodPost, m.text("uri"), url.Values{"Status": {"canceled"}})
		a.srv.Seed(twiliotest.Row{From: ours, To: customer, Direction: "outbound-api"})
		_, stuck := a.create("To", customer, "From", ours, "Body", "x", "StatusCallback", "https://example.com/own")
		require.True(t, a.srv.Update(stuck.text("sid"), func(r *twiliotest.Row) { r.Status, r.ErrorCode = "undelivered", 30003 }))
		time.Sleep(2 * time.Hour)
		require.Equal(t, []string{"canceled"}, l.statuses(m.text("sid")))
		require.Equal(t, []string{"undelivered"}, l.statuses(stuck.text("sid")))
		require.Len(t, l.heard(), 2, "what was seeded has been before")
	})
}

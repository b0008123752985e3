package twiliotest_test

import (
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	messaging "github.com/twilio/twilio-go/rest/messaging/v1"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const (
	newYork = "+12125550123"
	london  = "+447700900123"
)

// lastURL lets act make the account call, and tells where.
func lastURL(t *testing.T, l *listener, act func()) string {
	t.Helper()
	before := len(l.heard())
	act()
	synctest.Wait()
	require.Len(t, l.heard(), before+1)
	h := l.heard()[before]
	requireSigned(t, twiliotest.DefaultAuthToken, h)
	u, err := url.Parse(h.url)
	require.NoError(t, err)
	if h.method == http.MethodGet {
		require.Equal(t, customer, u.Query().Get("From"))
		require.Empty(t, h.form)
	}
	return u.Host + u.Path
}

// sends makes a message and moves it on, so that its status is told.
func sends(a *api, pairs ...string) func() {
	return func() {
		_, m := a.create(append(pairs, "To", customer, "Body", "x")...)
		a.srv.SetStatus(m.text("sid"), "delivered", 0)
	}
}

func writes(a *api, to string) func() {
	return func() { a.srv.Receive(twiliotest.Inbound{From: customer, To: to, Body: "x"}) }
}

func TestTheNearestAddressIsCalled(t *testing.T) {
	o := hooked()
	o.Life.Still = true
	o.Services = []twiliotest.Service{{SID: service, Senders: []string{ours}, StatusCallback: "https://service.test/out",
		InboundURL: "https://service.test/in", InboundMethod: "GET"}}
	o.Numbers = []twiliotest.Number{{Phone: ours, SMSURL: "https://ours.test/"}, {Phone: newYork, SMSURL: "https://york.test/?a=1", SMSMethod: "GET"}, {Phone: london}}
	announced(t, o, func(t *testing.T, a *api, l *listener) {
		const own = "https://own.test:8443/cb?ref=1"
		require.Equal(t, "own.test:8443/cb", lastURL(t, l, sends(a, "MessagingServiceSid", service, "StatusCallback", own)))
		require.Equal(t, "service.test/out", lastURL(t, l, sends(a, "MessagingServiceSid", service)))
		require.Equal(t, "own.test:8443/cb", lastURL(t, l, sends(a, "From", london, "StatusCallback", own)))
		require.Equal(t, "crm.example.com/twilio", lastURL(t, l, sends(a, "From", london)))
		require.Equal(t, "service.test/in", lastURL(t, l, writes(a, ours)))
		require.Equal(t, "york.test/", lastURL(t, l, writes(a, newYork)))
		require.Equal(t, "crm.example.com/twilio", lastURL(t, l, writes(a, london)))
		a.call(http.MethodPost, "/v1/Services/"+service, url.Values{"UseInboundWebhookOnNumber": {"true"}})
		require.Equal(t, "ours.test/", lastURL(t, l, writes(a, ours)))
	})
}

func TestANumbersAddressIsChangedOverTheAPI(t *testing.T) {
	o := hooked()
	o.Life.Still = true
	announced(t, o, func(t *testing.T, a *api, l *listener) {
		list := a.get(a.path("/IncomingPhoneNumbers.json?PhoneNumber=" + url.QueryEscape(london)))["incoming_phone_numbers"].([]any)
		number := object(list[0].(map[string]any))
		require.Equal(t, []any{"", "POST", ""}, []any{number["sms_url"], number["sms_method"], number["status_callback"]})
		status, changed := a.call(http.MethodPost, number.text("uri"), url.Values{"SmsUrl": {"https://london.test/"},
			"SmsMethod": {"GET"}, "StatusCallback": {"https://london.test/calls"}, "VoiceUrl": {"https://london.test/voice"}})
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, []any{"https://london.test/", "GET", "https://london.test/calls"},
			[]any{changed["sms_url"], changed["sms_method"], changed["status_callback"]})
		require.Equal(t, changed, a.get(number.text("uri")))
		require.Equal(t, []string{"UpdateIncomingPhoneNumber VoiceUrl"}, a.srv.Unknown())
		require.Equal(t, "london.test/", lastURL(t, l, writes(a, london)))

		for _, form := range []url.Values{{"SmsUrl": {"not a URL"}}, {"SmsMethod": {"PUT"}}} {
			status, refused := a.call(http.MethodPost, number.text("uri"), form)
			requireRefused(t, http.StatusBadRequest, 20001, status, refused)
		}
		a.call(http.MethodPost, number.text("uri"), url.Values{"SmsUrl": {""}})
		require.Equal(t, "crm.example.com/twilio", lastURL(t, l, writes(a, london)))
		status, missing := a.call(http.MethodPost, a.path("/IncomingPhoneNumbers/PN00000000000000000000000000000000.json"), url.Values{})
		requireRefused(t, http.StatusNotFound, 20404, status, missing)
	})
}

// Twilio's own client and its own document on the services.
func TestServicesAreReadAndChangedWithTwiliosOwnClient(t *testing.T) {
	o := still()
	o.Services = append(twiliotest.DefaultServices(), twiliotest.Service{SID: "MG00000000000000000000000000000002", FriendlyName: "Second"},
		twiliotest.Service{SID: "MG00000000000000000000000000000003"})
	srv := twiliotest.NewServer(o)
	defer srv.Close()
	tw := messaging.NewApiServiceWithClient(officialClient(srv, validatedBy(t, "twilio_messaging_v1.yaml", srv.Client().Transport)))

	all, err := tw.ListService((&messaging.ListServiceParams{}).SetPageSize(2))
	require.NoError(t, err)
	require.Len(t, all, 3, "over two pages, by absolute addresses")
	require.Equal(t, "Second", *all[1].FriendlyName)
	require.Nil(t, all[1].InboundRequestUrl)
	require.False(t, *all[1].UseInboundWebhookOnNumber)

	changed, err := tw.UpdateService(service, (&messaging.UpdateServiceParams{}).SetInboundRequestUrl("https://example.com/in").
		SetStatusCallback("https://example.com/out").SetInboundMethod("GET").SetFriendlyName("Front desk").SetUseInboundWebhookOnNumber(true))
	require.NoError(t, err)
	fetched, err := tw.FetchService(service)
	require.NoError(t, err)
	require.Equal(t, changed, fetched)
	require.Equal(t, []any{"https://example.com/in", "https://example.com/out", "GET", "Front desk", true},
		[]any{*fetched.InboundRequestUrl, *fetched.StatusCallback, *fetched.InboundMethod, *fetched.FriendlyName, *fetched.UseInboundWebhookOnNumber})
	_, err = tw.FetchService("MG00000000000000000000000000000009")
	requireCode(t, 20404, err)
	_, err = tw.UpdateService(service, (&messaging.UpdateServiceParams{}).SetStatusCallback("nowhere"))
	requireCode(t, 20001, err)
}

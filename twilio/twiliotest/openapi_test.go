package twiliotest_test

import (
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// Every operation, in every state that changes what is written, against
// Twilio's own document.
func TestEveryAnswerIsAsTwiliosDocumentSays(t *testing.T) {
	for name, sw := range map[string]twiliotest.Switches{
		"switches off": {},
		"switches on": {NullDates: twiliotest.NullsByCreated, NullsOnTop: true, EmptyLastPage: true, EscapeJSON: true,
			AcceptedWithFrom: true, DateRefused: true, DefaultService: true, DayPrecision: true, Exclusive: true},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t, twiliotest.Options{Life: twiliotest.Life{Still: true}, Switches: sw})
			a.client = &http.Client{Transport: validated(t, a.client.Transport)}
			everyOperation(t, a)
		})
	}
}

func everyOperation(t *testing.T, a *api) {
	t.Helper()
	status, sms := a.create("To", "+14155550199", "From", "+14155550100", "Body", "ünï\x00 \"quoted\" \n👍", "Tags", `{"a":"b"}`)
	require.Equal(t, http.StatusCreated, status)
	status, mms := a.create("To", "+14155550199", "MessagingServiceSid", twiliotest.DefaultServiceSID, "From", "+14155550100",
		"MediaUrl", "https://example.com/a.jpg", "MediaUrl", "https://example.com/b.pdf", "StatusCallback", "https://example.com/cb?ref=1")
	require.Equal(t, http.StatusCreated, status)
	status, refused := a.create("To", "+15005550009", "From", "+14155550100", "Body", "x")
	requireRefused(t, http.StatusBadRequest, 21614, status, refused)
	for _, name := range []string{"accepted", "queued", "sending", "sent", "failed", "delivered", "undelivered", "read", "partially_delivered", "canceled"} {
		code := map[string]int{"failed": 30008, "undelivered": 30003}[name]
		require.True(t, a.srv.SetStatus(sms.text("sid"), name, code))
		a.get(a.path("/Messages/" + sms.text("sid") + ".json"))
	}
	a.srv.Receive(twiliotest.Inbound{From: "whatsapp:+14155550199", To: "whatsapp:+14155550100", Body: "hi"})
	a.srv.Seed(twiliotest.Row{From: "+14155550199", To: "+14155550100", Body: "priced", Price: "-0.0075"})

	for _, query := range []string{"", "PageSize=1", "To=%2B14155550199&From=%2B14155550100&PageSize=1000",
		"DateSent=2026-01-05", "DateSent%3E=2020-01-05&DateSent%3C=2099-01-01T00:00:00Z&PageSize=2"} {
		a.walk(query)
	}
	page := a.list("PageSize=1")
	second := a.get(page.text("next_page_uri"))
	a.get(second.text("previous_page_uri"))
	a.get(second.text("first_page_uri"))
	a.get(second.text("uri"))

	message := a.path("/Messages/" + mms.text("sid"))
	media := a.get(message + "/Media.json?PageSize=1&DateCreated%3E=2020-01-01")
	first := media["media_list"].([]any)[0].(map[string]any)["uri"].(string)
	a.get(media.text("next_page_uri"))
	a.get(first)
	status, _ = a.call(http.MethodDelete, first, nil)
	require.Equal(t, http.StatusNoContent, status)

	require.True(t, a.srv.SetStatus(mms.text("sid"), "delivered", 0))
	status, _ = a.call(http.MethodPost, message+".json", url.Values{"Body": {""}})
	require.Equal(t, http.StatusOK, status)
	status, _ = a.call(http.MethodDelete, message+".json", nil)
	require.Equal(t, http.StatusNoContent, status)
	numbers := a.get(a.path("/IncomingPhoneNumbers.json?PageSize=2"))["incoming_phone_numbers"].([]any)
	number := numbers[0].(map[string]any)["uri"].(string)
	status, _ = a.call(http.MethodPost, number, url.Values{"SmsUrl": {"https://example.com/sms"}, "SmsMethod": {"GET"}, "StatusCallback": {""}})
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "https://example.com/sms", a.get(number)["sms_url"])
	a.get(a.path("/SMS/ShortCodes.json?PageSize=2"))
	a.get(a.path("/Balance.json"))
	a.get(a.path(".json"))
}

func TestMediaBytesComeFromAnotherHostWithoutOurCredentials(t *testing.T) {
	for _, tcp := range []bool{false, true} {
		a := newAPI(t, still())
		if tcp {
			require.NoError(t, a.srv.Listen("127.0.0.1:0"))
			transport := &http.Transport{}
			t.Cleanup(transport.CloseIdleConnections)
			a.client, a.base = &http.Client{Transport: transport}, a.srv.URL
		}
		sid := a.srv.Receive(twiliotest.Inbound{From: "+14155550199", To: "+14155550100",
			Media: []twiliotest.Media{{ContentType: "image/gif", Data: []byte("GIF89a...")}}})
		row, _ := a.srv.Message(sid)
		bytesAt := a.path("/Messages/" + sid + "/Media/" + row.Media[0].SID)

		resp, err := a.client.Do(a.request(http.MethodGet, bytesAt, nil))
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.Equal(t, "image/gif", resp.Header.Get("Content-Type"))
		require.Equal(t, "GIF89a...", string(body))

		unsigned := a.request(http.MethodGet, bytesAt, nil)
		unsigned.Header.Del("Authorization")
		requireStatus(t, a.client, unsigned, http.StatusUnauthorized)
		forwarded := a.request(http.MethodGet, resp.Request.URL.RequestURI(), nil)
		requireStatus(t, a.client, forwarded, http.StatusBadRequest)
	}
}

func requireStatus(t *testing.T, c *http.Client, r *http.Request, want int) {
	t.Helper()
	resp, err := c.Do(r)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, want, resp.StatusCode)
}

func TestWhatIsNotThereIsRefusedInTwiliosWords(t *testing.T) {
	a := newAPI(t, still())
	other := "/2010-04-01/Accounts/AC00000000000000000000000000000000"
	missing := "/Messages/SM00000000000000000000000000000000"
	for _, c := range []struct {
		name, method, path string
		status, code       int
	}{
		{"an unknown message", "GET", a.path(missing + ".json"), 404, 20404},
		{"its media", "GET", a.path(missing + "/Media.json"), 404, 20404},
		{"a SID that is none", "GET", a.path("/Messages/hello.json"), 404, 20404},
		{"another account", "GET", other + "/Messages.json", 404, 20404},
		{"an unknown resource", "GET", a.path("/Calls.json"), 404, 20404},
		{"XML", "GET", a.path("/Messages"), 404, 20404},
		{"a service that is none", "GET", "/v1/Services/MG00000000000000000000000000000000", 404, 20404},
		{"a path that only begins like the services", "GET", "/v1/ServicesAll", 404, 20404},
		{"a wrong method on the services", "POST", "/v1/Services", 405, 20004},
		{"a pool that is none", "GET", "/v1/Services/MG00000000000000000000000000000000/PhoneNumbers", 404, 20404},
		{"a service's messages", "GET", "/v1/Services/" + twiliotest.DefaultServiceSID + "/Messages", 404, 20404},
		{"a flow that is none", "POST", "/v2/Flows/FW00000000000000000000000000000000/Executions", 404, 20404},
		{"an execution that is none", "GET", "/v2/Flows/" + twiliotest.DefaultFlowSID + "/Executions/FN00000000000000000000000000000000", 404, 20404},
		{"the flows, which are not built", "GET", "/v2/Flows", 404, 20404},
		{"an unknown version", "GET", "/2008-08-01/Accounts/AC/SMS.json", 404, 20404},
		{"a wrong method on the list", "DELETE", a.path("/Messages.json"), 405, 20004},
		{"a wrong method on a message", "PUT", a.path(missing + ".json"), 405, 20004},
		{"delete of an unknown message", "DELETE", a.path(missing + ".json"), 404, 20404},
		{"an unreadable date", "GET", a.path("/Messages.json?DateSent%3E=yesterday"), 400, 20001},
		{"an inequality in the value", "GET", a.path("/Messages.json?DateSent=%3E%3D2026-01-02"), 400, 20001},
		{"page size 0", "GET", a.path("/Messages.json?PageSize=0"), 400, 20001},
		{"a page that is no number", "GET", a.path("/Messages.json?Page=two"), 400, 20001},
		{"a bad token", "GET", a.path("/Messages.json?PageToken=PAxyz"), 400, 21481},
		{"a token of no message", "GET", a.path("/Messages.json?PageToken=PASM00000000000000000000000000000000"), 400, 21481},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, o := a.call(c.method, c.path, nil)
			requireRefused(t, c.status, c.code, status, o)
			if c.code == 20404 && c.name != "XML" {
				require.Equal(t, "The requested resource "+c.path+" was not found", o["message"])
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	a := newAPI(t, still())
	for _, c := range []struct {
		name, user, password string
		want                 int
	}{
		{"auth token", a.srv.AccountSID, a.srv.AuthToken, 200},
		{"API key", a.srv.APIKeySID, a.srv.APIKeySecret, 200},
		{"key with the token", a.srv.APIKeySID, a.srv.AuthToken, 401},
		{"account with the secret", a.srv.AccountSID, a.srv.APIKeySecret, 401},
		{"nobody", "", "", 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := a.request(http.MethodGet, a.path("/Messages.json"), nil)
			req.SetBasicAuth(c.user, c.password)
			requireStatus(t, a.client, req, c.want)
		})
	}
	req := a.request(http.MethodGet, a.path("/Messages.json"), nil)
	req.Header.Del("Authorization")
	requireStatus(t, a.client, req, 401)
}

func TestProductHosts(t *testing.T) {
	a := newAPI(t, still())
	for host, want := range map[string]int{
		"https://api.twilio.com": 200, "https://api.dublin.ie1.twilio.com": 200, "https://messaging.twilio.com": 404,
		"http://127.0.0.1:8080": 200, "http://twilio.test": 200,
	} {
		a.base = host
		requireStatus(t, a.client, a.request(http.MethodGet, a.path("/Messages.json"), nil), want)
	}
	for host, want := range map[string]int{
		"https://messaging.twilio.com": 200, "https://messaging.dublin.ie1.twilio.com": 200, "https://api.twilio.com": 404,
		"http://127.0.0.1:8080": 200, "http://twilio.test": 200,
	} {
		a.base = host
		requireStatus(t, a.client, a.request(http.MethodGet, "/v1/Services", nil), want)
	}
	for host, want := range map[string]int{
		"https://studio.twilio.com": 201, "https://studio.dublin.ie1.twilio.com": 201, "https://api.twilio.com": 404, "http://127.0.0.1:8080": 201,
	} {
		a.base = host
		form := url.Values{"To": {"+14155550199"}, "From": {host}}
		requireStatus(t, a.client, a.request(http.MethodPost, "/v2/Flows/"+twiliotest.DefaultFlowSID+"/Executions", form), want)
	}
}

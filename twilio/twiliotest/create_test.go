package twiliotest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const service = twiliotest.DefaultServiceSID

// refusals are creates that Twilio refuses; each lacks or breaks one thing.
var refusals = []struct {
	name  string
	code  int
	pairs []string
}{
	{"no To", 21604, []string{"From", ours, "Body", "x"}},
	{"no sender", 21603, []string{"To", customer, "Body", "x"}},
	{"nothing to say", 21602, []string{"To", customer, "From", ours}},
	{"an empty body", 21602, []string{"To", customer, "From", ours, "Body", ""}},
	{"a To that is no number", 21211, []string{"To", "hello", "From", ours, "Body", "x"}},
	{"a To without country code", 21211, []string{"To", "4155550199", "From", ours, "Body", "x"}},
	{"a US number too short", 21211, []string{"To", "+1415555019", "From", ours, "Body", "x"}},
	{"To oneself", 21211, []string{"To", ours, "From", ours, "Body", "x"}},
	{"a From that is no sender", 21212, []string{"To", customer, "From", "!", "Body", "x"}},
	{"someone else's number", 21606, []string{"To", customer, "From", "+14155550177", "Body", "x"}},
	{"someone else's short code", 21606, []string{"To", customer, "From", "99999", "Body", "x"}},
	{"a From outside the service", 21606, []string{"To", customer, "From", "+18005550199", "MessagingServiceSid", service, "Body", "x"}},
	{"no such service", 21705, []string{"To", customer, "MessagingServiceSid", "MG00000000000000000000000000000000", "Body", "x"}},
	{"a service that is no SID", 21705, []string{"To", customer, "MessagingServiceSid", "main", "Body", "x"}},
	{"someone else's WhatsApp sender", 63007, []string{"To", "whatsapp:" + customer, "From", "whatsapp:+14155550177", "Body", "x"}},
	{"two channels", 21910, []string{"To", "whatsapp:" + customer, "From", ours, "Body", "x"}},
	{"too long", 21617, []string{"To", customer, "From", ours, "Body", strings.Repeat("a", 1601)}},
	{"a bad media URL", 21620, []string{"To", customer, "From", ours, "MediaUrl", "cat.png"}},
	{"media from a number without MMS", 21621, []string{"To", customer, "From", "+447700900123", "MediaUrl", "https://example.com/a.png"}},
	{"too many media", 21623, append([]string{"To", customer, "From", ours}, slices.Repeat([]string{"MediaUrl", "https://example.com/a.png"}, 11)...)},
	{"variables without content", 21654, []string{"To", customer, "From", ours, "Body", "x", "ContentVariables", "{}"}},
	{"content that is no SID", 21655, []string{"To", customer, "From", ours, "ContentSid", "HX1"}},
	{"variables that are no JSON", 21656, []string{"To", customer, "From", ours, "ContentSid", "HX00000000000000000000000000000000", "ContentVariables", "{"}},
	{"a relative callback", 21609, []string{"To", customer, "From", ours, "Body", "x", "StatusCallback", "/cb"}},
	{"an underscore in the callback's host", 21609, []string{"To", customer, "From", ours, "Body", "x", "StatusCallback", "https://my_host.example.com/"}},
	{"a validity of none", 21624, []string{"To", customer, "From", ours, "Body", "x", "ValidityPeriod", "0"}},
	{"a validity too long", 21624, []string{"To", customer, "From", ours, "Body", "x", "ValidityPeriod", "36001"}},
	{"an unknown retention", 20001, []string{"To", customer, "From", ours, "Body", "x", "ContentRetention", "maybe"}},
	{"a schedule without a time", 35111, []string{"To", customer, "MessagingServiceSid", service, "Body", "x", "ScheduleType", "fixed"}},
	{"a schedule without a service", 35118, []string{"To", customer, "From", ours, "Body", "x", "ScheduleType", "fixed", "SendAt", "2026-03-10T16:00:00Z"}},
	{"a schedule too soon", 35114, []string{"To", customer, "MessagingServiceSid", service, "Body", "x", "ScheduleType", "fixed", "SendAt", "2026-03-10T15:04:59Z"}},
	{"a schedule too late", 35114, []string{"To", customer, "MessagingServiceSid", service, "Body", "x", "ScheduleType", "fixed", "SendAt", "2026-04-14T15:00:01Z"}},
	{"a schedule that is no time", 35114, []string{"To", customer, "MessagingServiceSid", service, "Body", "x", "ScheduleType", "fixed", "SendAt", "tomorrow"}},
	{"a test From that is invalid", 21212, []string{"To", customer, "From", "+15005550001", "Body", "x"}},
	{"a test From that is full", 21611, []string{"To", customer, "From", "+15005550008", "Body", "x"}},
	{"a test To that is no mobile", 21614, []string{"To", "+15005550009", "From", twiliotest.TestFrom, "Body", "x"}},
	{"a test To that opted out", 21610, []string{"To", "+15005550004", "From", ours, "Body", "x"}},
}

func TestCreatesThatTwilioRefuses(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			a := newAPI(t, at(still(), clock))
			status, o := a.create(c.pairs...)
			requireRefused(t, 400, c.code, status, o)
		})
	}
}

func TestRefusedCreatesAreFailedMessages(t *testing.T) {
	for _, c := range []struct {
		sw    twiliotest.Switches
		rows  int
		dated bool
	}{
		{twiliotest.Switches{}, 1, false},
		{twiliotest.Switches{DateRefused: true}, 1, true},
		{twiliotest.Switches{HideRefused: true}, 0, false},
	} {
		o := at(still(), clock)
		o.Switches = c.sw
		a := newAPI(t, o)
		a.create("To", "+15005550009", "From", ours, "Body", "to a landline")
		a.create("From", ours, "Body", "to nobody: nothing to record")
		list := messagesOf(a.list(""))
		require.Len(t, list, c.rows)
		for _, m := range list {
			require.Equal(t, "failed", m["status"])
			require.EqualValues(t, 21614, m["error_code"])
			require.Equal(t, "'To' number is not a valid mobile number", m["error_message"])
			require.Equal(t, "to a landline", m["body"])
			require.Equal(t, "+15005550009", m["to"])
			require.Equal(t, c.dated, m["date_sent"] != nil)
		}
	}
}

func TestWhatACreateAnswers(t *testing.T) {
	media := "https://example.com/a.jpg"
	for _, c := range []struct {
		name             string
		sw               twiliotest.Switches
		pairs            []string
		status, segments string
		from, service    any
		prefix           string
	}{
		{"a number", twiliotest.Switches{}, []string{"From", ours}, "queued", "2", ours, nil, "SM"},
		{"a number and a default service", twiliotest.Switches{DefaultService: true}, []string{"From", ours}, "queued", "2", ours, "MGffffffffffffffffffffffffffffffff", "SM"},
		{"a service", twiliotest.Switches{}, []string{"MessagingServiceSid", service}, "accepted", "0", nil, service, "SM"},
		{"a service as From", twiliotest.Switches{}, []string{"From", service}, "accepted", "0", nil, service, "SM"},
		{"a service and a number", twiliotest.Switches{}, []string{"MessagingServiceSid", service, "From", ours}, "queued", "0", ours, service, "SM"},
		{"the same, accepted", twiliotest.Switches{AcceptedWithFrom: true}, []string{"MessagingServiceSid", service, "From", ours}, "accepted", "0", ours, service, "SM"},
		{"media", twiliotest.Switches{}, []string{"From", ours, "MediaUrl", media}, "queued", "1", ours, nil, "MM"},
		{"a schedule", twiliotest.Switches{}, []string{"MessagingServiceSid", service, "ScheduleType", "fixed", "SendAt", "2026-03-10T15:05:00Z"}, "scheduled", "0", nil, service, "SM"},
		{"a schedule without a service, sent at once", twiliotest.Switches{SendUnserviced: true}, []string{"From", ours, "ScheduleType", "fixed", "SendAt", "2026-03-10T15:05:00Z"}, "queued", "2", ours, nil, "SM"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := at(still(), clock)
			o.Switches = c.sw
			a := newAPI(t, o)
			status, m := a.create(append([]string{"To", customer, "Body", strings.Repeat("a", 161)}, c.pairs...)...)
			require.Equal(t, http.StatusCreated, status, "%v", m)
			require.Equal(t, []any{c.status, c.segments, c.from, c.service}, []any{m["status"], m["num_segments"], m["from"], m["messaging_service_sid"]})
			require.Equal(t, c.prefix, m.text("sid")[:2])
			require.Nil(t, m["date_sent"])
			require.Nil(t, m["price"])
			require.Nil(t, m["error_code"])
			require.Equal(t, "Tue, 10 Mar 2026 15:00:00 +0000", m["date_created"])
			require.Equal(t, "outbound-api", m["direction"])
			require.NotContains(t, m["subresource_uris"], "feedback")
			require.Equal(t, m["sid"], a.get(m.text("uri"))["sid"])
		})
	}
}

func TestTheLengthOfABody(t *testing.T) {
	for _, c := range []struct {
		points bool
		emoji  int
		want   int
	}{{false, 800, 201}, {false, 801, 400}, {true, 1600, 201}, {true, 1601, 400}} {
		t.Run(fmt.Sprintf("%d emoji, code points: %v", c.emoji, c.points), func(t *testing.T) {
			o := still()
			o.Switches.CodePoints = c.points
			a := newAPI(t, o)
			status, _ := a.create("To", customer, "From", ours, "Body", strings.Repeat("😀", c.emoji))
			require.Equal(t, c.want, status)
		})
	}
}

func TestBodiesArriveByteForByte(t *testing.T) {
	bodies := []string{"plain", "\"quotes\" \\ / </script>", "line\nbreak\r\ttab", "nul\x00 and \x1f and \x7f", "שלום مرحبا", "👨‍👩‍👧‍👦 \u2028 \uFEFF", strings.Repeat("😀", 800)}
	for _, escape := range []bool{false, true} {
		o := still()
		o.Switches.EscapeJSON = escape
		a := newAPI(t, o)
		for _, body := range bodies {
			status, m := a.create("To", customer, "From", ours, "Body", body)
			require.Equal(t, http.StatusCreated, status)
			require.Equal(t, body, m["body"])
			require.Equal(t, body, a.get(m.text("uri"))["body"])
		}
	}
}

func TestSomeoneWhoOptedOut(t *testing.T) {
	a := newAPI(t, twiliotest.Options{})
	a.srv.Block(customer)
	status, o := a.create("To", customer, "From", ours, "Body", "x")
	requireRefused(t, 400, 21610, status, o)
	status, _ = a.create("To", customer, "MessagingServiceSid", service, "Body", "x")
	require.Equal(t, http.StatusCreated, status, "a service finds out later")
	a.srv.Unblock(customer)
	status, _ = a.create("To", customer, "From", ours, "Body", "x")
	require.Equal(t, http.StatusCreated, status)
}

func TestANumberThatRefuses(t *testing.T) {
	a := newAPI(t, still())
	a.srv.RefuseTo(customer, 21635)
	status, o := a.create("To", customer, "From", ours, "Body", "x")
	requireRefused(t, 400, 21635, status, o)
	a.srv.RefuseTo(customer, 0)
	status, _ = a.create("To", customer, "From", ours, "Body", "x")
	require.Equal(t, http.StatusCreated, status)
}

func TestUnknownParametersAreNamed(t *testing.T) {
	a := newAPI(t, still())
	status, _ := a.create("To", customer, "From", ours, "Body", "x", "Bdy", "typo")
	require.Equal(t, http.StatusCreated, status)
	require.Equal(t, []string{"CreateMessage Bdy"}, a.srv.Unknown())
}

func TestABodyThatIsNoFormHoldsNothing(t *testing.T) {
	a := newAPI(t, still())
	req := a.request(http.MethodPost, a.path("/Messages.json"), url.Values{"To": {customer}})
	req.Header.Set("Content-Type", "application/json")
	requireStatus(t, a.client, req, http.StatusBadRequest)
}

func TestUpdatesThatTwilioRefuses(t *testing.T) {
	a := newAPI(t, at(still(), clock))
	queued := a.srv.Send(twiliotest.Outbound{From: ours, To: customer, Body: "secret"})
	done := a.srv.Receive(twiliotest.Inbound{From: customer, To: ours, Body: "secret"})
	for _, c := range []struct {
		name, method, sid string
		form              url.Values
		status, code      int
	}{
		{"redact before it is sent", "POST", queued, url.Values{"Body": {""}}, 409, 20009},
		{"delete before it is sent", "DELETE", queued, nil, 409, 20009},
		{"cancel what is not scheduled", "POST", queued, url.Values{"Status": {"canceled"}}, 409, 30409},
		{"another body", "POST", done, url.Values{"Body": {"new"}}, 400, 20001},
		{"another status", "POST", done, url.Values{"Status": {"sent"}}, 400, 20001},
		{"nothing", "POST", done, url.Values{}, 400, 20001},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, o := a.call(c.method, a.path("/Messages/"+c.sid+".json"), c.form)
			requireRefused(t, c.status, c.code, status, o)
		})
	}
	row, _ := a.srv.Message(done)
	require.Equal(t, "secret", row.Body)
}

func TestACanceledMessageIsNeverSent(t *testing.T) {
	now := clock
	a := newAPI(t, twiliotest.Options{Now: func() time.Time { return now }})
	_, m := a.create("To", customer, "MessagingServiceSid", service, "Body", "x", "ScheduleType", "fixed", "SendAt", "2026-03-10T16:00:00Z")
	_, kept := a.create("To", customer, "MessagingServiceSid", service, "Body", "y", "ScheduleType", "fixed", "SendAt", "2026-03-10T16:00:00Z")
	status, _ := a.call(http.MethodPost, m.text("uri"), url.Values{"Status": {"canceled"}})
	require.Equal(t, http.StatusOK, status)
	now = clock.Add(59 * time.Minute)
	require.Equal(t, "scheduled", a.get(kept.text("uri"))["status"])
	now = clock.Add(2 * time.Hour)
	require.Equal(t, "canceled", a.get(m.text("uri"))["status"])
	require.NotEqual(t, "scheduled", a.get(kept.text("uri"))["status"])
}

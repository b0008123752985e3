package twiliotest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	messaging "github.com/twilio/twilio-go/rest/messaging/v1"
	studio "github.com/twilio/twilio-go/rest/studio/v2"

	v2010 "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

func executions(flow string) string { return "/v2/Flows/" + flow + "/Executions" }

// Twilio's own client and its own document on executions.
func TestTwiliosOwnClientStartsAFlowAndFollowsIt(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	o := still()
	o.Now = func() time.Time { return now }
	srv := twiliotest.NewServer(o)
	defer srv.Close()
	tw := studio.NewApiServiceWithClient(officialClient(srv, validatedBy(t, "twilio_studio_v2.yaml", srv.Client().Transport)))

	params := (&studio.CreateExecutionParams{}).SetTo("+14155550199").SetFrom("+14155550100").SetParameters(map[string]any{"name": "Anna"})
	made, err := tw.CreateExecution(twiliotest.DefaultFlowSID, params)
	require.NoError(t, err)
	require.Equal(t, "active", *made.Status)
	require.Equal(t, "+14155550199", *made.ContactChannelAddress)
	require.Equal(t, now, *made.DateCreated)

	_, err = tw.CreateExecution(twiliotest.DefaultFlowSID, params)
	requireCode(t, 20409, err)
	now = now.Add(twiliotest.DefaultExecution)
	fetched, err := tw.FetchExecution(twiliotest.DefaultFlowSID, *made.Sid)
	require.NoError(t, err)
	require.Equal(t, "ended", *fetched.Status)
	require.Equal(t, now, *fetched.DateUpdated)

	second, err := tw.CreateExecution(twiliotest.DefaultFlowSID, params)
	require.NoError(t, err, "the first is over")
	require.True(t, srv.EndExecution(*second.Sid))
	require.False(t, srv.EndExecution("FN00000000000000000000000000000000"))
	all := srv.Executions()
	require.Len(t, all, 2)
	require.Equal(t, `{"name":"Anna"}`, all[1].Parameters)
	require.Equal(t, "ended", all[1].Status)
	require.Empty(t, srv.Unknown())
}

func TestAnExecutionIsHeldToItsRules(t *testing.T) {
	long := strings.Repeat("9", 290)
	for _, c := range []struct {
		name   string
		form   url.Values
		status int
		code   int
	}{
		{"nobody to reach", url.Values{"From": {"+14155550100"}}, 400, 20001},
		{"no sender", url.Values{"To": {"+14155550199"}}, 400, 20001},
		{"addresses that are too long", url.Values{"To": {long}, "From": {"+1415555010"}}, 400, 81023},
		{"parameters that are no JSON", url.Values{"To": {"+14155550199"}, "From": {"+14155550100"}, "Parameters": {"name=Anna"}}, 400, 20001},
		{"parameters that are no object", url.Values{"To": {"+14155550199"}, "From": {"+14155550100"}, "Parameters": {`"{}"`}}, 400, 20001},
		{"addresses just short enough", url.Values{"To": {long}, "From": {"+141555501"}}, 201, 0},
		{"a service for a sender", url.Values{"To": {"+14155550199"}, "From": {service}, "Parameters": {" {} "}}, 201, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAPI(t, still())
			status, o := a.call(http.MethodPost, executions(twiliotest.DefaultFlowSID), c.form)
			if c.code == 0 {
				require.Equal(t, c.status, status, "%v", o)
				require.Len(t, a.srv.Executions(), 1)
				return
			}
			requireRefused(t, c.status, c.code, status, o)
			require.Empty(t, a.srv.Executions())
		})
	}
}

func TestManyExecutionsOfOneContactWhereTheSwitchAllowsThem(t *testing.T) {
	o := still()
	o.Switches.ManyExecutions = true
	a := newAPI(t, o)
	for range 2 {
		status, _ := a.call(http.MethodPost, executions(twiliotest.DefaultFlowSID), url.Values{"To": {"+14155550199"}, "From": {"+14155550100"}})
		require.Equal(t, http.StatusCreated, status)
	}
}

// Twilio's own client and its own documents on all that may send.
func TestTwiliosOwnClientFindsEverySender(t *testing.T) {
	o := still()
	o.Services = []twiliotest.Service{{SID: service, Senders: []string{"+14155550100", "+447700900123", "55501", "ACME", "whatsapp:+14155550100"}}}
	srv := twiliotest.NewServer(o)
	defer srv.Close()
	tw := messaging.NewApiServiceWithClient(officialClient(srv, validatedBy(t, "twilio_messaging_v1.yaml", srv.Client().Transport)))

	numbers, err := tw.ListPhoneNumber(service, (&messaging.ListPhoneNumberParams{}).SetPageSize(1))
	require.NoError(t, err)
	require.Len(t, numbers, 2, "over two pages")
	require.Equal(t, []string{"Voice", "SMS"}, *numbers[1].Capabilities)
	require.Equal(t, "GB", *numbers[1].CountryCode)
	codes, err := tw.ListShortCode(service, nil)
	require.NoError(t, err)
	require.Equal(t, "55501", *codes[0].ShortCode)
	names, err := tw.ListAlphaSender(service, nil)
	require.NoError(t, err)
	require.Equal(t, "ACME", *names[0].AlphaSender)
	channels, err := tw.ListChannelSender(service, nil)
	require.NoError(t, err)
	require.Equal(t, "whatsapp:+14155550100", *channels[0].Sender)

	mine, err := official(srv, validated(t, srv.Client().Transport)).ListShortCode((&v2010.ListShortCodeParams{}).SetPageSize(5))
	require.NoError(t, err)
	require.Len(t, mine, 1)
	require.Equal(t, "55501", *mine[0].ShortCode)
	require.Empty(t, srv.Unknown())
}

func TestTwiliosOwnClientListsWhatItSentToANumber(t *testing.T) {
	srv := twiliotest.NewServer(still())
	defer srv.Close()
	tw := official(srv, validated(t, srv.Client().Transport))
	for range 2 {
		_, err := tw.CreateMessage((&v2010.CreateMessageParams{}).SetTo("+14155550199").SetFrom("+14155550100").SetBody("twice"))
		require.NoError(t, err)
	}
	_, err := tw.CreateMessage((&v2010.CreateMessageParams{}).SetTo("+14155550198").SetFrom("+14155550100").SetBody("once"))
	require.NoError(t, err)
	_, err = tw.CreateMessage((&v2010.CreateMessageParams{}).SetTo("+15005550009").SetFrom("+14155550100").SetBody("refused"))
	requireCode(t, 21614, err)

	to, err := tw.ListMessage((&v2010.ListMessageParams{}).SetTo("+14155550199"))
	require.NoError(t, err)
	require.Len(t, to, 2)
	require.Equal(t, map[twiliotest.Sent]int{{To: "+14155550199", Body: "twice"}: 2, {To: "+14155550198", Body: "once"}: 1}, srv.Accepted())
}

// A create that is answered by a reset was accepted, or was not: the client
// cannot tell, the account can.
func TestChancesAddUp(t *testing.T) {
	o := still()
	o.Seed, o.Weather = 5, []twiliotest.Chance{
		{P: 0.3, Fault: twiliotest.ResetAfter().On(twiliotest.CreateMessage)},
		{P: 0.3, Fault: twiliotest.ResetBefore().On(twiliotest.CreateMessage)},
	}
	a := newAPI(t, o)
	reset := 0
	for range 2000 {
		resp, err := a.client.Do(a.request(http.MethodPost, a.path("/Messages.json"), url.Values{"To": {"+14155550199"}, "From": {"+14155550100"}, "Body": {"x"}}))
		if err != nil {
			reset++
			continue
		}
		require.NoError(t, resp.Body.Close())
	}
	require.InDelta(t, 1200, reset, 60)
	require.InDelta(t, 1400, a.srv.Accepted()[twiliotest.Sent{To: "+14155550199", Body: "x"}], 60)
}

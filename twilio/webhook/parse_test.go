package webhook_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/twilio/webhook"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 987, time.FixedZone("", 3600))

const mediaURL = "https://api.twilio.com/2010-04-01/Accounts/" + account + "/Messages/" + sid + "/Media/"

func TestAnInboundMessageIsReadWhole(t *testing.T) {
	e, err := webhook.Parse(inbound("MessageSid", "MM"+sid[2:], "From", "whatsapp:+14155550100", "To", " 14155550199", "Body", " STOP\n",
		"NumMedia", "3", "NumSegments", "2", "MessagingServiceSid", "MG1", "OptOutType", "STOP", "ErrorCode", "11200", "ref", "T",
		"MediaUrl0", mediaURL+mediaSID, "MediaContentType0", "image/jpeg",
		"MediaUrl1", "https://example.com/cat.jpg", "MediaContentType1", "image/jpeg",
		"MediaUrl2", mediaURL+mediaSID+"?x=1", "MediaUrl3", mediaURL+mediaSID), noon)
	require.NoError(t, err)
	require.Equal(t, message.Event{
		Kind: message.InboundEvent, SID: message.SID("MM" + sid[2:]), From: "whatsapp:+14155550100", To: " 14155550199",
		ServiceSID: "MG1", Status: message.Received, Body: " STOP\n", Segments: 2, OptOut: "STOP", Ref: "T",
		Media: []message.Media{
			{SID: mediaSID, ContentType: "image/jpeg", URL: mediaURL + mediaSID},
			{SID: mediaSID, URL: mediaURL + mediaSID + "?x=1"},
		},
		Received: time.Date(2026, 1, 2, 11, 0, 0, 0, time.UTC),
	}, e, "a fallback URL's ErrorCode is about the webhook")
}

func TestAStatusIsReadWhole(t *testing.T) {
	e, err := webhook.Parse(callback("MessageStatus", "some_new_status", "ErrorCode", "30003", "MessagingServiceSid", "MG1", "Body", "none"), noon)
	require.NoError(t, err)
	require.Equal(t, message.Event{
		Kind: message.StatusEvent, SID: sid, From: "+14155550199", To: "+14155550100", ServiceSID: "MG1",
		Status: "some_new_status", ErrorCode: 30003, Received: noon.UTC().Truncate(time.Second),
	}, e)
}

func TestWhatIsNotGivenIsLeftOut(t *testing.T) {
	e, err := webhook.Parse(url.Values{"MessageSid": {sid}}, noon)
	require.NoError(t, err)
	require.Equal(t, message.Event{Kind: message.InboundEvent, SID: sid, Status: message.Received, Received: noon.UTC().Truncate(time.Second)}, e)
}

func TestNoMoreThanTenAttachmentsAreRead(t *testing.T) {
	v := inbound("NumMedia", "999")
	for i := range 20 {
		v.Set("MediaUrl"+strconv.Itoa(i), mediaURL+mediaSID)
	}
	e, err := webhook.Parse(v, noon)
	require.NoError(t, err)
	require.Len(t, e.Media, 10)
}

func TestOptOutsWeDoNotKnowAreNone(t *testing.T) {
	for given, want := range map[string]string{"STOP": "STOP", "START": "START", "HELP": "HELP", "": "", "stop": "", "PAUSE": ""} {
		e, err := webhook.Parse(inbound("OptOutType", given), noon)
		require.NoError(t, err)
		require.Equal(t, want, e.OptOut)
	}
}

func TestAnErrorNamesTheParameterAndNotTheValue(t *testing.T) {
	for _, c := range []struct {
		form      url.Values
		parameter string
	}{
		{url.Values{}, "MessageSid"},
		{inbound("MessageSid", "secret"), "MessageSid"},
		{inbound("MessageSid", sid+"0"), "MessageSid"},
		{inbound("MessageSid", "MG"+sid[2:]), "MessageSid"},
		{inbound("MessageSid", sid[:33]+"g"), "MessageSid"},
		{inbound("SmsStatus", "secret!"), "SmsStatus"},
		{inbound("NumMedia", "secret"), "NumMedia"},
		{inbound("NumMedia", "1.5"), "NumMedia"},
		{inbound("NumSegments", "-1"), "NumSegments"},
		{inbound("NumSegments", "99999999999999999999"), "NumSegments"},
		{callback("MessageStatus", ""), "MessageStatus"},
		{callback("MessageStatus", "Sent"), "MessageStatus"},
		{callback("MessageStatus", "sent\n"), "MessageStatus"},
		{callback("MessageStatus", strings.Repeat("s", 65)), "MessageStatus"},
		{callback("ErrorCode", "secret"), "ErrorCode"},
	} {
		e, err := webhook.Parse(c.form, noon)
		require.ErrorContains(t, err, c.parameter)
		require.NotContains(t, err.Error(), "secret")
		require.Zero(t, e)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := webhook.Options{PublicURL: publicURL, AccountSID: account, AuthTokens: []string{token}, Inbox: &inbox{}}
	_, err := webhook.New(good)
	require.NoError(t, err)
	for part, change := range map[string]func(*webhook.Options){
		"public URL":   public("/twilio/in"),
		"the public":   public("ftp://secret@example.com/"),
		"whole URL":    public("https://:443/secret"),
		"that Twilio":  public("https://user:secret@host:port/"),
		"account SID":  func(o *webhook.Options) { o.AccountSID = "secret" },
		"one auth":     func(o *webhook.Options) { o.AuthTokens = nil },
		"or two":       func(o *webhook.Options) { o.AuthTokens = []string{"a", "b", "c"} },
		"letters":      func(o *webhook.Options) { o.AuthTokens = []string{"secret\n"} },
		"digits":       func(o *webhook.Options) { o.AuthTokens = []string{""} },
		"inbox":        func(o *webhook.Options) { o.Inbox = nil },
		"largest body": func(o *webhook.Options) { o.MaxBody = -1 },
	} {
		o := good
		change(&o)
		_, err := webhook.New(o)
		require.ErrorContains(t, err, part)
		require.NotContains(t, err.Error(), "secret")
	}
	_, err = webhook.New(webhook.Options{})
	require.ErrorContains(t, err, "public URL")
	require.ErrorContains(t, err, "account SID")
	require.ErrorContains(t, err, "inbox")
}

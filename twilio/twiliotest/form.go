package twiliotest

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// form reads a form-encoded body. Another kind of body holds no parameters for
// Twilio, and a broken one is refused.
func form(r *http.Request) (url.Values, reply, bool) {
	if r.Body == nil {
		return url.Values{}, reply{}, true
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxForm))
	if err != nil {
		return nil, badRequest(20001, "Unreadable body"), false
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) //nolint:errcheck // an unreadable type is no form
	if kind != "application/x-www-form-urlencoded" {
		return url.Values{}, reply{}, true
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, badRequest(20001, "Malformed form"), false
	}
	for _, list := range values {
		for i, v := range list {
			list[i] = strings.ToValidUTF8(v, "\uFFFD")
		}
	}
	return values, reply{}, true
}

var createKeys = keys("To", "From", "MessagingServiceSid", "Body", "MediaUrl", "ContentSid", "ContentVariables",
	"StatusCallback", "ApplicationSid", "ValidityPeriod", "ScheduleType", "SendAt", "ShortenUrls", "SmartEncoded",
	"SendAsMms", "PersistentAction", "ProvideFeedback", "ForceDelivery", "Attempt", "ContentRetention",
	"AddressRetention", "RiskCheck", "TrafficType", "FallbackFrom", "MaxPrice", "Tags")

var updateKeys = keys("Body", "Status")

func keys(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		m[n] = true
	}
	return m
}

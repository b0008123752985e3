package e2e_test

import (
	"testing"

	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// always is a fault that meets every request until the weather changes.
func always(f twiliotest.Fault) func(*world) {
	return func(w *world) { w.twilio.SetWeather(twiliotest.Chance{P: 1, Fault: f}) }
}

func fineWeather(w *world) { w.twilio.SetWeather() }

func TestWhenTwilioRefusesUsTheStatusSaysWhatToLookAt(t *testing.T) {
	t.Parallel()
	const wrong = "Wr0ngWr0ngWr0ngWr0ngWr0ngWr0ng00"
	for _, c := range []trouble{
		{
			name:      "a wrong API key secret",
			cause:     func(w *world) { w.secrets.add(wrong); w.change(func(s *settings) { s.account = twilioLogin(wrong) }) },
			cure:      func(w *world) { w.reconfigure(func(s *settings) { s.account = twilioLogin(w.twilio.APIKeySecret) }) },
			condition: "twilio-credentials", severity: health.Blocking, blind: true,
			says: []string{"20003", "twilio.api_key_secret"},
		},
		{
			name:  "a suspended account",
			cause: always(twiliotest.Suspended()), cure: fineWeather,
			condition: "twilio-access", severity: health.Blocking, blind: true,
			says: []string{"20005", "suspended", "Twilio Console"},
		},
		{
			name:  "a key that was revoked",
			cause: always(twiliotest.Revoked()), cure: fineWeather,
			condition: "twilio-credentials", severity: health.Blocking, blind: true,
			says: []string{"20003", "twilio.api_key_sid"},
		},
	} {
		t.Run(c.name, c.run)
	}
}

func TestWhenTwilioAnswersNonsenseNothingIsLost(t *testing.T) {
	t.Parallel()
	for _, c := range []trouble{
		{name: "a proxy's page in place of JSON", cause: always(twiliotest.Garbage()), says: []string{"not Twilio's", "twilio.base_url"}},
		{name: "half of the JSON", cause: always(twiliotest.TruncatedJSON()), says: []string{"cut off"}},
		{name: "half of the body", cause: always(twiliotest.CutBody()), says: []string{"cut off"}},
		{name: "connections that are reset", cause: always(twiliotest.ResetBefore()), says: []string{"reset"}},
		{name: "connections that are reset after the work is done", cause: always(twiliotest.ResetAfter()), says: []string{"reset"}},
		{name: "a gateway's 502", cause: always(twiliotest.HTML(502)), says: []string{"502"}},
		{name: "too many requests", cause: always(twiliotest.Throttle(1)), condition: "twilio-throttled", says: []string{"20429"}},
	} {
		if c.condition == "" {
			c.condition = "twilio-unreachable"
		}
		c.cure, c.severity, c.blind = fineWeather, health.Degraded, true
		t.Run(c.name, c.run)
	}
}

package config

import (
	"regexp"
	"time"
)

// Outbox is how what Salesforce asks for is sent.
type Outbox struct {
	// SettleAfter is how long a send that may have happened is looked for.
	SettleAfter time.Duration `key:"settle_after"`
	// Uncertain is UncertainResend or UncertainHold.
	Uncertain string `key:"uncertain"`
	// LateLimit is how long after its time a message is still sent.
	LateLimit time.Duration `key:"late_limit"`
}

// What is done about a send that is not found.
const (
	UncertainResend = "resend"
	UncertainHold   = "hold"
)

func outboxKeys() []key {
	return []key{
		{
			path: "outbox.settle_after", kind: duration, fallback: "10m", low: "1m", high: "24h",
			doc: "How long a message whose send was cut off is looked for in Twilio, several times, before uncertain says what happens.",
		},
		{
			path: "outbox.uncertain", kind: text, fallback: UncertainResend, enum: []string{UncertainResend, UncertainHold},
			doc: "What happens to a message that Twilio does not show after settle_after. resend sends it again; hold leaves it to you (twiliosf outbox settle), the only way that never sends twice, should Twilio's list be late.",
		},
		{
			path: "outbox.late_limit", kind: duration, fallback: "12h", low: "1m", high: "30d",
			doc: "How long after its time a message is still sent that could not be sent before. Later its record says failed, with the reason.",
		},
	}
}

// senderKey is the default sender. Numbers are in E.164, short codes and Messaging
// Services as Twilio has them.
func senderKey() key {
	return key{
		path: "twilio.sender", kind: text, example: "+14155550100",
		doc:     "What a message is sent from when neither its record, nor the owner's personal number, nor the conversation says so: one of your numbers, or a Messaging Service's SID. Empty means that such a message fails, with the reason.",
		pattern: regexp.MustCompile(`^(|(whatsapp:|rcs:)?\+[1-9][0-9]{6,14}|[0-9]{3,8}|MG[0-9a-fA-F]{32})$`),
		shape:   "a number with a plus and its country code, a short code, or MG and 32 hexadecimal digits",
	}
}

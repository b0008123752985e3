package message

import "time"

// EventKind says what a webhook call of Twilio's tells of.
type EventKind string

// The kinds of events.
const (
	// InboundEvent: somebody wrote to one of our numbers.
	InboundEvent EventKind = "inbound"
	// StatusEvent: the status of a message we sent has changed.
	StatusEvent EventKind = "status"
)

// Event is one webhook call of Twilio's, verified. Calls may come twice, out of
// order or not at all, and carry no time of Twilio's.
// https://www.twilio.com/docs/messaging/guides/webhook-request
type Event struct {
	Kind       EventKind `json:"kind"`
	SID        SID       `json:"sid"`
	From       Number    `json:"from,omitzero"`
	To         Number    `json:"to,omitzero"`
	ServiceSID string    `json:"service,omitzero"`
	Status     Status    `json:"status"`
	ErrorCode  int       `json:"error_code,omitzero"` // 0 for none
	// Body, Segments and Media are those of an inbound message.
	Body     string  `json:"body,omitzero"`
	Segments int     `json:"segments,omitzero"`
	Media    []Media `json:"media,omitzero"`
	// OptOut is STOP, START or HELP where Twilio's Advanced Opt-Out has read the
	// message, else "".
	OptOut string `json:"opt_out,omitzero"`
	// Ref is the token that our own callback URL carries, else "".
	Ref string `json:"ref,omitzero"`
	// Received is when the call came in, in whole seconds, UTC.
	Received time.Time `json:"received"`
}

// Media is one attachment of a message.
type Media struct {
	SID         string `json:"sid"` // ME and 32 hex digits
	ContentType string `json:"content_type"`
	URL         string `json:"url"`
}

// Message is what an inbound event knows of its message: all but the price. Its
// dates are the receipt's until Twilio's API corrects them. It is false for a
// status, which has neither text nor direction.
func (e *Event) Message() (Message, bool) {
	if e.Kind != InboundEvent {
		return Message{}, false
	}
	return Message{
		SID: e.SID, ServiceSID: e.ServiceSID, From: e.From, To: e.To, Body: e.Body, Direction: Inbound, Status: e.Status,
		Segments: e.Segments, Media: len(e.Media), Created: e.Received, Updated: e.Received, Sent: e.Received,
	}, true
}

// Apply moves m to the status of e if that is higher (P4), and reports whether
// it did. Between two final statuses only Twilio's API decides. Updated stays,
// so that whatever the API shows later is not older than m.
func (e *Event) Apply(m *Message) bool {
	if e.SID != m.SID || e.Status.Rank() <= m.Status.Rank() || (m.Status.Final() && e.Status != Read) {
		return false
	}
	m.Status = e.Status
	if e.ErrorCode != 0 {
		m.ErrorCode = e.ErrorCode
	}
	return true
}

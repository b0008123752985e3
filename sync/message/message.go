// Package message is the vocabulary of the mirror: one Twilio message, its
// identity, its numbers, its status and how two sightings of it are reconciled.
// It is pure: no input, no output, no clock.
package message

import "time"

// SID is Twilio's id of one message: SM (text) or MM (media) and 32 hex digits,
// 34 characters, unique for ever and never reused.
// https://www.twilio.com/docs/messaging/api/message-resource
type SID string

// Number is an address as Twilio writes it: E.164 ("+14155550100"), a short
// code, an alphanumeric sender, or one of these behind "whatsapp:" and the like.
// It may be empty: the sender of a message that a Messaging Service has just
// accepted is not chosen yet. Mask it (package phone) before it is printed.
type Number string

// Direction says who wrote the message.
type Direction string

// The directions of Twilio's message resource.
const (
	Inbound       Direction = "inbound"
	OutboundAPI   Direction = "outbound-api"
	OutboundCall  Direction = "outbound-call"
	OutboundReply Direction = "outbound-reply"
)

// Message is one message as Twilio's API shows it at one moment.
type Message struct {
	SID        SID       `json:"sid"`
	ServiceSID string    `json:"service,omitzero"` // the Messaging Service it went through, or ""
	From       Number    `json:"from,omitzero"`
	To         Number    `json:"to,omitzero"`
	Body       string    `json:"body,omitzero"`
	Direction  Direction `json:"direction"`
	Status     Status    `json:"status"`
	Segments   int       `json:"segments,omitzero"`
	Media      int       `json:"media,omitzero"`
	// Price is a signed decimal in PriceUnit ("-0.00750"), "" until billed.
	Price        string    `json:"price,omitzero"`
	PriceUnit    string    `json:"price_unit,omitzero"` // ISO 4217, "" when Twilio sends null
	ErrorCode    int       `json:"error_code,omitzero"` // 0 for none
	ErrorMessage string    `json:"error_message,omitzero"`
	Created      time.Time `json:"created"`       // whole seconds, UTC
	Updated      time.Time `json:"updated"`       // whole seconds, UTC
	Sent         time.Time `json:"sent,omitzero"` // zero while Twilio has not sent it, and for some for ever
}

// At is the time Twilio's list orders by: when it was sent, else when it was created.
func (m *Message) At() time.Time {
	if m.Sent.IsZero() {
		return m.Created
	}
	return m.Sent
}

// Ours is the number on our side of the conversation.
func (m *Message) Ours() Number {
	if m.Direction == Inbound {
		return m.To
	}
	return m.From
}

// Theirs is the number of the other party: the conversation's key in Salesforce.
func (m *Message) Theirs() Number {
	if m.Direction == Inbound {
		return m.From
	}
	return m.To
}

// MaxSchedule is how far ahead Twilio schedules a message.
// https://www.twilio.com/docs/messaging/features/message-scheduling
const MaxSchedule = 35 * 24 * time.Hour

// Open reports whether the status may still change: it is not final and the
// message is younger than lookback (`sent` may last for ever). A scheduled
// message stays open until its latest possible time has passed as well.
func (m *Message) Open(now time.Time, lookback time.Duration) bool {
	if m.Status.Final() {
		return false
	}
	if m.Status == Scheduled {
		lookback += MaxSchedule
	}
	return m.At().After(now.Add(-lookback))
}

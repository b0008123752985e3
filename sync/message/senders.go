package message

import "time"

// SentQuery asks which messages the account has sent.
type SentQuery struct {
	To    Number // "": to anybody
	Since time.Time
}

// Senders are what an account may send from.
type Senders struct {
	// Numbers are its phone numbers and short codes. Channel addresses
	// ("whatsapp:+14155550100") and alphanumeric senders outside of services are
	// known to nobody but Twilio.
	Numbers  []Sender
	Services []Service
}

// Sender is one phone number or short code of the account's.
type Sender struct {
	SID    string // PN or SC and 32 hex digits
	Number Number
	Kind   SenderKind
	SMS    bool
	MMS    bool
}

// Service is a Messaging Service with its pool: numbers, short codes, names and
// channel addresses.
type Service struct {
	SID  string // MG and 32 hex digits
	Name string
	Pool []Number
}

// SenderKind is what carriers take a sender for: each has a pace of its own.
// https://support.twilio.com/hc/en-us/articles/115002943027
type SenderKind string

// The kinds of senders that the account lists.
const (
	LongCode  SenderKind = "long_code"
	TollFree  SenderKind = "toll_free"
	ShortCode SenderKind = "short_code"
)

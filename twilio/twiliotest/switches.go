package twiliotest

// Switches choose among behaviours of Twilio's that are not documented, or
// documented twice and differently. Each zero value is our best guess; a client
// must work in every position.
type Switches struct {
	// NullDates says whether a message without date_sent passes a DateSent
	// filter.
	NullDates NullDates
	// NullsOnTop lists messages without date_sent above all others; otherwise
	// they sort by date_created among the rest.
	NullsOnTop bool
	// DayPrecision cuts the value of a DateSent filter down to its UTC day;
	// otherwise it counts to the second.
	DayPrecision bool
	// Exclusive keeps a message sent at the exact instant of DateSent< or
	// DateSent> out; otherwise it is in.
	Exclusive bool
	// EmptyLastPage gives a next_page_uri after a last page that is full,
	// leading to an empty page; otherwise it is null.
	EmptyLastPage bool
	// LostTokens answers 400/21481 to a page token whose message was deleted;
	// otherwise the walk goes on from where the message stood.
	LostTokens bool
	// CodePoints counts the 1,600 characters of a body in code points;
	// otherwise in UTF-16 units.
	CodePoints bool
	// AcceptedWithFrom gives a message with both a service and a From the
	// first status accepted; otherwise queued.
	AcceptedWithFrom bool
	// HideRefused keeps refused creates out of the list; otherwise they are
	// failed messages: https://support.twilio.com/hc/en-us/articles/21923437804315
	HideRefused bool
	// DateRefused gives those a date_sent; otherwise it is null.
	DateRefused bool
	// DefaultService fills messaging_service_sid of messages sent without a
	// service with one and the same made-up SID; otherwise it is null.
	DefaultService bool
	// SendUnserviced sends a message that asks for a schedule but names no
	// service at once; otherwise it is refused with 35118.
	SendUnserviced bool
	// ManyExecutions lets a second execution of a flow start while one is active
	// between the same two; otherwise it is refused with 409/20409:
	// https://www.twilio.com/docs/studio/rest-api/v2/execution
	ManyExecutions bool
	// RetryAfter adds a Retry-After header, in seconds, to 429 answers.
	RetryAfter bool
	// EscapeJSON writes all text beyond ASCII as \uXXXX; otherwise as UTF-8.
	EscapeJSON bool
}

// NullDates says how a DateSent filter treats messages without date_sent.
type NullDates uint8

const (
	// NullsHidden: no such message passes a DateSent filter.
	NullsHidden NullDates = iota
	// NullsByCreated: its date_created is compared in place of date_sent.
	NullsByCreated
)

// unassigned is the service SID that Switches.DefaultService gives to messages
// sent without a service.
const unassigned = "MGffffffffffffffffffffffffffffffff"

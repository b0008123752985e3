package consent

import (
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
)

// Statement is one thing that was said about a number's consent, at one time.
type Statement struct {
	// ID tells statements apart: the message's SID, or of what kind the org's row is
	// and its key. Each counts once.
	ID      string
	Number  message.Number
	Class   Class
	Keyword string    // a keyword's record id; of a shown row "" for the number as a whole
	At      time.Time // whole seconds
	// Campaign is what a Join adds the person to.
	Campaign string
	// Active, InAt, OutAt and Message are those of a shown row.
	Active      bool
	InAt, OutAt time.Time
	Message     message.SID
	Loose       bool // it is to be written as it should be
	stopped     bool // of a shown row: a STOP that is known has ended it
}

// optedOut is Twilio's error for a message to a number that has opted out.
// https://www.twilio.com/docs/api/errors/21610
const optedOut = 21610

// Classifier reads the words of messages; Vocabulary.Read is one.
type Classifier func(text, optOut string) Reading

// Event is what a webhook event says of consent. Its time is the receipt's.
func (c Classifier) Event(e *message.Event) (Statement, bool) {
	if e.Kind == message.InboundEvent {
		r := c(e.Body, e.OptOut)
		if r.Class == Help && e.From != "" && c(e.Body, "").Class != Help {
			// Whoever reads the text alone may take it for something else.
			return Statement{ID: string(e.SID), Number: Subject(e.From), Class: Help, At: e.Received}, true
		}
		return statement(e.SID, e.From, r, e.Received)
	}
	return refused(e.SID, e.To, e.ErrorCode, e.Received)
}

// Message is what a message says that Twilio's API shows.
func (c Classifier) Message(m *message.Message) (Statement, bool) {
	if m.Direction == message.Inbound {
		return statement(m.SID, m.From, c(m.Body, ""), m.Created)
	}
	return refused(m.SID, m.To, m.ErrorCode, m.At())
}

func statement(sid message.SID, from message.Number, r Reading, at time.Time) (Statement, bool) {
	if r.Class == None || r.Class == Help || from == "" {
		return Statement{}, false
	}
	s := Statement{ID: string(sid), Number: Subject(from), Class: r.Class, At: at}
	if r.Keyword != nil {
		s.Keyword, s.Campaign = r.Keyword.ID, r.Keyword.Campaign
	}
	return s, true
}

// refused takes Twilio's word for it that a number has opted out.
func refused(sid message.SID, to message.Number, code int, at time.Time) (Statement, bool) {
	if code != optedOut || to == "" {
		return Statement{}, false
	}
	return Statement{ID: string(sid), Number: Subject(to), Class: Stop, At: at}, true
}

// Left is the statement that a number has left its person.
func Left(number message.Number, at time.Time) Statement {
	n := Subject(number)
	return Statement{ID: "left:" + string(n) + at.UTC().Format(":2006-01-02T15:04:05"), Number: n, Class: left, At: at}
}

// Shown is what a row of the org's says.
func Shown(row *message.OptIn) Statement {
	n := Subject(row.Number)
	s := Statement{
		ID: "org:" + Key(n, row.Keyword), Number: n, Class: shown, Keyword: row.Keyword, At: row.InAt,
		Active: row.Active, InAt: row.InAt, OutAt: row.OutAt, Message: row.Message, Loose: row.Loose,
	}
	if row.OutAt.After(s.At) {
		s.At = row.OutAt
	}
	return s
}

package outbox

import (
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
)

const (
	// skew is how far Twilio's clock may be from ours, and what its whole seconds
	// cut off.
	skew = 2 * time.Minute
	// lateCreate is how long after an intent its message may still be made: a
	// request may wait in a queue of ours or of Twilio's.
	lateCreate = 5 * time.Minute
	// clockDoubt is how far our clock may be fast or slow: then what we have just sent
	// is older, or younger, by Twilio's, than the intent.
	clockDoubt = time.Hour
)

// Matches says whether a message is what an attempt has sent, as far as a list can
// tell. A template's text is not known here: of what was sent by one only Twilio's
// SID or our token is proof.
func Matches(a *Attempt, m *message.Message) bool {
	return a.Out.Content == "" && Suspects(a, m)
}

// Suspects says whether a message may be an attempt's by all that we know of what
// we have sent.
func Suspects(a *Attempt, m *message.Message) bool {
	return alike(a, m, skew, skew+lateCreate) && sameBody(a, m)
}

// alike is Suspects but for the body, for a message that was made at most early
// before the attempt's first intent, and at most late after its last.
func alike(a *Attempt, m *message.Message, early, late time.Duration) bool {
	switch {
	case m.Direction != message.OutboundAPI || m.To != a.Out.To || a.Since.IsZero():
		return false
	case m.Created.Before(a.Since.Add(-early)) || m.Created.After(a.Intended.Add(late)):
		return false
	case a.Out.Service != "" && m.ServiceSID != a.Out.Service && !RefusedCreate(m):
		return false
	case a.Out.From != "" && m.From != a.Out.From && m.From != "":
		return false
	}
	return true
}

// sameBody compares where we have set the body. Twilio trims nothing that is
// known, but the list is Twilio's to show.
func sameBody(a *Attempt, m *message.Message) bool {
	return a.Out.Content != "" || strings.TrimSpace(m.Body) == strings.TrimSpace(a.Out.Body)
}

// mayBe says whether a message may be an attempt's although it reads otherwise:
// Twilio shortens links, replaces quotes and dashes, and puts words of its own
// before what a trial account sends. What is in doubt is never taken as absent (P5).
// https://www.twilio.com/docs/messaging/features/link-shortening
// https://www.twilio.com/docs/messaging/services#smart-encoding
//
// So is an equal one that seems to be older or younger than the intent: our clock may
// be fast or slow, and the machine may have slept before the call. A create that was
// refused is no message.
func mayBe(a *Attempt, m *message.Message) bool {
	return !RefusedCreate(m) && (alike(a, m, skew, skew+lateCreate) || sameBody(a, m) && alike(a, m, clockDoubt, clockDoubt))
}

// RefusedCreate tells a create that Twilio has refused, and lists as a failed
// message, from a message that it took and could not deliver, whose codes begin at
// 30000. https://www.twilio.com/docs/api/errors
func RefusedCreate(m *message.Message) bool {
	return m.Status == message.Failed && m.ErrorCode >= 20000 && m.ErrorCode < 30000
}

// Turned is a try that Twilio has refused, of an attempt that is tried again. Its
// failed message in Twilio's list is neither another message nor what became of the
// attempt.
type Turned struct {
	At   time.Time // of the intent
	Code int
	SID  message.SID // "" until the list has shown it
	Out  message.Outgoing
}

// Explains says whether a message of Twilio's list stands for a try.
func (t *Turned) Explains(m *message.Message) bool {
	try := Attempt{Out: t.Out, Since: t.At, Intended: t.At}
	return RefusedCreate(m) && m.ErrorCode == t.Code && Suspects(&try, m)
}

// candidates are the messages that an attempt may be given, the likeliest first:
// one that was made proves more than a refusal, and a refusal is of the last intent
// or of none.
func candidates(a *Attempt, seen []message.Message) []*message.Message {
	var made, refused []*message.Message
	for i := range seen {
		switch m := &seen[i]; {
		case !Matches(a, m):
		case !RefusedCreate(m):
			made = append(made, m)
		case !m.Created.Before(a.Intended.Add(-skew)):
			refused = append(refused, m)
		}
	}
	return append(made, refused...)
}

// ClaimKind says whose a message is.
type ClaimKind int

// The kinds of claims.
const (
	Stranger   ClaimKind = iota // no record is to get it: it has its own
	Bound                       // it is a record's, which shows its SID: write it by the record's id
	RejectedOf                  // Twilio lists it for a create that it refused: a record shows it as that, and it has no other
	Wait                        // it may be what is being sent, or its record does not show it yet: ask again soon
)

// Claim is whose a message is.
type Claim struct {
	Kind   ClaimKind
	Record string // of Bound and RejectedOf
	// Bulk is the record of the campaign that it is one message of. What is RejectedOf
	// a campaign is told by who has sent it, and nobody else: its Record is a key.
	Bulk string
}

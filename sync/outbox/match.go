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
	// clockDoubt is how far our clock may be fast: then what we have just sent is
	// older, by Twilio's, than the intent.
	clockDoubt = time.Hour
)

// Matches says whether a message may be what an attempt has sent.
func Matches(a *Attempt, m *message.Message) bool {
	return alike(a, m) && sameBody(a, m)
}

// alike is Matches but for the body.
func alike(a *Attempt, m *message.Message) bool { return alikeSince(a, m, a.Since.Add(-skew)) }

func alikeSince(a *Attempt, m *message.Message, since time.Time) bool {
	switch {
	case m.Direction != message.OutboundAPI || m.To != a.Out.To || a.Since.IsZero():
		return false
	case m.Created.Before(since) || m.Created.After(a.Intended.Add(skew+lateCreate)):
		return false
	case a.Out.Service != "" && m.ServiceSID != a.Out.Service && !refusedCreate(m):
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
// So is an equal one that seems to be older than the intent: our clock may be fast.
func mayBe(a *Attempt, m *message.Message) bool {
	return alike(a, m) || sameBody(a, m) && alikeSince(a, m, a.Since.Add(-clockDoubt))
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

package outbox

import (
	"cmp"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
)

// State is where an attempt is.
type State string

// The states of an attempt. From intended on, a message may exist in Twilio.
const (
	Fresh     State = "new"       // to be checked when it is due
	Ready     State = "ready"     // waits for its sender's turn
	Intended  State = "intended"  // Twilio is being called
	Uncertain State = "uncertain" // it may have been sent; it is being looked up
	Held      State = "held"      // it may have been sent; a human decides
	Accepted  State = "accepted"  // it has a SID
	Rejected  State = "rejected"  // Twilio has refused it
	Refused   State = "refused"   // we have: it never reached Twilio
	Dropped   State = "dropped"   // its record no longer asks; nothing was sent
)

// States are all of them, in the order in which they come.
func States() []State {
	return []State{Fresh, Ready, Intended, Uncertain, Held, Accepted, Rejected, Refused, Dropped}
}

// Attempt is one attempt to send what a record asks for. A record has another
// only after the one before was refused for good.
type Attempt struct {
	N       int64 // its number in the ledger
	Version int64 // which state of the row this is
	Draft   message.Draft
	Try     int // the record's first attempt, its second ...
	State   State
	// Reread: the record must be read again before anything is sent. Read is when it
	// was last.
	Reread bool
	Read   time.Time
	Due    time.Time // not before; zero: at once
	Tries  int       // how often it was put off
	Sender string    // the lane it waits in: a number or a service's SID
	Out    message.Outgoing
	Token  string // of the latest intent
	// Since is the first intent of which a message may exist, Intended the latest.
	Since, Intended time.Time
	// Looks are the look-ups since the latest intent that did not find it, Looked the
	// first of them; Parts and Parted are those of a list that could be read in part.
	Looks, Parts   int
	Looked, Parted time.Time
	Result         message.Result
	// Listed: that Twilio has refused it was not Twilio's answer but read off its list.
	Listed bool
	// Unwritten: the record does not show Result yet. Unshown: it never has, and is
	// not written again until somebody changes it: it was deleted, or does not take it.
	Unwritten, Unshown bool
	WriteTries         int
	Ended              time.Time // when it came to its last state
	// Turned is a try that Twilio has just refused, to be remembered with the outcome.
	Turned *Turned
}

// end brings an attempt to its last state, or to a human. A sender that we have
// chosen stands on the record of what was sent only: on another it would look like
// the user's own choice the next time.
//
// What a campaign has sent gets its record from the mirror, unless a human had to
// decide before: then there is one already, and it gets the SID.
func (a *Attempt) end(s State, r message.Result, now time.Time) {
	r.ID, r.To = a.Draft.ID, a.Out.To
	if s == Accepted {
		r.From, r.Service = cmp.Or(r.From, a.Out.From), cmp.Or(r.Service, a.Out.Service)
	}
	shown := a.Result.Status != ""
	a.State, a.Result, a.WriteTries, a.Ended, a.Due = s, r, 0, now, time.Time{}
	a.Unwritten = s != Accepted || a.Draft.Bulk == "" || shown
	a.Listed = false
}

// refuse ends an attempt before Twilio is asked.
func (a *Attempt) refuse(f *Refusal, now time.Time) {
	a.end(Refused, message.Result{Status: string(message.Failed), ErrorCode: f.Code, ErrorMessage: f.Text}, now)
}

// drop ends an attempt whose record no longer asks. Of a campaign's, a record that
// there is shows something else by then.
func (a *Attempt) drop(now time.Time) {
	if a.Draft.Bulk != "" && a.Result.Status != "" {
		a.end(Dropped, message.Result{Status: string(message.Canceled)}, now)
		a.Reread = false
		return
	}
	a.State, a.Reread, a.Due, a.Ended, a.Unwritten = Dropped, false, time.Time{}, now, false
}

// again puts an attempt into its sender's line once more.
func (a *Attempt) again() {
	a.State, a.Token, a.Due = Ready, "", a.turn()
	a.unlooked()
}

// turn is where an attempt comes in its sender's line: what users ask for goes
// before what campaigns do.
func (a *Attempt) turn() time.Time {
	if a.Draft.Bulk == "" {
		return time.Time{}
	}
	return a.Draft.SendAt
}

// unlooked forgets the look-ups of an intent before.
func (a *Attempt) unlooked() {
	a.Looks, a.Parts, a.Looked, a.Parted = 0, 0, time.Time{}, time.Time{}
}

// accept notes that Twilio has the message.
func (a *Attempt) accept(m *message.Message, now time.Time) {
	status := m.Status
	if status == "" {
		status = message.Accepted
	}
	a.end(Accepted, message.Result{
		SID: m.SID, Status: string(status), ErrorCode: m.ErrorCode, ErrorMessage: m.ErrorMessage,
		From: m.From, Service: m.ServiceSID, Segments: m.Segments,
	}, now)
}

// found is accept for a message that a look-up or a sweep has found. Twilio lists
// creates that it has refused as failed messages of their own. One that a full queue
// refused is tried again, as it is when Twilio answers so.
// https://help.twilio.com/articles/223181868
func (a *Attempt) found(m *message.Message, now time.Time) {
	switch {
	case !RefusedCreate(m):
		a.accept(m, now)
	case m.ErrorCode == codeQueueFull:
		a.turnedAway(m.ErrorCode, m.SID)
		a.State, a.Reread, a.Unwritten = Fresh, true, false
	default:
		a.end(Rejected, message.Result{
			RejectedSID: m.SID, Status: string(message.Failed), ErrorCode: m.ErrorCode, ErrorMessage: m.ErrorMessage,
		}, now)
		a.Listed = true
	}
}

// turnedAway takes an intent back that Twilio has refused for now.
func (a *Attempt) turnedAway(code int, sid message.SID) {
	a.Turned = &Turned{At: a.Intended, Code: code, SID: sid, Out: a.Out}
	a.unintend()
}

// unintend takes an intent back of which nothing has become. One before it may
// still have.
func (a *Attempt) unintend() {
	if a.Since.Equal(a.Intended) {
		a.Since, a.Intended = time.Time{}, time.Time{}
	}
	a.again()
}

// overruled remembers, before an attempt is given its message, the failed one that
// it was taken for.
func (a *Attempt) overruled() {
	if a.State == Rejected && a.Result.RejectedSID != "" {
		a.Turned = &Turned{At: a.Intended, Code: a.Result.ErrorCode, SID: a.Result.RejectedSID, Out: a.Out}
	}
}

// Found is the attempt once the message was found to be its own.
func Found(a Attempt, m *message.Message, now time.Time) Attempt {
	a.overruled()
	a.found(m, now)
	return a
}

// ByCallback is the attempt once Twilio's status callback has named its message.
func ByCallback(a Attempt, m *message.Message, now time.Time) Attempt {
	a.overruled()
	a.accept(m, now)
	return a
}

// Named is a rejected attempt once Twilio's list has shown the failed message that
// stands for it. Whoever saw it writes it to the record, which may show another
// attempt by now.
func Named(a Attempt, sid message.SID) Attempt {
	a.Result.RejectedSID = sid
	a.Unwritten = a.Unwritten || a.Draft.Bulk != "" // its record has no id that the mirror could know
	return a
}

// Withdrawn is an attempt that waits, once what it is one of no longer sends. Where
// a message may exist, it is asked first what is wanted now.
func Withdrawn(a Attempt, now time.Time) Attempt {
	if a.Since.IsZero() {
		a.drop(now)
	} else {
		a.State, a.Reread, a.Due = Fresh, true, time.Time{}
	}
	return a
}

// Contested is an attempt whose message another record has been given: by a human,
// in error.
func Contested(a Attempt, now time.Time) Attempt {
	a.end(Held, message.Result{
		Status:       message.Uncertain,
		ErrorMessage: "It was sent, as a message that an administrator has given to another record (twiliosf outbox settle).",
	}, now)
	return a
}

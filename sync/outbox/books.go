package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twiliosf/twiliosf/sync/alarm"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
)

const (
	booksEvery  = time.Minute
	forgetEvery = 60 // of those
	// keptFor is how long an attempt is kept that is over.
	keptFor = 30 * 24 * time.Hour
)

// keepBooks keeps the metrics and the condition of what is held true to the store,
// and drops what is over.
func (o *Outbox) keepBooks(ctx context.Context) {
	if refused, err := o.Results.Refused(ctx); err == nil && refused > 0 {
		o.Health.Raise(notTaken(nil))
	}
	for n := 0; ; n++ {
		if counts, err := o.Books.Counts(ctx); err == nil { // else whoever needs the store next tells of it
			for _, s := range []State{Fresh, Ready, Intended, Uncertain, Held} {
				o.metrics.waiting.WithLabelValues(string(s)).Set(float64(counts[s]))
			}
			if counts[Fresh]+counts[Ready]+counts[Intended] == 0 {
				o.twilio.Over() // nothing waits for it any more, and nothing would end it
			}
			if counts[Uncertain] == 0 {
				o.parts.Over()
			}
			if counts[Held] > 0 {
				o.Health.Raise(held())
			} else {
				o.Health.Clear(condHeld)
			}
		}
		if n%forgetEvery == 0 {
			if err := o.Books.Forget(ctx, time.Now().Add(-keptFor)); err != nil {
				o.storeTrouble(ctx, err)
			}
		}
		if !alarm.Sleep(ctx, booksEvery) {
			return
		}
	}
}

// Listed is an attempt as operators see it, without its text.
type Listed struct {
	Record   string      `json:"record"`
	Attempt  int         `json:"attempt"`
	State    State       `json:"state"`
	To       string      `json:"to,omitzero"` // masked
	Sender   string      `json:"sender,omitzero"`
	Due      time.Time   `json:"due,omitzero"`
	Intended time.Time   `json:"intended,omitzero"`
	SID      message.SID `json:"sid,omitzero"`
	Code     int         `json:"code,omitzero"`
	Problem  string      `json:"problem,omitzero"` // in our words: Twilio's may repeat the number
	Written  bool        `json:"written"`          // the record shows it
}

// List lists attempts of a state, "" for all that are not over, oldest first.
func (o *Outbox) List(ctx context.Context, s State, limit int) ([]Listed, error) {
	attempts, err := o.Books.Attempts(ctx, s, limit)
	if err != nil {
		return nil, err
	}
	all := make([]Listed, len(attempts))
	for i := range attempts {
		a := &attempts[i]
		all[i] = Listed{
			Record: a.Draft.ID, Attempt: a.Try, State: a.State, To: phone.Mask(a.Out.To), Sender: mask(a.Sender), Due: a.Due,
			Intended: a.Intended, SID: a.Result.SID, Code: a.Result.ErrorCode, Problem: a.problem(), Written: !a.Unwritten,
		}
	}
	return all, nil
}

// problem is what stands against an attempt, without a word of Twilio's (P8).
func (a *Attempt) problem() string {
	switch {
	case a.State == Held, a.State == Refused:
		return a.Result.ErrorMessage
	case a.Result.ErrorCode != 0 && (a.State == Rejected || a.State == Accepted):
		return fmt.Sprintf("Twilio's error %d: https://www.twilio.com/docs/api/errors/%d", a.Result.ErrorCode, a.Result.ErrorCode)
	default:
		return ""
	}
}

// mask hides a number; a service's SID is none.
func mask(sender string) string {
	if serviceSID.MatchString(sender) {
		return sender
	}
	return phone.Mask(message.Number(sender))
}

// Decision is a human's about a send that may have happened.
type Decision struct {
	SID   message.SID // it was sent: this is its message
	Again bool        // it was not sent, and is to be
	// Neither: it was not sent, and is not to be.
}

// Why nothing could be decided.
var (
	ErrNoAttempt = errors.New("no record with this id has asked to be sent")
	ErrCertain   = errors.New("it is not uncertain what became of it")
	ErrTaken     = errors.New("the message is another record's, or an equal one is being sent at this moment")
	ErrNotListed = errors.New("no such message is in Twilio's list of those to this number since the record was first sent")
	ErrChanged   = errors.New("it has changed meanwhile: look again (twiliosf outbox list)")
	// ErrNotAsked and ErrTooLate settle it all the same: nothing is sent.
	ErrNotAsked = errors.New("nothing is sent: the record asks for it no longer (it was called off, changed or deleted). Set Status to Send on it to send it")
	ErrTooLate  = errors.New("nothing is sent: its time passed longer ago than outbox.late_limit. Set Status to Send on the record to send it")
)

// Settle does what a human has decided about a record's uncertain send.
func (o *Outbox) Settle(ctx context.Context, record string, d Decision) error {
	a, ok, err := o.Books.Last(ctx, record)
	switch {
	case err != nil:
		return err
	case !ok:
		return ErrNoAttempt
	case a.State != Held && a.State != Uncertain:
		return fmt.Errorf("%w: it is %s", ErrCertain, a.State)
	}
	defer o.Wake()
	if d.SID != "" {
		return o.settleAs(ctx, &a, d.SID)
	}
	now, answer := time.Now(), error(nil)
	if d.Again {
		answer = o.sendAgain(ctx, &a, now)
	} else {
		a.refuse(&Refusal{Text: "An administrator has found that it was not sent. Set Status to Send to send it."}, now)
	}
	revised, err := o.Ledger.Revise(ctx, []Attempt{a})
	switch {
	case err != nil:
		return err
	case !revised[0]:
		return ErrChanged
	}
	o.plan.Ring()
	return answer
}

// sendAgain has an attempt sent again if its record still wants it, and says why not.
// Where the org does not answer, the record is read before it goes.
func (o *Outbox) sendAgain(ctx context.Context, a *Attempt, now time.Time) error {
	drafts, err := o.readDrafts(ctx, []*Attempt{a})
	switch {
	case err == nil && !a.stillWants(drafts[a.Draft.ID]):
		a.renew(drafts[a.Draft.ID], nil, now)
		return ErrNotAsked
	case o.tooLate(a, now):
		a.refuse(late(o.o.LateLimit), now)
		return ErrTooLate
	}
	a.again()
	a.State, a.Reread, a.Unwritten = Fresh, true, false
	return nil
}

// settleAs gives an attempt the message that a human says is its own, as Twilio
// lists it.
func (o *Outbox) settleAs(ctx context.Context, a *Attempt, sid message.SID) error {
	var found *message.Message
	err := o.Account.Outgoing(ctx, a.Out.To, a.Since.Add(-clockDoubt), func(page []message.Message) (bool, error) {
		for i := range page {
			if page[i].SID == sid {
				m := page[i]
				found = &m
			}
		}
		return found == nil, nil
	})
	if found == nil || found.To != a.Out.To {
		if err != nil {
			return err
		}
		return ErrNotListed
	}
	mine, _, err := o.Claims.Claim(ctx, a, found, time.Now())
	if err != nil {
		return err
	}
	if !mine {
		return ErrTaken
	}
	if o.o.Sent != nil && !RefusedCreate(found) {
		o.o.Sent(ctx, *found)
	}
	return nil
}

// Whose says whose messages are that Twilio shows, one claim a message.
func (o *Outbox) Whose(ctx context.Context, messages []*message.Message) ([]Claim, error) {
	claims, err := o.Claims.Whose(ctx, messages, time.Now())
	for i := range claims {
		if claims[i].Kind != Stranger {
			o.Wake()
			break
		}
	}
	return claims, err
}

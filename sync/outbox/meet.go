package outbox

import (
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
)

// Action is what a ledger does with a draft that was read.
type Action int

// The actions.
const (
	Ignore  Action = iota // it is no news
	Replace               // the record's last attempt becomes another
	Start                 // the record gets its first attempt, or another
)

// Meet says what a record as it was read makes of the record's last attempt, nil
// for none. The same record is read many times; what was read before something
// that is known by now is told by its SystemModstamp, whose unit is a second.
func Meet(last *Attempt, d *message.Draft, now time.Time) (Attempt, Action) {
	asks := d.Ask == message.AskSend && !d.Deleted
	switch {
	case d.Bulk != "": // not read of a record: whoever has it says what it asks for
		return Attempt{}, Ignore
	case last == nil && asks:
		return begin(d, 1, now), Start
	case last == nil || d.Modified.Before(last.Draft.Modified):
		return Attempt{}, Ignore
	}
	switch last.State {
	case Fresh, Ready:
		if !last.Since.IsZero() {
			return meetResend(*last, d, asks, now)
		}
		return meetWaiting(*last, d, asks, now)
	case Accepted:
		return meetUnshown(*last, d, asks)
	case Intended, Uncertain: // it has left, or may have
		return Attempt{}, Ignore
	default:
		if !asks {
			return Attempt{}, Ignore
		}
		return meetOver(*last, d, now)
	}
}

// meetUnshown is for what was sent. Its record asks only where it does not show that:
// it was in the recycle bin, or has refused it. It is told once more, and nothing is
// sent (P5).
func meetUnshown(last Attempt, d *message.Draft, asks bool) (Attempt, Action) {
	if !asks || !last.Unshown || last.Unwritten || !d.Modified.After(last.Draft.Modified) {
		return Attempt{}, Ignore
	}
	last.Draft.Modified, last.Unwritten = d.Modified, true
	return last, Replace
}

// meetOver is for a record that asks although nothing more would happen by itself.
func meetOver(last Attempt, d *message.Draft, now time.Time) (Attempt, Action) {
	newer := d.Modified.After(last.Draft.Modified)
	switch {
	case last.State == Dropped && !last.Since.IsZero():
		// A message of what it said then may still be found: that is no proof of this one.
		again := begin(d, last.Try+1, now)
		again.Reread = true
		return again, Start
	case last.State == Dropped:
		// What was read may be older than the reading that dropped it.
		again := begin(d, last.Try, now)
		again.N, again.Version, again.Reread = last.N, last.Version, true
		return again, Replace
	case last.State == Held && newer: // the record is told once more that it must wait for a human
		last.Draft.Modified, last.Unwritten = d.Modified, true
		return last, Replace
	case last.State != Held && newer && (!last.Unwritten || !sameText(&last.Draft, d)):
		// It may have been changed and read before our write-back. Only a reading
		// after it shows that somebody asks again; where what was refused is put right
		// before the record shows the refusal, that is of no interest any more.
		again := begin(d, last.Try+1, now)
		again.Reread = true
		return again, Start
	}
	return Attempt{}, Ignore
}

// begin is an attempt that has just been asked for.
func begin(d *message.Draft, try int, now time.Time) Attempt {
	a := Attempt{Draft: *d, Try: try, State: Fresh, Due: d.SendAt, Read: now}
	if d.SendAt.After(now) {
		a.Reread = true
	} else {
		a.Due = time.Time{}
	}
	return a
}

// meetWaiting is for an attempt that has not been intended.
func meetWaiting(next Attempt, d *message.Draft, asks bool, now time.Time) (Attempt, Action) {
	switch {
	case !asks:
		next.Draft = *d
		next.drop(now)
	case same(&next.Draft, d):
		return Attempt{}, Ignore
	default:
		changed := begin(d, next.Try, now)
		changed.N, changed.Version, changed.Reread = next.N, next.Version, changed.Reread || next.Reread
		next = changed
	}
	return next, Replace
}

// meetResend is for an attempt that is to be intended again because nothing was
// found of it. What it says stays as it was sent, or a message that is found late
// would not be known; to call it off is still in time.
func meetResend(next Attempt, d *message.Draft, asks bool, now time.Time) (Attempt, Action) {
	if asks {
		return Attempt{}, Ignore
	}
	next.Draft = *d
	next.drop(now)
	return next, Replace
}

// same says whether two readings of a record ask for the same.
func same(a, b *message.Draft) bool {
	x, y := *a, *b
	x.Modified, y.Modified, x.SendAt, y.SendAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return x == y && a.Modified.Equal(b.Modified) && a.SendAt.Equal(b.SendAt)
}

// sameText is same whenever the record was changed.
func sameText(a, b *message.Draft) bool {
	x := *a
	x.Modified = b.Modified
	return same(&x, b)
}

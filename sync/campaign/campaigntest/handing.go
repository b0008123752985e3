package campaigntest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Hand implements campaign.Handing.
func (l *Fake) Hand(_ context.Context, r *campaign.Run, all []campaign.Recipient, drafts []message.Draft) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.runs[r.N]
	if l.fail != nil || was == nil || was.run.Status != campaign.Sending || was.run.Version != r.Version {
		return 0, l.fail
	}
	n := 0
	for i, p := range all {
		row := was.byPerson[p.Person]
		if row == nil || row.N != p.N || row.state != waiting {
			continue
		}
		row.state, row.draft, row.handedAt, row.sender = handed, drafts[i], drafts[i].SendAt, r.Sender
		l.queue = append(l.queue, row)
		n++
	}
	return n, nil
}

// Open implements campaign.Handing.
func (l *Fake) Open(_ context.Context, run int64) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, row := range l.queue {
		if row.Run == run {
			n++
		}
	}
	return n, l.fail
}

// TakeBack implements campaign.Handing.
func (l *Fake) TakeBack(_ context.Context, run int64, before time.Time) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.runs[run]
	if r == nil || l.fail != nil {
		return 0, l.fail
	}
	return l.takeBack(r, before), nil
}

func (l *Fake) takeBack(r *runRows, before time.Time) int {
	n := 0
	l.queue = slices.DeleteFunc(l.queue, func(row *row) bool {
		back := row.run == r && row.state == handed && row.handedAt.Before(before)
		if back {
			row.state, r.first = waiting, 0
			n++
		}
		return back
	})
	return n
}

// Drafts implements campaign.Handing.
func (l *Fake) Drafts(_ context.Context, keys []string) ([]message.Draft, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var drafts []message.Draft
	for _, k := range keys {
		row := l.byKey[k]
		if row == nil {
			continue
		}
		d := row.draft
		switch row.run.run.Status {
		case campaign.Sending:
			d.Ask = message.AskSend
		case campaign.Paused, campaign.Scheduled:
			d.Ask = message.AskDraft
		default:
			d.Ask = message.AskCancel
		}
		drafts = append(drafts, d)
	}
	return drafts, l.fail
}

// Handed implements Outbox.
func (l *Fake) Handed(context.Context) ([]message.Draft, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var drafts []message.Draft
	for _, row := range l.queue {
		if row.state == handed {
			drafts = append(drafts, row.draft)
		}
	}
	return drafts, l.fail
}

// Try implements Outbox.
func (l *Fake) Try(_ context.Context, key string) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.byKey[key]
	if l.fail != nil || of == nil || of.state != handed {
		return false, l.fail
	}
	of.state = tried
	return true, nil
}

// End implements Outbox.
func (l *Fake) End(_ context.Context, key string, e End) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.byKey[key]
	if of == nil || of.state != handed && of.state != tried && of.state != held || l.fail != nil {
		return l.fail
	}
	l.queue = slices.DeleteFunc(l.queue, func(r *row) bool { return r == of })
	of.ended = message.Result{ID: key, SID: e.SID, Status: string(message.Failed), ErrorCode: e.Code, ErrorMessage: e.Text}
	of.code = e.Code
	switch {
	case e.SID != "":
		of.state, of.sid, of.status, of.sentAt = accepted, e.SID, message.Accepted, time.Now()
		of.ended.Status = string(message.Accepted)
	case e.Held:
		of.state, of.ended.Status = held, message.Uncertain
	case e.Dropped:
		of.state, of.run.first = waiting, 0
	default:
		of.state = refused
	}
	return nil
}

// Hear implements Outbox.
func (l *Fake) Hear(_ context.Context, n News) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var last *row // whom they were sent to last
	for _, row := range l.byKey {
		switch {
		case row.state != accepted:
		case n.SID != "" && row.sid == n.SID && n.Status.Rank() >= row.status.Rank():
			row.status, row.code = n.Status, n.Code
		case n.From != "" && row.Number == n.From && n.At.After(row.sentAt) && (last == nil || row.after(last)):
			last = row
		}
	}
	if last != nil {
		last.replied = true
	}
	return l.fail
}

func (r *row) after(other *row) bool {
	return cmp.Or(r.sentAt.Compare(other.sentAt), cmp.Compare(r.N, other.N)) > 0
}

package campaigntest

import (
	"context"
	"slices"
	"time"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
)

// Add implements campaign.Recipients.
func (l *Fake) Add(_ context.Context, r *campaign.Run, page []campaign.Recipient) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ok, err := l.revise(r); !ok || err != nil {
		return false, err
	}
	to := l.runs[r.N]
	for _, p := range page {
		if to.byPerson[p.Person] != nil {
			continue
		}
		l.row++
		p.N, p.Run = l.row, r.N
		added := &row{Recipient: p, run: to, record: r.Campaign.ID}
		for _, n := range phone.Writings(p.Number) {
			if p.Reason == "" && to.byNumber[n] != nil {
				added.Reason = campaign.Duplicate
			}
		}
		if added.Reason != "" {
			added.state = leftOut
		} else {
			to.byNumber[p.Number] = added
		}
		to.byPerson[p.Person] = added
		to.rows = append(to.rows, added)
		l.byKey[added.key()] = added
	}
	return true, nil
}

func (r *row) key() string { return campaign.Key(r.record, r.N) }

// Waiting implements campaign.Recipients.
func (l *Fake) Waiting(_ context.Context, run int64, now time.Time, limit int) ([]campaign.Recipient, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var due []*row
	if r := l.runs[run]; r != nil {
		for ; r.first < len(r.rows) && r.rows[r.first].state != waiting; r.first++ { // they are over
		}
		atOnce := 0
		for _, row := range r.rows[r.first:] {
			if row.state == waiting && !row.Due.After(now) {
				due = append(due, row)
				if row.Due.IsZero() {
					atOnce++
				}
			}
			if atOnce == limit { // none comes before these
				break
			}
		}
	}
	slices.SortStableFunc(due, func(a, b *row) int { return a.Due.Compare(b.Due) })
	all := make([]campaign.Recipient, min(limit, len(due)))
	for i := range all {
		all[i] = due[i].Recipient
	}
	return all, l.fail
}

// PutOff implements campaign.Recipients.
func (l *Fake) PutOff(_ context.Context, all []campaign.Recipient) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range all {
		if r := l.runs[p.Run]; r != nil && r.byPerson[p.Person] != nil {
			r.byPerson[p.Person].Due = p.Due
		}
	}
	return l.fail
}

// Clear implements campaign.Recipients.
func (l *Fake) Clear(_ context.Context, run int64, all bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.runs[run]
	if r == nil || l.fail != nil {
		return l.fail
	}
	r.rows = slices.DeleteFunc(r.rows, func(row *row) bool {
		gone := all || row.state == waiting || row.state == leftOut
		if gone {
			delete(l.byKey, row.key())
		}
		return gone
	})
	r.first = 0
	clear(r.byPerson)
	clear(r.byNumber)
	for _, row := range r.rows {
		r.byPerson[row.Person] = row
		r.byNumber[row.Number] = row
	}
	return nil
}

// Count implements campaign.Results.
func (l *Fake) Count(_ context.Context, run int64) (campaign.Counts, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := campaign.Counts{LeftOut: map[campaign.Reason]int{}, Last: map[string]int{}}
	if r := l.runs[run]; r != nil {
		for _, row := range r.rows {
			row.count(&c, r.run.Status)
		}
	}
	return c, l.fail
}

func (r *row) count(c *campaign.Counts, of campaign.Status) {
	if r.state == waiting && of == campaign.Canceled {
		c.LeftOut[campaign.CalledOff]++
		return
	}
	if r.state != leftOut {
		c.Last[r.Last]++
	}
	switch r.state {
	case waiting:
		c.Waiting++
	case handed, tried:
		c.Handed++
	case refused:
		c.Refused++
		if r.code == codeOptedOut {
			c.Stopped++
			c.Blocked++
		}
	case held:
		c.Uncertain++
	case leftOut:
		c.LeftOut[r.Reason]++
	case accepted:
		r.countAccepted(c)
	}
}

func (r *row) countAccepted(c *campaign.Counts) {
	c.Accepted++
	if r.replied {
		c.Replied++
	}
	if !r.status.Final() {
		c.Open++
	}
	switch {
	case r.status == message.Sent:
		c.Sent++
	case r.status == message.Delivered || r.status == message.Read || r.status == message.PartiallyDelivered:
		c.Delivered++
	case !r.status.Final():
	case r.code == codeOptedOut || r.code == codeBlocked:
		c.Blocked++
	case r.status == message.Undelivered:
		c.Undelivered++
	default:
		c.Failed++
	}
}

// Twilio's for a number that has opted out, and for one that a carrier takes nothing
// for.
const (
	codeOptedOut = 21610
	codeBlocked  = 30004
)

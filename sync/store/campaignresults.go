package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Count implements campaign.Results. Those who wait for a campaign that is canceled
// are left out.
func (c Campaigns) Count(ctx context.Context, run int64) (campaign.Counts, error) {
	counts := campaign.Counts{LeftOut: map[campaign.Reason]int{}, Last: map[string]int{}}
	var status campaign.Status
	if err := c.s.one(ctx, c.s.read, `SELECT status FROM campaigns WHERE n = ?`, []any{run}, &status); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return counts, err
	}
	err := c.s.each(ctx, c.s.read, func(r *sql.Rows) error {
		var g group
		if err := r.Scan(&g.state, &g.reason, &g.outcome, &g.replied, &g.last, &g.n); err != nil {
			return err
		}
		if g.state == isWaiting && status == campaign.Canceled {
			g.state, g.reason = isLeftOut, campaign.CalledOff
		}
		g.count(&counts)
		return nil
	}, `SELECT state, reason, outcome, replied, last, COUNT(*) FROM recipients WHERE run = ? GROUP BY state, reason, outcome, replied, last`, run)
	return counts, err
}

// group are recipients of whom the same is to be told.
type group struct {
	state, outcome, last string
	reason               campaign.Reason
	replied              bool
	n                    int
}

func (g *group) count(c *campaign.Counts) {
	if g.state == isLeftOut {
		c.LeftOut[g.reason] += g.n
		return
	}
	c.Last[g.last] += g.n
	switch g.state {
	case isWaiting:
		c.Waiting += g.n
	case "handed":
		c.Handed += g.n
	case "accepted":
		c.Accepted += g.n
		if g.outcome == "" || g.outcome == wasSent {
			c.Open += g.n
		}
	case "refused":
		c.Refused += g.n
		if g.outcome == wasBlocked {
			c.Stopped += g.n
		}
	case "uncertain":
		c.Uncertain += g.n
	}
	g.became(c)
	if g.replied {
		c.Replied += g.n
	}
}

// became counts by what became of messages.
func (g *group) became(c *campaign.Counts) {
	switch g.outcome {
	case wasSent:
		c.Sent += g.n
	case wasDelivered:
		c.Delivered += g.n
	case wasUndelivered:
		c.Undelivered += g.n
	case wasFailed:
		c.Failed += g.n
	case wasBlocked:
		c.Blocked += g.n
	}
}

// Unrecorded implements campaign.Results.
func (c Campaigns) Unrecorded(ctx context.Context, run int64, limit int) ([]campaign.Unsent, error) {
	runs, err := c.s.runs(ctx, c.s.read, `WHERE n = ?`, run)
	if err != nil || len(runs) == 0 {
		return nil, err
	}
	all, err := c.s.recipients(ctx, c.s.read, `WHERE run = ? AND recorded = 0 AND state = 'left_out' ORDER BY n LIMIT ?`, run, limit)
	if err != nil {
		return nil, err
	}
	unsent := make([]campaign.Unsent, len(all))
	for i := range all {
		p := &all[i]
		u := record(&runs[0], p)
		u.Status, u.ErrorCode, u.ErrorMessage = string(message.Failed), p.Reason.Code(), p.Reason.Words()
		if p.Reason == campaign.CalledOff {
			u.Status = string(message.Canceled)
		}
		unsent[i] = u
	}
	return unsent, nil
}

// record is what the record of a recipient shows whatever became of them.
func record(r *campaign.Run, p *campaign.Recipient) campaign.Unsent {
	u := campaign.Unsent{
		N: p.N, Key: campaign.Key(r.Campaign.ID, p.N), Campaign: r.Campaign.ID, Person: p.Person, To: p.Number, Body: cmp.Or(p.Text, r.Campaign.Body),
	}
	u.From, u.Service = sender(r.Sender)
	return u
}

// Unsent implements campaign.Results.
func (c Campaigns) Unsent(ctx context.Context, results []message.Result) ([]campaign.Unsent, error) {
	keys := make([]string, len(results))
	for i := range results {
		keys[i] = results[i].ID
	}
	handed, err := c.keyed(ctx, keys)
	if err != nil {
		return nil, err
	}
	all := make([]campaign.Unsent, len(results))
	for i := range results {
		res := &results[i]
		h, ok := handed[res.ID]
		if !ok {
			continue
		}
		u := record(&h.run, &h.Recipient)
		if res.From != "" || res.Service != "" {
			u.From, u.Service = res.From, res.Service
		}
		u.Status, u.SID, u.RejectedSID, u.ErrorCode, u.ErrorMessage = res.Status, res.SID, res.RejectedSID, res.ErrorCode, res.ErrorMessage
		all[i] = u
	}
	return all, nil
}

// answers are the statuses of members, by their number in the rows.
var answers = []string{1: campaign.MemberSent, 2: campaign.MemberResponded}

// Unanswered implements campaign.Results.
func (c Campaigns) Unanswered(ctx context.Context, run int64, limit int) ([]campaign.Member, error) {
	var all []campaign.Member
	err := c.s.each(ctx, c.s.read, func(r *sql.Rows) error {
		var m campaign.Member
		var answer int
		err := r.Scan(&m.N, &m.ID, &answer)
		m.Status = answers[min(answer, len(answers)-1)]
		all = append(all, m)
		return err
	}, `SELECT n, member, answer FROM recipients WHERE run = ? AND answer > told ORDER BY n LIMIT ?`, run, limit)
	return all, err
}

// Recorded implements campaign.Notes.
func (c Campaigns) Recorded(ctx context.Context, run int64, all []campaign.Unsent) error {
	return c.s.Tx(ctx, func(tx *sql.Tx) error {
		for i := range all {
			if _, err := c.s.exec(ctx, tx, recordedSQL, all[i].N, run); err != nil {
				return err
			}
		}
		return nil
	})
}

const (
	recordedSQL = `UPDATE recipients SET recorded = 1 WHERE n = ? AND run = ?`
	notedSQL    = `UPDATE recipients SET told = ? WHERE n = ? AND run = ? AND told < ?`
)

// Noted implements campaign.Notes. Who has replied meanwhile is still to be told of.
func (c Campaigns) Noted(ctx context.Context, run int64, all []campaign.Member) error {
	return c.s.Tx(ctx, func(tx *sql.Tx) error {
		for i := range all {
			told := 1
			if all[i].Status == campaign.MemberResponded {
				told = 2
			}
			if _, err := c.s.exec(ctx, tx, notedSQL, told, all[i].N, run, told); err != nil {
				return err
			}
		}
		return nil
	})
}

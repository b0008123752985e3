package campaigntest

import (
	"context"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Unrecorded implements campaign.Results.
func (l *Fake) Unrecorded(_ context.Context, run int64, limit int) ([]campaign.Unsent, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []campaign.Unsent
	if r := l.runs[run]; r != nil {
		for _, row := range r.rows {
			if row.state == leftOut && !row.recorded && len(all) < limit {
				all = append(all, campaign.Unsent{
					N: row.N, Key: row.key(), Campaign: row.record, Person: row.Person, To: row.Number, From: message.Number(r.run.Sender),
					Body: row.Text, Status: string(message.Failed), ErrorMessage: string(row.Reason),
				})
			}
		}
	}
	return all, l.fail
}

// Unanswered implements campaign.Results.
func (l *Fake) Unanswered(_ context.Context, run int64, limit int) ([]campaign.Member, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []campaign.Member
	if r := l.runs[run]; r != nil {
		for _, row := range r.rows {
			if row.Member == "" || row.state != accepted || len(all) == limit {
				continue
			}
			status := campaign.MemberSent
			if row.replied {
				status = campaign.MemberResponded
			}
			if row.noted != status {
				all = append(all, campaign.Member{N: row.N, ID: row.Member, Status: status})
			}
		}
	}
	return all, l.fail
}

// Unsent implements campaign.Results.
func (l *Fake) Unsent(_ context.Context, results []message.Result) ([]campaign.Unsent, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]campaign.Unsent, len(results))
	for i, r := range results {
		row := l.byKey[r.ID]
		if row == nil {
			continue
		}
		all[i] = campaign.Unsent{
			N: row.N, Key: r.ID, Campaign: row.record, Person: row.Person, To: row.Number, From: r.From, Service: r.Service, Body: row.draft.Body,
			Status: r.Status, SID: r.SID, RejectedSID: r.RejectedSID, ErrorCode: r.ErrorCode, ErrorMessage: r.ErrorMessage,
		}
	}
	return all, l.fail
}

// Recorded implements campaign.Notes.
func (l *Fake) Recorded(_ context.Context, run int64, all []campaign.Unsent) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range all {
		if row := l.byKey[u.Key]; row != nil && row.Run == run {
			row.recorded = true
		}
	}
	return l.fail
}

// Noted implements campaign.Notes.
func (l *Fake) Noted(_ context.Context, run int64, all []campaign.Member) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	status := map[int64]string{}
	for _, m := range all {
		status[m.N] = m.Status
	}
	if r := l.runs[run]; r != nil {
		for _, row := range r.rows {
			if s, ok := status[row.N]; ok {
				row.noted = s
			}
		}
	}
	return l.fail
}

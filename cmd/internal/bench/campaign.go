package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

const bulkObject = "TwilioSF_Bulk_Message__c"

// invite makes a Campaign of n Contacts, each with a number of its own, and asks for
// one text to all of them. It answers the record.
func invite(s *sandbox.Sandbox, n int) (id string, err error) {
	spring, err := s.Org.Insert("Campaign", map[string]any{"Name": "Spring"})
	if err != nil {
		return "", err
	}
	contacts := make([]map[string]any, n)
	for i := range contacts {
		contacts[i] = map[string]any{"FirstName": fmt.Sprint("Ann", i), "LastName": "Lee", "MobilePhone": fmt.Sprintf("+1415%07d", 2_000_000+i)}
	}
	ids, err := s.Org.Load("Contact", contacts)
	if err != nil {
		return "", err
	}
	members := make([]map[string]any, n)
	for i := range members {
		members[i] = map[string]any{"CampaignId": spring, "ContactId": ids[i]}
	}
	if _, err := s.Org.Load("CampaignMember", members); err != nil {
		return "", err
	}
	return s.Org.Insert(bulkObject, map[string]any{
		"Campaign__c": spring, "Body__c": "Hi {!Contact.FirstName|there}, our sale begins.", "Sender__c": shortCode, "Status__c": "Send",
	})
}

// sampled is the memory of a daemon while it sends.
type sampled struct{ half, all int64 }

// completed waits until a campaign's record says so and the org has a record of each
// message.
func completed(ctx context.Context, s *sandbox.Sandbox, p *process, id string, n int) (m sampled, err error) {
	for end := time.Now().Add(30 * time.Minute); ; {
		select {
		case <-ctx.Done():
			return m, context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
		m.all = max(m.all, p.rss())
		if s.Twilio.Len() <= n/2 {
			m.half = m.all
		}
		row, _ := s.Org.Row(bulkObject, id)
		switch {
		case row["Status__c"] == "Completed" && s.Org.Count(object) == n:
			return m, nil
		case row["Status__c"] == "Failed" || time.Now().After(end):
			return m, fmt.Errorf("the campaign is %v (%v) after %d of %d messages", row["Status__c"], row["Problem__c"], s.Twilio.Len(), n)
		}
	}
}

// measureCampaign sends one text to many from a sender that may send 1,000 a second.
func (z sizes) measureCampaign(ctx context.Context) ([]figure, error) {
	const rate = 1000
	s, dir, done, err := pair(0, salesforcetest.Options{Latency: func(salesforcetest.Operation) time.Duration { return 600 * time.Millisecond }})
	if err != nil {
		return nil, err
	}
	defer done()
	id, err := invite(s, z.campaign)
	if err != nil {
		return nil, err
	}
	p, err := start(ctx, s, dir, func(y string) string {
		y = strings.Replace(y, "drafts_every: 5s", "drafts_every: 15s", 1)
		return y + fmt.Sprintf("campaigns: {quiet_hours: \"off\", rate_per_second: {short_code: %d}}\n", rate)
	})
	if err != nil {
		return nil, err
	}
	memory, err := completed(ctx, s, p, id, z.campaign)
	if err != nil {
		return nil, err
	}
	calls := s.Org.Calls().Total
	times, err := received(ctx, s, z.campaign)
	if err != nil {
		return nil, err
	}
	u, err := p.stop()
	if err != nil {
		return nil, err
	}
	twice := 0
	for _, n := range s.Twilio.Accepted() {
		twice += n - 1
	}
	row, _ := s.Org.Row(bulkObject, id)
	adds := row["Total__c"] == float64(z.campaign) && row["Accepted__c"] == float64(z.campaign)
	once := twice == 0 && len(s.Twilio.Accepted()) == z.campaign
	mib := func(n int64) int64 { return n >> 20 }
	return []figure{{
		What: fmt.Sprintf("a campaign to %d members from a sender of up to %d messages/s, Salesforce answering in 600 ms", z.campaign, rate),
		Measured: fmt.Sprintf("%.0f messages/s; %d sent twice, %d not at all; counters add up: %t; %d MiB at the most up to the half, %d MiB to the end; %.1f Salesforce calls a thousand; %.0f us CPU a message",
			float64(z.campaign)/times[len(times)-1].Sub(times[0]).Seconds(), twice, z.campaign-len(s.Twilio.Accepted()), adds,
			mib(memory.half), mib(max(memory.all, u.MaxRSS)), float64(calls)/float64(z.campaign)*1000, float64(u.CPU.Microseconds())/float64(z.campaign)),
		Goal: "exactly one send each; flat memory", Met: once && adds && max(memory.all, u.MaxRSS) < memory.half*5/4,
	}}, nil
}

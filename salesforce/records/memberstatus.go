package records

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/fault"
)

const memberStatusObject = "CampaignMemberStatus"

// memberStatusesFor is how long a Campaign's statuses are taken to be as they were.
const memberStatusesFor = 10 * time.Minute

// memberStatus is one that members of a Campaign may have. The org gives a member the
// default one in place of any other word.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_campaignmemberstatus.htm
type memberStatus struct {
	label              string
	order              float64
	initial, responded bool
}

// memberStatuses are those of Campaigns, by their ids.
type memberStatuses struct {
	mu  sync.Mutex
	all map[string]campaignStatuses
}

type campaignStatuses struct {
	all []memberStatus // in the order in which users see them
	at  time.Time
}

// standardStatuses are taken for those of a Campaign whose own are hidden from us.
var standardStatuses = []memberStatus{{campaign.MemberSent, 1, true, false}, {campaign.MemberResponded, 2, false, true}}

// membership is what a member is now.
type membership struct {
	campaign, status string
	responded        bool
}

// Answered implements campaign.Org with a query and a call for each 200 members. Where
// a Campaign has no such status, its default one stands for sent, and its first one
// that counts as a response for responded. Nobody goes back: not from a response, nor
// to a status that stands before theirs.
func (c *Campaigns) Answered(ctx context.Context, all []campaign.Member) ([]error, error) {
	outcomes := make([]error, len(all))
	places := make([]int, len(all))
	for i := range places {
		places[i] = i
	}
	err := inParts(places, salesforce.MaxCollection, outcomes, func(some []int) ([]error, error) {
		part := make([]campaign.Member, len(some))
		for i, at := range some {
			part[i] = all[at]
		}
		return c.answered(ctx, part)
	})
	if err != nil {
		return nil, err
	}
	return outcomes, nil
}

func (c *Campaigns) answered(ctx context.Context, all []campaign.Member) ([]error, error) {
	now, err := c.memberships(ctx, all)
	if err != nil {
		return nil, lacking(err, memberHint)
	}
	if err := c.learnStatuses(ctx, now); err != nil {
		return nil, err
	}
	outcomes := make([]error, len(all))
	ids, next := c.moves(all, now, outcomes)
	rows := make([][]byte, len(ids))
	for i, id := range ids {
		row := appendField([]byte(`{"attributes":{"type":"`+memberObject+`"}`), "id", id)
		rows[i] = append(appendField(row, "Status", next[id]), '}')
	}
	results, err := updateAll(ctx, c.org, rows)
	if err != nil {
		return nil, lacking(err, memberHint)
	}
	refusals := map[string]error{}
	for i, r := range results {
		switch {
		case r.Err == nil:
		case gone(r.Err):
			refusals[ids[i]] = campaign.ErrGone
		default:
			refusals[ids[i]] = lacking(worded(memberObject, r.Err), memberHint)
		}
	}
	for i := range all {
		if err := refusals[all[i].ID]; err != nil {
			outcomes[i] = err
		}
	}
	return outcomes, nil
}

// moves are the members whose status changes, each once, as a call takes them.
func (c *Campaigns) moves(all []campaign.Member, now map[string]membership, outcomes []error) (ids []string, next map[string]string) {
	next = map[string]string{}
	for i, m := range all {
		is, there := now[m.ID]
		if !there {
			outcomes[i] = campaign.ErrGone
			continue
		}
		label, move := c.members.next(&is, m.Status)
		_, met := next[m.ID]
		if move && !met {
			ids = append(ids, m.ID)
		}
		if move && (!met || m.Status == campaign.MemberResponded) {
			next[m.ID] = label
		}
	}
	return ids, next
}

// memberships reads what members are now; those that are gone are not there.
func (c *Campaigns) memberships(ctx context.Context, all []campaign.Member) (map[string]membership, error) {
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	now := make(map[string]membership, len(all))
	q := soql.Query{Fields: []string{"Id", "CampaignId", "Status", "HasResponded"}, From: memberObject, Where: []string{soql.In("Id", ids)}}
	err := ask(ctx, c.org, q, func(row map[string]any) {
		now[textOf(row, "Id")] = membership{textOf(row, "CampaignId"), textOf(row, "Status"), row["HasResponded"] == true}
	})
	return now, err
}

// learnStatuses reads the statuses of the Campaigns that are not known.
func (c *Campaigns) learnStatuses(ctx context.Context, members map[string]membership) error {
	unknown := c.members.unknown(members)
	if len(unknown) == 0 {
		return nil
	}
	read := map[string][]memberStatus{}
	q := soql.Query{
		Fields: []string{"CampaignId", "Label", "SortOrder", "IsDefault", "HasResponded"}, From: memberStatusObject,
		Where: []string{soql.In("CampaignId", unknown)}, OrderBy: []string{"CampaignId", "SortOrder"},
	}
	err := ask(ctx, c.org, q, func(row map[string]any) {
		id := textOf(row, "CampaignId")
		order, _ := row["SortOrder"].(float64) //nolint:errcheck // null is first
		read[id] = append(read[id], memberStatus{textOf(row, "Label"), order, row["IsDefault"] == true, row["HasResponded"] == true})
	})
	if class := fault.ClassOf(err); err != nil && class != fault.Auth {
		return err
	}
	c.members.learn(unknown, read)
	return nil
}

func (s *memberStatuses) unknown(members map[string]membership) (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range members {
		if known, ok := s.all[m.campaign]; (!ok || time.Since(known.at) >= memberStatusesFor) && !slices.Contains(ids, m.campaign) {
			ids = append(ids, m.campaign)
		}
	}
	slices.Sort(ids)
	return ids
}

func (s *memberStatuses) learn(ids []string, read map[string][]memberStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil || len(s.all) > mostStatuses {
		s.all = map[string]campaignStatuses{}
	}
	for _, id := range ids {
		all := read[id]
		if len(all) == 0 {
			all = standardStatuses
		}
		s.all[id] = campaignStatuses{all, time.Now()}
	}
}

// next is the status that a member gets; move is false when they keep theirs.
func (s *memberStatuses) next(m *membership, wanted string) (label string, move bool) {
	s.mu.Lock()
	all := s.all[m.campaign].all
	s.mu.Unlock()
	to, found := chosen(all, wanted)
	if !found || strings.EqualFold(to.label, m.status) || m.responded {
		return "", false
	}
	for _, is := range all {
		if strings.EqualFold(is.label, m.status) && !to.responded && is.order >= to.order {
			return "", false
		}
	}
	return to.label, true
}

// chosen is the status of a Campaign that stands for sent, or for responded.
func chosen(all []memberStatus, wanted string) (memberStatus, bool) {
	responded := wanted == campaign.MemberResponded
	fits := func(s memberStatus) bool { return s.responded == responded }
	for _, choice := range []func(memberStatus) bool{
		func(s memberStatus) bool { return strings.EqualFold(s.label, wanted) && fits(s) },
		func(s memberStatus) bool { return s.initial && fits(s) },
		fits,
	} {
		if i := slices.IndexFunc(all, choice); i >= 0 {
			return all[i], true
		}
	}
	return memberStatus{}, false
}

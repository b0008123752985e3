package records_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// status is what a member has.
func (f *office) status(id string) string {
	f.t.Helper()
	row, there := f.s.Row("CampaignMember", id)
	require.True(f.t, there)
	return row["Status"].(string)
}

// member makes one, of a Contact of their own.
func (f *office) member(of string, status any) string {
	f.t.Helper()
	return insert(f.t, f.s, "CampaignMember", map[string]any{"CampaignId": of, "ContactId": insert(f.t, f.s, "Contact", map[string]any{"LastName": "M"}), "Status": status})
}

// campaignOf makes a Campaign whose statuses are these, in order: "=" marks the
// default one, "!" those that are responses.
func (f *office) campaignOf(labels ...string) string {
	f.t.Helper()
	id := insert(f.t, f.s, "Campaign", map[string]any{"Name": "C"})
	for row := range f.s.Rows("CampaignMemberStatus") {
		if row["CampaignId"] == id && len(labels) > 0 {
			require.NoError(f.t, f.s.Delete("CampaignMemberStatus", row["Id"].(string)))
		}
	}
	for n, label := range labels {
		insert(f.t, f.s, "CampaignMemberStatus", map[string]any{
			"CampaignId": id, "Label": label[1:], "SortOrder": n + 1, "IsDefault": label[0] == '=', "HasResponded": label[0] == '!',
		})
	}
	return id
}

func TestAMembersStatusFollowsTheirMessage(t *testing.T) {
	standard := []string(nil)
	own := []string{"=Invited", "-Asked", "!Attended", "!Won"}
	for name, c := range map[string]struct {
		statuses     []string
		from, wanted string
		want         string
	}{
		"sent":                                      {standard, "Sent", campaign.MemberSent, "Sent"},
		"responded":                                 {standard, "Sent", campaign.MemberResponded, "Responded"},
		"nobody goes back from a response":          {standard, "Responded", campaign.MemberSent, "Responded"},
		"planned, then sent":                        {[]string{"=Planned", "-Sent", "!Responded"}, "Planned", campaign.MemberSent, "Sent"},
		"further than sent already":                 {[]string{"=Sent", "-Registered", "!Responded"}, "Registered", campaign.MemberSent, "Registered"},
		"the default stands for sent":               {own, "Invited", campaign.MemberSent, "Invited"},
		"but nobody goes back to it":                {own, "Asked", campaign.MemberSent, "Asked"},
		"the first response stands for responded":   {own, "Asked", campaign.MemberResponded, "Attended"},
		"another response stays":                    {own, "Won", campaign.MemberResponded, "Won"},
		"a default that is a response is no sent":   {[]string{"!Came", "-Told"}, "Came", campaign.MemberSent, "Came"},
		"nothing that could stand for a response":   {[]string{"=Told"}, "Told", campaign.MemberResponded, "Told"},
		"Sent that counts as a response is no sent": {[]string{"=New", "!Sent"}, "New", campaign.MemberSent, "New"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newOffice(t)
			id := f.member(f.campaignOf(c.statuses...), c.from)
			require.Equal(t, c.from, f.status(id))
			for range 2 {
				outcomes, err := f.campaigns.Answered(t.Context(), []campaign.Member{{ID: id, Status: c.wanted}})
				require.NoError(t, err)
				require.Equal(t, []error{nil}, outcomes)
				require.Equal(t, c.want, f.status(id))
			}
		})
	}
}

func TestManyMembersCostTwoCallsFor200(t *testing.T) {
	f := newOffice(t)
	spring := f.campaignOf("=Planned", "-Sent", "!Responded")
	all := make([]campaign.Member, 450)
	for n := range all {
		all[n] = campaign.Member{N: int64(n), ID: f.member(spring, "Planned"), Status: campaign.MemberSent}
	}
	require.NoError(t, f.s.Delete("CampaignMember", all[7].ID))
	f.s.ResetCalls()
	outcomes, err := f.campaigns.Answered(t.Context(), all)
	require.NoError(t, err)
	require.ErrorIs(t, outcomes[7], campaign.ErrGone)
	for n := range all {
		if n != 7 {
			require.NoError(t, outcomes[n])
			require.Equal(t, "Sent", f.status(all[n].ID))
		}
	}
	require.Equal(t, 3+3+1, f.s.Calls().Total, "the statuses are read once")
	f.s.ResetCalls()
	_, err = f.campaigns.Answered(t.Context(), all[:200])
	require.NoError(t, err)
	require.Equal(t, 1, f.s.Calls().Total, "nothing to write")
	twice := []campaign.Member{{ID: all[1].ID, Status: campaign.MemberResponded}, {ID: all[1].ID, Status: campaign.MemberSent}}
	outcomes, err = f.campaigns.Answered(t.Context(), twice)
	require.NoError(t, err)
	require.Equal(t, []error{nil, nil}, outcomes)
	require.Equal(t, "Responded", f.status(all[1].ID))
	id := f.member(spring, "Planned")
	_, err = f.campaigns.Answered(t.Context(), []campaign.Member{{ID: id, Status: campaign.MemberSent}, {ID: id, Status: campaign.MemberResponded}})
	require.NoError(t, err)
	require.Equal(t, "Responded", f.status(id), "in whatever order")
}

func TestAMemberThatTheOrgRefusesStopsNoOther(t *testing.T) {
	f := newOffice(t)
	spring := f.campaignOf()
	one, two := f.member(spring, "Sent"), f.member(spring, "Sent")
	f.s.Script(salesforcetest.Refuse(func(r map[string]any) *salesforcetest.Refusal {
		if r["id"] == one {
			return &salesforcetest.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "No"}
		}
		return nil
	}).Forever())
	outcomes, err := f.campaigns.Answered(t.Context(), []campaign.Member{{ID: one, Status: campaign.MemberResponded}, {ID: two, Status: campaign.MemberResponded}})
	require.NoError(t, err)
	require.Equal(t, fault.Permanent, fault.ClassOf(outcomes[0]))
	require.NoError(t, outcomes[1])

	f.s.ClearFaults()
	require.NoError(t, f.s.Restrict("CampaignMember", salesforcetest.Deny{Edit: true}))
	outcomes, err = f.campaigns.Answered(t.Context(), []campaign.Member{{ID: one, Status: campaign.MemberResponded}})
	require.NoError(t, err)
	require.Equal(t, fault.Auth, fault.ClassOf(outcomes[0]))
	require.Contains(t, fault.Hint(outcomes[0]), "Marketing User")
	require.NoError(t, f.s.Restrict("CampaignMember", salesforcetest.Deny{Read: true}))
	_, err = f.campaigns.Answered(t.Context(), []campaign.Member{{ID: one, Status: campaign.MemberResponded}})
	require.Equal(t, fault.Auth, fault.ClassOf(err))
	require.Contains(t, fault.Hint(err), "Marketing User")
}

func TestACampaignWhoseStatusesAreHiddenHasTheStandardOnes(t *testing.T) {
	f := newOffice(t)
	id := f.member(f.campaignOf(), "Sent")
	require.NoError(t, f.s.Restrict("CampaignMemberStatus", salesforcetest.Deny{Read: true}))
	outcomes, err := f.campaigns.Answered(t.Context(), []campaign.Member{{ID: id, Status: campaign.MemberResponded}})
	require.NoError(t, err)
	require.Equal(t, []error{nil}, outcomes)
	require.Equal(t, "Responded", f.status(id))
}

// forecasts is the deliverability of Campaigns, polled.
type forecasts struct {
	*office
	d     *records.Deliverability
	poll  *records.Poll
	asked []records.Forecasting
}

func newForecasts(t *testing.T) *forecasts {
	t.Helper()
	f := &forecasts{office: newOffice(t)}
	f.d = records.NewDeliverability(f.org)
	f.poll = newPoll(t, f.org, &marks{}, f.d.Parts(func(_ context.Context, all []records.Forecasting) error {
		f.asked = all
		return nil
	})...)
	return f
}

// says is a Campaign's deliverability status after the next poll.
func (f *forecasts) says(id string) any {
	f.t.Helper()
	time.Sleep(time.Minute)
	require.NoError(f.t, f.poll.Run(f.t.Context()))
	require.Empty(f.t, f.poll.LeftOut())
	row, _ := f.s.Row("Campaign", id)
	return row["Deliverability_Status__c"]
}

func TestACampaignThatAsksIsToldWhomItReaches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newForecasts(t)
		keyword := insert(t, f.s, "TwilioSF_Opt_In_Keyword__c", map[string]any{"Name": "NEWS"})
		spring := insert(t, f.s, "Campaign", map[string]any{"Name": "Spring", "Opt_In_Keyword__c": keyword, "Deliverability_Status__c": "pending"})
		fall := insert(t, f.s, "Campaign", map[string]any{"Name": "Fall", "Deliverability_Status__c": "pending"})
		insert(t, f.s, "Campaign", map[string]any{"Name": "Quiet"})
		require.NoError(t, f.poll.Run(t.Context()))
		require.Equal(t, []records.Forecasting{{spring, keyword}, {fall, ""}}, f.asked)
		require.NoError(t, f.d.Forecast(t.Context(), spring, campaign.Forecast{Deliverable: 1, Undelivered: 2, Failed: 3, Blocked: 4, Unknown: 5, NoMobile: 6, NotOptedIn: 7, Total: 28}))
		row, _ := f.s.Row("Campaign", spring)
		for field, want := range map[string]float64{"Deliverable": 1, "Undelivered": 2, "Failed": 3, "Blocked": 4, "Unknown": 5, "No_Mobile": 6, "Not_Opted_In": 7, "Total": 28} {
			require.InDelta(t, want, row["Deliverability_"+field+"__c"], 0, field)
		}
		require.Equal(t, "complete", f.says(spring))
		require.Equal(t, []records.Forecasting{{fall, ""}}, f.asked)
		require.NoError(t, f.s.Delete("Campaign", fall))
		require.ErrorIs(t, f.d.Forecast(t.Context(), fall, campaign.Forecast{}), campaign.ErrGone)
		require.Equal(t, "complete", f.says(spring))
		require.Empty(t, f.asked, "nobody asks any more, and that is told as well")
	})
}

func TestAForecastThatHoldsNoMoreSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newForecasts(t)
		keyword := insert(t, f.s, "TwilioSF_Opt_In_Keyword__c", map[string]any{"Name": "NEWS"})
		other := insert(t, f.s, "TwilioSF_Opt_In_Keyword__c", map[string]any{"Name": "OTHER"})
		spring := insert(t, f.s, "Campaign", map[string]any{"Name": "Spring", "Opt_In_Keyword__c": keyword})
		first := f.member(spring, "Sent")
		count := func() {
			time.Sleep(time.Second)
			require.NoError(t, f.d.Forecast(t.Context(), spring, campaign.Forecast{Total: 1}))
		}
		optIn := func(of string, n string) string {
			return insert(t, f.s, "TwilioSF_Opt_In__c", map[string]any{"Unique_Key__c": n, "Phone_Number__c": n, "Keyword__c": of, "Active__c": true})
		}
		optIn(keyword, "+14155550100")
		count()
		require.Equal(t, "complete", f.says(spring), "all that is older was counted")

		f.member(spring, "Sent")
		require.Equal(t, "stale", f.says(spring))
		require.Equal(t, "stale", f.says(spring), "and it stays so until somebody asks")
		count()
		require.Equal(t, "complete", f.says(spring), "the poll sees the change again, and knows it")
		require.NoError(t, f.s.Delete("CampaignMember", first))
		require.Equal(t, "stale", f.says(spring))

		count()
		optIn(other, "+14155550101")
		require.Equal(t, "complete", f.says(spring), "another keyword's")
		id := optIn(keyword, "+14155550102")
		require.Equal(t, "stale", f.says(spring))
		count()
		require.Equal(t, "complete", f.says(spring))
		require.NoError(t, f.s.Update("TwilioSF_Opt_In__c", id, map[string]any{"Active__c": false}))
		require.Equal(t, "stale", f.says(spring))
		f.s.ResetCalls()
		f.says(spring)
		require.Equal(t, 1, f.s.Calls().Total, "what was seen costs nothing")
	})
}

func TestAnOrgWithoutDeliverabilityIsLeftAlone(t *testing.T) {
	for name, lame := range map[string]func(*salesforcetest.Server) error{
		"no Campaigns": func(s *salesforcetest.Server) error { return s.Restrict("Campaign", salesforcetest.Deny{Read: true}) },
		"no status":    func(s *salesforcetest.Server) error { return s.HideField("Campaign", "Deliverability_Status__c", true) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newForecasts(t)
			require.NoError(t, lame(f.s))
			require.NoError(t, f.poll.Run(t.Context()))
			require.Len(t, f.poll.LeftOut(), 3)
			require.Equal(t, records.CodeSchema, fault.CodeOf(f.d.Forecast(t.Context(), "701000000000001AAA", campaign.Forecast{})))
		})
	}
}

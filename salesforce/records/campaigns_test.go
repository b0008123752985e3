package records_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

const bulk = "TwilioSF_Bulk_Message__c"

// office has the records of campaigns in an emulated org.
type office struct {
	t         *testing.T
	s         *salesforcetest.Server
	org       *salesforce.Org
	campaigns *records.Campaigns
}

func newOffice(t *testing.T, change ...func(*salesforcetest.Options)) *office {
	t.Helper()
	o := salesforcetest.Options{Schema: metadata.FS}
	for _, c := range change {
		c(&o)
	}
	s := salesforcetest.NewServer(o)
	f := &office{t: t, s: s, org: orgOf(t, s)}
	f.restart()
	return f
}

// restart forgets all that is not in the org.
func (f *office) restart() {
	f.campaigns = records.NewCampaigns(f.org, newMessages(f.t, f.org), records.CampaignOptions{})
}

func (f *office) row(id string) map[string]any {
	f.t.Helper()
	row, there := f.s.Row(bulk, id)
	require.True(f.t, there)
	return row
}

func (f *office) tell(all ...campaign.Telling) []error {
	f.t.Helper()
	outcomes, err := f.campaigns.Tell(f.t.Context(), all)
	require.NoError(f.t, err)
	require.Len(f.t, outcomes, len(all))
	return outcomes
}

// post takes what the poll has read.
type post struct {
	mu   sync.Mutex
	last []campaign.Campaign
}

func (p *post) take(_ context.Context, all []campaign.Campaign) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = all
	return nil
}

func (p *post) all() []campaign.Campaign {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

func TestABulkMessageIsReadWithAllThatItsAuthorSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOffice(t)
		keyword := insert(t, f.s, "TwilioSF_Opt_In_Keyword__c", map[string]any{"Name": "NEWS"})
		spring := insert(t, f.s, "Campaign", map[string]any{"Name": "Spring", "Opt_In_Keyword__c": keyword})
		at := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
		full := insert(t, f.s, bulk, map[string]any{
			"Status__c": "Send", "Command__c": "Pause", "Campaign__c": spring, "Body__c": "Hi {!Contact.FirstName|you}", "Media_Url__c": "https://x.test/a.png",
			"Sender__c": "MG1", "Send_At__c": at, "Rate_Per_Second__c": 2.5,
		})
		time.Sleep(time.Second)
		least := insert(t, f.s, bulk, map[string]any{"Status__c": "Draft", "List_View_Id__c": "00B000000000001AAA", "Audience_Query__c": "SELECT Id FROM Lead"})
		p := &post{}
		poll := newPoll(t, f.org, &marks{}, f.campaigns.Part(p.take))
		require.NoError(t, poll.Run(t.Context()))
		all := p.all()
		require.Len(t, all, 2)
		require.False(t, all[0].Modified.IsZero())
		want := campaign.Campaign{
			ID: full, Name: "BM-000001", Modified: all[0].Modified, Status: campaign.Send, Command: campaign.Pause, Members: spring, Keyword: keyword,
			Body: "Hi {!Contact.FirstName|you}", Media: "https://x.test/a.png", Sender: "MG1", SendAt: at, Rate: 2.5,
		}
		require.Equal(t, want, all[0])
		require.Equal(t, campaign.Campaign{
			ID: least, Name: "BM-000002", Modified: all[1].Modified, Status: campaign.Draft, ListView: "00B000000000001AAA", Query: "SELECT Id FROM Lead",
		}, all[1])
		read, err := f.campaigns.Read(t.Context(), []string{least, "a01000000000099AAA", full})
		require.NoError(t, err)
		require.Equal(t, []campaign.Campaign{all[1], {ID: "a01000000000099AAA", Deleted: true}, want}, read)

		time.Sleep(time.Hour)
		require.NoError(t, f.s.Delete(bulk, full))
		require.NoError(t, poll.Run(t.Context()))
		last := p.all()[len(p.all())-1]
		require.Equal(t, full, last.ID)
		require.True(t, last.Deleted)
		read, err = f.campaigns.Read(t.Context(), []string{full})
		require.NoError(t, err)
		require.Equal(t, []campaign.Campaign{{ID: full, Deleted: true}}, read)
		none, err := f.campaigns.Read(t.Context(), nil)
		require.NoError(t, err)
		require.Empty(t, none)
	})
}

func TestAnOrgWhoseBulkMessagesCannotBeReadAsAWholeIsLeftAlone(t *testing.T) {
	for name, c := range map[string]struct {
		lame  func(*salesforcetest.Server) error
		field string
	}{
		"no object":                     {func(s *salesforcetest.Server) error { return s.Restrict(bulk, salesforcetest.Deny{Read: true}) }, bulk},
		"a time that is hidden":         {func(s *salesforcetest.Server) error { return s.HideField(bulk, "Send_At__c", true) }, "Send_At__c"},
		"a command that is hidden":      {func(s *salesforcetest.Server) error { return s.HideField(bulk, "Command__c", true) }, "Command__c"},
		"a status that cannot be told":  {func(s *salesforcetest.Server) error { return s.ReadOnlyField(bulk, "Status__c", true) }, "Status__c"},
		"a keyword that is hidden":      {func(s *salesforcetest.Server) error { return s.HideField("Campaign", "Opt_In_Keyword__c", true) }, "Opt_In_Keyword__c"},
		"records that cannot be edited": {func(s *salesforcetest.Server) error { return s.Restrict(bulk, salesforcetest.Deny{Edit: true}) }, bulk},
	} {
		t.Run(name, func(t *testing.T) {
			f := newOffice(t)
			require.NoError(t, c.lame(f.s))
			id := insert(t, f.s, bulk, map[string]any{"Status__c": "Send"})
			p := &post{}
			poll := newPoll(t, f.org, &marks{}, f.campaigns.Part(p.take))
			require.NoError(t, poll.Run(t.Context()), "the others go on")
			require.Empty(t, p.all())
			require.Len(t, poll.LeftOut(), 1)
			require.Equal(t, []string{c.field}, fault.Of(poll.LeftOut()[0].Err).Fields)
			_, err := f.campaigns.Read(t.Context(), []string{id})
			require.Equal(t, records.CodeSchema, fault.CodeOf(err))
			_, err = f.campaigns.Tell(t.Context(), []campaign.Telling{{ID: id, Status: campaign.Sending}})
			require.Equal(t, records.CodeSchema, fault.CodeOf(err))
			require.Equal(t, "Send", f.row(id)["Status__c"])
		})
	}
	t.Run("without Campaigns", func(t *testing.T) {
		f := newOffice(t)
		require.NoError(t, f.s.HideField(bulk, "Campaign__c", true))
		require.NoError(t, f.s.Restrict("Campaign", salesforcetest.Deny{Read: true}))
		insert(t, f.s, bulk, map[string]any{"Status__c": "Send"})
		p := &post{}
		require.NoError(t, newPoll(t, f.org, &marks{}, f.campaigns.Part(p.take)).Run(t.Context()))
		require.Len(t, p.all(), 1)
	})
}

func TestARecordShowsHowItsCampaignGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOffice(t)
		id := insert(t, f.s, bulk, map[string]any{"Status__c": "Send"})
		began := time.Now().UTC().Truncate(time.Second)
		counts := campaign.Counts{
			Waiting: 1, Handed: 2, Accepted: 30, Refused: 4, Stopped: 1, Uncertain: 5, LeftOut: map[campaign.Reason]int{campaign.Duplicate: 6, campaign.OptedOut: 1},
			Sent: 8, Delivered: 9, Undelivered: 10, Failed: 2, Blocked: 3, Replied: 11,
		}
		telling := campaign.Telling{ID: id, Status: campaign.Sending, Counts: counts, Started: began, Problem: strings.Repeat("ä", 40_000)}
		require.Equal(t, []error{nil}, f.tell(telling))
		row := f.row(id)
		for field, want := range map[string]float64{
			"Total__c": 49, "Accepted__c": 30, "Sent__c": 8, "Delivered__c": 9, "Undelivered__c": 10, "Failed__c": 5, "Blocked__c": 3, "Skipped__c": 7, "Replied__c": 11,
		} {
			require.InDelta(t, want, row[field], 0, field)
		}
		require.Equal(t, "Sending", row["Status__c"])
		require.Equal(t, began, row["Started_At__c"])
		require.Nil(t, row["Completed_At__c"])
		require.Len(t, []rune(row["Problem__c"].(string)), 32768, "as much as the field holds")

		f.s.ResetCalls()
		for n := range 5 {
			telling.Counts.Delivered, telling.Problem = n, ""
			require.Equal(t, []error{nil}, f.tell(telling))
		}
		require.Equal(t, 5, f.s.Calls().Total, "what the record shows already need not be looked at")
		telling.Status, telling.Ended, telling.Started = campaign.Completed, began.Add(time.Hour), time.Time{}
		require.Equal(t, []error{nil}, f.tell(telling))
		row = f.row(id)
		require.Equal(t, "Completed", row["Status__c"])
		require.Equal(t, began.Add(time.Hour), row["Completed_At__c"])
		require.Equal(t, began, row["Started_At__c"], "what is not told stays")
		require.Nil(t, row["Problem__c"])

		require.Equal(t, []error{nil}, f.tell(campaign.Telling{ID: id, Status: campaign.Scheduled, ForgetStarted: true}))
		row = f.row(id)
		require.Nil(t, row["Started_At__c"], "it begins anew")
		require.Nil(t, row["Completed_At__c"])
		require.InDelta(t, 0, row["Total__c"], 0)
	})
}

func TestACommandIsClearedWhenItIsStillTheOneThatWasObeyed(t *testing.T) {
	f := newOffice(t)
	id := insert(t, f.s, bulk, map[string]any{"Status__c": "Sending", "Command__c": "Pause"})
	require.Equal(t, []error{nil}, f.tell(campaign.Telling{ID: id, Status: campaign.Sending}))
	require.Equal(t, "Pause", f.row(id)["Command__c"], "nobody has obeyed it")
	require.Equal(t, []error{nil}, f.tell(campaign.Telling{ID: id, Status: campaign.Paused, Obeyed: campaign.Pause}))
	require.Nil(t, f.row(id)["Command__c"])
	require.NoError(t, f.s.Update(bulk, id, map[string]any{"Command__c": "Cancel"}))
	require.Equal(t, []error{nil}, f.tell(campaign.Telling{ID: id, Status: campaign.Paused, Obeyed: campaign.Pause}))
	require.Equal(t, "Cancel", f.row(id)["Command__c"], "the author has changed their mind meanwhile")
}

func TestAnAuthorsWordThatThePollHasYetToBringIsNotLost(t *testing.T) {
	ended := time.Now().Truncate(time.Second)
	for name, c := range map[string]struct {
		before   map[string]any
		told     campaign.Telling
		restarts bool
		want     string
	}{
		"scheduled, and called off":               {map[string]any{"Status__c": "Draft"}, campaign.Telling{Status: campaign.Scheduled}, true, "Draft"},
		"scheduled, and canceled":                 {map[string]any{"Status__c": "Canceled"}, campaign.Telling{Status: campaign.Scheduled}, true, "Canceled"},
		"at the beginning":                        {map[string]any{"Status__c": "Send"}, campaign.Telling{Status: campaign.Scheduled}, true, "Scheduled"},
		"failed before anything":                  {map[string]any{"Status__c": "Send"}, campaign.Telling{Status: campaign.Failed, Ended: ended}, true, "Failed"},
		"completed, and to be sent again":         {map[string]any{"Status__c": "Send"}, campaign.Telling{Status: campaign.Completed, Ended: ended}, false, "Send"},
		"the same after a restart":                {map[string]any{"Status__c": "Send", "Completed_At__c": ended}, campaign.Telling{Status: campaign.Completed, Ended: ended}, true, "Send"},
		"a later end of one that was sent again":  {map[string]any{"Status__c": "Send", "Completed_At__c": ended}, campaign.Telling{Status: campaign.Completed, Ended: ended.Add(time.Hour)}, true, "Completed"},
		"one under way, and called off":           {map[string]any{"Status__c": "Draft"}, campaign.Telling{Status: campaign.Sending}, true, "Draft"},
		"one that is paused, and canceled":        {map[string]any{"Status__c": "Canceled"}, campaign.Telling{Status: campaign.Paused}, true, "Canceled"},
		"one under way, of which nothing is said": {map[string]any{"Status__c": "Completed"}, campaign.Telling{Status: campaign.Sending}, true, "Sending"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newOffice(t)
			id := insert(t, f.s, bulk, map[string]any{"Status__c": "Sending"})
			c.told.ID = id
			if !c.restarts {
				require.Equal(t, []error{nil}, f.tell(c.told))
			}
			require.NoError(t, f.s.Update(bulk, id, c.before))
			for range 3 {
				require.Equal(t, []error{nil}, f.tell(c.told))
				require.Equal(t, c.want, f.row(id)["Status__c"])
			}
		})
	}
}

func TestATellingOfARecordThatIsGoneStopsNoOther(t *testing.T) {
	f := newOffice(t)
	gone, here, refused := insert(t, f.s, bulk, map[string]any{"Status__c": "Send"}), insert(t, f.s, bulk, map[string]any{"Status__c": "Send"}), insert(t, f.s, bulk, map[string]any{"Status__c": "Send"})
	require.Equal(t, []error{nil}, f.tell(campaign.Telling{ID: gone, Status: campaign.Sending}))
	require.NoError(t, f.s.Delete(bulk, gone))
	f.s.Script(salesforcetest.Refuse(func(r map[string]any) *salesforcetest.Refusal {
		if r["id"] == refused {
			return &salesforcetest.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "No"}
		}
		return nil
	}).Forever())
	all := []campaign.Telling{{ID: gone, Status: campaign.Sending}, {ID: here, Status: campaign.Sending}, {ID: refused, Status: campaign.Sending}}
	for range 2 { // known to show its status, and not known any more
		outcomes := f.tell(all...)
		require.ErrorIs(t, outcomes[0], campaign.ErrGone)
		require.NoError(t, outcomes[1])
		require.Equal(t, fault.Permanent, fault.ClassOf(outcomes[2]))
		require.Contains(t, fault.Hint(outcomes[2]), "validation rule on "+bulk)
	}
	f.s.EmptyRecycleBin()
	require.ErrorIs(t, f.tell(campaign.Telling{ID: gone, Status: campaign.Paused})[0], campaign.ErrGone)
	require.Equal(t, "Sending", f.row(here)["Status__c"])
	none, err := f.campaigns.Tell(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestCountersThatTheOrgLacksAreLeftOut(t *testing.T) {
	f := newOffice(t)
	for _, name := range []string{"Replied__c", "Problem__c", "Started_At__c", "Completed_At__c"} {
		require.NoError(t, f.s.HideField(bulk, name, true))
	}
	id := insert(t, f.s, bulk, map[string]any{"Status__c": "Send"})
	require.Equal(t, []error{nil}, f.tell(campaign.Telling{ID: id, Status: campaign.Sending, Counts: campaign.Counts{Accepted: 1, Replied: 1}, Started: time.Now()}))
	require.InDelta(t, 1, f.row(id)["Accepted__c"], 0)
}

func TestARecurringCampaignsRecordIsMadeOnceForAKey(t *testing.T) {
	f := newOffice(t)
	spring := insert(t, f.s, "Campaign", map[string]any{"Name": "Spring"})
	what := campaign.Campaign{Members: spring, Body: "Hi", Media: "https://x.test/a.png", Sender: "MG1", SendAt: time.Now().Add(time.Hour).UTC().Truncate(time.Second), Rate: 0.25}
	require.NoError(t, f.campaigns.Make(t.Context(), "weekly:2026-W01", what))
	what.Body = "Changed"
	require.NoError(t, f.campaigns.Make(t.Context(), "weekly:2026-W01", what))
	require.NoError(t, f.campaigns.Make(t.Context(), "weekly:2026-W02", what))
	require.Equal(t, 2, f.s.Count(bulk))
	made := f.s.ByKey(bulk, "Request_Key__c", "weekly:2026-W01")
	require.Len(t, made, 1)
	read, err := f.campaigns.Read(t.Context(), []string{made[0]["Id"].(string)})
	require.NoError(t, err)
	what.Body, what.Status, what.ID, what.Name, what.Modified = "Hi", campaign.Send, read[0].ID, read[0].Name, read[0].Modified
	require.Equal(t, what, read[0])

	require.NoError(t, f.s.Delete(bulk, made[0]["Id"].(string)))
	require.NoError(t, f.campaigns.Make(t.Context(), "weekly:2026-W01", what))
	require.Equal(t, 1, f.s.Count(bulk), "what a user has deleted stays so")

	// The answer is lost, not the record.
	f.s.Script(salesforcetest.ResetAfter().On(salesforcetest.OpCollectionsCreate))
	err = f.campaigns.Make(t.Context(), "weekly:2026-W03", what)
	require.Equal(t, fault.Transient, fault.ClassOf(err))
	require.NoError(t, f.campaigns.Make(t.Context(), "weekly:2026-W03", what))
	require.Equal(t, 2, f.s.Count(bulk))

	require.NoError(t, f.s.HideField(bulk, "Request_Key__c", true))
	f.restart()
	require.Equal(t, records.CodeSchema, fault.CodeOf(f.campaigns.Make(t.Context(), "x", what)))
}

// unsent is the record of somebody who was left out.
func unsent(n int, change func(*campaign.Unsent)) campaign.Unsent {
	u := campaign.Unsent{
		N: int64(n), Key: fmt.Sprintf("a01000000000001AAA:%d", n), To: message.Number(fmt.Sprintf("+1415555%04d", n)), Status: "failed",
		Body: fmt.Sprint("Hi ", n), ErrorCode: 21610, ErrorMessage: "has opted out",
	}
	if change != nil {
		change(&u)
	}
	return u
}

// garbled is an org whose answers have passed something that does not know its times.
type garbled struct{ *salesforce.Org }

func (g garbled) Query(ctx context.Context, text string, row func(map[string]any) error) error {
	return g.Org.Query(ctx, text, func(r map[string]any) error {
		r["Send_At__c"] = "tomorrow"
		return row(r)
	})
}

func TestATimeThatCannotBeReadIsNotAtOnce(t *testing.T) {
	f := newOffice(t)
	id := insert(t, f.s, bulk, map[string]any{"Status__c": "Send"})
	_, err := records.NewCampaigns(garbled{f.org}, newMessages(t, f.org), records.CampaignOptions{}).Read(t.Context(), []string{id})
	require.Equal(t, salesforce.CodeUnreadable, fault.CodeOf(err))
	require.Equal(t, fault.Transient, fault.ClassOf(err))
}

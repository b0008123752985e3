package records_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

func (f *office) record(all ...campaign.Unsent) []error {
	f.t.Helper()
	outcomes, err := f.campaigns.Record(f.t.Context(), all)
	require.NoError(f.t, err)
	require.Len(f.t, outcomes, len(all))
	return outcomes
}

func (f *office) keyed(key string) map[string]any {
	f.t.Helper()
	rows := f.s.ByKey(object, "Request_Key__c", key)
	require.Len(f.t, rows, 1, key)
	return rows[0]
}

func TestWhoeverGotNoMessageHasARecordThatSaysWhy(t *testing.T) {
	f := newOffice(t)
	spring := insert(t, f.s, bulk, map[string]any{"Status__c": "Sending"})
	ada, lea := insert(t, f.s, "Contact", map[string]any{"LastName": "Ada"}), insert(t, f.s, "Lead", map[string]any{"LastName": "Lea", "Company": "Oak"})
	all := []campaign.Unsent{
		unsent(1, func(u *campaign.Unsent) { u.Campaign, u.Person, u.From = spring, contactLink(ada), "+14155550199" }),
		unsent(2, func(u *campaign.Unsent) {
			u.Campaign, u.Person, u.Service, u.RejectedSID = spring, message.Link{Object: "Lead", ID: lea}, "MG1", "SM00000000000000000000000000000009"
		}),
		unsent(3, func(u *campaign.Unsent) {
			u.Campaign, u.Person, u.To, u.Status, u.ErrorCode, u.ErrorMessage = spring, message.Link{Object: "User", ID: "005000000000001AAA"}, "", "canceled", 0, "no number"
		}),
	}
	for range 2 {
		require.Equal(t, []error{nil, nil, nil}, f.record(all...))
	}
	require.Equal(t, 3, f.s.Count(object))
	row := f.keyed(all[0].Key)
	for field, want := range map[string]any{
		"Status__c": "failed", "Error_Code__c": "21610", "Error_Message__c": "has opted out", "To_Number__c": "+14155550001", "Their_Number__c": "+14155550001",
		"From_Number__c": "+14155550199", "Body__c": "Hi 1", "Direction__c": "outbound-api", "Bulk_Message__c": spring, "Contact__c": ada, "Message_SID__c": nil,
	} {
		require.Equal(t, want, row[field], field)
	}
	row = f.keyed(all[1].Key)
	require.Equal(t, lea, row["Lead__c"])
	require.Equal(t, "MG1", row["Messaging_Service_Sid__c"])
	require.Equal(t, "SM00000000000000000000000000000009", row["Rejected_SID__c"])
	row = f.keyed(all[2].Key)
	require.Nil(t, row["To_Number__c"])
	require.Equal(t, "005000000000001AAA", row["Parent_Record_Id__c"], "an object that the message has no look-up for")
}

func TestALinkOfSomebodyLeftOutThatTheOrgRefusesIsLeftOut(t *testing.T) {
	f := newOffice(t)
	spring, ada := insert(t, f.s, bulk, map[string]any{"Status__c": "Sending"}), insert(t, f.s, "Contact", map[string]any{"LastName": "Ada"})
	require.NoError(t, f.s.Delete("Contact", ada))
	f.s.Script(salesforcetest.Refuse(func(r map[string]any) *salesforcetest.Refusal {
		if r["Body__c"] == "Hi 3" {
			return &salesforcetest.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "Not Hi 3"}
		}
		return nil
	}).Forever())
	link := func(u *campaign.Unsent) { u.Campaign = spring }
	outcomes := f.record(unsent(1, func(u *campaign.Unsent) { u.Campaign, u.Person = spring, contactLink(ada) }), unsent(2, link), unsent(3, link))
	require.NoError(t, outcomes[0])
	require.NoError(t, outcomes[1])
	require.Equal(t, fault.Permanent, fault.ClassOf(outcomes[2]))
	require.NotEmpty(t, fault.Hint(outcomes[2]))
	require.NotContains(t, outcomes[2].Error(), "Hi 3")
	require.Nil(t, f.keyed(unsent(1, nil).Key)["Contact__c"])
	require.Equal(t, spring, f.keyed(unsent(2, nil).Key)["Bulk_Message__c"])
}

// A send that was uncertain has a record by its key; when its message is found, that
// record gets its SID, whatever the mirror has made of it meanwhile.
func TestARecordByItsKeyGetsItsMessagesSID(t *testing.T) {
	f := newOffice(t)
	messages := newMessages(t, f.org)
	m := numbered(2)
	require.Equal(t, []error{nil, nil}, f.record(unsent(1, func(u *campaign.Unsent) { u.Status = message.Uncertain }), unsent(2, func(u *campaign.Unsent) { u.Status = message.Uncertain })))
	outcomes, err := messages.Upsert(t.Context(), plain(m[:1]))
	requireAll(t, outcomes, err)
	require.Equal(t, 3, f.s.Count(object))
	for range 2 {
		require.Equal(t, []error{nil, nil, nil}, f.record(
			unsent(1, func(u *campaign.Unsent) { u.SID, u.Status, u.ErrorCode, u.ErrorMessage = m[0].SID, "sent", 0, "" }),
			unsent(3, nil),
			unsent(2, func(u *campaign.Unsent) { u.SID, u.Status, u.ErrorCode, u.ErrorMessage = m[1].SID, "queued", 0, "" }),
		))
	}
	require.Equal(t, 3, f.s.Count(object), "the second record was merged into it")
	for n := range m {
		row := stored(t, f.s, m[n].SID)
		require.Equal(t, unsent(n+1, nil).Key, row["Request_Key__c"])
		require.Nil(t, row["Error_Code__c"])
	}
}

func TestAnOrgWithoutKeysIsAnOperatorsMatter(t *testing.T) {
	f := newOffice(t)
	require.NoError(t, f.s.HideField(object, "Request_Key__c", true))
	_, err := f.campaigns.Record(t.Context(), []campaign.Unsent{unsent(1, nil)})
	require.Equal(t, records.CodeSchema, fault.CodeOf(err))
	require.Equal(t, []string{"Request_Key__c"}, fault.Of(err).Fields)
	require.Zero(t, f.s.Count(object))
}

func TestAnyNumberOfRecordsIsWrittenWhateverHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOffice(t, func(o *salesforcetest.Options) { o.Seed = 3 })
		const many = 1_150
		waiting := make([]campaign.Unsent, many)
		for n := range waiting {
			waiting[n] = unsent(n, nil)
		}
		f.s.ResetCalls()
		outcomes := f.record(waiting...)
		require.Equal(t, make([]error, many), outcomes)
		require.Equal(t, 6, f.s.Calls().ByOperation[salesforcetest.OpCollectionsUpsert])
		for _, trouble := range []salesforcetest.Fault{
			salesforcetest.ResetBefore(), salesforcetest.ResetAfter(), salesforcetest.TruncatedJSON(), salesforcetest.ConcurrentLimit(), salesforcetest.Lock(),
			salesforcetest.LockRows(func(r map[string]any) bool { return r["To_Number__c"] == "+14155550007" }),
		} {
			f.s.Chance(0.15, trouble)
		}
		for n := range waiting {
			waiting[n].Body = fmt.Sprint("Bye ", n)
		}
		for rounds := 0; len(waiting) > 0; rounds++ {
			require.Less(t, rounds, 200)
			outcomes, err := f.campaigns.Record(t.Context(), waiting)
			if err != nil {
				require.NotEqual(t, fault.Permanent, fault.ClassOf(err), "%v", err)
				continue
			}
			var again []campaign.Unsent
			for i, o := range outcomes {
				if o != nil {
					require.NotEqual(t, fault.Permanent, fault.ClassOf(o), "%v", o)
					again = append(again, waiting[i])
				}
			}
			waiting = again
			time.Sleep(time.Second)
		}
		f.s.ClearFaults()
		require.Equal(t, many, f.s.Count(object))
		require.Equal(t, "Bye 7", f.keyed(unsent(7, nil).Key)["Body__c"])
	})
}

// mass notes what it is given in one go.
type mass struct {
	org   *salesforce.Org
	calls []int
}

func (m *mass) UpsertMany(ctx context.Context, object, key string, all [][]byte) (results []salesforce.RowResult, err error) {
	m.calls = append(m.calls, len(all))
	for from := 0; from < len(all); from += 200 {
		some, err := m.org.UpsertCollection(ctx, object, key, all[from:min(from+200, len(all))])
		if err != nil {
			return nil, err
		}
		results = append(results, some...)
	}
	return results, nil
}

func TestMoreRecordsThanTheThresholdGoInOneJob(t *testing.T) {
	f := newOffice(t)
	m := &mass{org: f.org}
	f.campaigns = records.NewCampaigns(f.org, newMessages(t, f.org), records.CampaignOptions{Mass: m, MassFrom: 300})
	all := make([]campaign.Unsent, 500)
	for n := range all {
		all[n] = unsent(n, nil)
	}
	require.Equal(t, make([]error, 250), f.record(all[:250]...))
	require.Empty(t, m.calls)
	require.Equal(t, make([]error, 500), f.record(all...))
	require.Equal(t, []int{500}, m.calls)
	require.Equal(t, 500, f.s.Count(object))
}

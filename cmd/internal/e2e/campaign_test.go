package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const bulkObject = "TwilioSF_Bulk_Message__c"

// crowd makes a Campaign of Contacts, whose numbers begin at +14155570000.
func (w *world) crowd(n int) (id string) {
	w.t.Helper()
	id, err := w.org.Insert("Campaign", map[string]any{"Name": "Spring"})
	require.NoError(w.t, err)
	for i := range n {
		contact, err := w.org.Insert("Contact", map[string]any{
			"FirstName": fmt.Sprint("Ann", i), "LastName": "Lee", "MobilePhone": fmt.Sprintf("+1415557%04d", i),
		})
		require.NoError(w.t, err)
		_, err = w.org.Insert("CampaignMember", map[string]any{"CampaignId": id, "ContactId": contact})
		require.NoError(w.t, err)
	}
	return id
}

func (w *world) bulk(values map[string]any) string {
	w.t.Helper()
	id, err := w.org.Insert(bulkObject, values)
	require.NoError(w.t, err)
	return id
}

func (w *world) row(object, id string) map[string]any {
	w.t.Helper()
	row, ok := w.org.Row(object, id)
	require.True(w.t, ok, id)
	return row
}

// A marketing user makes a record, sets it to Send, and watches it finish.
func TestACampaignIsSentOnceToEachOfItsAudienceAndCounted(t *testing.T) {
	inBubble(t, brisk(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.change(func(s *settings) {
			s.rest += "campaigns: {quiet_hours: \"off\", every: 15s, rate_per_second: {default: 20}}\n"
		})
		spring := w.crowd(300)
		nobody, err := w.org.Insert("Contact", map[string]any{"LastName": "Nonumber"})
		require.NoError(t, err)
		_, err = w.org.Insert("CampaignMember", map[string]any{"CampaignId": spring, "ContactId": nobody})
		require.NoError(t, err)
		_, err = w.org.Insert(optInObject, map[string]any{
			"Phone_Number__c": "+14155570007", "Unique_Key__c": "+14155570007:*", "Active__c": false, "Opt_Out_At__c": "2026-01-02T03:04:05.000+0000",
		})
		require.NoError(t, err)
		w.start()
		time.Sleep(time.Minute)
		id := w.bulk(map[string]any{"Campaign__c": spring, "Body__c": "Hi {!Contact.FirstName|there}", "Sender__c": ours, "Status__c": "Send"})
		time.Sleep(15 * time.Minute)
		row := w.row(bulkObject, id)
		require.Equal(t, "Completed", row["Status__c"], row)
		require.EqualValues(t, 301, row["Total__c"])
		require.EqualValues(t, 299, row["Delivered__c"], row)
		require.EqualValues(t, 2, row["Skipped__c"])
		sent := w.twilio.Accepted()
		require.Len(t, sent, 299)
		require.Less(t, w.org.Calls().ByOperation[salesforcetest.OpCollectionsUpsert], 60, "calls for 301 records and their statuses")
		for to, n := range sent {
			require.Equal(t, 1, n, to)
		}
		require.Equal(t, 301, w.org.Count(object), "a record for each, those left out too")
		for r := range w.org.Rows(object) {
			require.Equal(t, id, r["Bulk_Message__c"], r)
		}
		w.twilio.Receive(twiliotest.Inbound{From: "+14155570001", To: ours, Body: "thanks"})
		time.Sleep(30 * time.Minute)
		require.EqualValues(t, 1, w.row(bulkObject, id)["Replied__c"])
		members := map[any]int{}
		for m := range w.org.Rows("CampaignMember") {
			members[m["Status"]]++
		}
		require.Equal(t, 1, members["Responded"])
		require.Empty(t, w.conditions())
	})
}

func TestACampaignIsPausedResumedAndCanceledWithinSeconds(t *testing.T) {
	inBubble(t, brisk(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.change(func(s *settings) {
			s.rest += "campaigns: {quiet_hours: \"off\", every: 15s, rate_per_second: {default: 2}}\n"
		})
		spring := w.crowd(400)
		w.start()
		time.Sleep(time.Minute)
		id := w.bulk(map[string]any{"Campaign__c": spring, "Body__c": "Hi", "Sender__c": ours, "Status__c": "Send"})
		time.Sleep(time.Minute)
		tell := func(c campaign.Command) {
			require.NoError(t, w.daemon.Client().CommandCampaign(t.Context(), daemon.CampaignCommand{Record: id, Command: c}))
			time.Sleep(5 * time.Second)
		}
		tell(campaign.Pause)
		n := w.twilio.Len()
		require.Positive(t, n)
		time.Sleep(10 * time.Minute)
		require.Equal(t, n, w.twilio.Len())
		require.Equal(t, "Paused", w.row(bulkObject, id)["Status__c"])
		require.NoError(t, w.org.Update(bulkObject, id, map[string]any{"Command__c": "Resume"}))
		time.Sleep(time.Minute)
		require.Greater(t, w.twilio.Len(), n)
		require.Nil(t, w.row(bulkObject, id)["Command__c"])
		tell(campaign.Cancel)
		n = w.twilio.Len()
		time.Sleep(10 * time.Minute)
		require.Equal(t, n, w.twilio.Len())
		row := w.row(bulkObject, id)
		require.Equal(t, "Canceled", row["Status__c"])
		require.EqualValues(t, 400, row["Total__c"])
		require.Less(t, n, 400)
	})
}

func TestARecurringCampaignIsMadeAtItsTimes(t *testing.T) {
	inBubble(t, brisk(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		spring := w.crowd(3)
		w.change(func(s *settings) {
			s.rest += "campaigns:\n  quiet_hours: \"off\"\n  recurring:\n    - {name: reminders, cron: \"CRON_TZ=UTC 0 * * * *\", campaign: " + spring +
				", body: hello, sender: \"" + ours + "\"}\n"
		})
		w.start()
		time.Sleep(2*time.Hour + 10*time.Minute) // from midnight
		require.Equal(t, 2, w.org.Count(bulkObject))
		require.Equal(t, 6, w.twilio.Len())
		for r := range w.org.Rows(bulkObject) {
			require.Equal(t, "Completed", r["Status__c"], r)
		}
	})
}

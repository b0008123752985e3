package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

// The night in which California's clocks go forward is an hour shorter, for those who
// are texted there, and nobody is texted in it.
func TestQuietHoursOverTheNightInWhichClocksChange(t *testing.T) {
	inBubble(t, brisk(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.change(func(s *settings) {
			s.rest += "campaigns: {quiet_hours: \"21:00-08:00\", every: 15s, rate_per_second: {default: 1}}\n"
		})
		evening := time.Date(2000, 4, 2, 5, 0, 0, 0, time.UTC)  // 21:00, UTC-8
		morning := time.Date(2000, 4, 2, 15, 0, 0, 0, time.UTC) // 08:00, UTC-7
		time.Sleep(time.Until(evening.Add(-3 * time.Minute)))
		spring := w.crowd(200) // of the area 415, San Francisco
		w.start()
		time.Sleep(time.Minute)
		id := w.send(map[string]any{"Campaign__c": spring})
		time.Sleep(time.Until(evening.Add(9*time.Hour + 59*time.Minute)))
		before := w.twilio.Len()
		require.Greater(t, before, 50)
		require.Less(t, before, 150)
		require.Equal(t, "Sending", w.row(bulkObject, id)["Status__c"])
		time.Sleep(time.Until(morning.Add(10 * time.Minute)))
		require.Len(t, w.twilio.Accepted(), 200)
		w.requireOnce()
		for m := range w.twilio.Messages() {
			require.True(t, m.Created.Before(evening) || !m.Created.Before(morning), m.Created)
		}
		require.Equal(t, "Completed", w.row(bulkObject, id)["Status__c"])
	})
}

// Whoever asks for it sees on a Campaign whom a text would reach, and that this holds
// no more once somebody has joined.
func TestACampaignShowsWhomATextWouldReach(t *testing.T) {
	inBubble(t, brisk(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		spring := w.crowd(10)
		member := func(values map[string]any) {
			values["LastName"] = "Lee"
			contact, err := w.org.Insert("Contact", values)
			require.NoError(t, err)
			_, err = w.org.Insert("CampaignMember", map[string]any{"CampaignId": spring, "ContactId": contact})
			require.NoError(t, err)
		}
		member(map[string]any{})
		_, err := w.org.Insert(optInObject, map[string]any{
			"Phone_Number__c": "+14155570007", "Unique_Key__c": "+14155570007:*", "Active__c": false, "Opt_Out_At__c": "2000-01-01T00:00:00.000+0000",
		})
		require.NoError(t, err)
		w.start()
		time.Sleep(2 * time.Minute)
		require.NoError(t, w.org.Update("Campaign", spring, map[string]any{"Deliverability_Status__c": "pending"}))
		time.Sleep(2 * time.Minute)
		row := w.row("Campaign", spring)
		require.Equal(t, "complete", row["Deliverability_Status__c"], row)
		for field, want := range map[string]int{"Total": 11, "Unknown": 9, "No_Mobile": 1, "Deliverable": 0} {
			require.EqualValues(t, want, row["Deliverability_"+field+"__c"], "%s: %v", field, row)
		}
		require.Zero(t, w.twilio.Len())
		member(map[string]any{"MobilePhone": "+14155579999"})
		time.Sleep(3 * time.Minute)
		require.Equal(t, "stale", w.row("Campaign", spring)["Deliverability_Status__c"])
		require.NoError(t, w.org.Update("Campaign", spring, map[string]any{"Deliverability_Status__c": "pending"}))
		time.Sleep(2 * time.Minute)
		row = w.row("Campaign", spring)
		require.Equal(t, "complete", row["Deliverability_Status__c"], row)
		require.EqualValues(t, 12, row["Deliverability_Total__c"])
	})
}

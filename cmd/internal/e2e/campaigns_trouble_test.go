package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// mailing lets campaigns be sent at a pace, at any time of day.
func (w *world) mailing(perSecond int) {
	w.change(func(s *settings) {
		s.rest += fmt.Sprintf("campaigns: {quiet_hours: \"off\", every: 15s, rate_per_second: {default: %d}}\n", perSecond)
	})
}

// send asks for a text to an audience.
func (w *world) send(audience map[string]any) string {
	w.t.Helper()
	audience["Status__c"], audience["Sender__c"] = "Send", ours
	if audience["Body__c"] == nil {
		audience["Body__c"] = "Hi"
	}
	return w.bulk(audience)
}

// requireOnce has nobody texted twice.
func (w *world) requireOnce() {
	w.t.Helper()
	for to, n := range w.twilio.Accepted() {
		require.Equal(w.t, 1, n, to.To)
	}
}

func TestWhoeverWritesStopWhileACampaignIsSentIsNotTexted(t *testing.T) {
	inBubble(t, brisk(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.mailing(2)
		spring := w.crowd(400)
		w.start()
		time.Sleep(time.Minute)
		id := w.send(map[string]any{"Campaign__c": spring})
		time.Sleep(time.Minute)
		require.Less(t, w.twilio.Len(), 200)
		for i := 300; i < 400; i++ {
			w.twilio.Receive(twiliotest.Inbound{From: fmt.Sprintf("+1415557%04d", i), To: ours, Body: "STOP"})
		}
		time.Sleep(30 * time.Minute)
		require.Len(t, w.twilio.Accepted(), 300)
		w.requireOnce()
		for to := range w.twilio.Accepted() {
			require.Less(t, to.To, "+14155570300")
		}
		row := w.row(bulkObject, id)
		require.Equal(t, "Completed", row["Status__c"])
		require.EqualValues(t, 400, row["Total__c"])
		require.EqualValues(t, 300, row["Accepted__c"])
		require.EqualValues(t, 100, row["Blocked__c"])
	})
}

// Every campaign that cannot be sent says why on its record, in words that its author
// can act on, and nobody is texted.
func TestACampaignThatCannotBeSentSaysWhy(t *testing.T) {
	inBubble(t, brisk(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.mailing(5)
		spring := w.crowd(2)
		nobody, err := w.org.Insert("Campaign", map[string]any{"Name": "Empty"})
		require.NoError(t, err)
		w.start()
		time.Sleep(time.Minute)
		for name, c := range map[string]struct {
			record        map[string]any
			status, words string
		}{
			"a field that is not there": {map[string]any{"Audience_Query__c": "SELECT Id, MobilePhone FROM Contact WHERE Shoe_Size__c = 9"}, "Failed", "Shoe_Size__c"},
			"an open merge field":       {map[string]any{"Campaign__c": spring, "Body__c": "Hi {!Contact.FirstName"}, "Failed", "Body"},
			"nobody":                    {map[string]any{"Campaign__c": nobody}, "Completed", "Nobody"},
			"two audiences":             {map[string]any{"Campaign__c": spring, "Audience_Query__c": "SELECT Id FROM Contact"}, "Failed", ""},
			"a time that is long past":  {map[string]any{"Campaign__c": spring, "Send_At__c": time.Now().AddDate(0, 0, -2)}, "Failed", "Send At"},
		} {
			id := w.send(c.record)
			time.Sleep(2 * time.Minute)
			row := w.row(bulkObject, id)
			require.Equal(t, c.status, row["Status__c"], "%s: %v", name, row)
			problem := fmt.Sprint(row["Problem__c"])
			require.NotEqual(t, "<nil>", problem, name)
			require.Contains(t, problem, c.words, name)
		}
		require.Zero(t, w.twilio.Len())
		require.Empty(t, w.conditions())
	})
}

func TestOneNumberManyTimesAndATimeJustPastAndAListViewAreSentOnce(t *testing.T) {
	inBubble(t, brisk(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.mailing(5)
		for i := range 30 {
			_, err := w.org.Insert("Contact", map[string]any{"FirstName": "Ann", "LastName": fmt.Sprint("Lee", i), "MobilePhone": []string{"(415) 555-7000", "+14155557000", "415.555.7000"}[i%3]})
			require.NoError(t, err)
		}
		view, err := w.org.AddListView(salesforcetest.ListView{Object: "Contact", Name: "All", Query: "SELECT Id FROM Contact"})
		require.NoError(t, err)
		w.start()
		time.Sleep(time.Minute)
		id := w.send(map[string]any{"List_View_Id__c": view, "Send_At__c": time.Now().Add(-time.Hour)})
		time.Sleep(5 * time.Minute)
		row := w.row(bulkObject, id)
		require.Equal(t, "Completed", row["Status__c"], row)
		require.EqualValues(t, 30, row["Total__c"])
		require.EqualValues(t, 29, row["Skipped__c"])
		require.Equal(t, 1, w.twilio.Len())
	})
}

func TestACampaignGoesOnWhenItsOrgHasNoCallsLeftAndCatchesUp(t *testing.T) {
	inBubble(t, brisk(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.mailing(2)
		spring := w.crowd(400)
		w.start()
		time.Sleep(time.Minute)
		id := w.send(map[string]any{"Campaign__c": spring})
		time.Sleep(time.Minute)
		w.org.Script(salesforcetest.DailyLimit().Forever())
		n := w.twilio.Len()
		time.Sleep(30 * time.Minute)
		require.Greater(t, w.twilio.Len(), n)
		require.Len(t, w.twilio.Accepted(), 400, "no send needs the org")
		require.Less(t, w.row(bulkObject, id)["Accepted__c"], 400.)
		w.org.ClearFaults()
		time.Sleep(3 * time.Hour)
		row := w.row(bulkObject, id)
		require.Equal(t, "Completed", row["Status__c"], row)
		require.EqualValues(t, 400, row["Delivered__c"])
		require.Equal(t, 400, w.org.Count(object))
		w.requireOnce()
	})
}

func TestACampaignWhoseRecordIsDeletedStops(t *testing.T) {
	inBubble(t, brisk(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.mailing(2)
		spring := w.crowd(400)
		w.start()
		time.Sleep(time.Minute)
		id := w.send(map[string]any{"Campaign__c": spring})
		time.Sleep(time.Minute)
		require.NoError(t, w.org.Delete(bulkObject, id))
		time.Sleep(30 * time.Second)
		n := w.twilio.Len()
		require.Positive(t, n)
		require.Less(t, n, 300)
		time.Sleep(time.Hour)
		require.Equal(t, n, w.twilio.Len())
		require.Equal(t, n, w.org.Count(object), "each has its record nevertheless")
		w.requireOnce()
	})
}

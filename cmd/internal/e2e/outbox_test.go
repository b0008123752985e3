package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// asks makes a record that asks to be sent.
func (w *world) asks(body string) string {
	w.t.Helper()
	id, err := w.org.Insert(object, map[string]any{
		"Status__c": "Send", "To_Number__c": "(415) 555-0177", "From_Number__c": ours, "Body__c": body,
	})
	require.NoError(w.t, err)
	return id
}

func TestARecordSetToSendIsSentAndKeptTrue(t *testing.T) {
	inBubble(t, twiliotest.Options{}, salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.start()
		time.Sleep(20 * time.Second)
		ids := map[string]string{}
		for n := range 5 {
			body := fmt.Sprintf("hello %d", n)
			ids[body] = w.asks(body)
		}
		time.Sleep(30 * time.Minute)
		require.Equal(t, 5, w.org.Count(object), "one message is one record")
		sids := map[string]bool{}
		for body, id := range ids {
			row, ok := w.org.Row(object, id)
			require.True(t, ok, body)
			require.Equal(t, body, row["Body__c"])
			require.Regexp(t, `^SM[0-9a-f]{32}$`, row["Message_SID__c"])
			require.Contains(t, []any{"delivered", "undelivered", "failed", "sent"}, row["Status__c"])
			sids[fmt.Sprint(row["Message_SID__c"])] = true
		}
		require.Len(t, sids, 5)
		made := 0
		for range w.twilio.Messages() {
			made++
		}
		require.Equal(t, 5, made)
	})
}

// Twilio has changed its text, so nobody could tell that it is the record's: the
// mirror made a record of its own, and an administrator knows better.
func TestAMessageThatAnAdministratorNamesIsItsRecordsFromThenOn(t *testing.T) {
	inBubble(t, brisk(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.start()
		time.Sleep(20 * time.Second)
		w.twilio.Script(twiliotest.InternalError().On(twiliotest.CreateMessage))
		record := w.asks("hello")
		time.Sleep(20 * time.Second)
		sid := w.twilio.Send(twiliotest.Outbound{From: ours, To: "+14155550177", Body: "Sent from a trial account - hello"})
		time.Sleep(time.Hour)
		row, _ := w.org.Row(object, record)
		require.Equal(t, "Uncertain", row["Status__c"])
		require.Equal(t, 2, w.org.Count(object))

		require.NoError(t, w.daemon.Client().SettleSend(t.Context(), daemon.Settling{Record: record, SID: message.SID(sid)}))
		time.Sleep(time.Minute)
		require.Equal(t, 1, w.org.Count(object))
		row, _ = w.org.Row(object, record)
		require.Equal(t, sid, row["Message_SID__c"])
		require.Equal(t, "delivered", row["Status__c"])
		require.Equal(t, "Sent from a trial account - hello", row["Body__c"])
		require.NotNil(t, row["Price__c"])
	})
}

// Twilio lists each create that a full queue refuses as a failed message, and it is
// tried again once a minute at least.
func TestASenderWhoseQueueIsFullMakesNoSecondRecords(t *testing.T) {
	inBubble(t, brisk(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.twilio.RefuseTo("+14155550177", 21611)
		w.start()
		time.Sleep(20 * time.Second)
		record := w.asks("hello")
		time.Sleep(30 * time.Minute)
		row, _ := w.org.Row(object, record)
		require.Equal(t, "Send", row["Status__c"], "it waits")
		require.Equal(t, 1, w.org.Count(object), "Twilio lists %d refused creates", w.twilio.Len())

		w.twilio.RefuseTo("+14155550177", 0)
		time.Sleep(time.Hour)
		var failed []string // newest first
		for m := range w.twilio.Messages() {
			if m.Status == "failed" {
				failed = append(failed, m.SID)
			}
		}
		row, _ = w.org.Row(object, record)
		require.Equal(t, "delivered", row["Status__c"])
		require.Equal(t, failed[0], row["Rejected_SID__c"], "the latest")
		require.Equal(t, 1, w.org.Count(object))
	})
}

package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
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

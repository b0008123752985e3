package e2e_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// brisk is an account whose messages are delivered within seconds.
func brisk() twiliotest.Options {
	second := twiliotest.Span{Min: time.Second, Max: time.Second}
	return twiliotest.Options{Life: twiliotest.Life{Accepted: second, Queued: second, Sending: second, Sent: second, Priced: second}}
}

func (w *world) draft(values map[string]any) string {
	w.t.Helper()
	id, err := w.org.Insert(object, values)
	require.NoError(w.t, err)
	return id
}

// What a record asks to send is sent once, and the record itself becomes the
// message's, whichever way its statuses come.
func TestARecordThatAsksToBeSentBecomesTheMessagesRecord(t *testing.T) {
	for name, hooked := range map[string]bool{"with webhooks": true, "by sweeps alone": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, brisk(), salesforcetest.Options{}, func(t *testing.T, w *world) {
				w.change(func(s *settings) { s.account += "  sender: \"" + ours + "\"\n" })
				if hooked {
					defer w.call(twiliotest.Webhook{})()
				}
				w.start()
				time.Sleep(time.Minute)
				var ids []string
				for i := range 20 {
					ids = append(ids, w.draft(map[string]any{"Status__c": "Send", "To_Number__c": fmt.Sprintf("(415) 555-02%02d", i), "Body__c": "hello"}))
				}
				kept := w.draft(map[string]any{"Status__c": "Draft", "To_Number__c": theirs, "Body__c": "not yet"})
				bad := w.draft(map[string]any{"Status__c": "Send", "To_Number__c": "call mom", "Body__c": "hello"})
				time.Sleep(20 * time.Minute)
				require.Equal(t, 20, w.twilio.Len())
				require.Equal(t, 22, w.org.Count(object), "no second record of any")
				for _, id := range ids {
					row, _ := w.org.Row(object, id)
					require.Equal(t, "delivered", row["Status__c"], row)
					require.NotEmpty(t, row["Message_SID__c"])
					require.NotNil(t, row["Price__c"])
				}
				row, _ := w.org.Row(object, kept)
				require.Equal(t, "Draft", row["Status__c"])
				row, _ = w.org.Row(object, bad)
				require.Equal(t, "failed", row["Status__c"])
				require.Contains(t, row["Error_Message__c"], "To number")
				require.Empty(t, w.conditions())
			})
		})
	}
}

// fewDrafts are asked for in a run of all tests; TWILIOSF_DRAFTS asks for more.
const fewDrafts = 100

// Twilio's answers are lost, and it does not say whether it has taken the message:
// each is sent once all the same, by what Twilio counts.
func TestWhenAnswersAreLostEachIsSentOnce(t *testing.T) {
	inBubble(t, brisk(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		drafts := fewDrafts
		if text := os.Getenv("TWILIOSF_DRAFTS"); text != "" {
			var err error
			drafts, err = strconv.Atoi(text)
			require.NoError(t, err)
		}
		w.change(func(s *settings) {
			s.account += "  sender: \"" + ours + "\"\n"
			s.rest += "campaigns: {rate_per_second: {default: 10}}\noutbox: {late_limit: 30d}\n"
			s.sync += "  drafts_every: 1m\n  active_every: 1m\n"
		})
		w.twilio.SetWeather(
			twiliotest.Chance{P: 0.3, Fault: twiliotest.ResetAfter().On(twiliotest.CreateMessage)},
			twiliotest.Chance{P: 0.3, Fault: twiliotest.ResetBefore().On(twiliotest.CreateMessage)},
		)
		w.start()
		time.Sleep(time.Minute)
		for i := range drafts {
			w.draft(map[string]any{"Status__c": "Send", "To_Number__c": fmt.Sprintf("+1415556%04d", i), "Body__c": "hello"})
		}
		w.until(10*24*time.Hour, 10*time.Minute, "all are sent", func() bool { return len(w.twilio.Accepted()) >= drafts })
		time.Sleep(6 * time.Hour) // nothing is sent twice afterwards
		sent := w.twilio.Accepted()
		require.Len(t, sent, drafts)
		for to, n := range sent {
			require.Equal(t, 1, n, to)
		}
		require.Equal(t, drafts, w.org.Count(object))
		for row := range w.org.Rows(object) {
			require.Equal(t, "delivered", row["Status__c"])
		}
	})
}

package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const mediaObject = "TwilioSF_Media__c"

// children are the media records of a message's record.
func (w *world) children(sid string) []map[string]any {
	w.t.Helper()
	record := w.org.ByKey(object, "Message_SID__c", sid)
	require.Len(w.t, record, 1)
	var all []map[string]any
	for row := range w.org.Rows(mediaObject) {
		if row["Message__c"] == record[0]["Id"] {
			all = append(all, row)
		}
	}
	return all
}

func pictures(n int) []twiliotest.Media {
	all := make([]twiliotest.Media, n)
	for i := range all {
		all[i] = twiliotest.Media{ContentType: "image/png", Data: fmt.Append(nil, "picture ", i)}
	}
	return all
}

func TestThePicturesOfAMessageAreThereAMomentAfterIt(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.change(func(s *settings) { s.sync = "  active_every: 5m\n  full_every: 15m\n  start: 1d\n" })
		defer w.call(twiliotest.Webhook{})()
		w.start()
		time.Sleep(time.Minute)
		sid := w.twilio.Receive(twiliotest.Inbound{From: theirs, To: ours, Body: confidential, Media: pictures(2)})
		bare := w.twilio.Receive(twiliotest.Inbound{From: theirs, To: ours, Body: confidential})
		time.Sleep(2 * time.Second)
		require.Len(t, w.children(sid), 2)
		require.Empty(t, w.children(bare))
		require.Empty(t, w.conditions())

		// What a sweep learns of has them too.
		w.twilio.SetWebhook(twiliotest.Webhook{})
		swept := w.twilio.Receive(twiliotest.Inbound{From: theirs, To: ours, Body: confidential, Media: pictures(3)})
		time.Sleep(16 * time.Minute)
		require.Len(t, w.children(swept), 3)
		require.Equal(t, 5, w.org.Count(mediaObject))
	})
}

func TestPicturesThatTheOrgRefusesHoldUpNoMessage(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.org.Script(salesforcetest.Refuse(func(r map[string]any) *salesforcetest.Refusal {
			if r["Media_SID__c"] != nil {
				return &salesforcetest.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "no pictures here"}
			}
			return nil
		}).Forever())
		for range 30 {
			w.twilio.Receive(twiliotest.Inbound{From: theirs, To: ours, Body: confidential, Media: pictures(1)})
		}
		w.start()
		time.Sleep(2 * time.Minute)
		require.Equal(t, 30, w.org.Count(object))
		require.Zero(t, w.org.Count(mediaObject))
		require.Len(t, w.conditions(), 1)
		require.Equal(t, "media-refused", w.conditions()[0].Name)
	})
}

func TestPicturesSurviveAStopAtAnyMoment(t *testing.T) {
	sf := salesforcetest.Options{Latency: func(salesforcetest.Operation) time.Duration { return 300 * time.Millisecond }}
	inBubble(t, quiet(), sf, func(t *testing.T, w *world) {
		w.change(func(s *settings) { s.rest += "media: {store: files}\n" })
		var sids []string
		for range 12 {
			sids = append(sids, w.twilio.Receive(twiliotest.Inbound{From: theirs, To: ours, Body: confidential, Media: pictures(2)}))
		}
		for i := range 8 {
			w.start()
			time.Sleep(time.Duration(i+1) * 700 * time.Millisecond)
			w.stop()
		}
		w.start()
		time.Sleep(5 * time.Minute)
		for _, sid := range sids {
			require.Len(t, w.children(sid), 2)
			for _, child := range w.children(sid) {
				require.NotNil(t, child["File_Id__c"])
			}
		}
		require.Equal(t, 24, w.org.Count("ContentVersion"), "one file a picture")
	})
}

package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const watchObject = "TwilioSF_Watch__c"

// open is what a page in Salesforce does when a user opens a conversation.
func (w *world) open(number string, lasts time.Duration) string {
	w.t.Helper()
	id, err := w.org.Insert(watchObject, map[string]any{"Phone_Number__c": number, "Expires_At__c": time.Now().Add(lasts)})
	require.NoError(w.t, err)
	return id
}

// asked is how often Twilio is asked while time passes.
func (w *world) asked(span time.Duration) int {
	before := w.twilio.Calls().Total
	time.Sleep(span)
	return w.twilio.Calls().Total - before
}

// silent is a daemon of an account in which nobody has written for long, past
// its start and between two polls, with nothing but a full sweep a day.
func (w *world) silent() {
	w.change(func(s *settings) { s.sync = "  start: 1d\n  full_every: 24h\n  refresh_every: 24h\n" })
	w.start()
	time.Sleep(13*time.Minute + 7*time.Second)
}

func TestWhileNobodyTalksAndNobodyWatchesTwilioIsNotAsked(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.receive(3)
		w.silent()
		polls := w.org.Calls()
		require.Zero(t, w.asked(20*time.Minute))
		now := w.org.Calls()
		const polled, refreshed = 20 * 4, 20 / 5 // whose numbers have changed is asked for every five minutes
		require.Equal(t, polled+refreshed, now.ByOperation[salesforcetest.OpComposite]-polls.ByOperation[salesforcetest.OpComposite])
		require.Equal(t, polled+refreshed, now.Total-polls.Total, "%v", now.ByOperation)
		require.Empty(t, w.conditions())
	})
}

func TestAConversationThatAUserHasOpenIsLookedAtWithin15Seconds(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.silent() // of an account without any message: the number has never written
		w.open(theirs, 5*time.Minute)
		require.Positive(t, w.asked(15*time.Second))
		require.InDelta(t, 4*4, w.asked(4*time.Minute), 1, "for as long as it is open")
		w.twilio.Receive(twiliotest.Inbound{From: theirs, To: ours, Body: confidential})
		time.Sleep(20 * time.Second)
		require.Equal(t, 1, w.org.Count(object), "an answer arrives without a webhook")
		time.Sleep(13 * time.Minute) // that message keeps its conversation active too
		require.Zero(t, w.asked(20*time.Minute), "the watch has expired")
	})
}

func TestClosingTheConversationEndsTheLooking(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.silent()
		first, second := w.open(theirs, 50*time.Minute), w.open(ours, 50*time.Minute)
		require.InDelta(t, 40, w.asked(10*time.Minute), 2)
		require.NoError(t, w.org.Delete(watchObject, first))
		require.InDelta(t, 40, w.asked(10*time.Minute), 2, "another user still looks on")
		require.NoError(t, w.org.Delete(watchObject, second))
		time.Sleep(15 * time.Second)
		require.Zero(t, w.asked(10*time.Minute))
		require.NoError(t, w.org.Update(watchObject, w.open(theirs, time.Minute), map[string]any{"Expires_At__c": time.Now().Add(-time.Minute)}))
		require.Zero(t, w.asked(10*time.Minute), "one that has expired when it is seen")
	})
}

func TestAWatchThatNobodyEndsCostsAnHour(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.silent()
		w.open(theirs, 10*365*24*time.Hour)
		require.Positive(t, w.asked(59*time.Minute))
		time.Sleep(2 * time.Minute)
		require.Zero(t, w.asked(30*time.Minute))
	})
}

func TestAnOrgWithoutWatchesHasOneConditionAndMirrorsOn(t *testing.T) {
	sf := salesforcetest.Options{Schema: metadataWithout(t, watchObject)}
	inBubble(t, quiet(), sf, func(t *testing.T, w *world) {
		w.silent()
		all := w.conditions()
		require.Len(t, all, 1, "%v", all)
		require.Equal(t, "salesforce-poll", all[0].Name)
		require.Equal(t, health.Notice, all[0].Severity)
		require.Contains(t, all[0].Cause, watchObject+" is missing or hidden")
		require.Contains(t, all[0].Remedy, "twiliosf org deploy")
		w.receive(2)
		time.Sleep(24 * time.Hour)
		require.Equal(t, 2, w.org.Count(object))
		require.Equal(t, all, w.conditions())
		require.Len(t, w.logs.FilterMessage("condition").All(), 1)

		w.replaceOrg(salesforcetest.Options{})
		time.Sleep(11 * time.Minute)
		require.Empty(t, w.conditions())
	})
}

func TestAnOutageInAQuietAccountIsOneConditionLoggedOnce(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.silent()
		w.open(theirs, 10*365*24*time.Hour)
		time.Sleep(time.Minute)
		w.org.Script(salesforcetest.ServerUnavailable().Forever())
		time.Sleep(time.Minute)
		all := w.conditions()
		require.Len(t, all, 1, "%v", all)
		require.Equal(t, "salesforce-unreachable", all[0].Name)
		w.twilio.Receive(twiliotest.Inbound{From: theirs, To: ours, Body: confidential}) // now the mirror has trouble too
		time.Sleep(time.Minute)
		require.Equal(t, 1, w.status().Counts.Waiting)
		time.Sleep(2 * time.Hour)
		require.Zero(t, w.asked(30*time.Minute), "what cannot be read again ends after its hour")
		all = w.conditions()
		require.Len(t, all, 1, "%v", all)
		texts := []string{}
		for _, l := range w.logs.FilterMessage("condition").All() {
			texts = append(texts, fmt.Sprint(l.ContextMap()["cause"]))
		}
		// The poll's first sight of it, then the mirror's, which asks before it writes.
		require.LessOrEqual(t, len(texts), 3, "%v", strings.Join(texts, "\n"))
		w.org.ClearFaults()
		time.Sleep(2 * time.Minute)
		require.Empty(t, w.conditions())
	})
}

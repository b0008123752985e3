package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

func TestWhenSalesforceAnswersNonsenseNothingIsLost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault salesforcetest.Fault
		says  []string
	}{
		"a page of HTML":                   {salesforcetest.Garbage(), []string{"UNREADABLE_ANSWER", "proxy"}},
		"half of the JSON":                 {salesforcetest.TruncatedJSON(), []string{"salesforce"}},
		"a maintenance page":               {salesforcetest.MaintenancePage(), []string{"503"}},
		"a busy server":                    {salesforcetest.ServerUnavailable(), []string{"SERVER_UNAVAILABLE"}},
		"an internal error":                {salesforcetest.UnknownException(), []string{"UNKNOWN_EXCEPTION"}},
		"connections reset before":         {salesforcetest.ResetBefore(), []string{"reset"}},
		"connections reset after the work": {salesforcetest.ResetAfter(), []string{"reset"}},
		"a login page in place of a token": {salesforcetest.Garbage().On(salesforcetest.OpToken), []string{"login"}},
	} {
		t.Run(name, trouble{
			cause:     func(w *world) { w.org.Script(c.fault.Forever()) },
			cure:      func(w *world) { w.org.ClearFaults() },
			condition: "salesforce-unreachable", severity: health.Degraded, says: c.says,
		}.run)
	}
}

func TestOneBadAnswerInFiveOnBothSidesIsNobodysTrouble(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{Seed: 5}, func(t *testing.T, w *world) {
		for _, f := range []salesforcetest.Fault{
			salesforcetest.ResetBefore(), salesforcetest.ResetAfter(), salesforcetest.TruncatedJSON(), salesforcetest.Garbage(),
			salesforcetest.ServerUnavailable(), salesforcetest.RevokedSessions(), salesforcetest.ConcurrentLimit(),
		} {
			w.org.Chance(0.03, f)
		}
		weather := []twiliotest.Chance{}
		for _, f := range []twiliotest.Fault{
			twiliotest.ResetBefore(), twiliotest.ResetAfter(), twiliotest.TruncatedJSON(), twiliotest.CutBody(),
			twiliotest.Garbage(), twiliotest.Unavailable(), twiliotest.Throttle(1),
		} {
			weather = append(weather, twiliotest.Chance{P: 0.03, Fault: f})
		}
		w.twilio.SetWeather(weather...)
		w.history(5000, 20*time.Hour)
		w.start()
		for range 8 {
			w.receive(50)
			time.Sleep(20 * time.Second)
		}
		w.until(15*time.Minute, 15*time.Second, "mirrored", w.mirrored)
		require.Empty(t, w.quarantine())
	})
}

func TestAnHourWithoutBothVendorsLosesNothing(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.change(func(s *settings) { s.sync = "  full_every: 5m\n  start: 1d\n" })
		w.history(900, 20*time.Hour)
		w.start()
		w.untilMirrored(time.Minute)
		w.twilio.SetWeather(twiliotest.Chance{P: 1, Fault: twiliotest.Unavailable()})
		w.org.Script(salesforcetest.MaintenancePage().Forever(), salesforcetest.MaintenancePage().On(salesforcetest.OpToken).Forever())
		w.org.RevokeSessions()
		for range 12 {
			w.receive(20)
			time.Sleep(5 * time.Minute)
		}
		names := []string{}
		for _, c := range w.conditions() {
			names = append(names, c.Name)
		}
		require.Subset(t, []string{"twilio-unreachable", "salesforce-unreachable"}, names)
		require.Contains(t, names, "twilio-unreachable")
		w.org.ClearFaults()
		w.twilio.SetWeather()
		w.untilMirrored(7 * time.Minute)
	})
}

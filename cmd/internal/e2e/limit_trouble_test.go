package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/health"
)

func TestWhenTheOrgsDailyCallsAreUsedUpMessagesWait(t *testing.T) {
	trouble{
		cause:     func(w *world) { w.org.Script(salesforcetest.DailyLimit().Forever()) },
		cure:      func(w *world) { w.org.ClearFaults() },
		condition: "salesforce-throttled", severity: health.Degraded, heals: 35 * time.Minute,
		says: []string{"REQUEST_LIMIT_EXCEEDED", "24 hours"},
	}.run(t)
}

func TestWhenOurShareOfTheCallsIsUsedUpTheStatusSaysWhichKeyToRaise(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{DailyLimit: 40}, func(t *testing.T, w *world) {
		w.change(func(s *settings) { s.org, s.rest = s.org+"  daily_api_share: 0.1\n", s.rest+"people: {objects: []}\n" }) // four calls
		w.start()
		for n := 5; len(w.conditions()) == 0; n += 5 {
			require.Less(t, n, 60, "the budget is never used up")
			w.receive(5)
			time.Sleep(20 * time.Second)
		}
		w.receive(5)
		time.Sleep(3 * time.Minute)
		all := w.conditions()
		require.Len(t, all, 1)
		require.Equal(t, "salesforce-throttled", all[0].Name)
		require.Contains(t, all[0].Cause, "BUDGET")
		require.Contains(t, all[0].Remedy, "salesforce.daily_api_share")
		s := w.status().Salesforce
		require.Equal(t, 4, s.Budget)
		require.Equal(t, 4, s.Own)
		require.LessOrEqual(t, w.org.Calls().Total, 4)

		w.stop()
		w.start()
		time.Sleep(3 * time.Minute)
		require.LessOrEqual(t, w.org.Calls().Total, 5, "a restart brings no new budget, but for one call that asks how large it is")

		w.reconfigure(func(s *settings) { s.org = replaced(t, s.org, "share: 0.1", "share: 1") })
		w.untilMirrored(5 * time.Minute)
	})
}

func TestWithTheNextDayTheBudgetIsThereAgain(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{DailyLimit: 40}, func(t *testing.T, w *world) {
		w.change(func(s *settings) { s.org, s.rest = s.org+"  daily_api_share: 0.2\n", s.rest+"people: {objects: []}\n" }) // the poll needs some too
		w.receive(5)
		w.start()
		w.untilMirrored(time.Minute)
		w.stop()
		w.org.UseCalls(40)
		w.receive(5)
		w.start()
		w.until(time.Minute, 5*time.Second, "noticed", func() bool { return len(w.conditions()) > 0 })
		require.Equal(t, "salesforce-throttled", w.conditions()[0].Name)
		require.Contains(t, w.conditions()[0].Remedy, "API calls")
		w.stop()
		time.Sleep(25 * time.Hour)
		w.start()
		w.untilMirrored(time.Minute)
	})
}

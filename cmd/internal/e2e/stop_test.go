package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// drainTime is the default settings' drain.
const drainTime = 20 * time.Second

func TestAStopInTheMiddleOfEverythingIsShortAndLosesNothing(t *testing.T) {
	tw := twiliotest.Options{Life: still, Latency: 400 * time.Millisecond}
	sf := salesforcetest.Options{Seed: 9, Latency: func(salesforcetest.Operation) time.Duration { return 600 * time.Millisecond }}
	inBubble(t, tw, sf, func(t *testing.T, w *world) {
		w.durable = true
		w.change(func(s *settings) { s.sync = "  full_every: 2m\n  start: 6d\n" })
		w.history(12_000, 5*24*time.Hour)
		seen := watchWrites(w.org)
		w.org.Chance(0.1, salesforcetest.ResetAfter())
		unfinished := 0
		for i, after := range []time.Duration{
			0, 100 * time.Millisecond, 900 * time.Millisecond, 1500 * time.Millisecond, 2100 * time.Millisecond,
			2 * time.Second, 3 * time.Second, 5 * time.Second, 1700 * time.Millisecond,
		} {
			w.start()
			w.receive(30)
			for j := range 3 {
				w.twilio.Send(twiliotest.Outbound{From: ours, To: theirs, Body: fmt.Sprint(confidential, i, j)})
			}
			time.Sleep(after)
			require.Less(t, w.stop(), drainTime, "stopped after %s", after)
			if w.org.Count(object) < w.twilio.Len() {
				unfinished++
			}
		}
		require.Positive(t, unfinished, "stops in the middle of the work")
		w.org.ClearFaults()
		w.start()
		w.untilMirrored(10 * time.Minute)
		w.until(time.Minute, time.Second, "done with all of its days", func() bool { return w.status().Backfill == nil })
		seen.requireOrder(t)
	})
}

func TestAStopDoesNotWaitForVendorsThatHang(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.durable = true
		w.change(func(s *settings) { s.sync = "  full_every: 2m\n  start: 6d\n" })
		w.history(2000, 5*24*time.Hour)
		w.org.Script(salesforcetest.Hang().On(salesforcetest.OpCollectionsUpsert).Forever())
		w.start()
		time.Sleep(10 * time.Second)
		w.twilio.SetWeather(twiliotest.Chance{P: 1, Fault: twiliotest.Hang()})
		w.receive(10)
		time.Sleep(20 * time.Second)
		require.LessOrEqual(t, w.stop(), drainTime)
		w.org.ClearFaults()
		w.twilio.SetWeather()
		w.start()
		w.untilMirrored(10 * time.Minute)
	})
}

func TestABackfillWhoseJobsAreLostGoesOnAtTheNextStart(t *testing.T) {
	tw := twiliotest.Options{Life: still, Latency: 25 * time.Second}
	sf := salesforcetest.Options{Latency: func(salesforcetest.Operation) time.Duration { return 600 * time.Millisecond }}
	inBubble(t, tw, sf, func(t *testing.T, w *world) {
		w.change(func(s *settings) { s.sync = "  full_every: 2m\n  start: 6d\n" })
		w.history(3000, 5*24*time.Hour)
		w.start() // its jobs live in memory
		time.Sleep(5 * time.Second)
		w.stop()
		require.Less(t, w.org.Count(object), 3000)
		w.start()
		w.untilMirrored(20 * time.Minute)
		require.Nil(t, w.status().Backfill)
	})
}

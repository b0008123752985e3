package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

func (w *world) spec(schedule string) string {
	for _, s := range w.status().Schedules {
		if s.Name == schedule {
			return s.Spec
		}
	}
	return ""
}

func TestAReloadUnderLoadLosesNothingAndDoublesNothing(t *testing.T) {
	tw := twiliotest.Options{Life: still, Latency: 300 * time.Millisecond}
	sf := salesforcetest.Options{Latency: func(salesforcetest.Operation) time.Duration { return 500 * time.Millisecond }}
	inBubble(t, tw, sf, func(t *testing.T, w *world) {
		w.durable = true
		w.change(func(s *settings) { s.sync = "  full_every: 2m\n  start: 6d\n" })
		w.history(8000, 5*24*time.Hour)
		seen := watchWrites(w.org)
		w.start()
		good := w.settings
		const mistyped = "S3cretThatIsNoNumber"
		w.secrets.add(mistyped)
		for i := range 6 {
			w.receive(40)
			time.Sleep(time.Duration(i) * 400 * time.Millisecond)
			if i%2 == 0 {
				w.reconfigure(func(s *settings) { s.org += "  concurency: 3\n  client_secret: [" + mistyped + "]\n" })
				time.Sleep(time.Second)
				all := w.conditions()
				require.Len(t, all, 1)
				require.Equal(t, "reload-refused", all[0].Name)
				require.Equal(t, health.Degraded, all[0].Severity)
				require.Contains(t, all[0].Cause, "twiliosf.yaml:")
				require.Contains(t, all[0].Cause, "concurency")
				require.Contains(t, all[0].Cause, "concurrency", "the nearest known key")
				require.Equal(t, "@every 2m0s", w.spec("full-sweep"), "the former one goes on")
				continue
			}
			w.reconfigure(func(s *settings) { *s = good })
		}
		w.reconfigure(func(s *settings) {
			*s = good
			s.sync = "  full_every: 3m\n  start: 6d\n"
			s.org += "  concurrency: 2\n"
		})
		w.receive(40)
		w.untilMirrored(10 * time.Minute)
		require.Equal(t, "@every 3m0s", w.spec("full-sweep"))
		require.Nil(t, w.status().Backfill)
		seen.requireOrder(t)
	})
}

func TestTheStoreChangesOnlyWithARestart(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.durable = true
		w.start()
		good := w.settings
		w.reconfigure(func(s *settings) { s.rest = replaced(t, s.rest, "/t.db", "/other.db") })
		time.Sleep(time.Second)
		require.Len(t, w.conditions(), 1)
		require.Contains(t, w.conditions()[0].Cause, "restart")
		w.receive(5)
		w.until(3*time.Minute, 15*time.Second, "mirrored", w.mirrored)
		w.reconfigure(func(s *settings) { *s = good })
		w.untilMirrored(time.Minute)
	})
}

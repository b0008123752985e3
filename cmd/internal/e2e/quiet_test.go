package e2e_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// quietFor is how long the quiet account is watched. The job engine's polling
// costs ten seconds of real time an hour, so a whole day is left to those who
// ask for it: TWILIOSF_QUIET=24h.
func quietFor(t *testing.T) time.Duration {
	t.Helper()
	given := os.Getenv("TWILIOSF_QUIET")
	if given == "" {
		return 47*time.Minute + 30*time.Second
	}
	d, err := time.ParseDuration(given)
	require.NoError(t, err)
	return d
}

func TestAQuietAccountCostsOneCallASweepAndOneCallAPoll(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		span := quietFor(t)
		w.change(func(s *settings) { s.sync = "  start: 1d\n" }) // all else by default
		w.receive(900)
		w.start()
		began := time.Now()
		w.untilMirrored(time.Minute)
		// Until no conversation is active, and between two polls.
		const begin = 13*time.Minute + 7*time.Second
		time.Sleep(begin - time.Since(began))
		twilio, org := w.twilio.Calls(), w.org.Calls()
		time.Sleep(span)
		twilioNow, orgNow := w.twilio.Calls(), w.org.Calls()
		every := func(d time.Duration) int { return int((begin+span)/d) - int(begin/d) }
		require.Equal(t, every(15*time.Minute), twilioNow.Total-twilio.Total)
		require.Equal(t, twilioNow.Total, twilioNow.ByOperation[twiliotest.ListMessage])
		// The polls, whose numbers have changed, the hourly look whether the org still has
		// what is needed, and no more.
		calls := orgNow.ByOperation[salesforcetest.OpComposite] - org.ByOperation[salesforcetest.OpComposite]
		require.Equal(t, every(15*time.Second)+every(5*time.Minute), calls)
		require.Equal(t, every(time.Hour)+calls, orgNow.Total-org.Total, "%v", orgNow.ByOperation)
		require.Equal(t, every(time.Hour), orgNow.ByOperation[salesforcetest.OpDescribe]-org.ByOperation[salesforcetest.OpDescribe])
		require.Empty(t, w.conditions())
	})
}

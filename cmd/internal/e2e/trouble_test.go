package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// trouble is something that an operator has to put right.
type trouble struct {
	name string
	tw   twiliotest.Options
	sf   salesforcetest.Options
	// cause makes it happen, before the daemon starts; cure ends it.
	cause, cure func(w *world)
	// condition is the one that the status shows, with its severity; cause and
	// remedy must say all these words.
	condition string
	severity  health.Severity
	says      []string
	// blind: Twilio cannot be read, so that no message is found meanwhile.
	blind bool
	// heals is how soon after the cure all must be well; 5 min if 0.
	heals time.Duration
}

// run shows that the trouble has one clear condition that stays what it is, that
// messages are kept meanwhile, and that all is well again after it.
func (c trouble) run(t *testing.T) {
	t.Helper()
	c.tw.Life = still
	inBubble(t, c.tw, c.sf, func(t *testing.T, w *world) {
		w.receive(5)
		c.cause(w)
		w.start()
		w.until(time.Minute, 5*time.Second, "noticed", func() bool { return len(w.conditions()) > 0 })
		since := c.requireOne(w)
		w.receive(5)
		time.Sleep(100 * time.Second) // a full sweep is among it
		require.Equal(t, since, c.requireOne(w), "the condition is the same for as long as it lasts")
		if !c.blind {
			require.Equal(t, 10, w.status().Counts.Messages, "messages are found and kept meanwhile")
		}
		c.requireLoggedOnce(w)
		c.cure(w)
		w.untilMirrored(max(c.heals, 5*time.Minute))
		require.True(t, w.status().Ready)
		require.Zero(t, w.status().Counts.Quarantined)
	})
}

// requireOne answers since when the one condition lasts.
func (c trouble) requireOne(w *world) time.Time {
	w.t.Helper()
	all := w.conditions()
	require.Len(w.t, all, 1, "%v", all)
	got := all[0]
	require.Equal(w.t, c.condition, got.Name, "%v", got)
	require.Equal(w.t, c.severity, got.Severity, "%v", got)
	require.NotEmpty(w.t, got.Remedy)
	for _, words := range c.says {
		require.Contains(w.t, got.Cause+" "+got.Remedy, words)
	}
	require.Equal(w.t, c.severity != health.Blocking, w.status().Ready)
	w.requireNoLeak()
	return got.Since
}

// requireLoggedOnce: repetitions are measured, not logged. A cause that says
// more precisely what is wrong after a first guess may be logged as well.
func (c trouble) requireLoggedOnce(w *world) {
	w.t.Helper()
	lines := w.logs.FilterMessage("condition").All()
	texts := []string{}
	for _, l := range lines {
		texts = append(texts, text(l.ContextMap()))
	}
	require.LessOrEqual(w.t, len(lines), 2, "%v", texts)
}

package daemon_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/config"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

func TestTheDaemonCallsAsOftenAsPredicted(t *testing.T) {
	for name, yaml := range map[string]string{
		"by default":       "sync: {active_every: 5m}\n",
		"with few objects": "sync: {drafts_every: 2m, active_every: 5m}\npeople: {objects: [Contact], refresh_every: 10m}\n",
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, yaml, func(ctx context.Context, w *world, c *daemon.Client) {
				cfg, err := w.config()
				require.NoError(t, err)
				predicted := daemon.Predict(cfg)
				w.org.ResetCalls()
				time.Sleep(4 * time.Hour) // a whole day differs by the fillings, and takes the machine a minute
				made := w.org.Calls()
				require.InDelta(t, predicted.Day/6, made.Total, 8, "%v", made.ByOperation)
				s, err := c.Status(ctx)
				require.NoError(t, err)
				require.Equal(t, predicted.Day, s.Salesforce.Predicted)
			})
		})
	}
}

func TestMessagesCostWhatIsPredicted(t *testing.T) {
	inWorld(t, "sync: {drafts_every: 1h, active_every: 5m}\npeople: {refresh_every: 1h, objects: []}\n", func(_ context.Context, w *world, _ *daemon.Client) {
		cost := func(work func()) int {
			before := w.org.Calls().Total
			work()
			return w.org.Calls().Total - before
		}
		receive := func(i int) {
			w.twilio.Receive(twiliotest.Inbound{From: fmt.Sprintf("+1415555%04d", 200+i), To: "+14155550100", Body: "Hello"})
		}
		together := cost(func() {
			for i := range 1000 {
				receive(i)
			}
			time.Sleep(30 * time.Minute)
		})
		require.InDelta(t, daemon.Predict(&config.Config{}).PerThousand, together, 3)
		alone := cost(func() {
			for i := range 20 {
				receive(1000 + i)
				time.Sleep(20 * time.Minute)
			}
		})
		require.InDelta(t, 20, alone, 3*7, "one each, beside the hourly looks")
	})
}

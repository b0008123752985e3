package daemon_test

import (
	"context"
	"fmt"
	"os"
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

func TestTheReadmeSaysWhatADayCosts(t *testing.T) {
	cfg, err := config.Parse("twiliosf.yaml", []byte(`
twilio: {account_sid: ACe3a1c50b7f2d4968a0b1c2d3e4f50617, auth_token: 4f1d2c3b5a69788796a5b4c3d2e1f009}
salesforce: {auth: client_credentials, login_url: "https://example.my.salesforce.com", client_id: key, client_secret: secret}
`), nil)
	require.NoError(t, err)
	readme, err := os.ReadFile("../../../README.md")
	require.NoError(t, err)
	p := daemon.Predict(cfg)
	require.InDelta(t, 6100, p.Day, 50)
	require.Contains(t, string(readme), "about 6,100 calls")
	require.Equal(t, 5760, p.Parts[0].Calls)
	require.Contains(t, string(readme), "5,760 ask what users want (`sync.drafts_every`), 288 keep")
	require.Equal(t, 288, p.Parts[1].Calls)
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

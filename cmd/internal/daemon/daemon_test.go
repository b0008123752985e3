package daemon_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

func TestADaemonMirrorsAnAccountIntoAnOrg(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, twiliotest.Options{}, salesforcetest.Options{})
		defer w.close()
		for range 700 {
			w.twilio.Receive(twiliotest.Inbound{From: "+14155550123", To: "+14155550100", Body: "Is my parcel there? 📦"})
		}
		w.run(t, func(ctx context.Context, c *daemon.Client) {
			time.Sleep(time.Minute)
			w.requireMirrored(t)
			s, err := c.Status(ctx)
			require.NoError(t, err)
			require.Empty(t, conditionNames(s))
			require.True(t, s.Ready)
			require.Equal(t, 700, s.Counts.Messages)
		})
	})
}

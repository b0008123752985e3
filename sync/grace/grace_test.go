package grace_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/grace"
)

func TestWorkOutlivesAStopByItsGraceAndNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		work, release := grace.Context(ctx, time.Minute)
		defer release()
		time.Sleep(time.Hour)
		stop()
		time.Sleep(59 * time.Second)
		require.NoError(t, work.Err())
		time.Sleep(2 * time.Second)
		require.ErrorIs(t, work.Err(), context.Canceled)
		require.ErrorContains(t, context.Cause(work), "the time to finish is over")
	})
}

func TestWorkThatIsDoneLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		work, release := grace.Context(ctx, time.Hour)
		stop()
		release()
		<-work.Done()
		synctest.Wait() // a timer that went on would keep the bubble from ending
	})
}

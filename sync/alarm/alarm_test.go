package alarm_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/alarm"
)

// took is how long f takes.
func took(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}

func TestAnAlarmThatRangBeforeWakesTheNextWhoWaitsAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := alarm.New()
		a.Ring()
		a.Ring() // two are one
		require.Zero(t, took(func() { a.Wait(t.Context(), time.Hour) }))
		require.Equal(t, time.Hour, took(func() { a.Wait(t.Context(), time.Hour) }))
		go func() {
			time.Sleep(time.Minute)
			a.Ring()
		}()
		require.Equal(t, time.Minute, took(func() { a.Wait(t.Context(), time.Hour) }))
	})
}

func TestAStopEndsTheWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.True(t, alarm.Sleep(ctx, time.Millisecond))
		require.False(t, alarm.Sleep(ctx, time.Hour))
		require.Zero(t, took(func() { alarm.New().Wait(ctx, time.Hour) }))
	})
}

package salesforce_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// orgUsing answers every call, and says that the org has used that many of 100.
func orgUsing(used func(n int) int) *fakeOrg {
	return &fakeOrg{serve: func(n int, _ call) reply {
		h := http.Header{"Sforce-Limit-Info": {fmt.Sprintf("api-usage=%d/100; per-app-api-usage=1/2(appName=x)", used(n))}}
		return reply{status: 200, header: h, body: `{}`}
	}}
}

func TestWeStayWithinOurShareOfTheDaysCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := orgUsing(func(n int) int { return n })
		org := newOrg(t, f, func(o *salesforce.Options) { o.DailyShare = 0.1 })
		for range 10 {
			require.NoError(t, ping(t.Context(), org))
		}
		require.Equal(t, salesforce.Usage{Own: 10, Org: 10, Max: 100, Budget: 10, Read: time.Now()}, org.Usage())
		err := ping(t.Context(), org)
		require.Equal(t, fault.Throttled, fault.ClassOf(err))
		require.Equal(t, salesforce.CodeBudget, fault.CodeOf(err))
		require.Contains(t, fault.Hint(err), "salesforce.daily_api_share")
		require.Len(t, f.seen(), 10, "the call is not made")
		wait := fault.After(err)
		require.Greater(t, wait, 23*time.Hour)
		require.LessOrEqual(t, wait, 25*time.Hour)
		time.Sleep(wait - time.Second)
		require.Error(t, ping(t.Context(), org))
		time.Sleep(time.Second)
		require.NoError(t, ping(t.Context(), org), "it resumes by itself")
		require.Equal(t, 1, org.Usage().Own)
	})
}

func TestCallsBeforeARestartCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		share := func(o *salesforce.Options) { o.DailyShare = 0.1 }
		first := newOrg(t, orgUsing(func(n int) int { return n }), share)
		for range 4 {
			require.NoError(t, ping(t.Context(), first))
		}
		time.Sleep(2 * time.Hour)
		for range 3 {
			require.NoError(t, ping(t.Context(), first))
		}
		kept := first.HourlyUsage()
		require.Len(t, kept, 2)
		require.Equal(t, 4, kept[0].Calls)
		require.Equal(t, 3, kept[1].Calls)

		second := newOrg(t, orgUsing(func(n int) int { return n }), share)
		second.RestoreUsage(append(kept, salesforce.HourUsage{Hour: time.Now().Add(-30 * time.Hour), Calls: 1000}))
		require.Equal(t, 7, second.Usage().Own, "what is older than a day does not count")
		for range 3 {
			require.NoError(t, ping(t.Context(), second))
		}
		require.Equal(t, salesforce.CodeBudget, fault.CodeOf(ping(t.Context(), second)))
	})
}

func TestAnOrgAtItsMaximumIsLeftAloneForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := orgUsing(func(n int) int { return []int{99, 100, 50}[min(n, 3)-1] })
		org := newOrg(t, f)
		require.NoError(t, ping(t.Context(), org))
		require.NoError(t, ping(t.Context(), org))
		err := ping(t.Context(), org)
		require.Equal(t, fault.Throttled, fault.ClassOf(err))
		require.Equal(t, salesforce.CodeRequestLimit, fault.CodeOf(err))
		require.Positive(t, fault.After(err))
		require.Len(t, f.seen(), 2)
		time.Sleep(fault.After(err))
		require.NoError(t, ping(t.Context(), org))
		require.NoError(t, ping(t.Context(), org))
	})
}

func TestTheDailyLimitIsNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := inTurn(refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), ok(`{}`))
		org := newOrg(t, f)
		for range 5 {
			err := ping(t.Context(), org)
			require.Equal(t, salesforce.CodeRequestLimit, fault.CodeOf(err))
			require.Contains(t, fault.Hint(err), "24 hours")
		}
		require.Len(t, f.seen(), 1)
		time.Sleep(15 * time.Minute)
		require.NoError(t, ping(t.Context(), org))
	})
}

func TestParallelCallsFallWhenTheOrgIsCrowdedAndRecover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var under, most atomic.Int32
		var crowded atomic.Bool
		f := &fakeOrg{serve: func(int, call) reply {
			defer under.Add(-1)
			if n := under.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Second)
			if crowded.Load() {
				return refused(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
			}
			return ok(`{}`)
		}}
		org := newOrg(t, f, func(o *salesforce.Options) { o.Concurrency = 8 })
		peak := func() int {
			most.Store(0)
			var wg sync.WaitGroup
			for range 24 {
				wg.Go(func() { _, _ = org.Do(t.Context(), create) })
			}
			wg.Wait()
			return int(most.Load())
		}
		require.Equal(t, 8, peak(), "never more than the configured number, and all of them")
		crowded.Store(true)
		_, err := org.Do(t.Context(), create)
		require.Equal(t, fault.Throttled, fault.ClassOf(err))
		require.Less(t, fault.After(err), time.Minute)
		require.Equal(t, 4, peak())
		for range 5 {
			_, _ = org.Do(t.Context(), create)
		}
		crowded.Store(false)
		require.Equal(t, 1, peak())
		time.Sleep(time.Minute)
		require.Equal(t, 8, peak())
	})
}

func TestWaitingForASlotEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeOrg{serve: func(int, call) reply { time.Sleep(time.Hour); return ok(`{}`) }}
		org := newOrg(t, f, func(o *salesforce.Options) { o.Concurrency = 1 })
		var wg sync.WaitGroup
		wg.Go(func() { _ = ping(t.Context(), org) })
		synctest.Wait()
		ctx, stop := contextFor(t, time.Second)
		defer stop()
		require.True(t, fault.Stopped(ctx, ping(ctx, org)))
		wg.Wait()
	})
}

package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/store"
)

// Advanced Opt-Out reads a text in its own way, which only the webhook tells.
func TestTwiliosOwnReadingStaysWhenASweepReadsTheText(t *testing.T) {
	for _, optOut := range []string{"HELP", "START"} {
		for _, body := range []string{"join", "end"} {
			m := text(1, 0, body)
			e := call(&m, 2)
			e.OptOut = optOut
			learn := []func(t *testing.T, s *store.Store){
				func(t *testing.T, s *store.Store) { keep(t, s, e) },
				func(t *testing.T, s *store.Store) { require.NoError(t, fold(t, s)) },
				func(t *testing.T, s *store.Store) { merge(t, s, m) },
			}
			for _, order := range [][]int{{0, 1, 2}, {2, 0, 1}, {0, 2, 1}} {
				onEach(t, func(t *testing.T, s *store.Store) {
					reads(t, s)
					for _, i := range order {
						learn[i](t, s)
					}
					require.True(t, may(t, s, ""), "%s %s %v", optOut, body, order)
					require.False(t, may(t, s, "K1"), "%s %s %v", optOut, body, order)
					rows, err := s.Consent(t.Context(), theirs)
					require.NoError(t, err)
					for key, f := range due(t, s, message.FollowOptIn) {
						require.Equal(t, rows[0].Active, f.OptIn.Active, key)
					}
				})
			}
		}
	}
}

func TestAStopCountsThoughOurClockIsBehind(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		reads(t, s)
		merge(t, s, text(1, 0, "stop"), text(2, 60, "start"))
		stop := text(3, 120, "stop")
		keep(t, s, call(&stop, -90)) // our clock is one minute and a half behind
		require.False(t, may(t, s, ""))
	})
}

func TestAWebhookDoesNotWaitForAMassUpdateOfOptIns(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		reads(t, s)
		rows := make([]message.OptIn, 10_000)
		for i := range rows {
			rows[i] = message.OptIn{Number: message.Number(fmt.Sprint("+1415", 1000000+i)), Keyword: "K1", Active: true, InAt: now}
		}
		learnt := make(chan time.Duration, 1)
		go func() {
			began := time.Now()
			assert.NoError(t, s.Learn(t.Context(), rows))
			learnt <- time.Since(began)
		}()
		longest := time.Duration(0)
		for i := 0; ; i++ {
			select {
			case took := <-learnt:
				require.Less(t, longest, took/3)
				return
			default:
				m := text(i, 0, "hello")
				began := time.Now()
				keep(t, s, call(&m, 0))
				longest = max(longest, time.Since(began))
			}
		}
	})
}

// Two records may be there for one number and keyword, a form's and ours.
func TestOfTwoRecordsOfOneSecondTheOptOutCounts(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		in := message.OptIn{Number: theirs, Keyword: "K1", Active: true, InAt: now}
		out := message.OptIn{Number: theirs, Keyword: "K1", OutAt: now}
		for _, rows := range [][]message.OptIn{{in, out}, {out, in}, {in}} {
			require.NoError(t, s.Learn(t.Context(), rows))
			require.Equal(t, "K1-", register(t, s))
		}
	})
}

func TestTheOrgIsToldAgainWhileItIsWrong(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		reads(t, s)
		merge(t, s, text(1, 60, "stop"))
		stale := message.OptIn{Number: theirs, Active: true, InAt: now}
		for range 3 {
			drop(t, s) // the org has refused it for good
			require.NoError(t, s.Learn(t.Context(), []message.OptIn{stale}))
			require.Len(t, due(t, s, message.FollowOptIn), 1)
		}
	})
}

func TestARefusalOverAnotherChannelIsOneOfTheNumber(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		reads(t, s)
		keep(t, s, message.Event{Kind: message.StatusEvent, SID: "SM1", From: ours, To: "rcs:" + theirs, Status: message.Failed, ErrorCode: 21610, Received: now})
		require.False(t, may(t, s, ""))
	})
}

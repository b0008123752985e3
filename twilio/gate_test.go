package twilio

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheGateLetsAsManyThroughAsAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(3, func(int) {})
		var mu sync.Mutex
		busy, most := 0, 0
		left := func() int {
			mu.Lock()
			defer mu.Unlock()
			return busy
		}
		for range 30 {
			go func() {
				s, err := g.enter(t.Context(), false)
				if err != nil {
					return
				}
				mu.Lock()
				busy++
				most = max(most, busy)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				busy--
				mu.Unlock()
				g.leave(s, false, true)
			}()
		}
		start := time.Now()
		synctest.Wait()
		time.Sleep(10*time.Second - time.Nanosecond)
		require.NotZero(t, left(), "ten rounds of a second")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Zero(t, left())
		require.Equal(t, 3, most)
		require.Equal(t, 10*time.Second, time.Since(start))
	})
}

func TestARefusalHalvesTheGateOnceAndSuccessesOpenItAgain(t *testing.T) {
	var seen []int
	g := newGate(8, func(n int) { seen = append(seen, n) })
	enter := func(n int) (slots []slot) {
		for range n {
			s, err := g.enter(t.Context(), false)
			require.NoError(t, err)
			slots = append(slots, s)
		}
		return slots
	}
	for _, s := range enter(8) {
		g.leave(s, true, false)
	}
	require.Equal(t, []int{8, 4}, seen, "eight refusals at once are one")
	for range 4 {
		g.leave(enter(1)[0], true, false)
	}
	require.Equal(t, []int{8, 4, 2, 1}, seen, "never less than one")

	for range successesToGrow - 1 {
		g.leave(enter(1)[0], false, true)
	}
	require.Equal(t, 1, g.allowed)
	g.leave(enter(1)[0], false, false) // neither refused nor answered: no news
	g.leave(enter(1)[0], false, true)
	require.Equal(t, 2, g.allowed)
	for range 20 * successesToGrow {
		g.leave(enter(1)[0], false, true)
	}
	require.Equal(t, 8, g.allowed, "never more than configured")
}

func TestWhoStopsWaitingTakesNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, func(int) {})
		s, err := g.enter(t.Context(), false)
		require.NoError(t, err)

		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		left := make(chan error, 1)
		go func() { _, err := g.enter(ctx, false); left <- err }()
		synctest.Wait()
		got := make(chan slot, 1)
		go func() {
			if s, err := g.enter(t.Context(), false); err == nil {
				got <- s
			}
		}()
		synctest.Wait()
		cancel(gone)
		require.ErrorIs(t, <-left, gone)
		g.leave(s, false, true)
		g.leave(<-got, false, true)
		require.Zero(t, g.busy)
		require.Empty(t, g.waiting)
	})
}

// TestATurnThatComesTooLateIsPassedOn has a waiter give up in the moment in
// which its turn has come.
func TestATurnThatComesTooLateIsPassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, func(int) {})
		s, err := g.enter(t.Context(), false)
		require.NoError(t, err)
		turn := make(chan struct{})
		g.waiting = append(g.waiting, turn)
		second := make(chan slot, 1)
		go func() {
			if s, err := g.enter(t.Context(), false); err == nil {
				second <- s
			}
		}()
		synctest.Wait()
		g.leave(s, false, true)
		<-turn
		g.giveUp(turn)
		g.leave(<-second, false, true)
		require.Zero(t, g.busy)
	})
}

func TestASendWaitsForOneRequestAndNotForABackfill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, func(int) {})
		var mu sync.Mutex
		var order []string
		request := func(name string, first bool) {
			s, err := g.enter(t.Context(), first)
			if err != nil {
				return
			}
			mu.Lock()
			order = append(order, name)
			mu.Unlock()
			time.Sleep(time.Second)
			g.leave(s, false, true)
		}
		for range 50 {
			go request("page", false)
			synctest.Wait()
		}
		start := time.Now()
		request("send", true)
		took := time.Since(start)
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		require.Equal(t, 2*time.Second, took, "the page under way, and its own")
		require.Equal(t, []string{"page", "send"}, order[:2])
		require.Len(t, order, 51)
	})
}

func TestTenThousandSendsLeaveTheReadsAQuarter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, func(int) {})
		var mu sync.Mutex
		var order []byte
		request := func(name byte, first bool) {
			s, err := g.enter(t.Context(), first)
			if err != nil {
				return
			}
			mu.Lock()
			order = append(order, name)
			mu.Unlock()
			time.Sleep(time.Second)
			g.leave(s, false, true)
		}
		for range 9 {
			go request('s', true)
			synctest.Wait()
		}
		for range 4 {
			go request('r', false)
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		require.Equal(t, "ssssrsssrssrr", string(order), "and the reads by themselves after the last send")
		g.mu.Lock()
		defer g.mu.Unlock()
		require.Zero(t, g.busy)
	})
}

func TestASenderWhoStopsWaitingTakesNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, func(int) {})
		s, err := g.enter(t.Context(), false)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() { _, err := g.enter(ctx, true); left <- err }()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-left, context.Canceled)
		g.leave(s, false, true)
		require.Zero(t, g.busy)
		require.Empty(t, g.first)
	})
}

package mirror_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror/mirrortest"
)

// announce is the webhook call that tells of an inbound message.
func (w *world) announce(t *testing.T, m message.Message) bool {
	t.Helper()
	first, err := w.Inbox.Accept(t.Context(), message.Event{
		Kind: message.InboundEvent, SID: m.SID, From: m.From, To: m.To, Body: m.Body, Status: m.Status, Segments: m.Segments,
		Received: time.Now().UTC().Truncate(time.Second),
	})
	require.NoError(t, err)
	return first
}

// callback is the webhook call that tells of a status.
func (w *world) callback(t *testing.T, sid message.SID, status message.Status, code int) {
	t.Helper()
	_, err := w.Inbox.Accept(t.Context(), message.Event{
		Kind: message.StatusEvent, SID: sid, Status: status, ErrorCode: code, Received: time.Now().UTC().Truncate(time.Second),
	})
	require.NoError(t, err)
}

func (w *world) known(t *testing.T) int {
	t.Helper()
	c, err := w.store.Counts(t.Context())
	require.NoError(t, err)
	require.Zero(t, c.Waiting)
	return c.Messages
}

func outbound(n int, at time.Time) message.Message {
	m := mirrortest.Text(n, at)
	m.Direction, m.Status, m.From, m.To = message.OutboundAPI, message.Queued, m.To, m.From
	return m
}

func TestAnAnnouncedMessageIsInSalesforceAtOnceAndASweepCorrectsItsDates(t *testing.T) {
	run(t, &mirrortest.Account{}, &mirrortest.Org{Latency: 300 * time.Millisecond}, func(t *testing.T, w *world) {
		m := mirrortest.Text(1, time.Now().Add(-3*time.Second))
		w.account.Put(m)
		calls := w.account.Calls()
		require.True(t, w.announce(t, m))
		require.False(t, w.announce(t, m), "Twilio repeats itself")
		time.Sleep(350 * time.Millisecond)
		require.Equal(t, m.Body, w.org.All()[m.SID].Body)
		require.NotEqual(t, m.Created, w.org.All()[m.SID].Created, "the call carries no time: it is the receipt's")
		require.Equal(t, calls, w.account.Calls(), "Twilio is asked nothing")

		require.NoError(t, w.Sweeper.Full(t.Context()))
		require.Equal(t, w.account.All(), w.org.All())
		require.Equal(t, 2, w.org.Writes(m.SID))
		require.Equal(t, 1, w.known(t))
		require.NoError(t, w.Sweeper.Full(t.Context()))
		require.Equal(t, 2, w.org.Writes(m.SID), "nothing is written that has not changed")
	})
}

func TestAMessageThatASweepHasSeenIsNotMadeAgainByItsWebhook(t *testing.T) {
	run(t, &mirrortest.Account{}, &mirrortest.Org{}, func(t *testing.T, w *world) {
		m := mirrortest.Text(1, time.Now().Add(-2*time.Second))
		w.account.Put(m)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		w.announce(t, m)
		synctest.Wait()
		require.Equal(t, 1, w.org.Writes(m.SID))
		require.Equal(t, 1, w.known(t))

		// A call that is hours late finds no recent row; the next sweep puts it right.
		late := mirrortest.Text(2, time.Now().Add(-40*time.Minute))
		w.account.Put(late)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		w.announce(t, late)
		synctest.Wait()
		require.NoError(t, w.Sweeper.Full(t.Context()))
		require.Equal(t, w.account.All(), w.org.All())
		require.Equal(t, 2, w.known(t))
	})
}

func TestStatusesMayComeTwiceAndInAnyOrder(t *testing.T) {
	run(t, &mirrortest.Account{}, &mirrortest.Org{Latency: 200 * time.Millisecond}, func(t *testing.T, w *world) {
		m := outbound(1, time.Now().Add(-time.Second))
		w.account.Put(m)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		calls := w.account.Calls()
		for _, status := range []message.Status{message.Sent, message.Undelivered, message.Sending, message.Sent, message.Queued, message.Delivered, message.Undelivered} {
			w.callback(t, m.SID, status, map[message.Status]int{message.Undelivered: 30003}[status])
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(time.Second)
		got := w.org.All()[m.SID]
		require.Equal(t, message.Undelivered, got.Status, "the first final status stands")
		require.Equal(t, 30003, got.ErrorCode)
		require.Equal(t, m.Body, got.Body, "a status alone makes a whole record")
		require.Equal(t, calls, w.account.Calls(), "Twilio is asked nothing")

		// Only the API corrects a final status.
		m.Status, m.Updated, m.Price = message.Delivered, time.Now().UTC().Truncate(time.Second), "-0.00750"
		w.account.Put(m)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		require.Equal(t, w.account.All(), w.org.All())
	})
}

func TestAStatusOfAnUnknownMessageFetchesItFirst(t *testing.T) {
	run(t, &mirrortest.Account{}, &mirrortest.Org{}, func(t *testing.T, w *world) {
		m := outbound(1, time.Now().Add(-time.Second))
		m.Status = message.Sent
		w.account.Put(m)
		calls := w.account.Calls()
		w.callback(t, m.SID, message.Sent, 0)
		w.callback(t, m.SID, message.Queued, 0)
		synctest.Wait()
		require.Equal(t, w.account.All(), w.org.All())
		require.Equal(t, 1, w.org.Writes(m.SID), "the record appears complete")
		require.LessOrEqual(t, w.account.Calls(), calls+2)

		w.callback(t, mirrortest.SID(404), message.Sent, 0)
		time.Sleep(5 * time.Second)
		left, err := w.store.Waiting(t.Context(), time.Now().Add(24*time.Hour), 10)
		require.NoError(t, err)
		require.Empty(t, left, "one that Twilio does not know is let go")
	})
}

func TestAnEventWaitsForTwilioAndIsNotLost(t *testing.T) {
	account := &mirrortest.Account{}
	down := make(chan struct{})
	account.Fail = func() error {
		select {
		case <-down:
			return nil
		default:
			return fault.New(fault.Transient, "twilio fetch", fmt.Errorf("503"))
		}
	}
	run(t, account, &mirrortest.Org{}, func(t *testing.T, w *world) {
		m := outbound(1, time.Now())
		m.Status = message.Delivered
		w.account.Put(m)
		w.callback(t, m.SID, message.Delivered, 0)
		time.Sleep(10 * time.Minute)
		require.Empty(t, w.org.All())
		require.Contains(t, conditions(w.health), "twilio-unreachable")
		close(down)
		time.Sleep(time.Minute)
		require.Equal(t, w.account.All(), w.org.All())
		require.Empty(t, conditions(w.health))
	})
}

// Whatever comes first, twice or not at all: one record a message, as Twilio has it.
func TestWebhooksAndSweepsMeetInAnyOrder(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			run(t, &mirrortest.Account{}, &mirrortest.Org{Latency: 300 * time.Millisecond}, func(t *testing.T, w *world) {
				w.jumble(t, rand.New(rand.NewPCG(seed, 7)))
				time.Sleep(2 * time.Minute)
				require.NoError(t, w.Sweeper.Full(t.Context()))
				require.NoError(t, w.Sweeper.Refresh(t.Context()))
				time.Sleep(time.Minute)
				require.Equal(t, w.account.All(), w.org.All())
				require.Equal(t, len(w.account.All()), w.known(t))
			})
		})
	}
}

// jumble lets 60 messages live, each told of or not, at once or late, between sweeps.
func (w *world) jumble(t *testing.T, rng *rand.Rand) {
	t.Helper()
	statuses := []message.Status{message.Sending, message.Sent, message.Delivered}
	for n := range 60 {
		now := time.Now().UTC().Truncate(time.Second)
		m := mirrortest.Text(n, now)
		if n%2 == 0 {
			m = outbound(n, now)
		}
		w.account.Put(m)
		if m.Direction == message.Inbound && rng.IntN(4) > 0 {
			w.announce(t, m)
		}
		for range rng.IntN(4) {
			at := rng.IntN(len(statuses))
			if m.Direction != message.Inbound && statuses[at].Rank() > m.Status.Rank() {
				m.Status, m.Updated = statuses[at], time.Now().UTC().Truncate(time.Second)
				w.account.Put(m)
			}
			if m.Direction != message.Inbound && rng.IntN(4) > 0 {
				for _, told := range statuses[:rng.IntN(m.Status.Rank()-1)] {
					w.callback(t, m.SID, told, 0)
				}
			}
			time.Sleep(time.Duration(rng.IntN(800)) * time.Millisecond)
		}
		if rng.IntN(5) == 0 {
			require.NoError(t, w.Sweeper.Full(t.Context()))
		}
	}
}

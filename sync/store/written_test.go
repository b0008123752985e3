package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/followup"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/mirror/mirrortest"
	"github.com/twiliosf/twiliosf/sync/store"
)

func pictures(t *testing.T, s *store.Store) []followup.Queued {
	t.Helper()
	due, err := s.FollowUps().Due(t.Context(), message.FollowMedia, now, 100)
	require.NoError(t, err)
	return due
}

// A change that was handed over before the one ahead of it was settled still says
// that the message is new.
func TestTheMediaOfAMessageFollowItsFirstWritingAndNoOther(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		m := outbound(1, message.Queued, now)
		m.Media = 1
		_, first, err := s.Merge(t.Context(), []message.Message{m})
		require.NoError(t, err)
		m.Status = message.Sent
		_, second, err := s.Merge(t.Context(), []message.Message{m})
		require.NoError(t, err)
		require.True(t, second[0].New)
		settle(t, s, first...) // overtaken
		due := pictures(t, s)
		require.Len(t, due, 1)
		require.NoError(t, s.FollowUps().Settle(t.Context(), []followup.Settlement{{Queued: due[0]}}))
		settle(t, s, second...)
		require.Empty(t, pictures(t, s), "they are there already")
		m.Status = message.Delivered
		_, third, err := s.Merge(t.Context(), []message.Message{m})
		require.NoError(t, err)
		require.False(t, third[0].New)
		settle(t, s, third...)
		require.Empty(t, pictures(t, s))
	})
}

// The row that a webhook made is dropped where a sweep has made another; that it
// was written is not forgotten with it.
func TestARowThatIsDroppedForAnotherHandsOverThatItWasWritten(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		m := mirrortest.Text(1, now.Add(-time.Hour))
		merge(t, s, m)
		e := message.Event{Kind: message.InboundEvent, SID: m.SID, From: m.From, To: m.To, Body: m.Body, Status: m.Status, Received: now}
		_, err := s.Keep(t.Context(), e)
		require.NoError(t, err)
		waiting, err := s.Waiting(t.Context(), now, 10)
		require.NoError(t, err)
		_, told, err := s.Fold(t.Context(), waiting)
		require.NoError(t, err)
		require.Len(t, told, 1)
		// The true row is refused, the webhook's is taken.
		all := changed(t, s)
		require.Len(t, all, 2)
		require.NoError(t, s.Settle(t.Context(), []mirror.Settlement{{Change: all[0], Refusal: &mirror.Refusal{Code: "X"}}}))
		settle(t, s, told...)
		_, next, err := s.Merge(t.Context(), []message.Message{m})
		require.NoError(t, err)
		require.Len(t, next, 1)
		require.False(t, next[0].New, "the org holds it")
	})
}

func TestWhatTheOrgHoldsIsRememberedByWhateverWayItGotThere(t *testing.T) {
	again := func(t *testing.T, s *store.Store, m message.Message) mirror.Change {
		t.Helper()
		m.Status, m.Updated = message.Sent, m.Updated.Add(time.Second)
		_, next, err := s.Merge(t.Context(), []message.Message{m})
		require.NoError(t, err)
		require.Len(t, next, 1)
		return next[0]
	}
	m := outbound(1, message.Queued, now)
	m.Media = 1
	t.Run("put off", func(t *testing.T) {
		onEach(t, func(t *testing.T, s *store.Store) {
			merge(t, s, m)
			c := changed(t, s)[0]
			for range 2 {
				require.NoError(t, s.Settle(t.Context(), []mirror.Settlement{{Change: c, RetryAt: now.Add(-time.Second)}}))
			}
			require.Empty(t, pictures(t, s), "put off")
			c = changed(t, s)[0]
			require.True(t, c.New)
			require.Equal(t, 2, c.Attempts)
			settle(t, s, c)
			require.Len(t, pictures(t, s), 1)
			due, err := s.NextDue(t.Context())
			require.NoError(t, err)
			require.Zero(t, due, "nothing is put off any more")
			require.False(t, again(t, s, m).New)
		})
	})
	t.Run("refused", func(t *testing.T) {
		onEach(t, func(t *testing.T, s *store.Store) {
			merge(t, s, m)
			require.NoError(t, s.Settle(t.Context(), []mirror.Settlement{{Change: changed(t, s)[0], Refusal: &mirror.Refusal{Code: "X"}}}))
			require.Empty(t, pictures(t, s), "refused")
			n, err := s.RetryQuarantined(t.Context())
			require.NoError(t, err)
			require.Equal(t, 1, n)
			require.True(t, changed(t, s)[0].New)
			settle(t, s, changed(t, s)...)
			require.Len(t, pictures(t, s), 1)
		})
	})
	t.Run("told by a webhook", func(t *testing.T) {
		onEach(t, func(t *testing.T, s *store.Store) {
			merge(t, s, m)
			settle(t, s, changed(t, s)...)
			_, err := s.Keep(t.Context(), message.Event{Kind: message.StatusEvent, SID: m.SID, Status: message.Delivered, Received: now})
			require.NoError(t, err)
			waiting, err := s.Waiting(t.Context(), now, 10)
			require.NoError(t, err)
			_, told, err := s.Fold(t.Context(), waiting)
			require.NoError(t, err)
			require.Len(t, told, 1)
			require.False(t, told[0].New)
		})
	})
	t.Run("forgotten", func(t *testing.T) {
		onEach(t, func(t *testing.T, s *store.Store) {
			merge(t, s, m)
			settle(t, s, changed(t, s)...)
			require.NoError(t, s.Gone(t.Context(), m.SID))
			require.NoError(t, s.Forget(t.Context(), now.Add(96*time.Hour), 72*time.Hour))
			require.False(t, again(t, s, m).New, "though Twilio has forgotten it, and we its text")
		})
	})
}

func TestAnAddressThatWouldOpenAnotherFileIsRefused(t *testing.T) {
	for _, mark := range []string{"#", "?"} {
		dir := t.TempDir()
		_, err := store.Open(t.Context(), store.Options{URL: "sqlite://" + dir + "/my" + mark + "1/t.db", Version: "test"})
		require.ErrorContains(t, err, "%23")
		require.NoFileExists(t, filepath.Join(dir, "my"))
	}
}

// A call that is replayed hours later would make a second row of the message, and
// give its record's owner and marks away again.
func TestAnInboundMessageIsNotToldOfAgainHoursLater(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		inbound := message.Event{Kind: message.InboundEvent, SID: mirrortest.SID(1), Status: message.Received, Received: now}
		status := message.Event{Kind: message.StatusEvent, SID: mirrortest.SID(1), Status: message.Read, Received: now}
		keep := func(e message.Event) bool {
			first, err := s.Keep(t.Context(), e)
			require.NoError(t, err)
			return first
		}
		for _, e := range []message.Event{inbound, status} {
			require.True(t, keep(e))
		}
		waiting, err := s.Waiting(t.Context(), now, 10)
		require.NoError(t, err)
		require.NoError(t, s.PutOff(t.Context(), waiting, time.Time{}))
		const lookback = 72 * time.Hour
		require.NoError(t, s.Forget(t.Context(), now.Add(61*time.Minute), lookback))
		require.False(t, keep(inbound))
		require.True(t, keep(status), "statuses are many, and do no harm twice")
		require.NoError(t, s.Forget(t.Context(), now.Add(71*time.Hour), lookback))
		require.False(t, keep(inbound))
		require.NoError(t, s.Forget(t.Context(), now.Add(73*time.Hour), lookback))
		require.True(t, keep(inbound))
	})
}

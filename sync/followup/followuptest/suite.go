package followuptest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/followup"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Status makes the n-th follow-up of a test.
func Status(n int, status string) message.FollowUp {
	id := fmt.Sprintf("003%015d", n)
	return message.FollowUp{Kind: message.FollowStatus, Key: id, Status: &message.LastStatus{
		Person: message.Link{Object: "Contact", ID: id}, Status: status, At: time.Date(2026, 3, 1, 12, 0, n, 0, time.UTC),
	}}
}

// every is one follow-up of each kind, with all it can hold.
func every() []message.FollowUp {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	person := message.Link{Object: "Lead", ID: "00Q000000000001AAA"}
	return []message.FollowUp{
		{Kind: message.FollowMedia, Key: "MM1", Media: []message.Media{{SID: "ME1", ContentType: "image/png", URL: "https://x/1"}, {SID: "ME2"}}},
		{Kind: message.FollowMedia, Key: "MM2"},
		Status(1, "delivered"),
		{Kind: message.FollowOptIn, Key: "+14155550100:*", OptIn: &message.OptIn{Key: "+14155550100:*", Number: "+14155550100",
			Keyword: "a01", Active: true, InAt: at, OutAt: at.Add(time.Hour), Message: "SM1", Person: &person}},
		{Kind: message.FollowMember, Key: "701:+14155550100", Member: &message.Member{Campaign: "701", Number: "+14155550100"}},
	}
}

// now is when all tests of a queue look at it.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func due(t *testing.T, q followup.Queue, kind message.FollowUpKind, at time.Time) []followup.Queued {
	t.Helper()
	got, err := q.Due(context.Background(), kind, at, followup.BatchSize)
	require.NoError(t, err)
	return got
}

func next(t *testing.T, q followup.Queue) time.Time {
	t.Helper()
	at, err := q.NextDue(context.Background(), message.FollowStatus)
	require.NoError(t, err)
	return at
}

// TestQueue is the contract of followup.Queue and followup.Census.
func TestQueue(t *testing.T, open func(t *testing.T) followup.Queue) {
	testOrder(t, open)
	testReplacement(t, open)
	testCensus(t, open)
}

// testOrder is about what is due when.
func testOrder(t *testing.T, open func(t *testing.T) followup.Queue) {
	t.Run("what is queued comes back whole, to its own kind", func(t *testing.T) {
		q, ctx := open(t), context.Background()
		require.NoError(t, q.Add(ctx, nil))
		require.NoError(t, q.Add(ctx, every()))
		byKind := map[message.FollowUpKind][]message.FollowUp{}
		for _, f := range every() {
			byKind[f.Kind] = append(byKind[f.Kind], f)
		}
		for kind, want := range byKind {
			var got []message.FollowUp
			for _, d := range due(t, q, kind, now) {
				require.Zero(t, d.Attempts)
				got = append(got, d.FollowUp)
			}
			require.Equal(t, want, got)
		}
	})
	t.Run("the oldest comes first, and no more than asked for", func(t *testing.T) {
		q, ctx := open(t), context.Background()
		for n := range 10 {
			require.NoError(t, q.Add(ctx, []message.FollowUp{Status(n, "delivered")}))
		}
		got, err := q.Due(ctx, message.FollowStatus, now, 3)
		require.NoError(t, err)
		require.Equal(t, []string{Status(0, "").Key, Status(1, "").Key, Status(2, "").Key}, keys(got))
	})
	t.Run("what is done is gone", func(t *testing.T) {
		q, ctx := open(t), context.Background()
		require.NoError(t, q.Add(ctx, []message.FollowUp{Status(1, "failed"), Status(2, "failed")}))
		got := due(t, q, message.FollowStatus, now)
		require.NoError(t, q.Settle(ctx, nil))
		require.NoError(t, q.Settle(ctx, []followup.Settlement{{Queued: got[0]}}))
		require.Equal(t, []string{Status(2, "").Key}, keys(due(t, q, message.FollowStatus, now)))
		require.NoError(t, q.Settle(ctx, []followup.Settlement{{Queued: got[1]}}))
		require.Zero(t, next(t, q))
	})
	t.Run("what is put off comes again at its time, behind what waited before", func(t *testing.T) {
		q, ctx := open(t), context.Background()
		require.NoError(t, q.Add(ctx, []message.FollowUp{Status(1, "failed"), Status(2, "failed")}))
		got := due(t, q, message.FollowStatus, now)
		require.NoError(t, q.Settle(ctx, []followup.Settlement{{Queued: got[0], RetryAt: now.Add(time.Minute)}}))
		require.Equal(t, []string{Status(2, "").Key}, keys(due(t, q, message.FollowStatus, now.Add(59*time.Second))))
		again := due(t, q, message.FollowStatus, now.Add(time.Minute))
		require.Equal(t, []string{Status(2, "").Key, Status(1, "").Key}, keys(again))
		require.Equal(t, 1, again[1].Attempts)
		require.NoError(t, q.Settle(ctx, []followup.Settlement{{Queued: again[0]}, {Queued: again[1], RetryAt: now.Add(time.Hour)}}))
		require.True(t, next(t, q).Equal(now.Add(time.Hour)), "%s", next(t, q))
	})
	t.Run("something new is due at once", func(t *testing.T) {
		q, ctx := open(t), context.Background()
		require.Zero(t, next(t, q))
		require.NoError(t, q.Add(ctx, []message.FollowUp{Status(1, "failed")}))
		require.False(t, next(t, q).IsZero())
		require.False(t, next(t, q).After(now))
	})
}

// testReplacement is about states that follow each other.
func testReplacement(t *testing.T, open func(t *testing.T) followup.Queue) {
	t.Run("a newer state replaces an older one, and is due at once", func(t *testing.T) {
		q, ctx := open(t), context.Background()
		require.NoError(t, q.Add(ctx, []message.FollowUp{Status(1, "failed")}))
		old := due(t, q, message.FollowStatus, now)
		require.NoError(t, q.Settle(ctx, []followup.Settlement{{Queued: old[0], RetryAt: now.Add(time.Hour)}}))
		require.NoError(t, q.Add(ctx, []message.FollowUp{Status(1, "delivered")}))
		fresh := due(t, q, message.FollowStatus, now)
		require.Len(t, fresh, 1)
		require.Equal(t, "delivered", fresh[0].FollowUp.Status.Status)
		require.Zero(t, fresh[0].Attempts)
		require.NotEqual(t, old[0].N, fresh[0].N)
	})
	t.Run("what was replaced while it was done stays in its newer state", func(t *testing.T) {
		q, ctx := open(t), context.Background()
		require.NoError(t, q.Add(ctx, []message.FollowUp{Status(1, "failed"), Status(2, "failed")}))
		old := due(t, q, message.FollowStatus, now)
		require.NoError(t, q.Add(ctx, []message.FollowUp{Status(1, "delivered"), Status(2, "delivered")}))
		require.NoError(t, q.Settle(ctx, []followup.Settlement{{Queued: old[0]}, {Queued: old[1], RetryAt: now.Add(time.Hour)}}))
		for _, d := range due(t, q, message.FollowStatus, now) {
			require.Equal(t, "delivered", d.FollowUp.Status.Status)
			require.Zero(t, d.Attempts)
		}
		require.Len(t, due(t, q, message.FollowStatus, now), 2)
	})
	t.Run("of two states queued together the later counts", func(t *testing.T) {
		q, ctx := open(t), context.Background()
		require.NoError(t, q.Add(ctx, []message.FollowUp{Status(1, "failed"), Status(1, "delivered")}))
		got := due(t, q, message.FollowStatus, now)
		require.Len(t, got, 1)
		require.Equal(t, "delivered", got[0].FollowUp.Status.Status)
	})
}

func testCensus(t *testing.T, open func(t *testing.T) followup.Queue) {
	t.Run("what waits is counted, as far as asked for", func(t *testing.T) {
		q, ctx := open(t), context.Background()
		census, ok := q.(followup.Census)
		require.True(t, ok)
		for n := range 5 {
			require.NoError(t, q.Add(ctx, []message.FollowUp{Status(n, "failed")}))
		}
		require.NoError(t, q.Settle(ctx, []followup.Settlement{{Queued: due(t, q, message.FollowStatus, now)[0], RetryAt: now.Add(time.Hour)}}))
		for most, want := range map[int]int{100: 5, 3: 3} {
			n, err := census.Waiting(ctx, message.FollowStatus, most)
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
		n, err := census.Waiting(ctx, message.FollowMedia, 10)
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

func keys(all []followup.Queued) []string {
	out := make([]string, len(all))
	for i := range all {
		out[i] = all[i].FollowUp.Key
	}
	return out
}

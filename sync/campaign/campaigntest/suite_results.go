package campaigntest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
)

func testResults(t *testing.T, open func(t *testing.T) Memory) {
	ctx := context.Background()
	t.Run("counts add up, and statuses do not go back", func(t *testing.T) {
		m := open(t)
		r := sending(t, m, 8)
		all := hand(t, m, &r, 7)
		for i := range 5 {
			accept(t, m, &r, all[i], sid(i))
		}
		require.NoError(t, m.End(ctx, campaign.Key(r.Campaign.ID, all[5].N), End{Code: 21610}))
		_, err := m.Try(ctx, campaign.Key(r.Campaign.ID, all[6].N))
		require.NoError(t, err)
		require.NoError(t, m.End(ctx, campaign.Key(r.Campaign.ID, all[6].N), End{Held: true}))
		c := count(t, m, &r)
		require.Equal(t, []int{1, 0, 5, 1, 1, 8, 5}, []int{c.Waiting, c.Handed, c.Accepted, c.Refused, c.Uncertain, c.Total(), c.Open})
		for i, s := range []message.Status{message.Sent, message.Delivered, message.Undelivered, message.Failed} {
			require.NoError(t, m.Hear(ctx, News{SID: sid(i), Status: s}))
			require.NoError(t, m.Hear(ctx, News{SID: sid(i), Status: message.Queued}))
		}
		c = count(t, m, &r)
		require.Equal(t, []int{1, 1, 1, 1, 2, 5}, []int{c.Sent, c.Delivered, c.Undelivered, c.Failed, c.Open, c.Accepted})
	})
	t.Run("who answers is counted once", func(t *testing.T) {
		m := open(t)
		r := sending(t, m, 2)
		all := hand(t, m, &r, 1)
		accept(t, m, &r, all[0], sid(1))
		for i := range 3 {
			require.NoError(t, m.Hear(ctx, News{From: all[0].Number, At: time.Now().Add(time.Duration(i+1) * time.Minute)}))
			require.NoError(t, m.Hear(ctx, News{From: person(1).Number, At: time.Now().Add(time.Minute)})) // was not sent to
		}
		require.Equal(t, 1, count(t, m, &r).Replied)
	})
	t.Run("what the outbox writes back is put in full, by its key", func(t *testing.T) {
		m := open(t)
		r := sending(t, m, 1)
		all := hand(t, m, &r, 1)
		key := campaign.Key(r.Campaign.ID, all[0].N)
		require.NoError(t, m.End(ctx, key, End{Code: 21211, Text: "no"}))
		got, err := m.Unsent(ctx, []message.Result{{ID: "another", Status: "failed"}, {ID: key, Status: "failed", ErrorCode: 21211, ErrorMessage: "no"}})
		require.NoError(t, err)
		require.Len(t, got, 2)
		require.Empty(t, got[0].Key)
		u := got[1]
		require.Equal(t, []any{key, r.Campaign.ID, all[0].Person, all[0].Number, "Hello 0", "failed", 21211, "no"},
			[]any{u.Key, u.Campaign, u.Person, u.To, u.Body, u.Status, u.ErrorCode, u.ErrorMessage})
	})
}

func testNotes(t *testing.T, open func(t *testing.T) Memory) {
	ctx := context.Background()
	t.Run("who is left out has a record to be written, once", func(t *testing.T) {
		m := open(t)
		r := run(t, m, 0)
		page := people(5)
		page[1].Reason, page[2].Reason, page[2].Number = campaign.OptedOut, campaign.NoNumber, ""
		_, err := m.Add(ctx, &r, page)
		require.NoError(t, err)
		all, err := m.Unrecorded(ctx, r.N, 10)
		require.NoError(t, err)
		require.Len(t, all, 2)
		for _, u := range all {
			require.Equal(t, campaign.Key(r.Campaign.ID, u.N), u.Key)
			require.Equal(t, r.Campaign.ID, u.Campaign)
			require.NotEmpty(t, u.Status)
			require.NotEmpty(t, u.ErrorMessage)
			require.Empty(t, u.SID)
		}
		some, err := m.Unrecorded(ctx, r.N, 1)
		require.NoError(t, err)
		require.Len(t, some, 1)
		require.NoError(t, m.Recorded(ctx, r.N, all[:1]))
		rest, err := m.Unrecorded(ctx, r.N, 10)
		require.NoError(t, err)
		require.Equal(t, all[1:], rest)
	})
	t.Run("a member has been sent to, then responds", func(t *testing.T) {
		m := open(t)
		r := sending(t, m, 3)
		all := hand(t, m, &r, 1)
		none, err := m.Unanswered(ctx, r.N, 10)
		require.NoError(t, err)
		require.Empty(t, none)
		accept(t, m, &r, all[0], sid(1))
		got, err := m.Unanswered(ctx, r.N, 10)
		require.NoError(t, err)
		require.Equal(t, []campaign.Member{{N: all[0].N, ID: all[0].Member, Status: campaign.MemberSent}}, got)
		require.NoError(t, m.Hear(ctx, News{From: all[0].Number, At: time.Now().Add(time.Minute)}))
		require.NoError(t, m.Noted(ctx, r.N, got)) // it was written before the answer was known
		got, err = m.Unanswered(ctx, r.N, 10)
		require.NoError(t, err)
		require.Equal(t, []campaign.Member{{N: all[0].N, ID: all[0].Member, Status: campaign.MemberResponded}}, got)
		require.NoError(t, m.Noted(ctx, r.N, got))
		got, err = m.Unanswered(ctx, r.N, 10)
		require.NoError(t, err)
		require.Empty(t, got)
	})
}

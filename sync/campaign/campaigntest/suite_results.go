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
	t.Run("a message is counted under its last status, and under one", func(t *testing.T) {
		m := open(t)
		r := sending(t, m, 7)
		for i, p := range hand(t, m, &r, 6) {
			accept(t, m, &r, p, sid(i))
		}
		last := hand(t, m, &r, 1)
		require.NoError(t, m.End(ctx, campaign.Key(r.Campaign.ID, last[0].N), End{Code: 21610})) // it has opted out
		for i, n := range []News{
			{Status: message.Undelivered, Code: 30004}, {Status: message.Failed, Code: 21610}, {Status: message.Failed, Code: 30008},
			{Status: message.PartiallyDelivered}, {Status: message.Canceled}, {Status: message.Read},
		} {
			n.SID = sid(i)
			require.NoError(t, m.Hear(ctx, n))
		}
		c := count(t, m, &r)
		require.Equal(t, []int{3, 2, 2, 0, 0, 0}, []int{c.Blocked, c.Failed, c.Delivered, c.Undelivered, c.Sent, c.Open})
		require.Equal(t, []int{6, 1}, []int{c.Accepted, c.Refused})
		require.NoError(t, m.Hear(ctx, News{SID: sid(2), Status: message.Delivered}))
		require.NoError(t, m.Hear(ctx, News{SID: sid(5), Status: message.Delivered}))
		c = count(t, m, &r)
		require.Equal(t, []int{1, 3}, []int{c.Failed, c.Delivered})
	})
	t.Run("who waited when it was canceled is left out, and adds up", func(t *testing.T) {
		m := open(t)
		r := sending(t, m, 5)
		accept(t, m, &r, hand(t, m, &r, 1)[0], sid(1))
		said := asking(0)
		said.Command = campaign.Cancel
		_, err := m.Take(ctx, []campaign.Campaign{said}, now)
		require.NoError(t, err)
		c := count(t, m, &r)
		require.Equal(t, map[campaign.Reason]int{campaign.CalledOff: 4}, c.LeftOut)
		require.Equal(t, []int{0, 1, 5}, []int{c.Waiting, c.Accepted, c.Total()})
		require.Equal(t, map[string]int{"delivered": 1}, c.Last)
		none, err := m.Unrecorded(ctx, r.N, 10)
		require.NoError(t, err)
		require.Empty(t, none)
	})
	t.Run("an answer is to what was sent to the number last", func(t *testing.T) {
		m := open(t)
		r := sending(t, m, 1)
		accept(t, m, &r, hand(t, m, &r, 1)[0], sid(1))
		other := run(t, m, 1)
		other.Status, other.Sender = campaign.Sending, r.Sender
		_, err := m.Add(ctx, &other, people(1))
		require.NoError(t, err)
		accept(t, m, &other, hand(t, m, &other, 1)[0], sid(2))
		require.NoError(t, m.Hear(ctx, News{From: person(0).Number, At: time.Now().Add(time.Minute)}))
		require.Equal(t, []int{0, 1}, []int{count(t, m, &r).Replied, count(t, m, &other).Replied})
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

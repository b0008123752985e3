package campaigntest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
)

func testRecipients(t *testing.T, open func(t *testing.T) Memory) {
	ctx := context.Background()
	t.Run("a page is kept with where its run has come to, once", func(t *testing.T) {
		m := open(t)
		r := run(t, m, 0)
		r.Locator = "2"
		ok, err := m.Add(ctx, &r, people(2))
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, r, read(t, m, 0))
		r.Locator = "3"
		ok, err = m.Add(ctx, &r, people(3)) // two of them were read before
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, 3, count(t, m, &r).Waiting)
		require.Equal(t, map[string]int{"delivered": 3}, count(t, m, &r).Last)
	})
	t.Run("a page for a run as it no longer is, is not kept", func(t *testing.T) {
		m := open(t)
		old := run(t, m, 0)
		r := old
		_, err := m.Revise(ctx, &r)
		require.NoError(t, err)
		old.Locator = "2"
		ok, err := m.Add(ctx, &old, people(2))
		require.NoError(t, err)
		require.False(t, ok)
		require.Zero(t, count(t, m, &r).Total())
		require.Empty(t, read(t, m, 0).Locator)
	})
	t.Run("one number is one recipient, in whatever way it is written", func(t *testing.T) {
		m := open(t)
		r := run(t, m, 0)
		page := people(4)
		page[0].Number, page[1].Number, page[2].Number = "+551187654321", "+5511987654321", "+551131234567"
		page[3].Number = page[1].Number
		_, err := m.Add(ctx, &r, page[:2])
		require.NoError(t, err)
		_, err = m.Add(ctx, &r, page[2:])
		require.NoError(t, err)
		c := count(t, m, &r)
		require.Equal(t, 2, c.Waiting)
		require.Equal(t, map[campaign.Reason]int{campaign.Duplicate: 2}, c.LeftOut)
	})
	t.Run("one number is one recipient, the first", func(t *testing.T) {
		m := open(t)
		r := run(t, m, 0)
		page := people(1000)
		for i := range page {
			page[i].Number = page[0].Number
		}
		page[3].Reason = campaign.Blocked
		_, err := m.Add(ctx, &r, page)
		require.NoError(t, err)
		c := count(t, m, &r)
		require.Equal(t, 1, c.Waiting)
		require.Equal(t, map[campaign.Reason]int{campaign.Duplicate: 998, campaign.Blocked: 1}, c.LeftOut)
		require.Equal(t, map[string]int{"delivered": 1}, c.Last)
		require.Equal(t, 1000, c.Total())
		waiting, err := m.Waiting(ctx, r.N, now, 10)
		require.NoError(t, err)
		require.Equal(t, page[0].Person, waiting[0].Person)
	})
	t.Run("somebody left out keeps no number from another", func(t *testing.T) {
		m := open(t)
		r := run(t, m, 0)
		page := people(2)
		page[0].Reason, page[1].Number = campaign.NoText, page[0].Number
		_, err := m.Add(ctx, &r, page)
		require.NoError(t, err)
		require.Equal(t, 1, count(t, m, &r).Waiting)
	})
	t.Run("who waits comes back whole, those due first who have been due longest", func(t *testing.T) {
		m := open(t)
		r := run(t, m, 0)
		page := people(4)
		page[0].Due, page[1].Due, page[2].Due = now.Add(time.Hour), now.Add(-time.Minute), now.Add(-time.Hour)
		_, err := m.Add(ctx, &r, page)
		require.NoError(t, err)
		got, err := m.Waiting(ctx, r.N, now, 10)
		require.NoError(t, err)
		require.Len(t, got, 3)
		for i, want := range []int{3, 2, 1} {
			require.Equal(t, page[want].Person, got[i].Person)
			require.True(t, page[want].Due.Equal(got[i].Due), "%s", got[i].Due)
			got[i].Due = page[want].Due
			page[want].N, page[want].Run = got[i].N, r.N
			require.Equal(t, page[want], got[i])
			require.NotZero(t, got[i].N)
		}
		got, err = m.Waiting(ctx, r.N, campaign.Never, 10)
		require.NoError(t, err)
		require.Len(t, got, 4)
		got, err = m.Waiting(ctx, r.N, now, 2)
		require.NoError(t, err)
		require.Len(t, got, 2)
	})
	t.Run("whom quiet hours hold up waits until they are over", func(t *testing.T) {
		m := open(t)
		r := sending(t, m, 2)
		got, err := m.Waiting(ctx, r.N, now, 1)
		require.NoError(t, err)
		got[0].Due = now.Add(time.Hour)
		require.NoError(t, m.PutOff(ctx, got))
		later, err := m.Waiting(ctx, r.N, now, 10)
		require.NoError(t, err)
		require.Len(t, later, 1)
		require.NotEqual(t, got[0].N, later[0].N)
		all, err := m.Waiting(ctx, r.N, now.Add(time.Hour), 10)
		require.NoError(t, err)
		require.Len(t, all, 2)
	})
	t.Run("a new beginning drops whoever was not sent to", func(t *testing.T) {
		m := open(t)
		r := sending(t, m, 4)
		sent := hand(t, m, &r, 1)
		accept(t, m, &r, sent[0], sid(1))
		hand(t, m, &r, 1) // may be sent to yet
		page := people(6)[4:]
		page[0].Reason = campaign.Blocked
		_, err := m.Add(ctx, &r, page)
		require.NoError(t, err)
		require.NoError(t, m.Clear(ctx, r.N, false))
		c := count(t, m, &r)
		require.Equal(t, []int{0, 1, 1, 0}, []int{c.Waiting, c.Handed, c.Accepted, c.Skipped()})
		_, err = m.Add(ctx, &r, people(6))
		require.NoError(t, err)
		c = count(t, m, &r)
		require.Equal(t, []int{4, 1, 1, 0}, []int{c.Waiting, c.Handed, c.Accepted, c.Skipped()})
		require.NoError(t, m.Clear(ctx, r.N, true))
		require.Zero(t, count(t, m, &r).Total())
	})
}

func testHanding(t *testing.T, open func(t *testing.T) Memory) {
	ctx := context.Background()
	t.Run("who is handed over is the outbox's, in order, and waits no more", func(t *testing.T) {
		m := open(t)
		r := sending(t, m, 3)
		all := hand(t, m, &r, 2)
		got, err := m.Handed(ctx)
		require.NoError(t, err)
		require.Equal(t, drafts(&r, all), got)
		open, err := m.Open(ctx, r.N)
		require.NoError(t, err)
		require.Equal(t, 2, open)
		waiting, err := m.Waiting(ctx, r.N, now, 10)
		require.NoError(t, err)
		require.Len(t, waiting, 1)
	})
	t.Run("nobody is handed over twice", func(t *testing.T) {
		m := open(t)
		r := sending(t, m, 3)
		all, err := m.Waiting(ctx, r.N, now, 3)
		require.NoError(t, err)
		n, err := m.Hand(ctx, &r, all[:1], drafts(&r, all[:1]))
		require.NoError(t, err)
		require.Equal(t, 1, n)
		n, err = m.Hand(ctx, &r, all, drafts(&r, all))
		require.NoError(t, err)
		require.Equal(t, 2, n)
		got, err := m.Handed(ctx)
		require.NoError(t, err)
		require.Len(t, got, 3)
	})
	t.Run("a run that has changed hands nobody over", func(t *testing.T) {
		m := open(t)
		r := sending(t, m, 3)
		all, err := m.Waiting(ctx, r.N, now, 3)
		require.NoError(t, err)
		old := r
		_, err = m.Revise(ctx, &r)
		require.NoError(t, err)
		n, err := m.Hand(ctx, &old, all, drafts(&r, all))
		require.NoError(t, err)
		require.Zero(t, n)
		require.Equal(t, 3, count(t, m, &r).Waiting)
	})
	t.Run("what nobody has tried for long is taken back, and can be handed over again", func(t *testing.T) {
		m := open(t)
		r := sending(t, m, 3)
		all := hand(t, m, &r, 2)
		ok, err := m.Try(ctx, campaign.Key(r.Campaign.ID, all[0].N))
		require.NoError(t, err)
		require.True(t, ok)
		n, err := m.TakeBack(ctx, r.N, now)
		require.NoError(t, err)
		require.Zero(t, n, "it is not long")
		n, err = m.TakeBack(ctx, r.N, now.Add(time.Second))
		require.NoError(t, err)
		require.Equal(t, 1, n, "one was tried")
		ok, err = m.Try(ctx, campaign.Key(r.Campaign.ID, all[1].N))
		require.NoError(t, err)
		require.False(t, ok)
		require.Len(t, hand(t, m, &r, 10), 2)
		accept(t, m, &r, all[1], sid(1))
		require.NoError(t, m.End(ctx, campaign.Key(r.Campaign.ID, all[0].N), End{SID: sid(2)}))
		require.Equal(t, 2, count(t, m, &r).Accepted)
	})
	t.Run("who was handed over and is not to be sent after all waits again", func(t *testing.T) {
		m := open(t)
		r := sending(t, m, 1)
		all := hand(t, m, &r, 1)
		require.NoError(t, m.End(ctx, campaign.Key(r.Campaign.ID, all[0].N), End{Dropped: true}))
		require.Equal(t, 1, count(t, m, &r).Waiting)
		accept(t, m, &r, hand(t, m, &r, 1)[0], sid(1))
	})
}

func testWithdrawal(t *testing.T, open func(t *testing.T) Memory) {
	ctx := context.Background()
	for command, asks := range map[campaign.Command]message.Ask{campaign.Pause: message.AskDraft, campaign.Cancel: message.AskCancel} {
		t.Run("after "+string(command)+" nobody is tried", func(t *testing.T) {
			m := open(t)
			r := sending(t, m, 5)
			all := hand(t, m, &r, 3)
			ok, err := m.Try(ctx, campaign.Key(r.Campaign.ID, all[0].N))
			require.NoError(t, err)
			require.True(t, ok)
			keys := []string{campaign.Key(r.Campaign.ID, all[1].N), campaign.Key(r.Campaign.ID, 1<<40)}
			before, err := m.Drafts(ctx, keys)
			require.NoError(t, err)
			require.Equal(t, drafts(&r, all[1:2]), before)

			said := asking(0)
			said.Command = command
			_, err = m.Take(ctx, []campaign.Campaign{said}, now)
			require.NoError(t, err)
			for _, p := range all[1:] {
				ok, err := m.Try(ctx, campaign.Key(r.Campaign.ID, p.N))
				require.NoError(t, err)
				require.False(t, ok)
			}
			n, err := m.Hand(ctx, &r, all, drafts(&r, all))
			require.NoError(t, err)
			require.Zero(t, n)
			now := read(t, m, 0)
			n, err = m.Hand(ctx, &now, all, drafts(&r, all))
			require.NoError(t, err)
			require.Zero(t, n, "it does not send")
			c := count(t, m, &r)
			require.Equal(t, []int{4, 1}, []int{c.Waiting + c.LeftOut[campaign.CalledOff], c.Handed})
			after, err := m.Drafts(ctx, keys)
			require.NoError(t, err)
			for _, d := range after {
				require.Equal(t, asks, d.Ask)
			}
		})
	}
}

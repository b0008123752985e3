package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
	"github.com/twiliosf/twiliosf/sync/store"
)

// asking is a record that is to be sent.
func asking(n int) campaign.Campaign {
	return campaign.Campaign{
		ID: fmt.Sprintf("a0B%012dAAA", n), Status: campaign.Send, Body: "Our sale begins.", Members: "701000000000001AAA",
		Media: "https://example.com/a.png", Modified: now,
	}
}

// crowd is one campaign under way and who it is for.
type crowd struct {
	campaign.Run
	t *testing.T
	s *store.Store
	c store.Campaigns
	b store.Outbox
}

// sending is a campaign whose audience is read.
func sending(t *testing.T, s *store.Store, people ...campaign.Recipient) *crowd {
	t.Helper()
	k := &crowd{t: t, s: s, c: s.Campaigns(), b: s.Outbox()}
	n, err := k.c.Take(t.Context(), []campaign.Campaign{asking(1)}, now)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	k.read()
	k.Status, k.Started, k.Sender, k.Gathered = campaign.Sending, now, string(ours), true
	k.add(people...)
	return k
}

func (k *crowd) read() {
	k.t.Helper()
	r, ok, err := k.c.Run(k.t.Context(), asking(1).ID, campaign.ToSend)
	require.NoError(k.t, err)
	require.True(k.t, ok)
	k.Run = r
}

func (k *crowd) add(people ...campaign.Recipient) {
	k.t.Helper()
	ok, err := k.c.Add(k.t.Context(), &k.Run, people)
	require.NoError(k.t, err)
	require.True(k.t, ok)
}

// told has the record say something.
func (k *crowd) told(change func(*campaign.Campaign)) {
	k.t.Helper()
	c := asking(1)
	c.Status, c.Modified = campaign.Sending, k.Campaign.Modified.Add(time.Second)
	change(&c)
	n, err := k.c.Take(k.t.Context(), []campaign.Campaign{c}, now.Add(time.Minute))
	require.NoError(k.t, err)
	require.Equal(k.t, 1, n)
	k.read()
}

func commanded(what campaign.Command) func(*campaign.Campaign) {
	return func(c *campaign.Campaign) { c.Command = what }
}

func (k *crowd) waiting(limit int) []campaign.Recipient {
	k.t.Helper()
	all, err := k.c.Waiting(k.t.Context(), k.N, now, limit)
	require.NoError(k.t, err)
	return all
}

func (k *crowd) counts() campaign.Counts {
	k.t.Helper()
	counts, err := k.c.Count(k.t.Context(), k.N)
	require.NoError(k.t, err)
	return counts
}

func (k *crowd) drafts(all []campaign.Recipient) []message.Draft {
	drafts := make([]message.Draft, len(all))
	for i := range all {
		drafts[i] = message.Draft{
			ID: campaign.Key(k.Campaign.ID, all[i].N), Bulk: k.Campaign.ID, Keyword: k.Campaign.Keyword, Ask: message.AskSend, To: string(all[i].Number),
			Sender: string(ours), Body: k.Campaign.Body, Media: k.Campaign.Media, SendAt: now, Modified: now,
		}
	}
	return drafts
}

// hand hands over some of those who wait.
func (k *crowd) hand(limit int) int {
	k.t.Helper()
	all := k.waiting(limit)
	n, err := k.c.Hand(k.t.Context(), &k.Run, all, k.drafts(all))
	require.NoError(k.t, err)
	return n
}

// attempts are those that wait for a state.
func (k *crowd) attempts(s outbox.State) []outbox.Attempt {
	k.t.Helper()
	all, err := k.b.Attempts(k.t.Context(), s, 10_000)
	require.NoError(k.t, err)
	return all
}

// intended brings attempts to their intent.
func (k *crowd) intended() []outbox.Attempt {
	k.t.Helper()
	fresh := k.attempts(outbox.Fresh)
	for i := range fresh {
		a := &fresh[i]
		a.State, a.Sender, a.Out = outbox.Ready, string(ours), message.Outgoing{To: message.Number(a.Draft.To), From: ours, Body: a.Draft.Body}
	}
	k.revise(fresh...)
	ready := k.attempts(outbox.Ready)
	for i := range ready {
		a := &ready[i]
		a.State, a.Token, a.Since, a.Intended = outbox.Intended, fmt.Sprint("token ", a.N, " ", a.Version), now, now
		ok, optedOut, err := k.b.Intend(k.t.Context(), a)
		require.NoError(k.t, err)
		require.False(k.t, optedOut)
		require.True(k.t, ok)
	}
	return k.attempts(outbox.Intended)
}

// sidOf is the message of an attempt, which no other has.
func sidOf(a *outbox.Attempt) message.SID { return message.SID(fmt.Sprintf("SM%032x", a.N)) }

func (k *crowd) accept(a outbox.Attempt) {
	k.t.Helper()
	m := message.Message{SID: sidOf(&a), From: ours, To: a.Out.To, Direction: message.OutboundAPI, Status: message.Queued, Created: now}
	a = outbox.Found(a, &m, now)
	require.NoError(k.t, k.b.Conclude(k.t.Context(), &a))
}

// ended brings an attempt to another end.
func (k *crowd) ended(a outbox.Attempt, s outbox.State, code int) {
	k.t.Helper()
	status := string(message.Failed)
	if s == outbox.Held {
		status = message.Uncertain
	}
	a.State, a.Unwritten, a.Ended = s, true, now
	a.Result = message.Result{ID: a.Draft.ID, To: a.Out.To, Status: status, ErrorCode: code, ErrorMessage: "why"}
	require.NoError(k.t, k.b.Conclude(k.t.Context(), &a))
}

func person(n int) campaign.Recipient {
	return campaign.Recipient{
		Person: message.Link{Object: "Contact", ID: fmt.Sprintf("003%012dAAA", n)}, Member: fmt.Sprintf("00v%012dAAA", n),
		Number: message.Number(fmt.Sprintf("+1415%07d", 2000000+n)), Last: []string{"", "delivered", "failed"}[n%3],
	}
}

func persons(from, to int) []campaign.Recipient {
	var all []campaign.Recipient
	for n := from; n < to; n++ {
		all = append(all, person(n))
	}
	return all
}

func TestARunIsTakenOnceAndReadBackWhole(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx, c := t.Context(), s.Campaigns()
		draft := asking(2)
		draft.Status = campaign.Draft
		twice := asking(1)
		twice.Body, twice.Modified = "Another text.", now.Add(time.Second)
		n, err := c.Take(ctx, []campaign.Campaign{asking(1), draft, twice}, now)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		n, err = c.Take(ctx, []campaign.Campaign{twice, draft}, now)
		require.NoError(t, err)
		require.Zero(t, n, "the poll shows them again")
		r, ok, err := c.Run(ctx, asking(1).ID, campaign.ToSend)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, "Another text.", r.Campaign.Body)

		r.Estimate = campaign.Estimate{Recipients: 3, Cost: .5, Duration: 90 * time.Second}
		r.Audience = campaign.Audience{Object: "Contact", Phones: []string{"Phone"}, Fields: []campaign.Field{{Object: "Contact", Path: "Name"}}}
		r.Counts = campaign.Counts{Waiting: 3, LeftOut: map[campaign.Reason]int{campaign.Duplicate: 2}, Last: map[string]int{"": 1}}
		r.Locator, r.Export, r.Problem, r.Tries, r.Due, r.Counted = "next", "750", "none", 4, now.Add(time.Hour), now.Add(time.Nanosecond)
		ok, err = c.Revise(ctx, &r)
		require.NoError(t, err)
		require.True(t, ok)
		again, _, err := c.Run(ctx, asking(1).ID, campaign.ToSend)
		require.NoError(t, err)
		require.Equal(t, r, again)
		_, ok, err = c.Run(ctx, asking(1).ID, campaign.ToPreview)
		require.NoError(t, err)
		require.False(t, ok)
	})
}

func TestARunThatHasChangedSinceItWasReadIsNotReplaced(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s)
		old := k.Run
		k.told(commanded(campaign.Pause))
		stale := old
		ok, err := k.c.Revise(t.Context(), &stale)
		require.NoError(t, err)
		require.False(t, ok)
		require.Equal(t, old, stale)
		ok, err = k.c.Add(t.Context(), &stale, persons(0, 3))
		require.NoError(t, err)
		require.False(t, ok)
		require.Zero(t, k.counts().Total(), "nor is a page kept with it")
		k.read()
		require.Equal(t, campaign.Paused, k.Status)
	})
}

func TestARecordHasOneRunOfAKind(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s)
		for _, kind := range []campaign.Kind{campaign.ToPreview, campaign.ToForecast} {
			r := campaign.Run{Kind: kind, Campaign: asking(1), Status: campaign.Scheduled}
			ok, err := k.c.Revise(t.Context(), &r)
			require.NoError(t, err)
			require.True(t, ok)
			require.NotZero(t, r.N)
			other := campaign.Run{Kind: kind, Campaign: asking(1)}
			ok, err = k.c.Revise(t.Context(), &other)
			require.NoError(t, err)
			require.False(t, ok)
		}
		listed, err := k.c.Runs(t.Context(), 10)
		require.NoError(t, err)
		require.Len(t, listed, 1, "what is no sending is not listed")
	})
}

func TestRunsFallDueInTheirOrder(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx, c := t.Context(), s.Campaigns()
		_, ok, err := c.NextDue(ctx)
		require.NoError(t, err)
		require.False(t, ok)
		for i, due := range []time.Time{now.Add(time.Hour), now.Add(-time.Hour), {}, campaign.Never} {
			r := campaign.Run{Kind: campaign.ToSend, Campaign: asking(i), Due: due}
			_, err := c.Revise(ctx, &r)
			require.NoError(t, err)
		}
		due, err := c.Due(ctx, now, 10)
		require.NoError(t, err)
		require.Len(t, due, 2)
		require.Equal(t, []string{asking(2).ID, asking(1).ID}, []string{due[0].Campaign.ID, due[1].Campaign.ID})
		at, ok, err := c.NextDue(ctx)
		require.NoError(t, err)
		require.True(t, ok)
		require.False(t, at.After(now))
		for i := range due {
			due[i].Due = campaign.Never
			_, err := c.Revise(ctx, &due[i])
			require.NoError(t, err)
		}
		at, _, err = c.NextDue(ctx)
		require.NoError(t, err)
		require.Equal(t, now.Add(time.Hour), at)
	})
}

func TestWhoIsOverIsListedLastAndForgottenWithAllOfIts(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx, k := t.Context(), sending(t, s, persons(0, 2500)...)
		k.hand(1)
		k.accept(k.intended()[0])
		for i := 2; i < 5; i++ {
			r := campaign.Run{Kind: campaign.ToSend, Campaign: asking(i), Status: campaign.Completed, Ended: now.Add(time.Duration(i) * time.Hour)}
			_, err := k.c.Revise(ctx, &r)
			require.NoError(t, err)
		}
		listed, err := k.c.Runs(ctx, 3)
		require.NoError(t, err)
		require.Equal(t, []string{asking(1).ID, asking(4).ID, asking(3).ID}, []string{listed[0].Campaign.ID, listed[1].Campaign.ID, listed[2].Campaign.ID})

		require.NoError(t, k.c.Forget(ctx, now.Add(4*time.Hour)))
		listed, err = k.c.Runs(ctx, 10)
		require.NoError(t, err)
		require.Equal(t, []bool{false, false, true, true}, []bool{listed[0].Forgotten, listed[1].Forgotten, listed[2].Forgotten, listed[3].Forgotten},
			"neither what is not over nor what is over since later")
		require.Equal(t, 2500, k.counts().Total())
		k.Status, k.Ended = campaign.Canceled, now
		_, err = k.c.Revise(ctx, &k.Run)
		require.NoError(t, err)
		require.NoError(t, k.c.Forget(ctx, now.Add(time.Second)))
		require.Zero(t, k.counts().Total())
		r, ok, err := k.c.Run(ctx, asking(1).ID, campaign.ToSend)
		require.NoError(t, err)
		require.True(t, ok)
		require.True(t, r.Forgotten)
		require.Empty(t, r.Campaign.Body)
		require.NoError(t, k.c.Forget(ctx, now.Add(time.Hour)))
		again, _, err := k.c.Run(ctx, asking(1).ID, campaign.ToSend)
		require.NoError(t, err)
		require.Equal(t, r, again, "it is done once")
	})
}

func TestANumberIsOneInWhateverWayItIsWritten(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s)
		page := persons(0, 5)
		for i, n := range []message.Number{"+551187654321", "+5511987654321", "+551131234567", "+5491123456789", "+541123456789"} {
			page[i].Number = n
		}
		k.add(page[0])
		k.add(page[1:]...)
		require.Equal(t, 2, k.counts().LeftOut[campaign.Duplicate])
		require.Equal(t, 3, k.counts().Waiting)
	})
}

func TestEachNumberIsTextedOnceAndEachPersonIsThereOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s)
		var page []campaign.Recipient
		for n := range 1000 {
			p := person(n)
			p.Number = "+14155559999"
			page = append(page, p, p)
		}
		none := person(1000)
		none.Number, none.Reason = "", campaign.NoNumber
		other := person(1001)
		other.Number, other.Reason = "", campaign.NoNumber
		k.add(append(page, none, other)...)
		want := map[campaign.Reason]int{campaign.Duplicate: 999, campaign.NoNumber: 2}
		require.Equal(t, want, k.counts().LeftOut)
		require.Equal(t, 1, k.counts().Waiting)
		require.Equal(t, person(0).Person, k.waiting(10)[0].Person, "whoever comes first")

		k.add(page[:600]...)
		moved := person(0)
		moved.Number = "+14155558888"
		late := person(2000)
		late.Number = moved.Number
		k.add(moved, late)
		require.Equal(t, want, k.counts().LeftOut, "a page that comes again changes nobody")
		require.Equal(t, 2, k.counts().Waiting, "and takes no number from others")
	})
}

func TestWhoIsLeftOutHoldsNoNumber(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		blocked, same := person(1), person(2)
		blocked.Reason, same.Number = campaign.Blocked, blocked.Number
		k := sending(t, s, blocked, same)
		require.Equal(t, 1, k.counts().Waiting)
		require.Equal(t, same.Person, k.waiting(10)[0].Person)
	})
}

func TestRecipientsComeInTheOrderInWhichTheyAreDue(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		a, b, c, d := person(0), person(1), person(2), person(3)
		a.Due, b.Due, d.Due, d.Text = now, now.Add(-time.Hour), now.Add(time.Hour), "for you"
		k := sending(t, s, a, b, c, d)
		got := k.waiting(10)
		require.Equal(t, []message.Link{c.Person, b.Person, a.Person}, []message.Link{got[0].Person, got[1].Person, got[2].Person})
		require.Len(t, got, 3)
		got[0].Due = now.Add(2 * time.Hour)
		require.NoError(t, k.c.PutOff(t.Context(), got[:1]))
		require.Len(t, k.waiting(10), 2)
		later, err := k.c.Waiting(t.Context(), k.N, now.Add(2*time.Hour), 10)
		require.NoError(t, err)
		require.Equal(t, got[0], later[3])
		d.N, d.Run = later[2].N, k.N
		require.Equal(t, d, later[2])
	})
}

func TestWhoIsHandedOverIsNotHandedOverAgain(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s, persons(0, 5)...)
		all := k.waiting(10)
		drafts := k.drafts(all)
		n, err := k.c.Hand(t.Context(), &k.Run, all[:3], drafts[:3])
		require.NoError(t, err)
		require.Equal(t, 3, n)
		n, err = k.c.Hand(t.Context(), &k.Run, all, drafts)
		require.NoError(t, err)
		require.Equal(t, 2, n)
		open, err := k.c.Open(t.Context(), k.N)
		require.NoError(t, err)
		require.Equal(t, 5, open)
		attempts := k.attempts("")
		require.Len(t, attempts, 5)
		for i, a := range attempts {
			require.Equal(t, drafts[i], a.Draft)
			require.Equal(t, 1, a.Try)
			require.Equal(t, now, a.Due)
		}
		_, err = k.c.Hand(t.Context(), &k.Run, all[:1], drafts[1:2])
		require.Error(t, err, "a text for somebody else")
	})
}

func TestNobodyIsHandedOverWhileACampaignDoesNotSend(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s, persons(0, 5)...)
		old := k.Run
		k.told(commanded(campaign.Pause))
		all := k.waiting(10)
		for _, r := range []*campaign.Run{&old, &k.Run} {
			n, err := k.c.Hand(t.Context(), r, all, k.drafts(all))
			require.NoError(t, err)
			require.Zero(t, n)
		}
		require.Empty(t, k.attempts(""))
		k.told(commanded(campaign.Resume))
		require.Equal(t, 5, k.hand(10))
	})
}

func TestACampaignThatStopsGetsBackWhatNobodyHasTriedToSend(t *testing.T) {
	for _, what := range []campaign.Command{campaign.Pause, campaign.Cancel} {
		t.Run(string(what), func(t *testing.T) {
			onEach(t, func(t *testing.T, s *store.Store) {
				k := sending(t, s, persons(0, 6)...)
				k.hand(2)
				tried := k.intended()
				k.hand(4)
				again := tried[1] // nothing was found of it, so that it is to be sent again
				again.State, again.Token = outbox.Ready, ""
				k.revise(again)
				k.told(commanded(what))
				require.Len(t, k.attempts(outbox.Dropped), 4)
				require.Len(t, k.attempts(outbox.Intended), 1)
				require.Empty(t, k.attempts(outbox.Ready))
				require.True(t, k.attempts(outbox.Fresh)[0].Reread, "it asks first")
				c := k.counts()
				require.Equal(t, 2, c.Handed)
				require.Equal(t, 4, c.Waiting+c.LeftOut[campaign.CalledOff])
				require.Equal(t, what == campaign.Pause, c.Waiting == 4)
				require.Equal(t, 6, c.Total())
			})
		})
	}
}

// A pause and a hand-over race: what was handed over before is given back with the
// pause, and nothing is afterwards.
func TestNothingIsHandedOverAfterAPause(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s, persons(0, 400)...)
		for round := range 20 {
			r, all := k.Run, k.waiting(400)
			hands := make(chan bool, 20)
			var both sync.WaitGroup
			both.Go(func() {
				defer close(hands)
				for part := range slices.Chunk(all, 20) {
					n, err := k.c.Hand(t.Context(), &r, part, k.drafts(part))
					if err != nil {
						t.Error(err)
					}
					if n == 0 {
						return
					}
					hands <- true
				}
			})
			for range round {
				<-hands
			}
			k.told(commanded(campaign.Pause))
			both.Wait()
			require.Empty(t, k.attempts(""))
			require.Len(t, k.waiting(1000), 400)
			k.told(commanded(campaign.Resume))
		}
	})
}

func TestWhoIsTakenBackIsHandedOverOnceMore(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s, persons(0, 3)...)
		k.hand(1)
		tried := k.intended()[0] // nothing was found of it, so that it is to be sent again
		tried.State, tried.Token = outbox.Ready, ""
		k.revise(tried)
		k.hand(2)
		n, err := k.c.TakeBack(t.Context(), k.N, now)
		require.NoError(t, err)
		require.Zero(t, n, "not yet")
		n, err = k.c.TakeBack(t.Context(), k.N, now.Add(time.Second))
		require.NoError(t, err)
		require.Equal(t, 2, n)
		require.Equal(t, 1, k.counts().Handed, "what was tried is not taken back")
		require.Equal(t, 2, k.hand(10))
		for _, a := range k.attempts(outbox.Fresh) {
			require.Equal(t, 2, a.Try)
		}
	})
}

// revise replaces attempts, as the outbox does.
func (k *crowd) revise(all ...outbox.Attempt) {
	k.t.Helper()
	_, err := k.b.Revise(k.t.Context(), all)
	require.NoError(k.t, err)
}

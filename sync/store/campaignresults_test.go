package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/mirror/mirrortest"
	"github.com/twiliosf/twiliosf/sync/outbox"
	"github.com/twiliosf/twiliosf/sync/store"
)

// becomes has the mirror write a message of theirs with a status.
func (k *crowd) becomes(a *outbox.Attempt, s message.Status, code int) {
	k.t.Helper()
	m := message.Message{SID: sidOf(a), From: ours, To: a.Out.To, Direction: message.OutboundAPI, Status: s, ErrorCode: code, Created: now}
	k.settle(mirror.Settlement{Change: mirror.Change{Message: &m}})
}

// writes has the mirror write a message that somebody has sent us.
func (k *crowd) writes(from message.Number, at time.Time) {
	k.t.Helper()
	m := mirrortest.Text(9_000, at)
	m.Direction, m.From, m.To, m.Status = message.Inbound, from, ours, message.Received
	k.settle(mirror.Settlement{Change: mirror.Change{Message: &m}})
}

func (k *crowd) settle(s mirror.Settlement) {
	k.t.Helper()
	require.NoError(k.t, k.s.Settle(k.t.Context(), []mirror.Settlement{s}))
}

func (k *crowd) members() []campaign.Member {
	k.t.Helper()
	all, err := k.c.Unanswered(k.t.Context(), k.N, 100)
	require.NoError(k.t, err)
	return all
}

func TestEveryEndOfAnAttemptIsItsRecipients(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s, persons(0, 7)...)
		k.hand(6)
		a := k.intended()
		k.accept(a[0])
		k.ended(a[1], outbox.Rejected, 21614)
		k.ended(a[2], outbox.Rejected, 21610)
		k.ended(a[3], outbox.Refused, 21610)
		k.ended(a[4], outbox.Held, 0)
		require.Equal(t, campaign.Counts{
			Waiting: 1, Handed: 1, Accepted: 1, Refused: 3, Stopped: 2, Uncertain: 1, Blocked: 2, Open: 1,
			LeftOut: map[campaign.Reason]int{}, Last: map[string]int{"": 3, "delivered": 2, "failed": 2},
		}, k.counts())
		for _, number := range []message.Number{a[2].Out.To, a[1].Out.To} {
			may, err := s.Allowed(t.Context(), []message.Number{number}, "")
			require.NoError(t, err)
			require.Equal(t, number == a[1].Out.To, may[number], "Twilio's word that a number has opted out counts like a STOP")
		}
	})
}

func TestStatusesReachRecipientsAndNeverMoveBack(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s, persons(0, 8)...)
		k.hand(10)
		a := k.intended()
		for i := range a {
			k.accept(a[i])
		}
		require.Equal(t, 8, k.counts().Open)
		for i, status := range []message.Status{
			message.Sent, message.Delivered, message.Read, message.Undelivered, message.Failed, message.PartiallyDelivered, message.Sending, "novel",
		} {
			k.becomes(&a[i], status, 0)
		}
		c := k.counts()
		require.Equal(t, []int{1, 3, 1, 1, 3}, []int{c.Sent, c.Delivered, c.Undelivered, c.Failed, c.Open})
		for i := range a[:6] {
			k.becomes(&a[i], message.Queued, 0)
			k.becomes(&a[i], message.Sent, 0)
		}
		require.Equal(t, c, k.counts())
		k.becomes(&a[1], message.Undelivered, 30004) // the API corrects a callback
		k.becomes(&a[2], message.Delivered, 0)
		c = k.counts()
		require.Equal(t, []int{1, 2, 1, 1, 1}, []int{c.Sent, c.Delivered, c.Undelivered, c.Failed, c.Blocked})
		require.Equal(t, 8, c.Accepted)
	})
}

func TestWhatTheOrgHasNotTakenIsNotTold(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s, persons(0, 1)...)
		k.hand(1)
		a := k.intended()[0]
		k.accept(a)
		c := mirror.Change{Message: &message.Message{SID: sidOf(&a), Direction: message.OutboundAPI, Status: message.Delivered, Created: now}}
		k.settle(mirror.Settlement{Change: c, RetryAt: now})
		k.settle(mirror.Settlement{Change: c, Refusal: &mirror.Refusal{}})
		require.Zero(t, k.counts().Delivered)
		k.settle(mirror.Settlement{Change: c})
		require.Equal(t, 1, k.counts().Delivered)
	})
}

func TestAReplyCountsOnceAndForWhatWasSentLast(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		p := person(0)
		p.Number = "whatsapp:+5511987654321"
		k := sending(t, s, p, person(1))
		k.writes(p.Number, now.Add(time.Second))
		require.Zero(t, k.counts().Replied, "nothing was sent yet")
		k.hand(2)
		a := k.intended()
		k.accept(a[0])
		k.writes(p.Number, now.Add(-time.Second))
		require.Zero(t, k.counts().Replied, "it came before")
		k.writes(person(1).Number, now.Add(time.Second))
		require.Zero(t, k.counts().Replied, "nor does Twilio have a message to the other")
		for range 3 {
			k.writes("whatsapp:+551187654321", now) // in the same second; as WhatsApp writes the number
		}
		require.Equal(t, 1, k.counts().Replied)

		later := campaign.Run{Kind: campaign.ToSend, Campaign: asking(2), Status: campaign.Sending}
		next := *k
		next.Run = later
		_, err := k.c.Revise(t.Context(), &next.Run)
		require.NoError(t, err)
		next.add(p)
		next.hand(1)
		b := next.intended()[1] // behind what is still being sent
		b.Intended = now.Add(time.Minute)
		next.accept(b)
		k.writes(p.Number, now.Add(time.Hour))
		require.Equal(t, 1, next.counts().Replied)
		require.Equal(t, 1, k.counts().Replied)
	})
}

func TestNobodyIsToldAnythingOnceNoRecipientWithAMessageIsKept(t *testing.T) {
	for name, fresh := range databases {
		t.Run(name, func(t *testing.T) {
			url := fresh(t)
			open := func() *store.Store {
				s, err := store.Open(t.Context(), store.Options{URL: url, Version: "test"})
				require.NoError(t, err)
				return s
			}
			s := open()
			k := sending(t, s, persons(0, 2)...)
			k.hand(1)
			a := k.intended()[0]
			k.accept(a)
			require.NoError(t, s.Close())
			k.s = open()
			k.c, k.b = k.s.Campaigns(), k.s.Outbox()
			k.becomes(&a, message.Delivered, 0)
			require.Equal(t, 1, k.counts().Delivered, "a restart knows of them")
			require.NoError(t, k.c.Clear(t.Context(), k.N, false))
			require.Equal(t, 1, k.counts().Total())
			require.NoError(t, k.c.Clear(t.Context(), k.N, true))
			require.Zero(t, k.counts().Total())
			k.becomes(&a, message.Read, 0)
			require.NoError(t, k.s.Close())
		})
	}
}

func TestMembersAreToldThatTheyWereSentToAndThatTheyAnswered(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		contact := person(9)
		contact.Member = ""
		k := sending(t, s, append(persons(0, 3), contact)...)
		k.hand(10)
		a := k.intended()
		require.Empty(t, k.members())
		k.accept(a[0])
		k.accept(a[1])
		k.ended(a[2], outbox.Rejected, 21614)
		k.accept(a[3])
		k.writes(contact.Number, now)
		sent := k.members()
		require.Len(t, sent, 2, "neither who was not sent to nor who is no member")
		require.Equal(t, campaign.Member{N: sent[0].N, ID: person(0).Member, Status: campaign.MemberSent}, sent[0])
		k.writes(person(0).Number, now)
		require.NoError(t, k.c.Noted(t.Context(), k.N, sent))
		answered := k.members()
		require.Equal(t, []campaign.Member{{N: sent[0].N, ID: person(0).Member, Status: campaign.MemberResponded}}, answered)
		require.NoError(t, k.c.Noted(t.Context(), k.N, answered))
		require.NoError(t, k.c.Noted(t.Context(), k.N, sent), "late")
		require.Empty(t, k.members())
	})
}

func TestThoseLeftOutHaveARecordOfTheirOwn(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		out, twin := person(1), person(2)
		out.Number, out.Reason = "", campaign.NoNumber
		twin.Number, twin.Text = person(0).Number, "Hi Ada"
		k := sending(t, s, person(0), out, twin)
		all, err := k.c.Unrecorded(t.Context(), k.N, 10)
		require.NoError(t, err)
		want := campaign.Unsent{
			Key: campaign.Key(k.Campaign.ID, all[0].N), Campaign: k.Campaign.ID, Person: out.Person, From: ours, Body: k.Campaign.Body, Status: "failed",
			N: all[0].N, ErrorCode: 21211, ErrorMessage: campaign.NoNumber.Words(),
		}
		require.Equal(t, want, all[0])
		require.Equal(t, []any{"Hi Ada", twin.Number, campaign.Duplicate.Words()}, []any{all[1].Body, all[1].To, all[1].ErrorMessage})
		require.NoError(t, k.c.Recorded(t.Context(), k.N, all[:1]))
		left, err := k.c.Unrecorded(t.Context(), k.N, 10)
		require.NoError(t, err)
		require.Equal(t, all[1:], left)
		require.NoError(t, k.c.Recorded(t.Context(), k.N+1, left))
		left, err = k.c.Unrecorded(t.Context(), k.N, 1)
		require.NoError(t, err)
		require.Len(t, left, 1, "another run's")
	})
}

func TestWhatAnAttemptAsksForNowIsItsCampaigns(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		p := person(1)
		p.Text = "for you"
		k := sending(t, s, person(0), p)
		k.Campaign.Keyword = "a0K000000000001AAA"
		_, err := k.c.Revise(t.Context(), &k.Run)
		require.NoError(t, err)
		all := k.waiting(2)
		want := k.drafts(all)
		want[1].Body = "for you"
		_, err = k.c.Hand(t.Context(), &k.Run, all, want)
		require.NoError(t, err)
		keys := []string{want[1].ID, campaign.Key(k.Campaign.ID, 999), campaign.Key(asking(7).ID, all[0].N), want[0].ID, asking(1).ID}
		read := func() []message.Draft {
			drafts, err := k.c.Drafts(t.Context(), keys)
			require.NoError(t, err)
			return drafts
		}
		require.Equal(t, []message.Draft{want[1], want[0]}, read())
		for _, step := range []struct {
			status campaign.Status
			ask    message.Ask
		}{
			{campaign.Paused, message.AskDraft},
			{campaign.Scheduled, message.AskDraft},
			{campaign.Canceled, message.AskCancel},
			{campaign.Completed, message.AskCancel},
			{campaign.Sending, message.AskSend},
		} {
			k.Status = step.status
			_, err = k.c.Revise(t.Context(), &k.Run)
			require.NoError(t, err)
			require.Equal(t, step.ask, read()[0].Ask, step.status)
		}
	})
}

func TestWhatAHumanHasSentAgainGoesThoughItsCampaignIsOver(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s, person(0))
		k.hand(1)
		k.ended(k.intended()[0], outbox.Held, 0)
		k.Status = campaign.Completed
		_, err := k.c.Revise(t.Context(), &k.Run)
		require.NoError(t, err)
		again := k.attempts(outbox.Held)
		again[0].State, again[0].Unwritten = outbox.Ready, false
		k.revise(again...)
		require.NoError(t, k.b.Recover(t.Context(), now)) // it is killed before it is sent
		drafts, err := k.c.Drafts(t.Context(), []string{again[0].Draft.ID})
		require.NoError(t, err)
		require.Equal(t, message.AskSend, drafts[0].Ask)
		require.Less(t, time.Since(drafts[0].SendAt), time.Minute, "and now")
		k.Status = campaign.Canceled
		_, err = k.c.Revise(t.Context(), &k.Run)
		require.NoError(t, err)
		drafts, err = k.c.Drafts(t.Context(), []string{again[0].Draft.ID})
		require.NoError(t, err)
		require.Equal(t, message.AskCancel, drafts[0].Ask)
	})
}

func TestTheRecordOfAnAttemptWithoutASIDIsItsRecipients(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s, person(0))
		k.hand(1)
		a := k.intended()[0]
		k.ended(a, outbox.Rejected, 21614)
		done := k.attempts(outbox.Rejected)[0]
		all, err := k.c.Unsent(t.Context(), []message.Result{{ID: campaign.Key(k.Campaign.ID, 999)}, done.Result, {ID: asking(1).ID}})
		require.NoError(t, err)
		require.Equal(t, []campaign.Unsent{{}, {
			N: all[1].N, Key: a.Draft.ID, Campaign: k.Campaign.ID, Person: person(0).Person, To: person(0).Number, From: ours, Body: k.Campaign.Body,
			Status: "failed", ErrorCode: 21614, ErrorMessage: "why",
		}, {}}, all)
	})
}

func TestACampaignThatBeginsAnewSendsToNobodyTwice(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		out := person(9)
		out.Reason = campaign.OptedOut
		k := sending(t, s, append(persons(0, 4), out)...)
		k.hand(2)
		k.accept(k.intended()[0])
		k.told(commanded(campaign.Cancel))
		k.Untold = false
		_, err := k.c.Revise(t.Context(), &k.Run)
		require.NoError(t, err)
		k.told(func(c *campaign.Campaign) { c.Status = campaign.Send })
		require.Equal(t, campaign.Scheduled, k.Status)
		require.NoError(t, k.c.Clear(t.Context(), k.N, false))
		require.Equal(t, 2, k.counts().Total(), "who was sent to, and who may be, stays")
		k.Status, k.Started, k.Sender = campaign.Sending, now, string(ours)
		out.Reason = ""
		twin := person(10)
		twin.Number = person(0).Number
		k.add(append(persons(0, 4), out, twin)...)
		c := k.counts()
		require.Equal(t, []int{3, 1, 1, 1}, []int{c.Waiting, c.Handed, c.Accepted, c.LeftOut[campaign.Duplicate]})
		keys := map[string]bool{}
		k.hand(10)
		for _, a := range append(k.attempts(""), append(k.attempts(outbox.Dropped), k.attempts(outbox.Accepted)...)...) {
			require.False(t, keys[fmt.Sprint(a.Draft.ID, a.Try)])
			keys[fmt.Sprint(a.Draft.ID, a.Try)] = true
		}
		require.Len(t, keys, 5)
	})
}

// Keys are what the org knows records by: one is never another person's.
func TestAKeyIsNeverUsedAgain(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s, persons(0, 3)...)
		last := k.waiting(3)[2].N
		require.NoError(t, k.c.Clear(t.Context(), k.N, true))
		k.add(persons(3, 4)...)
		require.Greater(t, k.waiting(1)[0].N, last)
	})
}

func TestTheMirrorMakesTheRecordOfACampaignsMessage(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s, persons(0, 2)...)
		k.hand(2)
		a := k.intended()
		m := message.Message{SID: sidOf(&a[0]), From: ours, To: a[0].Out.To, Body: a[0].Out.Body, Direction: message.OutboundAPI, Status: message.Queued, Created: now}
		whose := func(m message.Message) outbox.Claim {
			claims, err := k.b.Whose(t.Context(), []*message.Message{&m}, now)
			require.NoError(t, err)
			return claims[0]
		}
		require.Equal(t, outbox.Claim{Kind: outbox.Wait}, whose(m), "Twilio's answer is on its way")
		k.accept(a[0])
		require.Equal(t, outbox.Claim{Kind: outbox.Stranger, Bulk: k.Campaign.ID}, whose(m))
		due, err := k.b.Unwritten(t.Context(), now, 10)
		require.NoError(t, err)
		require.Empty(t, due)

		k.ended(a[1], outbox.Rejected, 21614)
		refused := message.Message{
			SID: "SM000000000000000000000000ffffffff", To: a[1].Out.To, From: ours, Body: a[1].Out.Body, Direction: message.OutboundAPI, Status: message.Failed, ErrorCode: 21614, Created: now,
		}
		due, err = k.b.Unwritten(t.Context(), now, 10)
		require.NoError(t, err)
		require.NoError(t, k.b.Written(t.Context(), []outbox.Writing{{Attempt: due[0]}}))
		require.Equal(t, outbox.Claim{Kind: outbox.RejectedOf, Record: a[1].Draft.ID, Bulk: k.Campaign.ID}, whose(refused))
		due, err = k.b.Unwritten(t.Context(), now, 10)
		require.NoError(t, err)
		require.Equal(t, refused.SID, due[0].Result.RejectedSID, "by the key, which the mirror does not know")
		require.Equal(t, 1, k.counts().Refused)
	})
}

func TestWhatAHumanHadToDecideGetsItsSIDByItsKeyFirst(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s, persons(0, 1)...)
		k.hand(1)
		a := k.intended()[0]
		k.ended(a, outbox.Held, 0)
		require.Equal(t, 1, k.counts().Uncertain)
		held := k.attempts(outbox.Held)[0]
		m := message.Message{SID: sidOf(&a), From: ours, To: a.Out.To, Body: a.Out.Body, Direction: message.OutboundAPI, Status: message.Sent, Created: now}
		mine, _, err := k.b.Claim(t.Context(), &held, &m, now)
		require.NoError(t, err)
		require.True(t, mine)
		c := k.counts()
		require.Equal(t, []int{0, 1, 1}, []int{c.Uncertain, c.Accepted, c.Sent})
		claims, err := k.b.Whose(t.Context(), []*message.Message{&m}, now)
		require.NoError(t, err)
		require.Equal(t, outbox.Wait, claims[0].Kind)
		due, err := k.b.Unwritten(t.Context(), now, 10)
		require.NoError(t, err)
		require.Equal(t, m.SID, due[0].Result.SID)
		require.NoError(t, k.b.Written(t.Context(), []outbox.Writing{{Attempt: due[0]}}))
		claims, err = k.b.Whose(t.Context(), []*message.Message{&m}, now)
		require.NoError(t, err)
		require.Equal(t, outbox.Claim{Kind: outbox.Stranger, Bulk: k.Campaign.ID}, claims[0])
	})
}

// What a human has had sent again is given up: the record that says Uncertain says so,
// and gets the SID of what is sent in the end.
func TestARecordThatAHumanHadToDecideOnGoesOnWithTheNextAttempt(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s, persons(0, 1)...)
		k.hand(1)
		k.ended(k.intended()[0], outbox.Held, 0)
		again := k.attempts(outbox.Held)[0]
		again.State, again.Unwritten = outbox.Ready, false
		k.revise(again)
		require.Equal(t, 1, k.counts().Handed)
		again = k.attempts(outbox.Ready)[0]
		again.Since = time.Time{}
		k.revise(outbox.Withdrawn(again, now))
		require.Equal(t, 1, k.counts().Waiting)
		unwritten := func() message.Result {
			due, err := k.b.Unwritten(t.Context(), now, 10)
			require.NoError(t, err)
			require.Len(t, due, 1)
			require.NoError(t, k.b.Written(t.Context(), []outbox.Writing{{Attempt: due[0]}}))
			return due[0].Result
		}
		require.Equal(t, "canceled", unwritten().Status)
		require.Equal(t, 1, k.hand(1))
		a := k.intended()[0]
		older := k.attempts(outbox.Dropped)[0]
		older.State = outbox.Held
		k.revise(older)
		require.Len(t, k.attempts(outbox.Held), 1)
		require.Equal(t, 1, k.counts().Handed, "the attempt before says nothing any more")
		k.accept(a)
		require.Equal(t, sidOf(&a), unwritten().SID)
	})
}

// An attempt that was given up is found to have been sent: nobody is sent another.
func TestWhoIsFoundToHaveAMessageIsNotSentAnother(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s, persons(0, 1)...)
		k.hand(1)
		a := k.intended()[0]
		a.State, a.Ended = outbox.Dropped, now
		k.revise(a)
		require.Equal(t, 1, k.hand(1))
		tell(t, s, message.Event{Kind: message.StatusEvent, SID: "SM1", Status: message.Sent, To: a.Out.To, From: ours, Ref: a.Token, Received: now})
		c := k.counts()
		require.Equal(t, []int{0, 0, 1}, []int{c.Waiting, c.Handed, c.Accepted})
		require.Empty(t, k.attempts(outbox.Fresh))
		require.Len(t, k.attempts(outbox.Dropped), 1)
	})
}

// tell brings in what Twilio calls to tell.
func tell(t *testing.T, s *store.Store, e message.Event) {
	t.Helper()
	keep(t, s, e)
	require.NoError(t, fold(t, s))
}

func TestWhatTwilioPutOffIsNotSentAfterAPause(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s, persons(0, 2)...)
		k.hand(2)
		a := k.intended()
		k.told(commanded(campaign.Pause))
		never := a[0] // Twilio answers 429
		never.State, never.Since, never.Intended = outbox.Ready, time.Time{}, time.Time{}
		require.NoError(t, k.b.Conclude(t.Context(), &never))
		again := a[1]
		again.State, again.Since = outbox.Ready, now.Add(-time.Hour)
		require.NoError(t, k.b.Conclude(t.Context(), &again))
		require.Empty(t, k.attempts(outbox.Ready))
		require.True(t, k.attempts(outbox.Fresh)[0].Reread)
		c := k.counts()
		require.Equal(t, []int{1, 1}, []int{c.Waiting, c.Handed})
	})
}

func TestAKeywordsConsentIsAskedInTheTransactionOfTheIntent(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		reads(t, s)
		joined := person(0)
		joined.Number = theirs
		k := sending(t, s, joined, person(1))
		all := k.waiting(2)
		drafts := k.drafts(all)
		for i := range drafts {
			drafts[i].Keyword = "K1"
		}
		_, err := k.c.Hand(t.Context(), &k.Run, all, drafts)
		require.NoError(t, err)
		join := text(1, 0, "JOIN")
		tell(t, s, call(&join, 0))
		fresh := k.attempts(outbox.Fresh)
		for i := range fresh {
			fresh[i].State, fresh[i].Out = outbox.Ready, message.Outgoing{To: message.Number(fresh[i].Draft.To), From: ours}
		}
		k.revise(fresh...)
		for _, a := range k.attempts(outbox.Ready) {
			a.State, a.Token, a.Since, a.Intended = outbox.Intended, a.Draft.To, now, now
			ok, optedOut, err := k.b.Intend(t.Context(), &a)
			require.NoError(t, err)
			require.Equal(t, a.Out.To == theirs, ok)
			require.Equal(t, a.Out.To != theirs, optedOut)
		}
	})
}

func TestManyAttemptsAreForgottenWithTheirTokens(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		k := sending(t, s, persons(0, 1100)...)
		k.hand(1100)
		for _, a := range k.intended() {
			k.accept(a)
		}
		require.NoError(t, k.b.Forget(t.Context(), now.Add(time.Second)))
		require.Empty(t, k.attempts(outbox.Accepted))
		require.NoError(t, k.b.Forget(t.Context(), now.Add(time.Second)))
		require.Equal(t, 1100, k.counts().Accepted)
		tokens := 0
		require.NoError(t, s.DB().QueryRowContext(context.Background(), `SELECT COUNT(*) FROM outbox_tokens`).Scan(&tokens))
		require.Zero(t, tokens)
	})
}

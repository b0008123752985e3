package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/consent"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

const bulk = "a0M000000000001AAA"

// campaigned has n people handed over by a campaign, and answers their drafts. What
// they ask for now the org knows.
func (w *world) campaigned(n int, change ...func(*message.Draft)) []message.Draft {
	w.t.Helper()
	ctx, c := w.t.Context(), w.store.Campaigns()
	r := campaign.Run{Kind: campaign.ToSend, Campaign: campaign.Campaign{ID: bulk, Modified: time.Now().UTC()}, Status: campaign.Sending}
	ok, err := c.Revise(ctx, &r)
	require.NoError(w.t, err)
	require.True(w.t, ok)
	var people []campaign.Recipient
	for i := range n {
		people = append(people, campaign.Recipient{
			Person: message.Link{Object: "Contact", ID: fmt.Sprint(i)}, Number: message.Number(fmt.Sprintf("+1415%07d", 2000000+i)),
		})
	}
	ok, err = c.Add(ctx, &r, people)
	require.NoError(w.t, err)
	require.True(w.t, ok)
	people, err = c.Waiting(ctx, r.N, time.Now(), n)
	require.NoError(w.t, err)
	drafts := make([]message.Draft, n)
	for i := range people {
		at := time.Now().UTC()
		drafts[i] = message.Draft{
			ID: campaign.Key(bulk, people[i].N), Bulk: bulk, Ask: message.AskSend, To: string(people[i].Number), Sender: string(long),
			Body: fmt.Sprintf("our sale %d", i), SendAt: at, Modified: at,
		}
		for _, f := range change {
			f(&drafts[i])
		}
	}
	handed, err := c.Hand(ctx, &r, people, drafts)
	require.NoError(w.t, err)
	require.Equal(w.t, n, handed)
	w.put(drafts...)
	w.HandedOver()
	return drafts
}

// counted are the campaign's recipients.
func (w *world) counted() campaign.Counts {
	w.t.Helper()
	r, _, err := w.store.Campaigns().Run(w.t.Context(), bulk, campaign.ToSend)
	require.NoError(w.t, err)
	c, err := w.store.Campaigns().Count(w.t.Context(), r.N)
	require.NoError(w.t, err)
	return c
}

// stops has the campaign's author pause it.
func (w *world) stops() {
	w.t.Helper()
	_, err := w.store.Campaigns().Take(w.t.Context(), []campaign.Campaign{
		{ID: bulk, Status: campaign.Sending, Command: campaign.Pause, Modified: time.Now().UTC()},
	}, time.Now())
	require.NoError(w.t, err)
}

func TestACampaignsMessageIsSentOnceAndWritesNothingBack(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.campaigned(20)
		time.Sleep(10 * time.Minute)
		require.Len(t, w.account.sent(), 20)
		require.Zero(t, w.org.called())
		require.Equal(t, 20, w.counted().Accepted)
		for _, m := range w.account.sent() {
			require.Equal(t, outbox.Claim{Kind: outbox.Stranger, Bulk: bulk}, w.whose(m), "the mirror makes its record")
		}
	}, quick)
}

func TestACampaignsMessagesAreSentExactlyOnceWhileConnectionsBreak(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		const n = 60
		w.campaigned(n)
		time.Sleep(2 * time.Hour)
		require.Equal(t, n, w.counted().Accepted)
		bodies := map[string]bool{}
		for _, m := range w.account.sent() {
			require.False(t, bodies[m.Body], m.Body)
			bodies[m.Body] = true
		}
		require.Len(t, bodies, n)
		require.Zero(t, w.org.called())
	}, quick, func(w *world) {
		w.account.fail = func(n int, _ message.Outgoing) failure { return failure(n % 4) }
	})
}

func TestARefusalIsWrittenBackByItsKey(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := w.campaigned(3)
		time.Sleep(time.Minute)
		require.Empty(t, w.account.sent())
		for i := range d {
			r := w.org.result(d[i].ID)
			require.Equal(t, "failed", r.Status)
			require.Equal(t, 21614, r.ErrorCode)
			require.Empty(t, r.SID)
		}
		require.Equal(t, 3, w.counted().Refused)
	}, quick, func(w *world) {
		w.account.err = func(message.Outgoing) error {
			return &fault.Error{Class: fault.Permanent, Op: "create", Code: "21614", Err: errors.New("not a mobile number")}
		}
	})
}

func TestWhoHasOptedOutSinceIsNotTexted(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		words, err := consent.NewVocabulary(consent.Lists{})
		require.NoError(t, err)
		v, refused := words.With([]consent.Keyword{{ID: "K1", Word: "sale"}})
		require.Empty(t, refused)
		w.store.Use(v.Read)
		for i, body := range []string{0: "SALE", 1: "SALE", 3: "SALE"} {
			if body != "" {
				w.says(message.Number(fmt.Sprintf("+1415%07d", 2000000+i)), long, body)
			}
			time.Sleep(time.Second)
		}
		w.says("+14152000001", long, "STOP")
		d := w.campaigned(4, func(d *message.Draft) { d.Keyword = "K1" })
		time.Sleep(time.Minute)
		var to []message.Number
		for _, m := range w.account.sent() {
			to = append(to, m.To)
		}
		require.ElementsMatch(t, []message.Number{"+14152000000", "+14152000003"}, to)
		for _, i := range []int{1, 2} {
			require.Equal(t, 21610, w.org.result(d[i].ID).ErrorCode)
			require.Contains(t, w.org.result(d[i].ID).ErrorMessage, "keyword")
		}
		require.Equal(t, 2, w.counted().Blocked)
	}, quick)
}

func TestWhatUsersAskForGoesBeforeACampaign(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.stop()
		w.campaigned(10)
		time.Sleep(time.Second)
		w.ask(draft(0), draft(1))
		w.run()
		time.Sleep(5 * time.Minute)
		require.Len(t, w.account.sent(), 12)
		for i, m := range w.account.sent()[:2] {
			require.Equal(t, fmt.Sprintf("hello %d", i), m.Body)
		}
	})
}

// What has failed comes no sooner for it.
func TestWhatIsTriedAgainOfACampaignStaysBehindWhatUsersAskFor(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.campaigned(2)
		time.Sleep(30 * time.Second)
		w.ask(draft(0))
		time.Sleep(time.Minute)
		w.account.locked(func() { w.account.err = nil })
		time.Sleep(5 * time.Minute)
		require.Len(t, w.account.sent(), 3)
		require.NotEqual(t, "hello 0", w.account.sent()[2].Body)
	}, func(w *world) {
		w.account.err = func(message.Outgoing) error { return fault.New(fault.Transient, "create", errReset) }
	})
}

func TestAPauseStopsWhatTwilioDoesNotTake(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.campaigned(10)
		time.Sleep(5 * time.Second)
		w.stops()
		time.Sleep(time.Second)
		w.account.locked(func() { w.account.err = nil })
		time.Sleep(time.Hour)
		require.Empty(t, w.account.sent())
		require.Equal(t, 10, w.counted().Waiting)
	}, func(w *world) {
		w.ports.Account = &slowRefusal{account: w.account, by: 3 * time.Second}
		w.account.err = func(message.Outgoing) error { return fault.New(fault.Throttled, "create", errReset) }
	})
}

// slowRefusal answers late.
type slowRefusal struct {
	*account
	by time.Duration
}

func (s *slowRefusal) Create(ctx context.Context, o message.Outgoing) (message.Message, error) {
	m, err := s.account.Create(ctx, o)
	time.Sleep(s.by)
	return m, err
}

func TestARestartAsksWhatCampaignsWantBeforeItSends(t *testing.T) {
	for ask, sent := range map[message.Ask]int{message.AskSend: 5, message.AskDraft: 0, message.AskCancel: 0} {
		t.Run(string(ask), func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.stop()
				w.campaigned(5, func(d *message.Draft) { d.Ask = message.AskSend })
				w.org.locked(func() {
					for id, d := range w.org.drafts {
						d.Ask = ask
						w.org.drafts[id] = d
					}
				})
				w.run()
				time.Sleep(5 * time.Minute)
				require.Len(t, w.account.sent(), sent)
				c := w.counted()
				require.Equal(t, []int{5 - sent, sent}, []int{c.Waiting, c.Accepted})
			}, quick)
		})
	}
}

func TestWhatAHumanDecidesAboutACampaignsMessageIsOnItsRecord(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := w.campaigned(3)
		time.Sleep(time.Hour)
		for i := range d {
			require.Equal(t, message.Uncertain, w.org.result(d[i].ID).Status)
		}
		require.Equal(t, 3, w.counted().Uncertain)
		w.account.locked(func() { w.account.fail = nil })
		require.NoError(t, w.Settle(t.Context(), d[0].ID, outbox.Decision{Again: true}))
		require.NoError(t, w.Settle(t.Context(), d[1].ID, outbox.Decision{}))
		time.Sleep(time.Minute)
		sent := w.account.sent()
		require.Len(t, sent, 1)
		require.Equal(t, sent[0].SID, w.org.result(d[0].ID).SID, "the record that says Uncertain gets the SID")
		require.Equal(t, outbox.Claim{Kind: outbox.Stranger, Bulk: bulk}, w.whose(sent[0]))
		require.Equal(t, "failed", w.org.result(d[1].ID).Status)
		c := w.counted()
		require.Equal(t, []int{1, 1, 1}, []int{c.Accepted, c.Refused, c.Uncertain})
	}, quick, func(w *world) {
		w.options.Hold = true
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

// A record of a campaign's message that is read by the poll is no draft.
func TestThePollMakesNoAttemptOfACampaignsKey(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := draft(0)
		d.ID, d.Bulk = campaign.Key(bulk, 1), bulk
		w.ask(d)
		time.Sleep(time.Minute)
		require.Empty(t, w.account.sent())
	})
}

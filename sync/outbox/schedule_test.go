package outbox_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

// later is a draft for a time.
func later(n int, in time.Duration) message.Draft {
	d := draft(n)
	d.SendAt = d.Modified.Add(in)
	return d
}

func TestAScheduledDraftIsSentAtItsTimeAsItIsThen(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := later(0, 3*time.Hour)
		w.ask(d)
		time.Sleep(3*time.Hour - time.Second)
		require.Zero(t, w.account.attempts())
		d.Body = "hello again"
		w.put(d) // a moment before, and no poll has seen it
		time.Sleep(3 * time.Second)
		require.Len(t, w.account.sent(), 1)
		require.Equal(t, "hello again", w.account.sent()[0].Body)
	})
}

func TestADraftIsNotSentOnceItNoLongerAsks(t *testing.T) {
	for name, change := range map[string]func(*message.Draft){
		"set back to Draft": func(d *message.Draft) { d.Ask = message.AskDraft },
		"canceled":          func(d *message.Draft) { d.Ask = message.AskCancel },
		"deleted":           func(d *message.Draft) { d.Deleted = true },
	} {
		for _, seen := range []string{"by the poll", "only when it is read again"} {
			t.Run(name+", seen "+seen, func(t *testing.T) {
				inBubble(t, func(t *testing.T, w *world) {
					asked := later(0, time.Hour)
					w.ask(asked)
					time.Sleep(time.Minute)
					changed := asked
					changed.Modified = time.Now().UTC().Truncate(time.Second)
					change(&changed)
					if seen == "by the poll" {
						w.ask(changed)
					} else {
						w.put(changed)
					}
					time.Sleep(2 * time.Hour)
					require.NoError(t, w.Take(t.Context(), []message.Draft{asked})) // read before, and late
					time.Sleep(2 * time.Hour)
					require.Zero(t, w.account.attempts())
					require.Empty(t, w.org.shown(), "the record says what its user wanted")

					d := draft(0) // and now it asks again
					w.ask(d)
					time.Sleep(time.Minute)
					w.once(1)
				})
			})
		}
	}
}

func TestADraftThatWaitsForItsTurnCanBeCalledOff(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		var all []message.Draft
		for n := range 10 {
			all = append(all, draft(n))
		}
		w.ask(all...)
		time.Sleep(1500 * time.Millisecond)
		last := all[9]
		last.Ask = message.AskCancel // in the same second, as Salesforce counts
		w.ask(last)
		time.Sleep(time.Minute)
		require.Len(t, w.account.sent(), 9)
	})
}

func TestAScheduledDraftMissedDuringAnOutageIsSentWhileItIsYoung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t)
		w.ask(later(0, time.Hour), later(1, 10*time.Hour))
		time.Sleep(14 * time.Hour) // nobody runs
		w.run()
		defer w.close()
		time.Sleep(time.Minute)
		require.Len(t, w.account.sent(), 1)
		require.Equal(t, "hello 1", w.account.sent()[0].Body)
		require.Equal(t, "failed", w.org.result(id(0)).Status)
		require.Contains(t, w.org.result(id(0)).ErrorMessage, "outbox.late_limit")
	})
}

func TestADraftWhoseTimeChangesGoesByTheNewOne(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(later(0, time.Hour))
		time.Sleep(30 * time.Minute)
		d := later(0, 2*time.Hour)
		w.ask(d)
		time.Sleep(time.Hour)
		require.Zero(t, w.account.attempts())
		time.Sleep(90 * time.Minute)
		w.once(1)
	})
}

func TestEachClassOfSendersHasItsPace(t *testing.T) {
	for name, c := range map[string]struct {
		sender string
		every  time.Duration
	}{
		"long code":  {string(long), time.Second},
		"toll-free":  {string(free), time.Second / 3},
		"short code": {string(short), 10 * time.Millisecond},
		"service":    {service, 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				var all []message.Draft
				for n := range 101 {
					d := draft(n)
					d.Sender = c.sender
					all = append(all, d)
				}
				w.ask(all...)
				time.Sleep(105 * c.every)
				time.Sleep(time.Minute)
				w.once(101)
				made := w.account.times()
				require.InEpsilon(t, float64(100*c.every), float64(made[100].Sub(made[0])), .01)
			}, func(w *world) { w.account.latency = 20 * time.Millisecond })
		})
	}
}

func TestASlowSenderHoldsUpNoOther(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		var all []message.Draft
		for n := range 50 {
			all = append(all, draft(n))
		}
		w.ask(all...)
		d := draft(50)
		d.Sender = string(other)
		w.ask(d)
		time.Sleep(2 * time.Second)
		require.Contains(t, []message.Number{w.account.sent()[0].From, w.account.sent()[1].From, w.account.sent()[2].From}, other)
	})
}

func TestDraftsGoBeforeCampaignsAtTheSamePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := outbox.NewPace(outbox.Rates{})
		began := time.Now()
		order := make(chan string, 30)
		for range 20 {
			go func() {
				if p.Turn(t.Context(), string(long), false) == nil {
					order <- "campaign"
				}
			}()
		}
		time.Sleep(1500 * time.Millisecond)
		go func() { // as a sender's line asks: one after the other
			for range 10 {
				if p.Turn(t.Context(), string(long), true) == nil {
					order <- "draft"
				}
			}
		}()
		var got []string
		for range 30 {
			got = append(got, <-order)
		}
		require.InDelta(t, 29, time.Since(began).Seconds(), 1)
		drafts := 0
		for _, who := range got[:14] { // two before they came, and one had its turn already
			if who == "draft" {
				drafts++
			}
		}
		require.Equal(t, 10, drafts, "%v", got)
	})
}

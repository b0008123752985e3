package campaign_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
)

func TestAPreviewSaysWhatWouldBeSentAndLeavesNothingBehind(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		c := asking(0)
		c.Status, c.Body, c.Keyword = campaign.Draft, "Hello {!Contact.FirstName}", "a0K000000000001AAA"
		w.org.locked(func() { w.org.records[c.ID] = c })
		for n := range 5000 {
			w.consent.locked(func() { w.consent.joined[number(n)], w.consent.out[number(n)] = n%10 != 6, n%10 == 5 })
		}
		for range 2 { // it can be repeated
			p, err := w.Preview(t.Context(), c.ID)
			require.NoError(t, err)
			require.Equal(t, []int{5000, 1500}, []int{p.Audience, p.Sent})
			require.Equal(t, map[campaign.Reason]int{
				campaign.NoNumber: 500, campaign.BadNumber: 500, campaign.Duplicate: 500, campaign.Blocked: 500, campaign.OptedOut: 500,
				campaign.NotOptedIn: 500, campaign.NoText: 500,
			}, p.LeftOut)
			require.Equal(t, 1500, p.Estimate.Recipients)
			require.Equal(t, 1500, p.Estimate.Segments)
			require.InDelta(t, 1500*.008, p.Estimate.Cost, 1e-6)
			require.Equal(t, 150*time.Second, p.Estimate.Duration)
			require.Len(t, p.Samples, 5)
			require.Equal(t, campaign.Sample{To: "+1212•••0000", Text: "Hello Ada0"}, p.Samples[0])
			require.Empty(t, p.Problems)
			require.Equal(t, "+1415•••0100", p.Sender)
			require.Zero(t, w.ledger.People())
		}
		time.Sleep(3 * time.Hour)
		require.Empty(t, w.post.letters())
		require.Zero(t, w.ledger.People())
		w.org.locked(func() {
			require.Empty(t, w.org.tellings)
			require.Equal(t, w.org.exports, w.org.finished)
			require.Equal(t, c, w.org.records[c.ID])
		})
		all, err := w.List(t.Context(), 10)
		require.NoError(t, err)
		require.Empty(t, all)
	}, audience(5000), func(w *world) {
		w.org.people, w.org.large = strange, true
		w.options.Price = price
	})
}

func price(context.Context) campaign.Price { return campaign.Price{Segment: .008, Unit: "USD"} }

func TestAPreviewNamesWhatIsWrong(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		c := asking(0)
		c.Body = "Hello {!Contact"
		w.org.locked(func() { w.org.records[c.ID] = c })
		p, err := w.Preview(t.Context(), c.ID)
		require.NoError(t, err)
		require.Len(t, p.Problems, 1)
		require.Contains(t, p.Problems[0], "Body: character 7")

		_, err = w.Preview(t.Context(), id(5))
		require.ErrorIs(t, err, campaign.ErrGone)

		c.Body = strings.Repeat("x", 158) + "{!Contact.FirstName}"
		w.org.locked(func() { w.org.records[c.ID] = c })
		p, err = w.Preview(t.Context(), c.ID)
		require.NoError(t, err)
		require.Contains(t, p.Problems[0], "take more segments")

		w.org.locked(func() { w.org.size = 0 })
		p, err = w.Preview(t.Context(), c.ID)
		require.NoError(t, err)
		require.Contains(t, p.Problems[0], "Nobody is in the audience")

		w.org.locked(func() { w.org.err = transient() })
		_, err = w.Preview(t.Context(), c.ID)
		require.Error(t, err)
		w.org.locked(func() { w.org.err = nil })
		_, err = w.Preview(t.Context(), c.ID)
		require.NoError(t, err, "a failed one stands in nobody's way")
	}, audience(3))
}

func TestAPreviewWhoseMakerWasKilledIsClearedAway(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		c := asking(0)
		w.org.locked(func() { w.org.records[c.ID] = c })
		k := w.mortal(4, true) // the second page, after the run and a page
		_, err := w.Preview(t.Context(), c.ID)
		require.Error(t, err)
		require.True(t, k.dead.Load())
		require.NotZero(t, w.ledger.People())
		w.stop()
		w.renew()
		w.run()
		time.Sleep(2 * time.Hour)
		require.Zero(t, w.ledger.People())
	}, audience(6000))
}

func TestACampaignIsListedWithoutItsTextAndWithMaskedNumbers(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(50 * time.Second)
		all, err := w.List(t.Context(), 10)
		require.NoError(t, err)
		require.Len(t, all, 1)
		l := all[0]
		require.Equal(t, []any{id(0), campaign.Sending, "+1415•••0100", true, true}, []any{l.Record, l.Status, l.Sender, l.Gathered, l.Told})
		require.Equal(t, 1000, l.Counts.Total())
		require.InDelta(t, 60, l.Lasts.Seconds(), 20)
	}, audience(1000))
}

func TestTheDeliverabilityOfACampaignIsCounted(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		for n := range 3000 {
			w.consent.locked(func() { w.consent.joined[number(n)], w.consent.out[number(n)] = n%10 != 6, n%10 == 5 })
		}
		asks := []campaign.Forecasting{{ID: members, Keyword: "a0K000000000001AAA"}}
		for range 3 { // the poll sees it again and again
			require.NoError(t, w.TakeForecasts(t.Context(), asks))
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		w.org.locked(func() {
			require.Equal(t, campaign.Forecast{
				Deliverable: 300, Undelivered: 300, Blocked: 300, Unknown: 600, NoMobile: 600, NotOptedIn: 600, Total: 3000,
			}, w.org.forecast[members])
			require.LessOrEqual(t, w.org.forecasts, 3)
		})
		require.Zero(t, w.ledger.People())
		require.Empty(t, w.post.letters())

		w.org.locked(func() { w.org.size, w.org.err = 10, transient() })
		require.NoError(t, w.TakeForecasts(t.Context(), asks))
		time.Sleep(10 * time.Minute)
		w.org.locked(func() { w.org.err = nil })
		time.Sleep(10 * time.Minute)
		w.org.locked(func() { require.Equal(t, 10, w.org.forecast[members].Total, "a failure is made up for") })
		require.Empty(t, w.health.Active())
	}, audience(3000), func(w *world) {
		w.org.people = func(n int) campaign.Person {
			p := strange(n)
			switch n % 10 {
			case 0:
				p.Last = "delivered"
			case 8:
				p.Last = "undelivered"
			}
			return p
		}
	})
}

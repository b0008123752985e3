package campaign_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/campaign/campaigntest"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

func TestProgressIsToldAtABoundedRateForAllCampaignsTogether(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		for n := range 5 {
			w.ask(asking(n))
			time.Sleep(2 * time.Second)
		}
		time.Sleep(10 * time.Minute)
		w.org.locked(func() {
			require.Less(t, len(w.org.toldAt), 10*60/15+20)
			for i := 1; i < len(w.org.toldAt); i++ {
				require.GreaterOrEqual(t, w.org.toldAt[i].Sub(w.org.toldAt[i-1]), 5*time.Second)
			}
			require.Less(t, w.org.calls, 5*10*60/15+50, "records and members go together")
		})
		for n := range 5 {
			require.InDelta(t, 1200, w.org.shows(id(n)).Counts.Accepted, 100)
		}
	}, audience(3000), paced(10))
}

func TestNothingIsToldTwice(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		c := asking(0)
		c.SendAt = time.Now().Add(100 * time.Hour)
		w.ask(c)
		for range 100 {
			time.Sleep(15 * time.Second)
			w.poll()
		}
		w.org.locked(func() { require.Len(t, w.org.toldAt, 1) })
	}, audience(10))
}

func TestStatusesAndAnswersAreCountedAfterACampaignIsOver(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(2 * time.Minute)
		require.Equal(t, campaign.Completed, w.org.shows(id(0)).Status)
		for n, status := range []message.Status{message.Delivered, message.Undelivered, message.Delivered} {
			require.NoError(t, w.ledger.Hear(t.Context(), campaigntest.News{SID: sidOf(n), Status: status}))
		}
		time.Sleep(5 * time.Minute)
		shown := w.org.shows(id(0))
		require.Equal(t, []int{2, 1, 7}, []int{shown.Counts.Delivered, shown.Counts.Undelivered, shown.Counts.Open})
		time.Sleep(10 * time.Hour)
		require.NoError(t, w.ledger.Hear(t.Context(), campaigntest.News{From: number(4), At: time.Now()}))
		time.Sleep(time.Hour + time.Minute)
		require.Equal(t, 1, w.org.shows(id(0)).Counts.Replied)
		require.Equal(t, campaign.Completed, w.org.shows(id(0)).Status)
		w.org.locked(func() {
			require.Equal(t, campaign.MemberResponded, w.org.answered[contact(4).Member])
			require.Equal(t, campaign.MemberSent, w.org.answered[contact(5).Member])
		})
		time.Sleep(100 * time.Hour)
		require.Equal(t, campaign.Never, w.ledger.Notice(id(0)).Due, "at last nothing more is done")
	}, audience(10))
}

// sidOf is the SID of the n-th message that was sent.
func sidOf(n int) message.SID { return message.SID(fmt.Sprintf("SM%032x", n+1)) }

func TestARecordThatRefusesItsNewsIsOneConditionAndTriedHourly(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(10 * time.Minute)
		w.once(100)
		require.Len(t, w.health.Active(), 1)
		require.Equal(t, "campaign-record", w.health.Active()[0].Name)
		require.NotEmpty(t, w.health.Active()[0].Remedy)
		var tried int
		w.org.locked(func() { tried = len(w.org.toldAt) })
		time.Sleep(10 * time.Hour)
		w.org.locked(func() {
			require.InDelta(t, tried+10, len(w.org.toldAt), 4)
			w.org.tellErr = nil
		})
		time.Sleep(2 * time.Hour)
		require.Equal(t, campaign.Completed, w.org.shows(id(0)).Status)
		require.Empty(t, w.health.Active())
	}, audience(100), func(w *world) {
		w.org.tellErr = func(campaign.Telling) error {
			return fault.New(fault.Permanent, "salesforce update", errors.New("a rule"))
		}
	})
}

func TestARecipientsRecordThatIsRefusedHoldsUpNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(10 * time.Minute)
		require.Equal(t, campaign.Completed, w.org.shows(id(0)).Status)
		require.Equal(t, "campaign-recipient-records", w.health.Active()[0].Name)
		w.org.locked(func() {
			require.Len(t, w.org.recorded, 49)
			require.Less(t, w.org.calls, 10, "it is not tried for ever")
		})
	}, audience(100), func(w *world) {
		w.org.people = func(n int) campaign.Person {
			p := contact(n)
			if n%2 == 0 {
				p.Phones = nil
			}
			return p
		}
		w.org.recErr = func(u campaign.Unsent) error {
			if u.Person == contact(4).Link {
				return fault.New(fault.Permanent, "salesforce upsert", errors.New("a rule"))
			}
			return nil
		}
	})
}

func TestWhatTheOutboxCouldNotSendIsWrittenByItsKey(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(time.Minute)
		key := w.post.letters()[0].key
		drafts, err := w.ReadDrafts(t.Context(), []string{key})
		require.NoError(t, err)
		require.Len(t, drafts, 1)
		outcomes, err := w.WriteBack(t.Context(), []message.Result{
			{ID: "a0C000000000009AAA:9", Status: "failed"}, {ID: key, Status: message.Uncertain, ErrorMessage: "who knows"},
		})
		require.NoError(t, err)
		require.Len(t, outcomes, 2)
		require.ErrorIs(t, outcomes[0], campaign.ErrGone)
		require.NoError(t, outcomes[1])
		w.org.locked(func() {
			require.Equal(t, message.Uncertain, w.org.recorded[key].Status)
			require.Equal(t, id(0), w.org.recorded[key].Campaign)
			w.org.err = transient()
		})
		_, err = w.WriteBack(t.Context(), []message.Result{{ID: key}})
		require.Error(t, err)
	}, audience(3))
}

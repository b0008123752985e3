package campaign_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
)

func TestWhatIsCanceledStaysSoThoughItsRecordDoesNotShowItYet(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(10 * time.Second)
		require.NoError(t, w.Command(t.Context(), id(0), campaign.Cancel))
		time.Sleep(time.Second)
		canceled := len(w.post.letters())
		require.NotZero(t, canceled)
		w.says(id(0), func(c *campaign.Campaign) { c.Name = "Summer" }) // it still says Send
		time.Sleep(time.Minute)
		require.Equal(t, canceled, len(w.post.letters())) //nolint:testifylint // the letters are too many to print
		w.org.locked(func() { w.org.tellErr = nil })
		time.Sleep(2 * time.Hour)
		require.Equal(t, campaign.Canceled, w.org.shows(id(0)).Status)
		w.poll()
		time.Sleep(time.Minute)
		require.Equal(t, canceled, len(w.post.letters())) //nolint:testifylint // the letters are too many to print

		w.says(id(0), func(c *campaign.Campaign) { c.Status = campaign.Send })
		time.Sleep(10 * time.Minute)
		w.once(1000)
	}, audience(1000), paced(10), func(w *world) {
		w.org.tellErr = func(campaign.Telling) error { return transient() }
	})
}

func TestARecordThatIsSetToCanceledOrDraftIsTextedNoMore(t *testing.T) {
	for _, status := range []campaign.Status{campaign.Canceled, campaign.Draft} {
		t.Run(string(status), func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.ask(asking(0))
				time.Sleep(20 * time.Second)
				w.says(id(0), func(c *campaign.Campaign) { c.Status = status })
				time.Sleep(time.Second)
				canceled := len(w.post.letters())
				require.NotZero(t, canceled)
				time.Sleep(10 * time.Minute)
				require.Equal(t, canceled, len(w.post.letters())) //nolint:testifylint // the letters are too many to print
				require.Equal(t, campaign.Canceled, w.org.shows(id(0)).Status)
			}, audience(2000), paced(10))
		})
	}
}

func TestAPauseStaysThoughItsRecordStillSaysResume(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(20 * time.Second)
		require.NoError(t, w.Command(t.Context(), id(0), campaign.Pause))
		time.Sleep(10 * time.Second)
		w.says(id(0), func(c *campaign.Campaign) { c.Command = campaign.Resume })
		require.NoError(t, w.Command(t.Context(), id(0), campaign.Pause)) // nobody has told the record yet
		time.Sleep(time.Second)
		paused := len(w.post.letters())
		require.NotZero(t, paused)
		for range 30 {
			w.poll()
			time.Sleep(10 * time.Second)
		}
		require.Equal(t, paused, len(w.post.letters())) //nolint:testifylint // the letters are too many to print
		require.Equal(t, campaign.Paused, w.org.shows(id(0)).Status)
		w.org.locked(func() { require.Empty(t, w.org.records[id(0)].Command, "it is obeyed") })

		w.says(id(0), func(c *campaign.Campaign) { c.Command = campaign.Resume })
		time.Sleep(10 * time.Second)
		require.Greater(t, len(w.post.letters()), paused)
	}, audience(2000), paced(10))
}

func TestACommandThatIsGivenAgainIsObeyedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(20 * time.Second)
		for range 3 {
			w.says(id(0), func(c *campaign.Campaign) { c.Command = campaign.Pause })
			time.Sleep(10 * time.Second)
			paused := len(w.post.letters())
			w.poll()
			time.Sleep(time.Minute)
			require.Equal(t, paused, len(w.post.letters())) //nolint:testifylint // the letters are too many to print
			require.NoError(t, w.Command(t.Context(), id(0), campaign.Resume))
			time.Sleep(10 * time.Second)
			require.Greater(t, len(w.post.letters()), paused)
		}
	}, audience(2000), paced(10))
}

func TestAResumeAtTheCommandLineStaysThoughItsRecordStillSaysPause(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(20 * time.Second)
		w.says(id(0), func(c *campaign.Campaign) { c.Command = campaign.Pause })
		require.NoError(t, w.Command(t.Context(), id(0), campaign.Resume)) // nobody has told the record yet
		w.poll()
		time.Sleep(10 * time.Minute)
		w.once(2000)
		w.org.locked(func() { require.Empty(t, w.org.records[id(0)].Command, "it is obeyed") })
	}, audience(2000), paced(10))
}

func TestACampaignOfWhichNobodyKnowsWhoWasSentToIsNotSentAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(92 * 24 * time.Hour)
		w.once(30)
		w.says(id(0), func(c *campaign.Campaign) { c.Status = campaign.Send })
		time.Sleep(time.Hour)
		w.once(30)
		shown := w.org.shows(id(0))
		require.Equal(t, campaign.Failed, shown.Status)
		require.Contains(t, shown.Problem, "Clone the record")
	}, audience(30), paced(10))
}

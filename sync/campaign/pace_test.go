package campaign_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
)

func TestACampaignKeepsItsPaceForTenMinutes(t *testing.T) {
	for name, pace := range map[string]struct{ sender, own, want float64 }{
		"its sender's":         {sender: 10, want: 10},
		"a quick sender's":     {sender: 40, want: 40},
		"its own":              {sender: 10, own: 3.7, want: 3.7},
		"its own, a slow one":  {sender: 10, own: .5, want: .5},
		"its own, a quick one": {sender: 100, own: 24, want: 24},
		"not above its sender": {sender: 5, own: 50, want: 5},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				c := asking(0)
				c.Rate = pace.own
				w.ask(c)
				time.Sleep(12 * time.Minute)
				all := w.post.letters()
				first := all[0].at
				n := 0
				for _, l := range all {
					if l.at.Sub(first) < 10*time.Minute {
						n++
					}
				}
				require.InEpsilon(t, pace.want*600, float64(n), .01)
			}, audience(int(pace.want*800)), paced(pace.sender))
		})
	}
}

func TestCampaignsOfOneSenderGoOnSideBySide(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		const runs = 5
		for n := range runs {
			w.ask(asking(n))
		}
		time.Sleep(4 * time.Minute)
		by := map[string]int{}
		for _, l := range w.post.letters() {
			by[l.key[:18]]++
		}
		for n := range runs {
			require.InDelta(t, 4*60*10/runs, by[id(n)], 4*60*10/runs*.2, "campaign %d", n)
		}
		require.InEpsilon(t, 4*60*10, len(w.post.letters()), .02, "and together at the sender's pace")
	}, audience(2000), paced(10))
}

func TestMoreCampaignsThanASlowSenderHasPlacesForAllGoOn(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		const runs = 20
		for n := range runs {
			w.ask(asking(n))
		}
		time.Sleep(10 * time.Minute)
		by := map[string]int{}
		for _, l := range w.post.letters() {
			by[l.key[:18]]++
		}
		for n := range runs {
			require.InDelta(t, 30, by[id(n)], 9, "campaign %d", n)
		}
		require.InEpsilon(t, 600, len(w.post.letters()), .05)
		w.post.locked(func() { require.LessOrEqual(t, w.post.longest, 5, "a stop must find few who are handed over") })
	}, audience(100), paced(1))
}

func TestCommandsAreObeyedWithinFiveSeconds(t *testing.T) {
	for name, say := range map[string]func(w *world, c campaign.Command){
		"on the record": func(w *world, c campaign.Command) {
			w.says(id(0), func(r *campaign.Campaign) { r.Command = c })
		},
		"at the command line": func(w *world, c campaign.Command) { require.NoError(w.t, w.Command(w.t.Context(), id(0), c)) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.ask(asking(0))
				time.Sleep(20 * time.Second)
				say(w, campaign.Pause)
				time.Sleep(time.Second)
				paused := len(w.post.letters())
				require.NotZero(t, paused)
				time.Sleep(4 * time.Second)
				require.Equal(t, campaign.Paused, w.org.shows(id(0)).Status)
				w.poll()
				time.Sleep(10 * time.Minute)
				require.Len(t, w.post.letters(), paused, "nobody is sent to in a pause")
				w.org.locked(func() { require.Empty(t, w.org.records[id(0)].Command, "it is obeyed") })

				say(w, campaign.Resume)
				time.Sleep(5 * time.Second)
				require.Greater(t, len(w.post.letters()), paused+20)
				require.Equal(t, campaign.Sending, w.org.shows(id(0)).Status)

				say(w, campaign.Cancel)
				time.Sleep(5 * time.Second)
				canceled := len(w.post.letters())
				require.Equal(t, campaign.Canceled, w.org.shows(id(0)).Status)
				time.Sleep(time.Hour)
				require.Len(t, w.post.letters(), canceled)
				shown := w.org.shows(id(0))
				require.Equal(t, canceled, shown.Counts.Accepted)
				require.Equal(t, 2000, shown.Counts.Total())
				require.ErrorIs(t, w.Command(t.Context(), id(0), campaign.Resume), campaign.ErrOver)
			}, audience(2000), paced(10))
		})
	}
}

func TestACommandForNoCampaignIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		require.ErrorIs(t, w.Command(t.Context(), id(7), campaign.Pause), campaign.ErrNoRun)
		require.ErrorIs(t, w.Command(t.Context(), id(7), "Faster"), campaign.ErrCommand)
	})
}

func TestAPauseHoldsAReadingToo(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(15 * time.Second)
		require.NoError(t, w.Command(t.Context(), id(0), campaign.Pause))
		time.Sleep(time.Hour)
		require.Empty(t, w.post.letters())
		require.Less(t, w.ledger.People(), 20_000)
		require.NoError(t, w.Command(t.Context(), id(0), campaign.Resume))
		time.Sleep(10 * time.Minute)
		w.once(20_000)
		w.org.locked(func() { require.Equal(t, 1, w.org.exports, "it goes on where it was") })
	}, audience(20_000), paced(100), func(w *world) {
		w.org.large = true
		w.org.reading = func(ctx context.Context, _ string) error {
			select {
			case <-time.After(5 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
}

func TestARateThatIsChangedUnderWayCounts(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(time.Minute)
		w.says(id(0), func(c *campaign.Campaign) { c.Rate = 2 })
		time.Sleep(5 * time.Second)
		before := len(w.post.letters())
		time.Sleep(time.Minute)
		require.InDelta(t, 120, len(w.post.letters())-before, 3)
	}, audience(5000), paced(10))
}

func TestWhoeverSaysStopInTheMiddleIsNotTexted(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(100*time.Second + time.Millisecond)
		synctest.Wait() // between two sends
		texted := map[message.Number]bool{}
		for _, l := range w.post.letters() {
			texted[l.to] = true
		}
		var stopped []message.Number
		for n := range 5000 {
			if !texted[number(n)] && len(stopped) < 500 {
				w.consent.stop(number(n))
				stopped = append(stopped, number(n))
			}
		}
		time.Sleep(time.Hour)
		for _, l := range w.post.letters() {
			require.False(t, slices.Contains(stopped, l.to), l.to)
		}
		shown := w.org.shows(id(0))
		require.Equal(t, campaign.Completed, shown.Status)
		require.Equal(t, []int{4500, 500, 500, 0, 5000}, []int{shown.Counts.Accepted, shown.Counts.Refused, shown.Counts.Blocked, shown.Counts.Skipped(), shown.Counts.Total()})
	}, audience(5000), paced(20))
}

// home is a place in which an audience lives, and its numbers.
type home struct {
	name  string
	phone func(n int) string
}

var homes = []home{
	{"America/New_York", func(n int) string { return string(number(n)) }},
	{"Europe/Berlin", func(n int) string { return "+4930" + string(number(n))[5:] }},
}

func TestNobodyIsTextedInTheirQuietHoursOverTheChangesOfClocks(t *testing.T) {
	for _, day := range []string{"2026-03-07", "2026-03-28", "2026-10-24", "2026-10-31"} { // the eves of the changes in both
		t.Run(day, func(t *testing.T) {
			begin, err := time.Parse(time.DateOnly, day)
			require.NoError(t, err)
			from(t, begin.Add(17*time.Hour+30*time.Minute), func(t *testing.T, w *world) { // noon in New York, evening in Berlin
				w.ask(asking(0))
				time.Sleep(48 * time.Hour)
				require.Equal(t, campaign.Completed, w.org.shows(id(0)).Status)
				all := w.post.letters()
				require.Len(t, all, 2000)
				places := map[string]*time.Location{}
				for _, z := range homes {
					places[z.name], err = time.LoadLocation(z.name)
					require.NoError(t, err)
				}
				evening, morning := map[string]int{}, map[string]time.Time{}
				for _, l := range all {
					name := homes[0].name
					if l.to[1] == '4' {
						name = homes[1].name
					}
					wall := l.at.In(places[name])
					require.True(t, wall.Hour() >= 8 && wall.Hour() < 21, "%s", wall)
					if wall.Day() == begin.Day() {
						evening[name]++
					} else if morning[name].IsZero() {
						morning[name] = wall
					}
				}
				for _, z := range homes {
					require.NotZero(t, evening[z.name], z.name)
					require.Equal(t, 8, morning[z.name].Hour(), "they are texted first thing in the morning: %s", z.name)
					require.Less(t, morning[z.name].Minute(), 2)
				}
			}, audience(2000), paced(.05), func(w *world) {
				w.org.people = func(n int) campaign.Person {
					p := contact(n)
					p.Phones = []string{homes[min(n%4, 1)^1].phone(n)} // a quarter of them in Berlin
					return p
				}
				var err error
				w.options.Quiet, err = campaign.ParseQuiet("21:00-08:00")
				require.NoError(w.t, err)
			})
		})
	}
}

func TestWhatWaitsInTheOutboxIsTakenBackWhenQuietHoursBegin(t *testing.T) {
	from(t, time.Date(2026, 6, 1, 20, 59, 30, 0, time.UTC), func(t *testing.T, w *world) {
		w.post.locked(func() { w.post.down = true })
		w.ask(asking(0))
		time.Sleep(10 * time.Second)
		handed, err := w.ledger.Handed(t.Context())
		require.NoError(t, err)
		require.NotEmpty(t, handed)
		time.Sleep(20 * time.Second)
		w.post.locked(func() { w.post.down = false })
		time.Sleep(10 * time.Hour)
		require.Empty(t, w.post.letters())
		time.Sleep(2 * time.Hour)
		w.once(100)
	}, audience(100), func(w *world) {
		w.options.Zone = time.UTC
		w.options.Quiet, _ = campaign.ParseQuiet("21:00-08:00")
	})
}

func TestWhatNobodyTriesIsTakenBackAndSentLater(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.post.locked(func() { w.post.down = true })
		w.ask(asking(0))
		var handed []string
		for range 10 {
			time.Sleep(45 * time.Second)
			drafts, err := w.ledger.Handed(t.Context())
			require.NoError(t, err)
			for _, d := range drafts {
				require.Less(t, time.Since(d.SendAt), 75*time.Second)
				if !slices.Contains(handed, d.ID) {
					handed = append(handed, d.ID)
				}
			}
		}
		w.post.locked(func() { w.post.down = false })
		time.Sleep(10 * time.Minute)
		w.once(200)
	}, audience(200))
}

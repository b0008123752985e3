package daemon_test

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
)

// fewKills is how often a daemon is killed in a run of all tests; TWILIOSF_KILLS
// asks for more.
const fewKills = 14

// number reads a number from the environment.
func number(t *testing.T, name string, fallback int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, name)
	return n
}

// A daemon that is killed at any moment loses nothing and doubles nothing: P2,
// P3, P4 and P10, with messages coming in and going out all the time.
func TestCrashesLoseNothingAndDoubleNothing(t *testing.T) {
	kills := number(t, "TWILIOSF_KILLS", fewKills)
	seed := uint64(number(t, "TWILIOSF_SEED", 1))
	w := newCrashWorld(t, seed)
	w.people.past(5, 60, 1200)
	d := &deck{kinds: kinds, rng: rand.New(rand.NewPCG(seed, 2))}
	timely := 0
	for n := range kills {
		if n%5 == 4 {
			w.live(t, d.stop())
		}
		if w.live(t, d.deal()) {
			timely++
		}
	}
	t.Logf("%d kills, %d of them at their moment", kills, timely)
	require.Greater(t, timely, kills/2, "too few kills came at their moment: the suite shows little")
	w.finish(t)
	w.requireEqual(t)
	t.Logf("%d calls of Twilio's were taken in; %+v", w.line.calls(), w.Twilio.WebhookCalls())
	require.Greater(t, w.line.calls(), 5*kills, "too few calls came through: the suite shows little")
}

// live runs one daemon to its end.
func (w *crashWorld) live(t *testing.T, m moment) (timely bool) {
	t.Helper()
	began := time.Now()
	w.people.burst()
	l := w.start(t, m)
	if m.name == "a day of a backfill" {
		w.order(t, l)
	}
	timely = l.await(t)
	w.quiesce()
	w.requireKept(t)
	t.Logf("%6.1fs %4d requests; %s (came: %t)", time.Since(began).Seconds(), l.all.Load(), m, timely)
	return timely
}

// order asks for a backfill, as an operator does, as soon as the daemon works.
func (w *crashWorld) order(t *testing.T, l *life) {
	t.Helper()
	select {
	case <-l.awake:
	case <-l.dead:
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := daemon.Dial(ctx, w.socket())
	if err != nil || c == nil {
		return // it is dead by now
	}
	now := time.Now()
	_, _ = c.Backfill(ctx, now.AddDate(0, 0, -6), now.AddDate(0, 0, -1)) // it may die before it answers
}

// finish lets a last daemon run until all is quiet.
func (w *crashWorld) finish(t *testing.T) {
	t.Helper()
	w.people.sleep()
	evening := time.Now()
	l := w.start(t, moment{name: "the last one", polite: true})
	select {
	case <-l.awake:
	case <-l.dead:
		require.Fail(t, "it ended by itself", l.said())
	}
	c, err := daemon.Dial(t.Context(), w.socket())
	require.NoError(t, err)
	require.NotNil(t, c)
	var last daemon.Status
	var compared sandbox.Comparison
	quiet := func() bool {
		if last, err = c.Status(t.Context()); err != nil {
			return false
		}
		compared = sandbox.Compare(w.Twilio, w.Org)
		return time.Since(evening) > lifeEnds && last.Counts.Waiting == 0 && last.Backfill == nil &&
			compared.Lost == len(w.people.unwantedNow())+len(w.mailing.refusals(w.Twilio)) && compared.Duplicated == len(w.mailing.unsent()) && compared.Stale == 0 && w.mailing.over()
	}
	require.Eventually(t, quiet, 3*time.Minute, 200*time.Millisecond, "%s: %v; %+v; %s", &compared, &compared.Examples, &last, l.log)
	l.came = true
	l.stop()
	require.True(t, l.await(t))
	w.quiesce()
}

package demo

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// talk lets people talk for a while in virtual time and gives what the account
// then holds, newest first.
func talk(t *testing.T, seed uint64, perSecond float64, d time.Duration) []twiliotest.Row {
	t.Helper()
	var rows []twiliotest.Row
	synctest.Test(t, func(t *testing.T) {
		tw := twiliotest.NewServer(twiliotest.Options{Seed: seed, Life: life()})
		defer tw.Close()
		ctx, cancel := context.WithTimeout(t.Context(), d)
		defer cancel()
		var told []string
		people := NewTraffic(tw, TrafficOptions{Seed: seed, PerSecond: perSecond, Said: func(sid string) { told = append(told, sid) }})
		people.Run(ctx)
		rows = slices.Collect(tw.Messages())
		require.Len(t, told, len(rows))
	})
	return rows
}

func TestPeopleWriteAndAreAnsweredAtTheAskedPace(t *testing.T) {
	rows := talk(t, 1, 4, 10*time.Minute)
	require.InEpsilon(t, 4*600, len(rows), 0.15)
	n := map[string]int{}
	for _, r := range rows {
		n[r.Direction]++
		n[r.Status]++
		if r.ServiceSID != "" {
			n["service"]++
		}
		if strings.HasPrefix(r.From, "whatsapp:") {
			n["chat"]++
			require.True(t, strings.HasPrefix(r.To, "whatsapp:"), "a chat has two ends")
		}
		if len(r.Media) > 0 {
			n["media"]++
		}
	}
	for _, what := range []string{"inbound", "outbound-api", "delivered", "undelivered", "failed", "received", "read", "sent", "service", "chat", "media"} {
		require.NotZero(t, n[what], what)
	}
}

func TestPeopleAnswerTheLineThatWroteToThem(t *testing.T) {
	wrote := map[[2]string]bool{}
	for _, r := range slices.Backward(talk(t, 2, 3, 5*time.Minute)) {
		wrote[[2]string{r.From, r.To}] = true
	}
	answered := 0
	for pair := range wrote {
		if wrote[[2]string{pair[1], pair[0]}] {
			answered++
		}
	}
	require.Greater(t, answered, len(wrote)/2)
}

func TestTheSameSeedTellsTheSameStory(t *testing.T) {
	story := func(seed uint64) (texts []string) {
		for _, r := range talk(t, seed, 3, time.Minute) {
			texts = append(texts, r.SID+r.From+r.To+r.Status+r.Body)
		}
		return texts
	}
	seventh := story(7)
	require.Equal(t, seventh, story(7))
	require.NotEqual(t, story(7), story(8))

	now := time.Now()
	past := history(7, now, 300)
	require.Equal(t, past, history(7, now, 300))
	require.NotEqual(t, history(7, now, 300), history(8, now, 300))
}

func TestTheAccountHasAPastOfAllKinds(t *testing.T) {
	now := time.Date(2025, 3, 14, 9, 26, 53, 0, time.UTC)
	rows := history(3, now, 600)
	require.GreaterOrEqual(t, len(rows), 600)
	n := map[string]int{}
	for i, r := range rows {
		n[r.Status+r.Direction]++
		if i > 0 {
			require.False(t, r.Created.Before(rows[i-1].Created), "oldest first")
		}
		require.WithinRange(t, r.Created, now.AddDate(0, 0, -historyDays), now.Add(-time.Minute))
		if r.Sent.IsZero() {
			require.WithinRange(t, r.Created, now.Add(-unsentSpan), now)
		}
		if len(r.Media) > 0 {
			n["media"]++
		}
		if strings.HasPrefix(r.To, "whatsapp:") {
			n["chat"]++
		}
		if r.ServiceSID != "" {
			n["service"]++
		}
	}
	for _, what := range []string{
		"inbound", "deliveredoutbound-api", "undeliveredoutbound-api", "failedoutbound-api", "canceledoutbound-api",
		"sentoutbound-api", "readoutbound-api", "media", "chat", "service",
	} {
		require.NotZero(t, n[what], what)
	}
	require.Greater(t, rows[len(rows)-1].Created.Sub(rows[0].Created), 2*24*time.Hour, "it spans days")

	tw := twiliotest.NewServer(twiliotest.Options{Now: func() time.Time { return now }})
	NewTraffic(tw, TrafficOptions{Seed: 3}).History(now, 600)
	require.Equal(t, len(rows), tw.Len())
}

func TestEveryPersonHasANumberThatIsKeptForFiction(t *testing.T) {
	fictitious := regexp.MustCompile(`^(whatsapp:)?(\+1[2-9][0-9]{2}55501[0-9]{2}|\+447700900[0-9]{3}|\+33639980[0-9]{3})$`)
	own := map[string]bool{frontDesk: true, sales: true, newYork: true, london: true, tollFree: true}
	for _, r := range append(history(4, time.Now(), 2000), talk(t, 4, 5, 2*time.Minute)...) {
		theirs := r.To
		if r.Direction == "inbound" {
			theirs = r.From
		}
		require.Regexp(t, fictitious, theirs)
		require.False(t, own[strings.TrimPrefix(theirs, chat)], "%s is our own", theirs)
	}
}

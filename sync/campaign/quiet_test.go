package campaign_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
)

func zones(t *testing.T, names ...string) []*time.Location {
	t.Helper()
	var all []*time.Location
	for _, name := range names {
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		all = append(all, zone)
	}
	return all
}

func clock(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	require.NoError(t, err)
	return at
}

func quietHours(t *testing.T, text string) campaign.Quiet {
	t.Helper()
	q, err := campaign.ParseQuiet(text)
	require.NoError(t, err, text)
	return q
}

func TestQuietHoursAreASpanOfTheDay(t *testing.T) {
	for text, want := range map[string]string{
		"21:00-08:00":     "21:00-08:00",
		" 21:00 - 8:00 ":  "21:00-08:00",
		"00:00-23:59":     "00:00-23:59",
		"12:30-13:15":     "12:30-13:15",
		"":                "",
		"  ":              "",
		"00:00-00:01":     "00:00-00:01",
		"23:59-00:00":     "23:59-00:00",
		"\t21:00-08:00\n": "21:00-08:00",
	} {
		require.Equal(t, want, quietHours(t, text).String(), "%q", text)
	}
	for text, want := range map[string]string{
		"21:00":             "is no span",
		"21:00–08:00":       "is no span",
		"21-8":              `"21" of the quiet hours "21-8" is no time`,
		"24:00-08:00":       `"24:00" of the quiet hours`,
		"21:00-08:60":       `"08:60" of the quiet hours`,
		"21:00-":            `"" of the quiet hours`,
		"-08:00":            `"" of the quiet hours`,
		"21:00-08:00-09:00": `"08:00-09:00" of the quiet hours`,
		"9pm-8am":           `"9pm" of the quiet hours`,
		"08:00-08:00":       "begin and end at the same time",
		"00:00-0:00":        "begin and end at the same time",
	} {
		_, err := campaign.ParseQuiet(text)
		require.ErrorContains(t, err, want, text)
	}
}

func TestNobodyIsTextedInTheirQuietHours(t *testing.T) {
	const (
		newYork = "America/New_York"
		berlin  = "Europe/Berlin"
		howe    = "Australia/Lord_Howe" // its clocks change by half an hour
	)
	for _, c := range []struct{ quiet, zone, at, want string }{
		{"21:00-08:00", newYork, "2026-07-01T20:59:59.9-04:00", "2026-07-01T20:59:59.9-04:00"},
		{"21:00-08:00", newYork, "2026-07-01T21:00:00-04:00", "2026-07-02T08:00:00-04:00"},
		{"21:00-08:00", newYork, "2026-07-01T23:59:59.5-04:00", "2026-07-02T08:00:00-04:00"},
		{"21:00-08:00", newYork, "2026-07-02T00:00:00-04:00", "2026-07-02T08:00:00-04:00"},
		{"21:00-08:00", newYork, "2026-07-02T07:59:59-04:00", "2026-07-02T08:00:00-04:00"},
		{"21:00-08:00", newYork, "2026-07-02T08:00:00-04:00", "2026-07-02T08:00:00-04:00"},
		{"21:00-08:00", newYork, "2026-07-02T01:15:00Z", "2026-07-02T12:00:00Z"},
		{"12:00-13:30", newYork, "2026-07-02T12:45:10-04:00", "2026-07-02T13:30:00-04:00"},
		{"12:00-13:30", newYork, "2026-07-02T13:30:00-04:00", "2026-07-02T13:30:00-04:00"},
		{"", newYork, "2026-07-02T03:00:00-04:00", "2026-07-02T03:00:00-04:00"},

		// Clocks go from 02:00 to 03:00.
		{"21:00-08:00", newYork, "2026-03-07T22:00:00-05:00", "2026-03-08T08:00:00-04:00"},
		{"21:00-02:30", newYork, "2026-03-08T01:00:00-05:00", "2026-03-08T03:00:00-04:00"},
		{"21:00-02:00", newYork, "2026-03-08T01:30:00-05:00", "2026-03-08T03:00:00-04:00"},
		{"21:00-03:00", newYork, "2026-03-08T01:30:00-05:00", "2026-03-08T03:00:00-04:00"},
		{"02:15-02:45", newYork, "2026-03-08T01:59:59-05:00", "2026-03-08T01:59:59-05:00"},
		{"02:15-02:45", newYork, "2026-03-08T03:00:00-04:00", "2026-03-08T03:00:00-04:00"},
		{"02:15-04:00", newYork, "2026-03-08T03:00:00-04:00", "2026-03-08T04:00:00-04:00"},
		{"22:00-08:00", berlin, "2026-03-28T22:30:00+01:00", "2026-03-29T08:00:00+02:00"},
		{"21:00-02:30", berlin, "2026-03-29T01:15:00+01:00", "2026-03-29T03:00:00+02:00"},
		{"21:00-02:15", howe, "2026-10-04T01:00:00+10:30", "2026-10-04T02:30:00+11:00"},
		{"21:00-08:00", howe, "2026-10-03T23:00:00+10:30", "2026-10-04T08:00:00+11:00"},

		// Clocks go from 02:00 back to 01:00: from 01:00 to 02:00 is there twice.
		{"21:00-08:00", newYork, "2026-10-31T22:00:00-04:00", "2026-11-01T08:00:00-05:00"},
		{"21:00-01:30", newYork, "2026-11-01T00:50:00-04:00", "2026-11-01T01:30:00-04:00"},
		{"21:00-01:30", newYork, "2026-11-01T01:45:00-04:00", "2026-11-01T01:45:00-04:00"},
		{"21:00-01:30", newYork, "2026-11-01T01:10:00-05:00", "2026-11-01T01:30:00-05:00"},
		{"21:00-02:00", newYork, "2026-11-01T01:30:00-04:00", "2026-11-01T02:00:00-05:00"},
		{"21:00-01:00", newYork, "2026-11-01T00:30:00-04:00", "2026-11-01T01:00:00-04:00"},
		{"22:00-08:00", berlin, "2026-10-24T23:00:00+02:00", "2026-10-25T08:00:00+01:00"},
		{"21:00-03:00", berlin, "2026-10-25T02:10:00+02:00", "2026-10-25T03:00:00+01:00"},
		{"21:00-01:45", howe, "2026-04-05T01:00:00+11:00", "2026-04-05T01:45:00+11:00"},
		{"21:00-01:45", howe, "2026-04-05T01:30:00+10:30", "2026-04-05T01:45:00+10:30"},
		{"21:00-02:00", howe, "2026-04-05T01:50:00+11:00", "2026-04-05T02:00:00+10:30"},

		// Clocks never change.
		{"21:00-08:00", "Asia/Kolkata", "2026-03-08T23:59:59.5+05:30", "2026-03-09T08:00:00+05:30"},
		{"21:00-08:00", "America/Phoenix", "2026-03-08T01:30:00-07:00", "2026-03-08T08:00:00-07:00"},
		{"21:00-08:00", "UTC", "2026-11-01T05:00:00Z", "2026-11-01T08:00:00Z"},
	} {
		at := clock(t, c.at)
		got := quietHours(t, c.quiet).Next(at, zones(t, c.zone))
		require.True(t, clock(t, c.want).Equal(got), "%s in %s at %s: %s instead of %s", c.quiet, c.zone, c.at, got.In(zones(t, c.zone)[0]), c.want)
		require.Equal(t, at.Location(), got.Location())
	}
}

// Minute by minute around every change of clocks: nothing is quiet at the answer, and
// all is before it.
func TestTheFirstMomentIsTheFirst(t *testing.T) {
	changes := map[string][]string{
		"America/New_York":    {"2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"},
		"Europe/Berlin":       {"2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"},
		"Australia/Lord_Howe": {"2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z"},
		"America/St_Johns":    {"2026-03-08T05:30:00Z"},
		"Asia/Kolkata":        {"2026-03-08T00:00:00Z"},
	}
	for name, all := range changes {
		zone := zones(t, name)
		for _, text := range []string{"21:00-08:00", "21:00-02:00", "22:30-01:45", "01:15-02:15", "02:00-03:00", "01:30-01:00"} {
			q := quietHours(t, text)
			for _, change := range all {
				begin := clock(t, change).Add(-14 * time.Hour)
				next := begin.Add(72 * time.Hour)
				for minute := 40 * 60; minute >= 0; minute-- { // from the back: what is not quiet is its own answer
					at := begin.Add(time.Duration(minute) * time.Minute)
					if !shown(at.In(zone[0]), text) {
						next = at
					}
					if next.Before(begin.Add(40 * time.Hour)) {
						require.True(t, next.Equal(q.Next(at, zone)), "%s in %s at %s", text, name, at)
					}
				}
			}
		}
	}
}

// shown says whether a clock shows a quiet time. The texts sort as the times do.
func shown(wall time.Time, span string) bool {
	now, from, to := wall.Format("15:04"), span[:5], span[6:]
	if from < to {
		return from <= now && now < to
	}
	return from <= now || now < to
}

func TestANumberOfManyZonesWaitsForAllOfThem(t *testing.T) {
	coasts := zones(t, "America/New_York", "America/Chicago", "America/Los_Angeles")
	q := quietHours(t, "21:00-08:00")
	for at, want := range map[string]string{
		"2026-07-01T12:30:00Z": "2026-07-01T15:00:00Z", // morning in New York, and not yet in Los Angeles
		"2026-07-01T18:00:00Z": "2026-07-01T18:00:00Z",
		"2026-07-02T00:59:00Z": "2026-07-02T00:59:00Z",
		"2026-07-02T01:00:00Z": "2026-07-02T15:00:00Z", // evening in New York
	} {
		require.True(t, clock(t, want).Equal(q.Next(clock(t, at), coasts)), at)
	}
	now := clock(t, "2026-07-02T03:00:00Z")
	require.Equal(t, now, q.Next(now, nil), "where nothing is known, nothing is quiet")
}

func TestWhereNoHourSuitsAllTheBestOneIsTaken(t *testing.T) {
	world := zones(t, "America/New_York", "America/Los_Angeles", "Pacific/Guam")
	q := quietHours(t, "18:00-10:00") // New York answers from 14:00Z to 22:00Z, Guam from 00:00Z to 08:00Z, Los Angeles from 17:00Z to 01:00Z
	for at, want := range map[string]string{
		"2026-07-01T12:00:00Z": "2026-07-01T17:00:00Z",
		"2026-07-01T18:30:00Z": "2026-07-01T18:30:00Z",
		"2026-07-01T23:30:00Z": "2026-07-02T00:00:00Z",
		"2026-07-02T02:00:00Z": "2026-07-02T17:00:00Z",
	} {
		require.True(t, clock(t, want).Equal(q.Next(clock(t, at), world)), at)
	}
}

func FuzzParseQuiet(f *testing.F) {
	for _, seed := range []string{"", "21:00-08:00", "1:1-1:2", "00:00-23:59", "a-b", "-", "21:00-08:00-"} {
		f.Add(seed, int64(1_772_953_200), uint8(0))
	}
	names := []string{"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"}
	f.Fuzz(func(t *testing.T, text string, seconds int64, zone uint8) {
		q, err := campaign.ParseQuiet(text)
		if err != nil {
			return
		}
		again, err := campaign.ParseQuiet(q.String())
		require.NoError(t, err)
		require.Equal(t, q, again)
		at := time.Unix(seconds%4_000_000_000, 0)
		one := zones(t, names[int(zone)%len(names)])
		next := q.Next(at, one)
		require.False(t, next.Before(at))
		require.Less(t, next.Sub(at), 26*time.Hour)
		require.Equal(t, next, q.Next(next, one), "the answer is not quiet")
	})
}

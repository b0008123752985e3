package schedule_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/schedule"
)

func TestExpressions(t *testing.T) {
	from := time.Date(2026, 6, 10, 16, 34, 0, 0, time.UTC) // a Wednesday
	for spec, want := range map[string]string{
		"CRON_TZ=UTC 0 3 * * *":               "2026-06-11 03:00",
		"TZ=UTC */15 8-18 * * MON-FRI":        "2026-06-10 16:45",
		"CRON_TZ=America/New_York 0 13 * * *": "2026-06-10 17:00",
		"CRON_TZ=UTC 0 0 29 2 *":              "2028-02-29 00:00",
		"CRON_TZ=UTC @daily":                  "2026-06-11 00:00",
		" @every 1h30m ":                      "2026-06-10 18:04",
		schedule.Every(24 * time.Hour):        "2026-06-11 16:34",
	} {
		when, err := schedule.Parse(spec)
		require.NoError(t, err, spec)
		require.Equal(t, want, when.Next(from).UTC().Format("2006-01-02 15:04"), spec)
	}
}

func TestExpressionsThatAreRefused(t *testing.T) {
	for spec, why := range map[string]string{
		"":                            "empty",
		"0 3 * *":                     "5 fields",
		"0 0 3 * * *":                 "5 fields",
		"61 * * * *":                  "61",
		"*/0 * * * *":                 "step",
		"0 0 30 2 *":                  "never",
		"0 0 , * *":                   "never",
		"@yearly-ish":                 "@yearly-ish",
		"@every soon":                 "soon",
		"@every 500ms":                "shortest",
		"@every -5m":                  "shortest",
		"@every 0s":                   "shortest",
		"CRON_TZ=UTC":                 "time zone",
		"TZ=":                         "time zone",
		"CRON_TZ=Mars/Base 0 3 * * *": "Mars/Base",
	} {
		_, err := schedule.Parse(spec)
		var wrong *schedule.Error
		require.ErrorAs(t, err, &wrong, spec)
		require.Equal(t, spec, wrong.Spec)
		require.ErrorContains(t, err, why, spec)
		require.ErrorContains(t, err, "five fields", "the remedy")
	}
}

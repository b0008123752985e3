package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/mirror"
)

func TestABackfillsRangeIsReadAsPeopleWriteIt(t *testing.T) {
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	day := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-01-31": day, "2026-01-31T08:00:00+02:00": day.Add(6 * time.Hour),
		"30d": now.AddDate(0, 0, -30), "30d ago": now.AddDate(0, 0, -30),
	} {
		got, err := moment(text, now)
		require.NoError(t, err, text)
		require.True(t, want.Equal(got), "%s is %s", text, got)
	}
	for _, text := range []string{"", "30", "30dxyz", "-3d", "0d", "d", "yesterday", "2026-02-30", "2026-01-31 08:00"} {
		_, err := moment(text, now)
		require.Error(t, err, text)
	}
	_, _, err := period("", "", now)
	require.ErrorContains(t, err, "--since")
	_, _, err = period("2026-03-01", "2026-02-01", now)
	require.ErrorContains(t, err, "before --until")
}

func TestScriptsReadABackfillsFiguresByNamesInSnakeCase(t *testing.T) {
	out, err := json.Marshal(mirror.Status{Progress: mirror.Progress{Days: 4, Done: 1, Seen: 7, Changed: 2}, Share: 0.25})
	require.NoError(t, err)
	require.JSONEq(t, `{"days":4,"done":1,"seen":7,"changed":2,"share":0.25}`, string(out))
}

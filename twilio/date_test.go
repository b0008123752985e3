package twilio

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDatesAreReadAsTwilioWritesThem(t *testing.T) {
	at := time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC)
	for _, c := range []struct {
		text string
		want time.Time
	}{
		{"Thu, 29 Feb 2024 23:59:59 +0000", at},
		{"Thu, 29 Feb 2024 23:59:59 -0000", at},
		{"Thu, 29 Feb 2024 15:59:59 -0800", at},
		{"Fri, 1 Mar 2024 00:00:00 +0000", at.Add(time.Second)},
		{"Fri, 01 Mar 2024 00:00:00 +0000", at.Add(time.Second)},
		{"2024-02-29T23:59:59Z", at},
		{"2024-02-29T23:59:59.75Z", at},
	} {
		got, err := parseDate([]byte(c.text))
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, got, c.text)
	}
	for _, text := range []string{
		"x", "Thu, 29 Feb 2023 23:59:59 +0000", "Thu, 31 Apr 2024 23:59:59 +0000", "Thu, 00 Feb 2024 23:59:59 +0000",
		"Thu, 29 Feb 2024 24:00:00 +0000", "Thu, 29 Feb 2024 23:60:00 +0000", "Thu, 29 Feb 2024 23:59:60 +0000",
		"Xxx, 29 Feb 2024 23:59:59 +0000", "Thu, 29 Xxx 2024 23:59:59 +0000", "Thu, 29 Feb 2O24 23:59:59 +0000",
		"1456790399", "29/02/2024",
	} {
		_, err := parseDate([]byte(text))
		require.Error(t, err, text)
		require.NotContains(t, err.Error(), text)
	}
}

func TestTheQuickWayTakesTheUsualDate(t *testing.T) {
	for d := time.Date(1999, 12, 1, 5, 6, 7, 0, time.UTC); d.Year() < 2001; d = d.AddDate(0, 0, 1) {
		got, quick := parseUsual([]byte(d.Format(time.RFC1123Z)))
		require.True(t, quick, d)
		require.Equal(t, d, got)
	}
}

func FuzzDate(f *testing.F) {
	for _, seed := range []string{
		"Thu, 30 Jul 2015 20:12:31 +0000", "Mon, 31 Feb 2015 20:12:31 +0000", "Sun, 00 Jan 0000 00:00:00 +0000",
		"sun, 01 jan 0001 00:00:00 +0100", "Thu, 30 Jul 2015 20:12:31.5 +0000", "", "2026-01-02T03:04:05Z",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, wantErr := time.Parse(time.RFC1123Z, text)
		if got, quick := parseUsual([]byte(text)); quick {
			require.NoError(t, wantErr, "the quick way takes nothing else")
			require.Equal(t, want.UTC(), got)
		}
		got, err := parseDate([]byte(text))
		if wantErr == nil {
			require.NoError(t, err)
			require.Equal(t, want.UTC().Truncate(time.Second), got)
		}
	})
}

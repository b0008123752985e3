package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/config"
)

func TestTheArchiveIsOffAndDeletesNothingUntilItIsToldTo(t *testing.T) {
	t.Parallel()
	require.Equal(t, config.Archive{
		After: 365 * 24 * time.Hour, To: "file:///var/lib/twiliosf/archive", Directions: []string{}, Statuses: []string{}, BudgetShare: 0.8,
	}, load(t, minimal).Archive)
	a := load(t, minimal+"archive: {cron: \"0 3 * * *\", delete: true, hard_delete: true, to: \"s3://bucket?region=eu-central-1\", directions: [inbound]}\n").Archive
	require.True(t, a.Delete && a.HardDelete)
	require.Equal(t, "0 3 * * *", a.Cron)
}

func TestEachSlipInTheArchivesKeysIsNamed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{cron: "61 3 * * *"}`:               "61",
		`{after: 1d}`:                        "sync.lookback",
		`{to: "/var/lib/archive"}`:           "is no URL",
		`{to: "file:relative"}`:              "is no folder",
		`{to: "ftp://host/x"}`:               "no target",
		`{to: "s3://key:secret@bucket"}`:     "holds credentials",
		`{delete: "yes"}`:                    "neither true nor false",
		`{delete: yes}`:                      "neither true nor false",
		`{hard_delete: true}`:                "without delete",
		`{hold_field: "x y"}`:                "API name",
		`{directions: [in]}`:                 "no direction",
		`{where: "A = 1; DELETE"}`:           "semicolon",
		`{budget_share: 0}`:                  "above 0",
		`{cron: "0 3 * * *", deleted: true}`: "delete",
	} {
		require.Contains(t, refusal(t, minimal+"archive: "+text+"\n"), want, text)
	}
}

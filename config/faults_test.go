package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/config"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Each file in testdata/faults is a configuration with one slip. What the
// operator reads is beside it.
func TestEachSlipGetsOneClearFault(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/faults/*.yaml")
	require.NoError(t, err)
	require.Greater(t, len(files), 100)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			got := faultsOf(t, file)
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
			if filepath.Base(file) != "ten-faults.yaml" {
				require.Equal(t, 1, strings.Count(got, "\n"), "one slip, one fault:\n%s", got)
			}
			requireNoSecret(t, got)
		})
	}
}

func TestTenFaultsAreReportedAtOnceInTheirOrder(t *testing.T) {
	t.Parallel()
	_, err := config.Load("testdata/faults/ten-faults.yaml", nil)
	var faults config.Faults
	require.ErrorAs(t, err, &faults)
	require.Len(t, faults, 10)
	for i := range faults[1:] {
		require.LessOrEqual(t, faults[i].Line, faults[i+1].Line)
	}
}

func TestAFileFullOfFaultsIsNotRepeatedWhole(t *testing.T) {
	t.Parallel()
	text := minimal
	for range 500 {
		text += "wednesday: 1\n"
	}
	lines := strings.Split(refusal(t, text), "\n")
	require.Len(t, lines, 101)
	require.Equal(t, "400 more faults; correct these first", strings.TrimSpace(lines[100]))
}

// Such a file is too long to try every beginning of it.
func TestTheBadLineOfALongFileIsFound(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.Repeat("wednesday: 1\n", 15_000), "\n")
	lines[9_000] = "\tthursday: 1"
	require.Equal(t, "9001:1: a tab in the indentation; indent with spaces", refusal(t, strings.Join(lines, "\n")))
}

// faultsOf is what an operator reads for file.
func faultsOf(t *testing.T, file string) string {
	t.Helper()
	cfg, err := config.Load(file, nil)
	require.Nil(t, cfg)
	var faults config.Faults
	require.ErrorAs(t, err, &faults)
	return err.Error() + "\n"
}

// requireNoSecret looks for the values that the test files have as secrets.
func requireNoSecret(t *testing.T, text string) {
	t.Helper()
	for _, s := range []string{"not-a-real", "918273645918", "4155550100", "0123456789abcdef"} {
		require.NotContains(t, text, s)
	}
}

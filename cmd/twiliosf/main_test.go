package main

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/config"
	"github.com/twiliosf/twiliosf/sync/store"
)

func TestScriptsAndSystemdTellFailuresApartByTheExitCode(t *testing.T) {
	some := errors.New("some trouble")
	for name, c := range map[string]struct {
		err  error
		code int
	}{
		"it worked":                          {nil, 0},
		"anything else":                      {some, 1},
		"a wrong command line":               {usageError{some}, 2},
		"another process holds the store":    {&store.HeldError{}, 75},
		"a daemon's wrong configuration":     {&daemon.ConfigError{}, 78},
		"a file with faults":                 {config.Faults{{}}, 78},
		"wrapped, the store is still held":   {fmt.Errorf("start: %w", &store.HeldError{}), 75},
		"joined, the file is still at fault": {errors.Join(some, config.Faults{{}}), 78},
	} {
		require.Equal(t, c.code, exitCode(c.err), name)
	}
}

func TestAWrongCommandLineEndsWithTwo(t *testing.T) {
	for _, args := range [][]string{
		{"nonsense"}, {"--nonsense"}, {"status", "now"}, {"backfill"}, {"quarantine", "retry"},
		{"quarantine", "drop", "--all", "SM1"}, {"quarantine", "nonsense"},
	} {
		require.Equal(t, 2, run(args, io.Discard, io.Discard), "%q", args)
	}
	require.Equal(t, 78, run([]string{"config", "check", "--config", t.TempDir() + "/missing.yaml"}, io.Discard, io.Discard))
	require.Equal(t, 0, run([]string{"version"}, io.Discard, io.Discard))
}

package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asCommand makes the test binary the program itself.
const asCommand = "TWILIOSF_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// shell runs lines of the README in an empty folder, in which twiliosf is this
// very program.
type shell struct {
	dir string
	env []string
}

func newShell(t *testing.T) *shell {
	t.Helper()
	dir, err := os.MkdirTemp("", "twiliosf") //nolint:usetesting // its folder is too long for a socket's path
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "bin"), 0o700))
	require.NoError(t, os.Symlink(self, filepath.Join(dir, "bin", "twiliosf")))
	return &shell{dir: dir, env: append(os.Environ(), asCommand+"=1", "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))}
}

func (s *shell) command(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd
}

// begin starts a line that stays, and waits for the words it is ready with.
func (s *shell) begin(t *testing.T, line, words string) {
	t.Helper()
	cmd := s.command(context.Background(), "exec "+line)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		require.NoError(t, cmd.Wait(), "%s ends cleanly", line)
	})
	for said := bufio.NewScanner(out); words != "" && said.Scan(); {
		if strings.Contains(said.Text(), words) {
			return
		}
	}
	require.Empty(t, words, "%s has ended", line)
}

// setUpLines are the lines of the section, without its comments.
func setUpLines(t *testing.T) (lines []string) {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(readme), "\n## Set up in ten minutes\n")
	require.True(t, found)
	_, block, found := strings.Cut(section, "```sh\n")
	require.True(t, found)
	block, _, found = strings.Cut(block, "```")
	require.True(t, found)
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, " #")
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

func TestWhoFollowsTheReadmeHasADaemonThatRuns(t *testing.T) {
	s := newShell(t)
	done := map[string]bool{}
	for _, line := range setUpLines(t) {
		stays := strings.HasSuffix(line, "&")
		line = strings.TrimSpace(strings.TrimSuffix(line, "&"))
		words := strings.Fields(line)
		switch {
		case words[0] == "make": // this is what was built
		case stays && words[1] == "sandbox":
			// The usual ports may be taken on the machine that tests this.
			s.begin(t, line+` --twilio 127.0.0.1:0 --salesforce 127.0.0.1:0 --webhook ""`, "configuration: ")
		case stays:
			s.begin(t, line, "")
		case words[len(words)-1] == "status":
			require.Eventually(t, func() bool {
				out, err := s.command(t.Context(), line).CombinedOutput()
				return err == nil && strings.Contains(string(out), ", ready") && strings.Contains(string(out), ", 0 waiting") && !strings.Contains(string(out), "\nmessages       0 known")
			}, time.Minute, 500*time.Millisecond)
		default:
			out, err := s.command(t.Context(), line).CombinedOutput()
			require.NoError(t, err, "%s\n%s", line, out)
			require.NotContains(t, string(out), "FAIL")
		}
		for _, w := range words {
			done[w] = true
		}
	}
	for _, command := range []string{"sandbox", "deploy", "check", "run", "status"} {
		require.True(t, done[command], "the README no longer shows %s", command)
	}
}

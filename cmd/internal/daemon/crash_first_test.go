package daemon_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// fewFirstKills and fewKills together are what all tests may spend on kills.
const fewFirstKills = 6

// A daemon that is killed while it makes its store is as good as never started:
// the next one makes the rest.
func TestCrashesWhileTheStoreIsMade(t *testing.T) {
	w := newCrashWorld(t, 3)
	commits := w.commitsUntilLogin(t)
	if os.Getenv("TWILIOSF_KILLS") == "" {
		commits = commits[:min(fewFirstKills, len(commits))]
	}
	for _, n := range commits {
		w.renew(t)
		l := w.start(t, moment{name: "a commit of the first start", end: fmt.Sprintf("commit:%d", n)})
		require.True(t, l.await(t))
		w.quiesce()
		w.requireKept(t)
		again := w.start(t, moment{name: "the second start", of: isOpenWalk, n: 1, when: before, lost: true})
		require.True(t, again.await(t), "killed at commit %d, it does not begin to work: %s", n, again.said())
		w.quiesce()
		w.requireKept(t)
	}
	t.Logf("%d kills", len(commits))
}

// commitsUntilLogin are the numbers of the commits that a first start makes
// before it asks for anything, shuffled.
func (w *crashWorld) commitsUntilLogin(t *testing.T) []int {
	t.Helper()
	n := 1
	for ; ; n *= 2 {
		w.renew(t)
		l := w.start(t, moment{name: "the first login", of: isLogin, n: 1, when: before, lost: true, end: fmt.Sprintf("commit:%d", n)})
		require.True(t, l.await(t))
		w.quiesce()
		if l.came {
			break
		}
	}
	commits := rand.New(rand.NewPCG(3, 3)).Perm(n)
	for i := range commits {
		commits[i]++
	}
	return commits
}

// renew takes the store away.
func (w *crashWorld) renew(t *testing.T) {
	t.Helper()
	w.line.renew()
	files, err := filepath.Glob(filepath.Join(w.dir, "twiliosf.db*"))
	require.NoError(t, err)
	for _, f := range files {
		require.NoError(t, os.Remove(f))
	}
}

package daemon_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"modernc.org/sqlite"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/config"
)

// The test binary is a daemon when the first variable names a configuration.
// The second one says at which commit ("commit:3") or row ("row:70") of its
// store the daemon kills itself.
const (
	childConfig = "TWILIOSF_TEST_DAEMON"
	childEnd    = "TWILIOSF_TEST_END"
	// childSends makes it look for drafts, and settle what is uncertain, in seconds.
	childSends = "TWILIOSF_TEST_SENDS"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childConfig); path != "" {
		os.Exit(child(path))
	}
	os.Exit(m.Run())
}

// child is the daemon that is killed. It ends with 0 after a clean stop.
func child(path string) int {
	go func() { // the parent holds the other end: no daemon outlives its test
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	dieAt(os.Getenv(childEnd))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	d, err := daemon.New(ctx, daemon.Options{Load: func() (*config.Config, error) { return quick(path) }, Version: "test"})
	if err != nil {
		fmt.Fprintln(os.Stderr, "new:", err)
		return 1
	}
	if err := d.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "run:", err)
		return 1
	}
	if err := d.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "close:", err)
		return 1
	}
	return 0
}

// quick is the configuration with a rhythm that no file may ask for, so that a
// short life is full of walks that overlap.
func quick(path string) (*config.Config, error) {
	cfg, err := config.Load(path, nil)
	if err == nil {
		cfg.Sync.ActiveEvery, cfg.Sync.FullEvery, cfg.Sync.RefreshEvery = time.Second, 2*time.Second, 3*time.Second
	}
	if err == nil && os.Getenv(childSends) != "" {
		cfg.Sync.DraftsEvery, cfg.Outbox.SettleAfter = time.Second, 5*time.Second
	}
	return cfg, err
}

// dieAt makes the process kill itself while it writes to its store: when a row
// is about to change, or when a transaction is about to be committed.
func dieAt(end string) {
	what, count, _ := strings.Cut(end, ":")
	left := atomic.Int64{}
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		return
	}
	left.Store(n)
	count1 := func() {
		if left.Add(-1) == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal is on its way: nothing is written any more
		}
	}
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, _ string) error {
		hooks, ok := conn.(sqlite.HookRegisterer)
		switch {
		case !ok:
			return fmt.Errorf("a connection of type %T has no hooks", conn)
		case what == "row":
			hooks.RegisterPreUpdateHook(func(sqlite.SQLitePreUpdateData) { count1() })
		case what == "commit":
			hooks.RegisterCommitHook(func() int32 { count1(); return 0 })
		}
		return nil
	})
}

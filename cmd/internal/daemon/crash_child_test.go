package daemon_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
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
	if err == nil && cfg.Twilio.Sender != "" {
		cfg.Sync.DraftsEvery, cfg.Outbox.SettleAfter, cfg.Campaigns.Every = time.Second, 3*time.Second, time.Second
	}
	if err == nil && cfg.Archive.Cron != "" {
		cfg.Archive.After = cfg.Sync.Lookback + time.Hour
	}
	return cfg, err
}

// dieAt makes the process kill itself while it writes to its store: when a row
// is about to change, when a transaction is about to be committed, or at a commit
// of what deeds names (before it is done, and behind it with a plus).
func dieAt(end string) {
	what, count, _ := strings.Cut(end, ":")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		return
	}
	e := &ending{left: n}
	what, e.behind = strings.CutSuffix(what, "+")
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, _ string) error {
		hooks, ok := conn.(sqlite.HookRegisterer)
		switch {
		case !ok:
			return fmt.Errorf("a connection of type %T has no hooks", conn)
		case what == "row":
			hooks.RegisterPreUpdateHook(func(sqlite.SQLitePreUpdateData) { e.count() })
		case what == "commit":
			hooks.RegisterCommitHook(func() int32 { e.count(); return 0 })
		case deeds[what] != nil:
			hooks.RegisterPreUpdateHook(func(d sqlite.SQLitePreUpdateData) { e.row(&d, deeds[what]) })
			hooks.RegisterCommitHook(func() int32 { e.commit(); return 0 })
		}
		return nil
	})
}

// ending is the end that a process has set itself.
type ending struct {
	mu     sync.Mutex
	left   int64
	behind bool // die behind the commit, not before it
	done   bool // the deed is in the transaction that is open
	over   bool // and that has been committed
}

func (e *ending) count() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.left--
	if e.left == 0 {
		die()
	}
}

// row hears of a row that is about to change. The store writes on one connection:
// a row after the commit shows that it is done.
func (e *ending) row(d *sqlite.SQLitePreUpdateData, deed func(*sqlite.SQLitePreUpdateData) bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		die()
	}
	if e.left > 0 && deed(d) {
		e.left--
		e.done = e.left == 0
	}
}

func (e *ending) commit() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.done && !e.behind {
		die()
	}
	e.over = e.done
}

func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // the signal is on its way: nothing is written any more
}

// deeds are what the rows of the outbox and of campaigns tell of, by name.
var deeds = map[string]func(*sqlite.SQLitePreUpdateData) bool{
	"intent": func(d *sqlite.SQLitePreUpdateData) bool {
		return d.TableName == "outbox_tokens" && d.Op == sqliteInsert
	},
	"outcome": func(d *sqlite.SQLitePreUpdateData) bool {
		was, is := changed(d, "outbox", stateColumn)
		return was == "intended" && is != "intended"
	},
	"shown": func(d *sqlite.SQLitePreUpdateData) bool {
		was, is := changed(d, "outbox", writeColumn)
		return was != nil && is == nil
	},
	"added": func(d *sqlite.SQLitePreUpdateData) bool {
		return d.TableName == "recipients" && d.Op == sqliteInsert
	},
	"handed": func(d *sqlite.SQLitePreUpdateData) bool {
		was, is := changed(d, "recipients", recipientStateColumn)
		return was == "waiting" && is == "handed"
	},
	"recorded": func(d *sqlite.SQLitePreUpdateData) bool {
		was, is := changed(d, "recipients", recordedColumn)
		return was != is
	},
	"answered": func(d *sqlite.SQLitePreUpdateData) bool {
		was, is := changed(d, "recipients", toldColumn)
		return was != is
	},
}

// https://www.sqlite.org/c3ref/c_alter_table.html
const (
	sqliteInsert = 18
	sqliteUpdate = 23
)

// Where the columns stand in their tables.
const (
	stateColumn = 3
	writeColumn = 16

	recipientStateColumn = 2
	toldColumn           = 12
	recordedColumn       = 13
)

// changed is a column of a table before and after an update.
func changed(d *sqlite.SQLitePreUpdateData, table string, column int) (was, is any) {
	if d.TableName != table || d.Op != sqliteUpdate {
		return nil, nil
	}
	before, after := make([]any, column+1), make([]any, column+1)
	if d.Old(before...) != nil || d.New(after...) != nil {
		return nil, nil
	}
	return before[column], after[column]
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite": pure Go, so that the binary stays static
)

// dialect is what differs between databases.
type dialect interface {
	take() (release func() error, err error)
	openWrite(ctx context.Context) (*sql.DB, error)
	openRead() (*sql.DB, error)
	// rebind turns `?` into the database's placeholders. No statement of ours
	// holds a question mark otherwise.
	rebind(query string) string
	migrations() (goose.Dialect, fs.FS, error)
}

func dialectOf(storeURL string) (dialect, error) {
	u, err := url.Parse(storeURL)
	if err != nil || u.Scheme != "sqlite" || u.Host != "" || !filepath.IsAbs(u.Path) {
		return nil, errors.New("store: the address must be sqlite:///absolute/path/to/twiliosf.db")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		// What follows them is no part of the path: another file would be opened.
		return nil, errors.New("store: write # in the path as %23 and ? as %3F")
	}
	return sqlite{path: u.Path}, nil
}

// HeldError says that another process has the SQLite file.
type HeldError struct {
	Path   string
	Holder string // what the holder wrote of itself, for example "pid 4711 on db1"
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("store: %s is in use by another twiliosf (%s): stop it first, or give this one its own store", e.Path, e.Holder)
}

type sqlite struct{ path string }

// take locks the file for this process. The kernel drops the lock with the
// process, however it ends, so a crash leaves nothing to clean up.
func (d sqlite) take() (func() error, error) {
	if err := os.MkdirAll(filepath.Dir(d.path), 0o750); err != nil {
		return nil, fmt.Errorf("store: %w (create the folder, or set store: to one that the daemon may write)", err)
	}
	lock := flock.New(d.path+".lock", flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("store: lock %s: %w", lock.Path(), err)
	}
	if !ok {
		holder, err := os.ReadFile(lock.Path())
		if err != nil || len(holder) == 0 {
			holder = []byte("it did not say who it is")
		}
		return nil, &HeldError{Path: d.path, Holder: strings.TrimSpace(string(holder))}
	}
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	if err := os.WriteFile(lock.Path(), []byte("pid "+strconv.Itoa(os.Getpid())+" on "+host+"\n"), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("store: %w", err), lock.Unlock())
	}
	return lock.Unlock, nil
}

// pool opens the file. Every commit is on disk when it returns
// (synchronous=FULL): after a power cut NORMAL may lose a second of commits,
// and so forget a claim that Twilio has already acted on.
func (d sqlite) pool(conns int, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "temp_store(MEMORY)", "foreign_keys(ON)",
	}, pragmas...)}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: d.path}).EscapedPath(), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("store: open %s: %w", d.path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

func (d sqlite) openWrite(ctx context.Context) (*sql.DB, error) {
	db, err := d.pool(1, "cache_size(-4000)", "wal_autocheckpoint(8000)")
	if err != nil {
		return nil, err
	}
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("store: open %s: %w (is it a SQLite file, and may the daemon write it?)", d.path, err), db.Close())
	}
	// Bodies and numbers are in there: nobody but the daemon's user reads them.
	if err := os.Chmod(d.path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("store: %w", err), db.Close())
	}
	return db, nil
}

func (d sqlite) openRead() (*sql.DB, error) { return d.pool(2, "query_only(ON)", "cache_size(-1000)") }

func (d sqlite) rebind(query string) string { return query }

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/twiliosf/twiliosf/sync/consent"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// Store is an open database. It is safe for concurrent use.
type Store struct {
	dialect dialect
	write   *sql.DB // of SQLite: one connection, so that writers queue here and not on a busy error
	read    *sql.DB
	release func() error

	// prepared holds the hot statements by their text. It is filled by Open and
	// only read afterwards: preparing needs a connection, and inside a
	// transaction the only one is taken.
	prepared map[string]*sql.Stmt
	merges   gather[*merge]
	intents  gather[*intent]
	arrivals gather[*arrival]
	oldest   oldestSend
	// classifier reads what messages say of consent.
	classifier atomic.Pointer[consent.Classifier]
	// onBound hears that a status callback has settled an attempt.
	onBound atomic.Pointer[func()]
	// reaches: a campaign's recipient has a message, so that what becomes of
	// messages may be told of recipients.
	reaches atomic.Bool
}

var (
	_ mirror.Ledger     = (*Store)(nil)
	_ mirror.OpenLedger = (*Store)(nil)
	_ mirror.Changes    = (*Store)(nil)
	_ mirror.Cursors    = (*Store)(nil)
)

// Options are Open's. Version is written beside the schema, for the older
// binary that will find it too new.
type Options struct {
	URL     string // sqlite:///absolute/path
	Version string
}

// Open opens the database, takes it for this process and brings its schema up
// to date. It fails with a HeldError when another process holds it, and with a
// NewerError when a newer version wrote it.
func Open(ctx context.Context, o Options) (*Store, error) {
	d, err := dialectOf(o.URL)
	if err != nil {
		return nil, err
	}
	release, err := d.take()
	if err != nil {
		return nil, err
	}
	s := &Store{dialect: d, release: release}
	if err := s.open(ctx, o.Version); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, version string) error {
	var err error
	if s.write, err = s.dialect.openWrite(ctx); err != nil {
		return err
	}
	if s.read, err = s.dialect.openRead(); err != nil {
		return err
	}
	if err := s.migrate(ctx, version); err != nil {
		return err
	}
	if err := s.oldest.load(ctx, s); err != nil {
		return err
	}
	if err := s.countSent(ctx, s.read); err != nil {
		return err
	}
	return s.prepare(ctx)
}

// prepare prepares the statements of every message's way.
func (s *Store) prepare(ctx context.Context) error {
	s.prepared = map[string]*sql.Stmt{}
	for query, db := range map[string]*sql.DB{
		lookupSQL(lookupRows):  s.read,
		changedSQL:             s.read,
		newestSQL:              s.read,
		unsettledSQL:           s.read,
		nextDueSQL:             s.read,
		numberSQL:              s.write,
		activitySQL:            s.write,
		anyProvisionalSQL:      s.read,
		anyUntoldSQL:           s.read,
		someProvisionalSQL:     s.write,
		insertSQL(upsertRows):  s.write,
		upsertSQL(upsertRows):  s.write,
		keepSQL:                s.write,
		intendSQL:              s.write,
		concludeSQL:            s.write,
		tokenSQL:               s.write,
		converseSQL:            s.write,
		foldedSQL:              s.write,
		foldSQL:                s.write,
		foldNewSQL:             s.write,
		findSQL:                s.read,
		lastSQL:                s.read,
		holdsSQL:               s.read,
		putPersonSQL:           s.write,
		putNumberSQL:           s.write,
		dropNumberSQL:          s.write,
		writtenSQL(lookupRows): s.write,
		addSQL:                 s.write,
		metPeopleSQL:           s.write,
		metNumbersSQL:          s.write,
		handSQL:                s.write,
		startSQL:               s.write,
		reachedSQL:             s.write,
		missedSQL:              s.write,
		becameSQL:              s.write,
		repliedSQL:             s.write,
		recordedSQL:            s.write,
		notedSQL:               s.write,
	} {
		stmt, err := db.PrepareContext(ctx, s.dialect.rebind(query))
		if err != nil {
			return fmt.Errorf("store: prepare: %w", err)
		}
		s.prepared[query] = stmt
	}
	return nil
}

// Close gives the database up.
func (s *Store) Close() error {
	var errs []error
	if s.read != nil {
		errs = append(errs, s.read.Close())
	}
	if s.write != nil {
		errs = append(errs, s.write.Close())
	}
	return errors.Join(append(errs, s.release())...)
}

// DB is the writing pool, for the job engine, which has tables of its own. Use
// it for nothing else, and never while a transaction of Tx is open in the same
// goroutine: with one connection it would wait for itself.
func (s *Store) DB() *sql.DB { return s.write }

// Tx runs fn in one writing transaction, which is durable when Tx returns nil.
func (s *Store) Tx(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("store: begin: %w", err)
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("store: commit: %w", err)
	}
	return nil
}

// ignoreDone drops the complaint that a canceled context has already rolled back.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// queryer is what *sql.DB and *sql.Tx have in common.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func asTx(q queryer) *sql.Tx {
	tx, _ := q.(*sql.Tx) //nolint:errcheck // nil where it is the pool
	return tx
}

// exec runs one statement.
func (s *Store) exec(ctx context.Context, q queryer, query string, args ...any) (sql.Result, error) {
	var res sql.Result
	var err error
	if stmt, tx := s.prepared[query], asTx(q); stmt != nil && tx != nil {
		res, err = tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)
	} else {
		res, err = q.ExecContext(ctx, s.dialect.rebind(query), args...)
	}
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return res, nil
}

// each runs a query and calls scan for each of its rows.
func (s *Store) each(ctx context.Context, q queryer, scan func(*sql.Rows) error, query string, args ...any) error {
	var rows *sql.Rows
	var err error
	switch stmt, tx := s.prepared[query], asTx(q); {
	case stmt != nil && tx != nil:
		rows, err = tx.StmtContext(ctx, stmt).QueryContext(ctx, args...)
	case stmt != nil:
		rows, err = stmt.QueryContext(ctx, args...)
	default:
		rows, err = q.QueryContext(ctx, s.dialect.rebind(query), args...)
	}
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err below has the cause
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("store: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

// one runs a query that answers one row and scans it.
func (s *Store) one(ctx context.Context, q queryer, query string, args []any, into ...any) error {
	found := false
	err := s.each(ctx, q, func(r *sql.Rows) error {
		found = true
		return r.Scan(into...)
	}, query, args...)
	if err == nil && !found {
		return sql.ErrNoRows
	}
	return err
}

// byRows is a statement for n rows whose text for the usual number of them is made
// once.
func byRows(usual int, text func(n int) string) func(n int) string {
	full := text(usual)
	return func(n int) string {
		if n == usual {
			return full
		}
		return text(n)
	}
}

// rows is "(?, ?), (?, ?)" for n rows of the given number of columns.
func rows(columns, n int) string { return repeated("("+placeholders(columns)+")", n) }

// repeated is "row, row" for n rows.
func repeated(row string, n int) string {
	return strings.TrimSuffix(strings.Repeat(row+", ", n), ", ")
}

// placeholders is "?, ?, ?" for n values.
func placeholders(n int) string {
	return strings.TrimSuffix(strings.Repeat("?, ", n), ", ")
}

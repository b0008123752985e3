package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

func (d sqlite) migrations() (goose.Dialect, fs.FS, error) {
	sub, err := fs.Sub(migrations, "migrations/sqlite")
	return goose.DialectSQLite3, sub, err
}

// NewerError says that a newer version of twiliosf has changed the schema.
type NewerError struct {
	Have, Want int64  // schema versions: the database's, this binary's
	WrittenBy  string // the version that wrote it
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("store: its schema (%d) was written by twiliosf %s; this one knows only %d: "+
		"run that version or a newer one, or give this one another store", e.Have, e.WrittenBy, e.Want)
}

// migrate brings the schema up to date, each step in its own transaction.
func (s *Store) migrate(ctx context.Context, version string) error {
	dialect, files, err := s.dialect.migrations()
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	p, err := goose.NewProvider(dialect, s.write, files, goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("store: schema version: %w (is this a twiliosf store?)", err)
	}
	if have > want {
		by := "of an unknown version"
		err := s.one(ctx, s.write, `SELECT version FROM written_by`, nil, &by)
		return errors.Join(&NewerError{Have: have, Want: want, WrittenBy: by}, err)
	}
	if have == want {
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("store: bring the schema from %d to %d: %w", have, want, err)
	}
	if _, err := s.exec(ctx, s.write, `DELETE FROM written_by`); err != nil {
		return err
	}
	_, err = s.exec(ctx, s.write, `INSERT INTO written_by (version) VALUES (?)`, version)
	return err
}

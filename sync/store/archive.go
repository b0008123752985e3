package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/twiliosf/twiliosf/sync/archive"
)

// Archive is the archive's memory in the store.
type Archive struct{ s *Store }

var (
	_ archive.Journal    = Archive{}
	_ archive.Contents   = Archive{}
	_ archive.Departures = Archive{}
	_ archive.Absent     = Archive{}
)

// Archive gives the archive's memory.
func (s *Store) Archive() Archive { return Archive{s} }

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Begin implements archive.Journal.
func (a Archive) Begin(ctx context.Context, r archive.Run) error {
	_, err := a.s.exec(ctx, a.s.write, `INSERT INTO archive_runs (id, state, began_at, ended_at, messages, media, gone, changed, refused, problem)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, string(archive.Writing), millis(r.Began), millis(r.Ended), r.Messages, r.Media, r.Left, r.Changed, r.Refused, r.Problem)
	return err
}

const runColumns = `SELECT id, state, began_at, ended_at, messages, media, gone, changed, refused, problem FROM archive_runs `

func scanRun(rows *sql.Rows) (archive.Run, error) {
	var r archive.Run
	var began, ended int64
	err := rows.Scan(&r.ID, &r.State, &began, &ended, &r.Messages, &r.Media, &r.Left, &r.Changed, &r.Refused, &r.Problem)
	r.Began, r.Ended = fromMillis(began), fromMillis(ended)
	return r, err
}

func (a Archive) runs(ctx context.Context, query string, args ...any) ([]archive.Run, error) {
	all := []archive.Run{}
	err := a.s.each(ctx, a.s.read, func(rows *sql.Rows) error {
		r, err := scanRun(rows)
		all = append(all, r)
		return err
	}, runColumns+query, args...)
	return all, err
}

// Open implements archive.Journal.
func (a Archive) Open(ctx context.Context) (archive.Run, bool, error) {
	all, err := a.runs(ctx, `WHERE state IN ('writing', 'leaving') ORDER BY id LIMIT 1`)
	if err != nil || len(all) == 0 {
		return archive.Run{}, false, err
	}
	return all[0], true, nil
}

// Update implements archive.Journal. A run that has ended needs its copies no more.
func (a Archive) Update(ctx context.Context, r archive.Run) error {
	return a.s.Tx(ctx, func(tx *sql.Tx) error {
		if r.State == archive.Done || r.State == archive.Blocked {
			if _, err := a.s.exec(ctx, tx, `DELETE FROM archive_copies WHERE run = ?`, r.ID); err != nil {
				return err
			}
		}
		_, err := a.s.exec(ctx, tx, `UPDATE archive_runs SET state = ?, ended_at = ?, messages = ?, media = ?, gone = ?, changed = ?, refused = ?, problem = ?
WHERE id = ?`, string(r.State), millis(r.Ended), r.Messages, r.Media, r.Left, r.Changed, r.Refused, r.Problem, r.ID)
		return err
	})
}

// Runs implements archive.Journal.
func (a Archive) Runs(ctx context.Context, limit int) ([]archive.Run, error) {
	return a.runs(ctx, `ORDER BY id DESC LIMIT ?`, limit)
}

// Intend implements archive.Contents.
func (a Archive) Intend(ctx context.Context, run, name string) error {
	_, err := a.s.exec(ctx, a.s.write, `INSERT INTO archive_files (run, name, kind, month, rows, bytes, sha256, first_sid, last_sid)
VALUES (?, ?, '', '', 0, 0, '', '', '') ON CONFLICT (name) DO NOTHING`, run, name)
	return err
}

// Keep implements archive.Contents.
func (a Archive) Keep(ctx context.Context, run string, f archive.File, copies []archive.Copy) error {
	return a.s.Tx(ctx, func(tx *sql.Tx) error {
		for start := 0; start < len(copies); start += upsertRows {
			chunk := copies[start:min(start+upsertRows, len(copies))]
			args := make([]any, 0, 8*len(chunk))
			for i := range chunk {
				c := &chunk[i]
				args = append(args, run, c.ID, string(c.SID), millis(c.Created), millis(c.Modified), c.Record[:], c.Media[:], int(archive.Waiting))
			}
			if _, err := a.s.exec(ctx, tx, `INSERT INTO archive_copies (run, id, sid, created_at, modified_at, record, media, standing) VALUES `+
				rows(8, len(chunk)), args...); err != nil {
				return err
			}
		}
		_, err := a.s.exec(ctx, tx, `UPDATE archive_files SET kind = ?, month = ?, rows = ?, bytes = ?, sha256 = ?, first_sid = ?, last_sid = ? WHERE run = ? AND name = ?`,
			string(f.Table), f.Month, f.Rows, f.Bytes, f.SHA256, string(f.FirstSID), string(f.LastSID), run, f.Name)
		return err
	})
}

// Files implements archive.Contents.
func (a Archive) Files(ctx context.Context, run string) ([]archive.File, error) {
	var all []archive.File
	err := a.s.each(ctx, a.s.read, func(rows *sql.Rows) error {
		var f archive.File
		err := rows.Scan(&f.Name, &f.Table, &f.Month, &f.Rows, &f.Bytes, &f.SHA256, &f.FirstSID, &f.LastSID)
		all = append(all, f)
		return err
	}, `SELECT name, kind, month, rows, bytes, sha256, first_sid, last_sid FROM archive_files WHERE run = ? ORDER BY name`, run)
	return all, err
}

// Discard implements archive.Contents. What is about to leave is in the archive
// of a run that is not discarded any more.
func (a Archive) Discard(ctx context.Context, run string) error {
	return a.s.Tx(ctx, func(tx *sql.Tx) error {
		var errs []error
		for _, query := range []string{
			`DELETE FROM archive_copies WHERE run = ?`, `DELETE FROM archive_files WHERE run = ?`, `DELETE FROM archive_runs WHERE id = ? AND state = 'writing'`,
		} {
			_, err := a.s.exec(ctx, tx, query, run)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
}

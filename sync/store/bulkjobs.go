package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
	"unicode/utf8"
)

// BulkJobs remembers the org's bulk jobs that write records of ours. It is the
// book that package salesforce wants for them.
type BulkJobs struct{ s *Store }

// BulkJobs is that part of the store.
func (s *Store) BulkJobs() BulkJobs { return BulkJobs{s} }

// Job is the job kept under a key and how far it is; "" if there is none.
func (b BulkJobs) Job(ctx context.Context, key string) (id, stage string, err error) {
	err = b.s.one(ctx, b.s.read, `SELECT job, stage FROM bulk_jobs WHERE key = ?`, []any{key}, &id, &stage)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", nil
	}
	return id, stage, err
}

// Keep keeps a job under a key, durably, in the place of what was kept.
func (b BulkJobs) Keep(ctx context.Context, key, id, stage string) error {
	_, err := b.s.exec(ctx, b.s.write, `INSERT INTO bulk_jobs (key, job, stage, kept_at) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET job = excluded.job, stage = excluded.stage, kept_at = excluded.kept_at`, key, id, stage, time.Now().Unix())
	return err
}

// Forget forgets what is kept under a key, and under each that continues it after
// a slash.
func (b BulkJobs) Forget(ctx context.Context, key string) error {
	_, err := b.s.exec(ctx, b.s.write, `DELETE FROM bulk_jobs WHERE key = ? OR substr(key, 1, ?) = ?`,
		key, utf8.RuneCountInString(key)+1, key+"/")
	return err
}

// Under are the keys that continue one after a slash, in order.
func (b BulkJobs) Under(ctx context.Context, key string) ([]string, error) {
	var keys []string
	err := b.s.each(ctx, b.s.read, func(r *sql.Rows) error {
		var k string
		err := r.Scan(&k)
		keys = append(keys, k)
		return err
	}, `SELECT key FROM bulk_jobs WHERE substr(key, 1, ?) = ? ORDER BY key`, utf8.RuneCountInString(key)+1, key+"/")
	return keys, err
}

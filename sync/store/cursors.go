package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/twiliosf/twiliosf/sync/mirror"
)

// Cursor implements mirror.Cursors.
func (s *Store) Cursor(ctx context.Context, name string) (time.Time, error) {
	var at int64
	err := s.one(ctx, s.read, `SELECT value FROM cursors WHERE name = ?`, []any{name}, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return fromUnix(at), err
}

// MoveCursor implements mirror.Cursors.
func (s *Store) MoveCursor(ctx context.Context, name string, to time.Time) error {
	_, err := s.exec(ctx, s.write, `INSERT INTO cursors (name, value) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE cursors.value < excluded.value`, name, to.Unix())
	return err
}

// PlanDays adds windows of a backfill and, in the same transaction, whatever
// enqueue adds for those that were not waiting already. Windows of finished
// backfills are forgotten first, so that progress is that of the present one.
func (s *Store) PlanDays(ctx context.Context, days []mirror.Day, enqueue func(*sql.Tx, []mirror.Day) error) error {
	return s.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := s.exec(ctx, tx, `DELETE FROM backfill_days WHERE done_at IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM backfill_days AS d WHERE d.done_at IS NULL)`); err != nil {
			return err
		}
		var added []mirror.Day
		now := time.Now().Unix()
		for _, d := range days {
			res, err := s.exec(ctx, tx, `INSERT INTO backfill_days (day, since, until, planned_at) VALUES (?, ?, ?, ?)
ON CONFLICT (day, since, until) DO UPDATE SET planned_at = excluded.planned_at, done_at = NULL, seen = 0, changed = 0
WHERE backfill_days.done_at IS NOT NULL`, d.Day.Unix(), d.Since.Unix(), d.Until.Unix(), now)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil {
				return err
			} else if n > 0 {
				added = append(added, d)
			}
		}
		return enqueue(tx, added)
	})
}

// UnfinishedDays are the windows that are still to be worked.
func (s *Store) UnfinishedDays(ctx context.Context) ([]mirror.Day, error) {
	var all []mirror.Day
	err := s.each(ctx, s.read, func(r *sql.Rows) error {
		var day, since, until int64
		if err := r.Scan(&day, &since, &until); err != nil {
			return err
		}
		all = append(all, mirror.Day{Day: fromUnix(day), Since: fromUnix(since), Until: fromUnix(until)})
		return nil
	}, `SELECT day, since, until FROM backfill_days WHERE done_at IS NULL ORDER BY day DESC`)
	return all, err
}

// Finish implements a part of mirror.Backlog.
func (s *Store) Finish(ctx context.Context, d mirror.Day, seen, changed int) error {
	_, err := s.exec(ctx, s.write, `UPDATE backfill_days SET done_at = ?, seen = ?, changed = ?
WHERE day = ? AND since = ? AND until = ?`, time.Now().Unix(), seen, changed, d.Day.Unix(), d.Since.Unix(), d.Until.Unix())
	return err
}

// Progress implements a part of mirror.Backlog.
func (s *Store) Progress(ctx context.Context) (mirror.Progress, error) {
	var p mirror.Progress
	var started int64
	err := s.one(ctx, s.read, `SELECT count(*), count(done_at), COALESCE(SUM(seen), 0), COALESCE(SUM(changed), 0),
COALESCE(MIN(planned_at), 0) FROM backfill_days`, nil, &p.Days, &p.Done, &p.Seen, &p.Changed, &started)
	p.Started = fromUnix(started)
	return p, err
}

// Usage is the daemon's Salesforce API calls by hour since the given time.
func (s *Store) Usage(ctx context.Context, since time.Time) (map[time.Time]int, error) {
	calls := map[time.Time]int{}
	err := s.each(ctx, s.read, func(r *sql.Rows) error {
		var hour int64
		var n int
		if err := r.Scan(&hour, &n); err != nil {
			return err
		}
		calls[fromUnix(hour)] = n
		return nil
	}, `SELECT hour, calls FROM api_usage WHERE hour >= ?`, since.Unix())
	return calls, err
}

// SaveUsage keeps the calls of the given hours, and forgets what is older than
// two days.
func (s *Store) SaveUsage(ctx context.Context, calls map[time.Time]int, now time.Time) error {
	return s.Tx(ctx, func(tx *sql.Tx) error {
		for hour, n := range calls {
			if _, err := s.exec(ctx, tx, `INSERT INTO api_usage (hour, calls) VALUES (?, ?)
ON CONFLICT (hour) DO UPDATE SET calls = excluded.calls`, hour.Unix(), n); err != nil {
				return err
			}
		}
		_, err := s.exec(ctx, tx, `DELETE FROM api_usage WHERE hour < ?`, now.Add(-48*time.Hour).Unix())
		return err
	})
}

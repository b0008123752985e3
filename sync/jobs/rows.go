package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Status is a schedule's row. Times are whole seconds.
type Status struct {
	Name, Spec string
	Last       time.Time // when its job was last added; zero if never
	Next       time.Time
}

// List answers the schedules of the store, ordered by name.
func (s *Scheduler) List(ctx context.Context) ([]Status, error) {
	rows, err := s.st.DB().QueryContext(ctx, `SELECT name, spec, last_run, next_run FROM schedules ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("jobs: schedules: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err below has the cause
	var list []Status
	for rows.Next() {
		var row Status
		var last, next int64
		if err := rows.Scan(&row.Name, &row.Spec, &last, &next); err != nil {
			return nil, fmt.Errorf("jobs: schedules: %w", err)
		}
		if last > 0 {
			row.Last = time.Unix(last, 0)
		}
		row.Next = time.Unix(next, 0)
		list = append(list, row)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("jobs: schedules: %w", err)
	}
	return list, nil
}

// execer is a database or a transaction.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// move is the compare-and-set: false means that another scheduler was there first.
func (s *Scheduler) move(ctx context.Context, on execer, name string, from, to time.Time) (bool, error) {
	res, err := on.ExecContext(ctx, s.st.Rebind(`UPDATE schedules SET next_run = ? WHERE name = ? AND next_run = ?`),
		to.Unix(), name, from.Unix())
	if err != nil {
		return false, fmt.Errorf("jobs: schedule %s: %w", name, err)
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// plan makes the rows agree with the schedules: new ones are due now or at their time, removed
// ones go, and one whose expression has changed gets its next run by the new
// one, unless a run is overdue.
func (s *Scheduler) plan(ctx context.Context) error {
	now := s.o.Now()
	names := slices.Sorted(maps.Keys(s.planned))
	err := s.st.Tx(ctx, func(tx *sql.Tx) error {
		if err := s.forget(ctx, tx, names); err != nil {
			return err
		}
		for _, name := range names {
			p := s.planned[name]
			first, next := now, p.when.Next(now)
			if p.Dated || p.Later {
				first = next
			}
			if _, err := tx.ExecContext(ctx, s.st.Rebind(`INSERT INTO schedules (name, spec, next_run) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET spec = excluded.spec,
next_run = CASE WHEN schedules.next_run <= ? THEN schedules.next_run ELSE ? END
WHERE schedules.spec <> excluded.spec`), name, p.Spec, first.Unix(), now.Unix(), next.Unix()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("jobs: schedules: %w", err)
	}
	return nil
}

// forget deletes the rows of all other names.
func (s *Scheduler) forget(ctx context.Context, tx *sql.Tx, names []string) error {
	query, args := `DELETE FROM schedules`, make([]any, len(names))
	if len(names) > 0 {
		query += ` WHERE name NOT IN (?` + strings.Repeat(", ?", len(names)-1) + `)`
	}
	for i, name := range names {
		args[i] = name
	}
	_, err := tx.ExecContext(ctx, s.st.Rebind(query), args...)
	return err
}

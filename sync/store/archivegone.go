package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/twiliosf/twiliosf/sync/archive"
	"github.com/twiliosf/twiliosf/sync/message"
)

// anyOf makes a list of values a statement's arguments.
func anyOf[T ~string](values []T, before ...any) []any {
	args := slices.Clone(before)
	for _, v := range values {
		args = append(args, string(v))
	}
	return args
}

// Next implements archive.Departures.
func (a Archive) Next(ctx context.Context, run string, which archive.Standing, limit int) ([]archive.Copy, error) {
	return a.copies(ctx, a.s.read, `WHERE run = ? AND standing = ? ORDER BY id LIMIT ?`, run, int(which), limit)
}

func (a Archive) copies(ctx context.Context, q queryer, where string, args ...any) ([]archive.Copy, error) {
	var all []archive.Copy
	err := a.s.each(ctx, q, func(rows *sql.Rows) error {
		var c archive.Copy
		var created, modified int64
		var record, media sql.RawBytes
		if err := rows.Scan(&c.ID, &c.SID, &created, &modified, &record, &media); err != nil {
			return err
		}
		c.Created, c.Modified = fromMillis(created), fromMillis(modified)
		copy(c.Record[:], record)
		copy(c.Media[:], media)
		all = append(all, c)
		return nil
	}, `SELECT id, sid, created_at, modified_at, record, media FROM archive_copies `+where, args...)
	return all, err
}

// Leave implements archive.Departures. A message whose change is queued, or under
// way, is not noted: the write may come after the deletion and make the record
// anew. From the commit on, Merge leaves the others alone.
func (a Archive) Leave(ctx context.Context, run string, ids []string) (map[string]bool, error) {
	noted := map[string]bool{}
	err := a.s.Tx(ctx, func(tx *sql.Tx) error {
		clear(noted)
		copies, err := a.copies(ctx, tx, `WHERE run = ? AND id IN (`+placeholders(len(ids))+`)`, anyOf(ids, run)...)
		if err != nil || len(copies) == 0 {
			return err
		}
		sids := make([]message.SID, len(copies))
		for i := range copies {
			sids[i] = copies[i].SID
		}
		busy := map[message.SID]bool{}
		if err := a.s.each(ctx, tx, func(rows *sql.Rows) error {
			var sid message.SID
			err := rows.Scan(&sid)
			busy[sid] = true
			return err
		}, `SELECT sid FROM messages WHERE seq IS NOT NULL AND sid IN (`+placeholders(len(sids))+`)`, anyOf(sids)...); err != nil {
			return err
		}
		for i := range copies {
			if c := &copies[i]; !busy[c.SID] {
				noted[c.ID] = true
				if err := a.leave(ctx, tx, run, c); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return noted, err
}

func (a Archive) leave(ctx context.Context, tx *sql.Tx, run string, c *archive.Copy) error {
	if _, err := a.s.exec(ctx, tx, `UPDATE archive_copies SET standing = ? WHERE run = ? AND id = ?`, int(archive.Going), run, c.ID); err != nil {
		return err
	}
	return a.absent(ctx, tx, run, c, `DO UPDATE SET run = excluded.run`)
}

// absent notes a message as archived. Its status is asked for no more, and its
// text goes.
func (a Archive) absent(ctx context.Context, tx *sql.Tx, run string, c *archive.Copy, otherwise string) error {
	if _, err := a.s.exec(ctx, tx, `INSERT INTO archived (sid, run, created_at) VALUES (?, ?, ?) ON CONFLICT (sid) `+otherwise,
		string(c.SID), run, unix(c.Created)); err != nil {
		return err
	}
	if _, err := a.s.exec(ctx, tx, `UPDATE messages SET open = 0, payload = NULL WHERE open = 1 AND seq IS NULL AND sid = ?`, string(c.SID)); err != nil {
		return err
	}
	_, err := a.s.exec(ctx, tx, `UPDATE counters SET value = ? WHERE name = 'archived' AND value < ?`, unix(c.Created), unix(c.Created))
	return err
}

// Settle implements archive.Departures.
func (a Archive) Settle(ctx context.Context, run string, settled []archive.Settlement) error {
	return a.s.Tx(ctx, func(tx *sql.Tx) error {
		for _, c := range settled {
			if err := a.settle(ctx, tx, run, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a Archive) settle(ctx context.Context, tx *sql.Tx, run string, c archive.Settlement) error {
	if c.Outcome == archive.Left {
		_, err := a.s.exec(ctx, tx, `DELETE FROM archive_copies WHERE run = ? AND id = ?`, run, c.ID)
		return err
	}
	standing := archive.Staying
	if c.Outcome == archive.PutBack {
		standing = archive.Waiting
	}
	if _, err := a.s.exec(ctx, tx, `UPDATE archive_copies SET standing = ? WHERE run = ? AND id = ?`, int(standing), run, c.ID); err != nil {
		return err
	}
	if c.Outcome == archive.RefusedOne {
		if _, err := a.s.exec(ctx, tx, `INSERT INTO archive_refused (id, until_at) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET until_at = excluded.until_at`,
			c.ID, millis(c.Until)); err != nil {
			return err
		}
	}
	_, err := a.s.exec(ctx, tx, `DELETE FROM archived WHERE sid = ? AND run = ?`, string(c.SID), run)
	return err
}

// Refused implements archive.Departures. What is to be asked again is forgotten.
func (a Archive) Refused(ctx context.Context, ids []string, now time.Time) (map[string]bool, error) {
	refused := map[string]bool{}
	for chunk := range slices.Chunk(ids, lookupRows) {
		if err := a.s.each(ctx, a.s.read, func(rows *sql.Rows) error {
			var id string
			err := rows.Scan(&id)
			refused[id] = true
			return err
		}, `SELECT id FROM archive_refused WHERE until_at > ? AND id IN (`+placeholders(len(chunk))+`)`, anyOf(chunk, millis(now))...); err != nil {
			return nil, err
		}
	}
	return refused, nil
}

// Where implements archive.Absent. Those that are still about to leave count as
// not gone.
func (a Archive) Where(ctx context.Context, sids []message.SID) (map[message.SID]string, error) {
	where := map[message.SID]string{}
	for chunk := range slices.Chunk(sids, lookupRows) {
		if err := a.s.each(ctx, a.s.read, func(rows *sql.Rows) error {
			var sid message.SID
			var run string
			err := rows.Scan(&sid, &run)
			where[sid] = run
			return err
		}, `SELECT sid, run FROM archived WHERE sid IN (`+placeholders(len(chunk))+`)`, anyOf(chunk)...); err != nil {
			return nil, err
		}
	}
	return where, nil
}

// Returned implements archive.Absent.
func (a Archive) Returned(ctx context.Context, sids []message.SID) error {
	return a.s.Tx(ctx, func(tx *sql.Tx) error {
		for chunk := range slices.Chunk(sids, lookupRows) {
			if _, err := a.s.exec(ctx, tx, `DELETE FROM archived WHERE sid IN (`+placeholders(len(chunk))+`)`, anyOf(chunk)...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Learn implements archive.Absent.
func (a Archive) Learn(ctx context.Context, run string, messages []archive.Copy) error {
	return a.s.Tx(ctx, func(tx *sql.Tx) error {
		for i := range messages {
			if err := a.absent(ctx, tx, run, &messages[i], `DO NOTHING`); err != nil {
				return err
			}
		}
		return nil
	})
}

// Gone implements archive.Absent.
func (a Archive) Gone(ctx context.Context, atMost int) (int, error) {
	n := 0
	err := a.s.one(ctx, a.s.read, `SELECT COUNT(*) FROM (SELECT 1 FROM archived LIMIT ?) AS some`, []any{atMost}, &n)
	return n, err
}

// withoutArchived drops from what callers have seen the messages that have left
// the org: no sweep brings them back (P7). What is newer than all of them, which
// is nearly everything, costs one read.
func (s *Store) withoutArchived(ctx context.Context, tx *sql.Tx, all []*merge) error {
	// A record without the time of its message's creation counts from its own.
	const slack = 24 * 60 * 60
	newest := int64(0)
	if err := s.one(ctx, tx, `SELECT value FROM counters WHERE name = 'archived'`, nil, &newest); err != nil || newest == 0 {
		return err
	}
	for _, m := range all {
		var old []message.SID
		for i := range m.news {
			if unix(m.news[i].Created) <= newest+slack {
				old = append(old, m.news[i].SID)
			}
		}
		archived := map[message.SID]bool{}
		for chunk := range slices.Chunk(old, lookupRows) {
			if err := s.each(ctx, tx, func(rows *sql.Rows) error {
				var sid message.SID
				err := rows.Scan(&sid)
				archived[sid] = true
				return err
			}, `SELECT sid FROM archived WHERE sid IN (`+placeholders(len(chunk))+`)`, anyOf(chunk)...); err != nil {
				return err
			}
		}
		if len(archived) > 0 {
			m.news = slices.DeleteFunc(m.news, func(n sighting) bool { return archived[n.SID] })
		}
	}
	return nil
}

package store

import (
	"context"
	"database/sql"
)

func (s *Store) upsertAll(ctx context.Context, tx *sql.Tx, m *merge) error {
	room := upsertRoom{args: make([]any, 0, min(len(m.news), upsertRows)*upsertColumns)}
	for start := 0; start < len(m.news); start += upsertRows {
		chunk := m.news[start:min(start+upsertRows, len(m.news))]
		room.fill(chunk, m.seq+int64(start))
		if err := s.upsertChanged(ctx, tx, m, &room); err != nil {
			return err
		}
	}
	return nil
}

// upsertColumns is how many there are in insertIntoSQL.
const upsertColumns = 11

// insertIntoSQL takes the payload as bytes, for it is made in a buffer, but what
// is stored is a text.
func insertIntoSQL(n int) string {
	return `INSERT INTO messages (created_at, sid, fingerprint, status, rank, updated_at, at, open, seq, waiting_since, payload) VALUES ` +
		repeated(`(`+placeholders(upsertColumns-1)+`, CAST(? AS TEXT))`, n)
}

// insertSQL leaves alone what is there.
var insertSQL = byRows(upsertRows, func(n int) string {
	return insertIntoSQL(n) + ` ON CONFLICT (created_at, sid) DO NOTHING`
})

// upsertSQL's condition is message.News once more, in SQL: another sweep may
// have been faster. P4.
var upsertSQL = byRows(upsertRows, func(n int) string {
	return insertIntoSQL(n) + `
ON CONFLICT (created_at, sid) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status, rank = excluded.rank,
    updated_at = excluded.updated_at, at = excluded.at, open = excluded.open, seq = excluded.seq,
    waiting_since = COALESCE(messages.waiting_since, excluded.waiting_since),
    retry_at = 0, attempts = 0, payload = excluded.payload, refusal = NULL
WHERE messages.fingerprint <> excluded.fingerprint AND (messages.rank < excluded.rank
    OR (messages.rank = excluded.rank AND messages.updated_at <= excluded.updated_at))`
})

// upsertRoom is what the statements of a merge find their arguments in, one after
// another.
type upsertRoom struct {
	rows int
	seq  int64 // they are the changes seq+1, seq+2 ...
	args []any
	text []byte // the payloads
}

// fill puts in sightings as changes seq+1, seq+2 ...
func (r *upsertRoom) fill(chunk []sighting, seq int64) {
	r.rows, r.seq, r.args, r.text = len(chunk), seq, r.args[:0], r.text[:0]
	for i, m := range chunk {
		from := len(r.text)
		r.text = m.AppendJSON(r.text)
		var n any = seq + int64(i) + 1
		r.args = append(r.args, unix(m.Created), string(m.SID), m.seen.Fingerprint, string(m.Status), m.Status.Rank(), unix(m.Updated),
			unix(m.At()), !m.Status.Final(), n, n, r.text[from:])
	}
}

// upsertChanged queues the sightings in a room and notes which of them were
// changes. Strangers are inserted first: if all of them are, the rows
// need not be read to know it (which costs a fifth of a message's way).
func (s *Store) upsertChanged(ctx context.Context, tx *sql.Tx, m *merge, r *upsertRoom) error {
	if m.strange {
		res, err := s.exec(ctx, tx, insertSQL(r.rows), r.args...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || int(n) == r.rows {
			for i := range r.rows {
				m.changed = append(m.changed, changedRow{seq: r.seq + int64(i) + 1})
			}
			return err
		}
	}
	if _, err := s.exec(ctx, tx, upsertSQL(r.rows), r.args...); err != nil {
		return err
	}
	return s.each(ctx, tx, func(found *sql.Rows) error {
		var row changedRow
		err := found.Scan(&row.seq, &row.written)
		m.changed = append(m.changed, row)
		return err
	}, `SELECT seq, written FROM messages WHERE seq > ? AND seq <= ? ORDER BY seq`, r.seq, r.seq+int64(r.rows))
}

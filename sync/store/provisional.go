package store

import (
	"context"
	"database/sql"

	"github.com/twiliosf/twiliosf/sync/message"
)

const (
	anyProvisionalSQL  = `SELECT 1 FROM provisional LIMIT 1`
	someProvisionalSQL = `SELECT EXISTS (SELECT 1 FROM provisional)`
)

// confirm moves the rows that webhooks have made to where Twilio's API, which has
// now shown them, says that they belong.
func (s *Store) confirm(ctx context.Context, seen []message.Message) error {
	there := 0
	if err := s.each(ctx, s.read, func(r *sql.Rows) error { return r.Scan(&there) }, anyProvisionalSQL); err != nil || there == 0 {
		return err
	}
	sids := make([]message.SID, len(seen))
	for i := range seen {
		sids[i] = seen[i].SID
	}
	found, err := s.provisional(ctx, s.read, sids)
	if err != nil || len(found) == 0 {
		return err
	}
	return s.Tx(ctx, func(tx *sql.Tx) error {
		for i := range seen {
			if was, ok := found[seen[i].SID]; ok {
				if err := s.move(ctx, tx, seen[i].SID, was, unix(seen[i].Created)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// confirmNews is confirm in the transaction that merges: an event may have made its
// row since, and two rows of one message would take its status back by turns (P4).
func (s *Store) confirmNews(ctx context.Context, tx *sql.Tx, all []*merge) error {
	there := 0
	if err := s.one(ctx, tx, someProvisionalSQL, nil, &there); err != nil || there == 0 {
		return err
	}
	for _, m := range all {
		sids := make([]message.SID, len(m.news))
		for i := range m.news {
			sids[i] = m.news[i].SID
		}
		found, err := s.provisional(ctx, tx, sids)
		if err != nil {
			return err
		}
		for i := range m.news {
			if was, ok := found[m.news[i].SID]; ok {
				if err := s.move(ctx, tx, m.news[i].SID, was, unix(m.news[i].Created)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// provisional answers under which time the provisional rows of messages stand.
func (s *Store) provisional(ctx context.Context, q queryer, sids []message.SID) (map[message.SID]int64, error) {
	found := map[message.SID]int64{}
	for start := 0; start < len(sids); start += lookupRows {
		chunk := sids[start:min(start+lookupRows, len(sids))]
		args := make([]any, len(chunk))
		for i := range chunk {
			args[i] = string(chunk[i])
		}
		if err := s.each(ctx, q, func(r *sql.Rows) error {
			var sid message.SID
			var created int64
			err := r.Scan(&sid, &created)
			found[sid] = created
			return err
		}, `SELECT sid, created_at FROM provisional WHERE sid IN (`+placeholders(len(chunk))+`)`, args...); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// move takes a provisional row to its true time. Where a sweep has made the true
// row already, that one stays, and counts as changed: what was written last may
// have been the provisional one's dates.
func (s *Store) move(ctx context.Context, tx *sql.Tx, sid message.SID, was, created int64) error {
	if was != created {
		res, err := s.exec(ctx, tx, `UPDATE messages SET fingerprint = fingerprint - 1, updated_at = 0,
    written = CASE WHEN EXISTS (SELECT 1 FROM messages AS p WHERE p.created_at = ? AND p.sid = ? AND p.written = 1) THEN 1 ELSE written END
WHERE created_at = ? AND sid = ?`, was, string(sid), created, string(sid))
		if err != nil {
			return err
		}
		known, err := res.RowsAffected()
		if err != nil {
			return err
		}
		query := `UPDATE messages SET created_at = ? WHERE created_at = ? AND sid = ?`
		args := []any{created, was, string(sid)}
		if known > 0 {
			query, args = `DELETE FROM messages WHERE created_at = ? AND sid = ?`, args[1:]
		}
		if _, err := s.exec(ctx, tx, query, args...); err != nil {
			return err
		}
	}
	if _, err := s.exec(ctx, tx, `DELETE FROM provisional WHERE sid = ?`, string(sid)); err != nil {
		return err
	}
	return s.redateStatement(ctx, tx, sid, created)
}

package store

import (
	"context"
	"database/sql"
	"maps"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// Rows a prepared statement carries: large enough that its own cost vanishes,
// small enough for every database's limit on parameters. Both divide a page of
// Twilio's and a batch of Salesforce's, so that most of the work meets them.
const (
	lookupRows = 200
	upsertRows = 50
)

// Merge implements mirror.Ledger. What is no news is found without a writing
// transaction, so that a quiet sweep costs reads only. Merges that wait for the
// one writing connection are committed together.
func (s *Store) Merge(ctx context.Context, seen []message.Message) (int, []mirror.Change, error) {
	if err := s.confirm(ctx, seen); err != nil {
		return 0, nil, err
	}
	if err := s.retell(ctx, seen); err != nil {
		return 0, nil, err
	}
	news, strange, err := s.news(ctx, seen)
	if err != nil || len(news) == 0 {
		return 0, nil, err
	}
	m := &merge{news: news, strange: strange}
	if err := s.merges.join(m, func(all []*merge) error { return s.commit(ctx, all) }); err != nil {
		return 0, nil, err
	}
	changes, copies := make([]mirror.Change, len(m.changed)), make([]message.Message, len(m.changed)) // seen is the caller's
	for i, row := range m.changed {
		copies[i] = *m.news[row.seq-m.seq-1].Message
		changes[i] = mirror.Change{Seq: mirror.Seq(row.seq), New: !row.written, Message: &copies[i]}
	}
	return len(changes), changes, nil
}

// merge is one caller's part of a commit.
type merge struct {
	news    []sighting
	strange bool  // none of them was known
	seq     int64 // its changes are numbered from seq+1
	changed []changedRow
}

// changedRow is a row that a sighting has changed.
type changedRow struct {
	seq     int64
	written bool
}

// commit merges the news of several callers in one transaction. Its context is
// that of the caller who happened to come first, so the others must not fall
// with it.
func (s *Store) commit(ctx context.Context, all []*merge) error {
	if len(all) > 1 {
		ctx = context.WithoutCancel(ctx)
	}
	return s.Tx(ctx, func(tx *sql.Tx) error {
		if err := s.withoutArchived(ctx, tx, all); err != nil {
			return err
		}
		total := 0
		for _, m := range all {
			total += len(m.news)
		}
		seq, err := s.number(ctx, tx, "change", total)
		if err != nil {
			return err
		}
		if err := s.confirmNews(ctx, tx, all); err != nil {
			return err
		}
		for _, m := range all {
			m.seq, m.changed = seq, make([]changedRow, 0, len(m.news))
			seq += int64(len(m.news))
			if err := s.upsertAll(ctx, tx, m); err != nil {
				return err
			}
		}
		if err := s.sayMessages(ctx, tx, all); err != nil {
			return err
		}
		if err := s.converseMessages(ctx, tx, all); err != nil {
			return err
		}
		return s.noteActivity(ctx, tx, all)
	})
}

// sighting is one message of a Merge with its digest.
type sighting struct {
	*message.Message
	seen message.Sighting
}

// news drops from seen what the store knows already, and all but the newest
// sighting of a SID. Where the first rows of a page are all new, as in a
// backfill, the others are not looked up: the upsert leaves alone what is known.
func (s *Store) news(ctx context.Context, seen []message.Message) (news []sighting, strange bool, err error) {
	sample := min(len(seen), lookupRows)
	known, err := s.sightings(ctx, seen[:sample])
	if err != nil {
		return nil, false, err
	}
	if len(known) > 0 && sample < len(seen) {
		rest, err := s.sightings(ctx, seen[sample:])
		if err != nil {
			return nil, false, err
		}
		maps.Copy(known, rest)
	}
	news = make([]sighting, 0, len(seen))
	place := make(map[message.SID]int, len(seen))
	for i := range seen {
		next := sighting{Message: &seen[i], seen: seen[i].Seen()}
		if before, ok := known[next.SID]; ok && !message.News(before, next.seen) {
			continue
		}
		if at, ok := place[next.SID]; ok {
			if message.News(news[at].seen, next.seen) {
				news[at] = next
			}
			continue
		}
		place[next.SID] = len(news)
		news = append(news, next)
	}
	return news, len(known) == 0, nil
}

var lookupSQL = byRows(lookupRows, func(n int) string {
	return `SELECT sid, fingerprint, status, updated_at FROM messages WHERE (created_at, sid) IN (VALUES ` + rows(2, n) + `)`
})

// sightings looks up what was seen last of each message.
func (s *Store) sightings(ctx context.Context, of []message.Message) (map[message.SID]message.Sighting, error) {
	known := map[message.SID]message.Sighting{}
	args := make([]any, 0, 2*lookupRows)
	for start := 0; start < len(of); start += lookupRows {
		chunk := of[start:min(start+lookupRows, len(of))]
		args = args[:0]
		for i := range chunk {
			args = append(args, unix(chunk[i].Created), string(chunk[i].SID))
		}
		err := s.each(ctx, s.read, func(r *sql.Rows) error {
			var sid message.SID
			var was message.Sighting
			var updated int64
			if err := r.Scan(&sid, &was.Fingerprint, &was.Status, &updated); err != nil {
				return err
			}
			was.Updated = fromUnix(updated)
			known[sid] = was
			return nil
		}, lookupSQL(len(chunk)), args...)
		if err != nil {
			return nil, err
		}
	}
	return known, nil
}

func (s *Store) noteActivity(ctx context.Context, tx *sql.Tx, all []*merge) error {
	var newest time.Time
	for _, m := range all {
		for i := range m.news {
			if at := m.news[i].At(); at.After(newest) {
				newest = at
			}
		}
	}
	_, err := s.exec(ctx, tx, activitySQL, unix(newest), unix(newest))
	return err
}

const (
	newestSQL    = `SELECT value FROM counters WHERE name = 'change'`
	unsettledSQL = `SELECT count(*) FROM (SELECT 1 FROM messages WHERE seq IS NOT NULL AND waiting_since <= ? LIMIT ?) AS w`
)

// Newest implements mirror.Ledger.
func (s *Store) Newest(ctx context.Context) (mirror.Seq, error) {
	var n mirror.Seq
	err := s.one(ctx, s.read, newestSQL, nil, &n)
	return n, err
}

// Unsettled implements mirror.Ledger.
func (s *Store) Unsettled(ctx context.Context, upTo mirror.Seq, atMost int) (int, error) {
	var n int
	err := s.one(ctx, s.read, unsettledSQL, []any{int64(upTo), atMost}, &n)
	return n, err
}

// LastActivity implements mirror.OpenLedger.
func (s *Store) LastActivity(ctx context.Context) (time.Time, error) {
	var at int64
	err := s.one(ctx, s.read, `SELECT value FROM counters WHERE name = 'activity'`, nil, &at)
	return fromUnix(at), err
}

// Open implements mirror.OpenLedger: message.Message.Open in SQL.
func (s *Store) Open(ctx context.Context, now time.Time, lookback time.Duration, limit int) ([]mirror.OpenMessage, error) {
	var open []mirror.OpenMessage
	err := s.each(ctx, s.read, func(r *sql.Rows) error {
		var m mirror.OpenMessage
		var at int64
		if err := r.Scan(&m.SID, &at); err != nil {
			return err
		}
		m.At = fromUnix(at)
		open = append(open, m)
		return nil
	}, `SELECT sid, at FROM messages WHERE open = 1 AND at > ? AND (status = ? OR at > ?) ORDER BY at LIMIT ?`,
		unix(now.Add(-lookback-message.MaxSchedule)), string(message.Scheduled), unix(now.Add(-lookback)), limit)
	return open, err
}

// Gone implements mirror.OpenLedger.
func (s *Store) Gone(ctx context.Context, sid message.SID) error {
	_, err := s.exec(ctx, s.write, `UPDATE messages SET open = 0, payload = CASE WHEN seq IS NULL AND refusal IS NULL THEN NULL ELSE payload END
WHERE open = 1 AND sid = ?`, string(sid))
	return err
}

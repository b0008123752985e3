package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// Quarantined is one message that Salesforce refuses for good. It stays, with
// all that is known of it, until it is retried, dropped, or changes in Twilio.
type Quarantined struct {
	SID     message.SID
	Refusal mirror.Refusal
}

// Quarantine lists quarantined messages by SID, at most limit of them.
func (s *Store) Quarantine(ctx context.Context, limit int) ([]Quarantined, error) {
	var all []Quarantined
	err := s.each(ctx, s.read, func(r *sql.Rows) error {
		var q Quarantined
		var why sql.RawBytes
		if err := r.Scan(&q.SID, &why); err != nil {
			return err
		}
		if err := json.Unmarshal(why, &q.Refusal); err != nil {
			return fmt.Errorf("the refusal of %s cannot be read: %w", q.SID, err)
		}
		all = append(all, q)
		return nil
	}, `SELECT sid, refusal FROM messages WHERE refusal IS NOT NULL ORDER BY sid LIMIT ?`, limit)
	return all, err
}

// RetryQuarantined queues the given messages again, all of them when none is
// named, and answers how many.
func (s *Store) RetryQuarantined(ctx context.Context, sids ...message.SID) (int, error) {
	retried := 0
	err := s.Tx(ctx, func(tx *sql.Tx) error {
		retried = 0
		return s.eachQuarantined(ctx, tx, sids, func(sid string) error {
			var seq int64
			if err := s.one(ctx, tx, `UPDATE counters SET value = value + 1 WHERE name = 'change' RETURNING value`, nil, &seq); err != nil {
				return err
			}
			retried++
			_, err := s.exec(ctx, tx, `UPDATE messages SET seq = ?, waiting_since = ?, refusal = NULL WHERE refusal IS NOT NULL AND sid = ?`, seq, seq, sid)
			return err
		})
	})
	return retried, err
}

// DropQuarantined gives the named messages up, and answers how many. Their
// records stay as they are until the message changes in Twilio.
func (s *Store) DropQuarantined(ctx context.Context, sids ...message.SID) (int, error) {
	dropped := 0
	err := s.Tx(ctx, func(tx *sql.Tx) error {
		dropped = 0
		return s.eachQuarantined(ctx, tx, sids, func(sid string) error {
			dropped++
			_, err := s.exec(ctx, tx, `UPDATE messages SET payload = NULL, refusal = NULL WHERE refusal IS NOT NULL AND sid = ?`, sid)
			return err
		})
	})
	return dropped, err
}

// eachQuarantined calls fn for the named quarantined messages, or for all.
func (s *Store) eachQuarantined(ctx context.Context, tx *sql.Tx, named []message.SID, fn func(sid string) error) error {
	wanted := make(map[string]bool, len(named))
	for _, sid := range named {
		wanted[string(sid)] = true
	}
	var found []string
	err := s.each(ctx, tx, func(r *sql.Rows) error {
		var sid string
		if err := r.Scan(&sid); err != nil {
			return err
		}
		if len(named) == 0 || wanted[sid] {
			found = append(found, sid)
		}
		return nil
	}, `SELECT sid FROM messages WHERE refusal IS NOT NULL ORDER BY sid`)
	if err != nil {
		return err
	}
	for _, sid := range found {
		if err := fn(sid); err != nil {
			return err
		}
	}
	return nil
}

// Counts are the store's figures for the status page.
type Counts struct {
	Messages    int `json:"messages"`    // known
	Waiting     int `json:"waiting"`     // to be written
	Quarantined int `json:"quarantined"` // refused for good
	Open        int `json:"open"`        // whose status is not final
}

// Counts counts.
func (s *Store) Counts(ctx context.Context) (Counts, error) {
	var c Counts
	for _, q := range []struct {
		into  *int
		query string
	}{
		{&c.Messages, `SELECT count(*) FROM messages`},
		{&c.Waiting, `SELECT count(*) FROM messages WHERE waiting_since IS NOT NULL`},
		{&c.Quarantined, `SELECT count(*) FROM messages WHERE refusal IS NOT NULL`},
		{&c.Open, `SELECT count(*) FROM messages WHERE open = 1`},
	} {
		if err := s.one(ctx, s.read, q.query, nil, q.into); err != nil {
			return c, err
		}
	}
	return c, nil
}

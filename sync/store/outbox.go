package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

// Outbox is the outbox's memory in the store.
type Outbox struct{ s *Store }

var (
	_ outbox.Ledger        = Outbox{}
	_ outbox.Intents       = Outbox{}
	_ outbox.Lines         = Outbox{}
	_ outbox.Results       = Outbox{}
	_ outbox.Claims        = Outbox{}
	_ outbox.Conversations = Conversations{}
	_ outbox.Books         = Outbox{}
	_ outbox.Requests      = Outbox{}
)

// Outbox gives it.
func (s *Store) Outbox() Outbox { return Outbox{s} }

const attemptColumns = `n, record, attempt, state, version, reread, due_at, tries, sender, token, since_at, intended_at, looks,
write_at IS NOT NULL, write_tries, ended_at, read_at, looked_at, parts, parted_at, listed, unshown, draft, outgoing, result`

// attempts reads rows; query goes on behind the columns.
func (s *Store) attempts(ctx context.Context, q queryer, query string, args ...any) ([]outbox.Attempt, error) {
	var all []outbox.Attempt
	var draft, outgoing, result sql.RawBytes
	err := s.each(ctx, q, func(r *sql.Rows) error {
		var a outbox.Attempt
		var record string
		var due, since, intended, ended, read, looked, parted int64
		if err := r.Scan(&a.N, &record, &a.Try, &a.State, &a.Version, &a.Reread, &due, &a.Tries, &a.Sender, &a.Token, &since, &intended,
			&a.Looks, &a.Unwritten, &a.WriteTries, &ended, &read, &looked, &a.Parts, &parted, &a.Listed, &a.Unshown, &draft, &outgoing, &result); err != nil {
			return err
		}
		for _, part := range []struct {
			text []byte
			into any
		}{{draft, &a.Draft}, {outgoing, &a.Out}, {result, &a.Result}} {
			if err := json.Unmarshal(part.text, part.into); err != nil {
				return fmt.Errorf("the attempt of %s cannot be read: %w", record, err)
			}
		}
		a.Due, a.Since, a.Intended, a.Ended = fromMilli(due), fromMilli(since), fromMilli(intended), fromMilli(ended)
		a.Read, a.Looked, a.Parted = fromMilli(read), fromMilli(looked), fromMilli(parted)
		all = append(all, a)
		return nil
	}, `SELECT `+attemptColumns+` FROM outbox `+query, args...)
	return all, err
}

// values are what a row is to hold of an attempt, in the order of setSQL.
func (s *Store) values(a *outbox.Attempt) ([]any, error) {
	s.oldest.note(a)
	args := []any{
		string(a.State), a.Reread, milli(a.Due), a.Tries, a.Sender, string(a.Out.To), a.Token, milli(a.Since), milli(a.Intended), a.Looks,
		string(a.Result.SID), string(a.Result.RejectedSID), writeAt(a), a.WriteTries, milli(a.Ended),
		milli(a.Read), milli(a.Looked), a.Parts, milli(a.Parted), a.Listed,
	}
	for _, part := range []any{&a.Draft, &a.Out, &a.Result} {
		text, err := json.Marshal(part)
		if err != nil {
			return nil, fmt.Errorf("store: encode an attempt: %w", err)
		}
		args = append(args, string(text))
	}
	return args, nil
}

// writeAt is null for what need not be written.
func writeAt(a *outbox.Attempt) any {
	if !a.Unwritten {
		return nil
	}
	return int64(0)
}

const (
	setSQL = `UPDATE outbox SET version = version + 1, state = ?, reread = ?, due_at = ?, tries = ?, sender = ?, theirs = ?, token = ?, since_at = ?,
intended_at = ?, looks = ?, sid = ?, rejected_sid = ?, write_at = ?, write_tries = ?, ended_at = ?,
read_at = ?, looked_at = ?, parts = ?, parted_at = ?, listed = ?, write_refused = 0, draft = ?, outgoing = ?, result = ? WHERE n = ?`
	startSQL = `INSERT INTO outbox (version, state, reread, due_at, tries, sender, theirs, token, since_at,
intended_at, looks, sid, rejected_sid, write_at, write_tries, ended_at, read_at, looked_at, parts, parted_at, listed, draft, outgoing, result, record, attempt)
VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	// What the record refused to show of an attempt before is of no interest once it
	// asks for something else.
	supersedeSQL = `UPDATE outbox SET write_at = NULL, write_refused = 0, version = version + 1 WHERE record = ? AND attempt < ? AND write_at IS NOT NULL`
)

// set writes an attempt, where cond and its arguments hold, and answers whether
// they did.
func (s *Store) set(ctx context.Context, tx *sql.Tx, a *outbox.Attempt, cond string, args ...any) (bool, error) {
	vals, err := s.values(a)
	if err != nil {
		return false, err
	}
	res, err := s.exec(ctx, tx, setSQL+cond, append(append(vals, a.N), args...)...)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 || a.Draft.Bulk == "" {
		return n > 0, err
	}
	return true, s.reach(ctx, tx, a)
}

// unchanged is the condition that a row is as it was read.
const unchanged = ` AND version = ?`

// Take implements outbox.Ledger. What is no news is found without a writing
// transaction, for a poll shows the records of the last minutes again and again.
func (b Outbox) Take(ctx context.Context, drafts []message.Draft, now time.Time) (int, error) {
	changed := 0
	for start := 0; start < len(drafts); start += lookupRows {
		chunk := drafts[start:min(start+lookupRows, len(drafts))]
		news, err := b.meet(ctx, b.s.read, chunk, now)
		if err != nil || len(news) == 0 {
			if err != nil {
				return changed, err
			}
			continue
		}
		if err := b.s.Tx(ctx, func(tx *sql.Tx) error {
			if news, err = b.meet(ctx, tx, chunk, now); err != nil {
				return err
			}
			for i := range news {
				if err := b.enter(ctx, tx, &news[i]); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return changed, err
		}
		changed += len(news)
	}
	return changed, nil
}

// meeting is what a draft makes of its record's last attempt.
type meeting struct {
	attempt outbox.Attempt
	action  outbox.Action
}

// meet answers what is news of drafts. A record that comes twice is met once, as
// it was read last.
func (b Outbox) meet(ctx context.Context, q queryer, drafts []message.Draft, now time.Time) ([]meeting, error) {
	args := make([]any, len(drafts))
	newest := map[string]*message.Draft{}
	for i := range drafts {
		d := &drafts[i]
		args[i] = d.ID
		if was := newest[d.ID]; was == nil || !d.Modified.Before(was.Modified) {
			newest[d.ID] = d
		}
	}
	attempts, err := b.s.attempts(ctx, q, `AS o WHERE record IN (`+placeholders(len(args))+`)
AND attempt = (SELECT MAX(attempt) FROM outbox WHERE record = o.record)`, args...)
	if err != nil {
		return nil, err
	}
	last := map[string]*outbox.Attempt{}
	for i := range attempts {
		last[attempts[i].Draft.ID] = &attempts[i]
	}
	var news []meeting
	for i := range drafts {
		d := &drafts[i]
		if newest[d.ID] != d {
			continue
		}
		if a, action := outbox.Meet(last[d.ID], d, now); action != outbox.Ignore {
			news = append(news, meeting{a, action})
		}
	}
	return news, nil
}

func (b Outbox) enter(ctx context.Context, tx *sql.Tx, m *meeting) error {
	if m.action == outbox.Replace {
		_, err := b.s.set(ctx, tx, &m.attempt, unchanged, m.attempt.Version)
		return err
	}
	vals, err := b.s.values(&m.attempt)
	if err != nil {
		return err
	}
	if _, err = b.s.exec(ctx, tx, startSQL, append(vals, m.attempt.Draft.ID, m.attempt.Try)...); err != nil {
		return err
	}
	_, err = b.s.exec(ctx, tx, supersedeSQL, m.attempt.Draft.ID, m.attempt.Try)
	return err
}

// openRows keeps the planner on the index of what is not over.
const openRows = ` AND state IN ('new', 'ready', 'intended', 'uncertain', 'held')`

// Due implements outbox.Ledger.
func (b Outbox) Due(ctx context.Context, st outbox.State, now time.Time, limit int) ([]outbox.Attempt, error) {
	return b.s.attempts(ctx, b.s.read, `WHERE state = ? AND due_at <= ?`+openRows+` ORDER BY due_at, n LIMIT ?`, string(st), milli(now), limit)
}

// NextDue implements outbox.Ledger.
func (b Outbox) NextDue(ctx context.Context, st outbox.State) (time.Time, bool, error) {
	return b.next(ctx, `SELECT MIN(due_at) FROM outbox WHERE state = ?`+openRows, string(st))
}

// next reads a time that may not be there. One that stands for "at once" is now.
func (b Outbox) next(ctx context.Context, query string, args ...any) (time.Time, bool, error) {
	var at sql.NullInt64
	err := b.s.one(ctx, b.s.read, query, args, &at)
	return time.UnixMilli(at.Int64).UTC(), at.Valid, err
}

// Revise implements outbox.Ledger.
func (b Outbox) Revise(ctx context.Context, all []outbox.Attempt) ([]bool, error) {
	revised := make([]bool, len(all))
	if len(all) == 0 {
		return nil, nil
	}
	err := b.s.Tx(ctx, func(tx *sql.Tx) (err error) {
		for i := range all {
			if revised[i], err = b.s.set(ctx, tx, &all[i], unchanged, all[i].Version); err != nil {
				return err
			}
		}
		return nil
	})
	return revised, err
}

// milli is t in milliseconds, 0 for no time.
func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

// unsettled is whether any attempt may have a message, or a try of one, that it does
// not know.
func (b Outbox) unsettled(ctx context.Context) (bool, error) {
	open := false
	err := b.s.one(ctx, b.s.read, `SELECT EXISTS (SELECT 1 FROM outbox WHERE since_at > 0 AND sid = '' AND rejected_sid = '')
OR EXISTS (SELECT 1 FROM outbox WHERE listed = 1) OR EXISTS (SELECT 1 FROM outbox_refused WHERE sid = '')`, nil, &open)
	return open, err
}

// suspect says whether a message that nobody has may be one of those attempts'.
func (b Outbox) suspect(ctx context.Context, m *message.Message, now time.Time) (outbox.Claim, error) {
	const query = `WHERE n IN (SELECT n FROM outbox WHERE theirs = ? AND since_at > 0 AND sid = '' AND rejected_sid = ''
UNION SELECT n FROM outbox WHERE theirs = ? AND listed = 1) ORDER BY n`
	attempts, err := b.s.attempts(ctx, b.s.read, query, string(m.To), string(m.To))
	if err != nil || len(attempts) == 0 && !outbox.RefusedCreate(m) {
		return outbox.Claim{}, err
	}
	claim := outbox.Claim{}
	err = b.s.Tx(ctx, func(tx *sql.Tx) error {
		claim = outbox.Claim{}
		record, err := b.refusedTry(ctx, tx, 0, m)
		if err != nil || record != "" {
			bulk, _, _ := campaign.ReadKey(record)
			claim = outbox.Claim{Kind: outbox.RejectedOf, Record: record, Bulk: bulk}
			return err
		}
		attempts, err := b.s.attempts(ctx, tx, query, string(m.To), string(m.To))
		if err != nil {
			return err
		}
		for i := range attempts {
			if a := &attempts[i]; outbox.Suspects(a, m) {
				if claim, err = b.belongs(ctx, tx, a, m, now); err != nil || claim.Kind != outbox.Stranger {
					return err
				}
			}
		}
		return nil
	})
	return claim, err
}

// belongs says what a message is to an attempt that it resembles.
func (b Outbox) belongs(ctx context.Context, tx *sql.Tx, a *outbox.Attempt, m *message.Message, now time.Time) (outbox.Claim, error) {
	switch a.State {
	case outbox.Intended, outbox.Uncertain:
		return outbox.Claim{Kind: outbox.Wait}, nil
	case outbox.Rejected:
		if !a.Listed || outbox.RefusedCreate(m) {
			return outbox.Claim{}, nil
		}
	default: // found after all: it is not sent again
	}
	if !outbox.Matches(a, m) {
		return outbox.Claim{}, nil
	}
	if superseded, err := b.superseded(ctx, tx, a); superseded || err != nil {
		return outbox.Claim{}, err
	}
	mine, _, err := b.claim(ctx, tx, a, m, now)
	if err != nil || !mine {
		return outbox.Claim{}, err
	}
	return outbox.Claim{Kind: outbox.Wait, Record: a.Draft.ID}, nil
}

// superseded says whether an attempt's record asks for something else by now: it shows
// what becomes of that, and what it said before is a message with a record of its own.
// A campaign's recipient asks for one message, by whichever attempt.
func (b Outbox) superseded(ctx context.Context, tx *sql.Tx, a *outbox.Attempt) (bool, error) {
	if a.Draft.Bulk != "" {
		return false, nil
	}
	last, _, err := b.last(ctx, tx, a.Draft.ID)
	return last.N != a.N, err
}

const (
	turnedSQL = `INSERT INTO outbox_refused (n, at, theirs, code, sid, outgoing) VALUES (?, ?, ?, ?, ?, ?)`
	triesSQL  = `SELECT id, n, at, outgoing FROM outbox_refused WHERE sid = '' AND theirs = ? AND code = ? ORDER BY at`
)

// turned remembers a try that Twilio has refused.
func (s *Store) turned(ctx context.Context, tx *sql.Tx, n int64, t *outbox.Turned) error {
	out, err := json.Marshal(&t.Out)
	if err != nil {
		return fmt.Errorf("store: encode a try: %w", err)
	}
	_, err = s.exec(ctx, tx, turnedSQL, n, milli(t.At), string(t.Out.To), t.Code, string(t.SID), string(out))
	return err
}

// refusedTry answers the record whose refused try a failed message of Twilio's list
// stands for, "" for none, and notes it: a try that was made again, or the refusal
// that ended an attempt other than one. So each refusal has one such message.
func (b Outbox) refusedTry(ctx context.Context, tx *sql.Tx, other int64, m *message.Message) (record string, err error) {
	if m.Status != message.Failed {
		return "", nil
	}
	n, err := b.triedAgain(ctx, tx, m)
	if err != nil {
		return "", err
	}
	if n != 0 {
		err = b.s.one(ctx, tx, `SELECT record FROM outbox WHERE n = ?`, []any{n}, &record)
		return record, err
	}
	rejected, err := b.s.attempts(ctx, tx, `WHERE theirs = ? AND since_at > 0 AND sid = '' AND rejected_sid = '' AND state = 'rejected' AND n <> ? ORDER BY n`,
		string(m.To), other)
	if err != nil {
		return "", err
	}
	for i := range rejected {
		a := &rejected[i]
		if !outbox.Suspects(a, m) || a.Result.ErrorCode != 0 && m.ErrorCode != 0 && m.ErrorCode != a.Result.ErrorCode {
			continue
		}
		next := outbox.Named(*a, m.SID)
		_, err := b.s.set(ctx, tx, &next, unchanged, a.Version)
		return a.Draft.ID, err
	}
	return "", nil
}

// triedAgain answers the attempt of which a failed message is a refused try, 0 for
// none, and notes the message's SID with the try.
func (b Outbox) triedAgain(ctx context.Context, tx *sql.Tx, m *message.Message) (n int64, err error) {
	var row int64
	var out sql.RawBytes
	if err := b.s.each(ctx, tx, func(r *sql.Rows) error {
		var id, of, at int64
		if err := r.Scan(&id, &of, &at, &out); err != nil {
			return err
		}
		t := outbox.Turned{At: fromMilli(at), Code: m.ErrorCode}
		if err := json.Unmarshal(out, &t.Out); err != nil {
			return fmt.Errorf("a try of attempt %d cannot be read: %w", of, err)
		}
		if n == 0 && t.Explains(m) {
			n, row = of, id
		}
		return nil
	}, triesSQL, string(m.To), m.ErrorCode); err != nil || n == 0 {
		return 0, err
	}
	_, err = b.s.exec(ctx, tx, `UPDATE outbox_refused SET sid = ? WHERE id = ?`, string(m.SID), row)
	return n, err
}

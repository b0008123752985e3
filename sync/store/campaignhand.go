package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

const (
	// sendsSQL changes nothing, but nobody else changes the run until the
	// transaction ends.
	sendsSQL = `UPDATE campaigns SET version = version WHERE n = ? AND version = ? AND status = 'Sending'`
	handSQL  = `UPDATE recipients SET state = 'handed', handed_at = ?, hands = hands + 1 WHERE n = ? AND run = ? AND state = 'waiting' RETURNING hands`
)

// Hand implements campaign.Handing. P5: whoever is no longer Waiting is not handed
// over again, and the attempt is there when they are not.
func (c Campaigns) Hand(ctx context.Context, r *campaign.Run, all []campaign.Recipient, drafts []message.Draft) (int, error) {
	if len(all) != len(drafts) {
		return 0, fmt.Errorf("store: %d drafts for %d recipients", len(drafts), len(all))
	}
	handed := 0
	err := c.s.Tx(ctx, func(tx *sql.Tx) error {
		res, err := c.s.exec(ctx, tx, sendsSQL, r.N, r.Version)
		if err != nil {
			return err
		}
		if sends, err := res.RowsAffected(); err != nil || sends == 0 {
			return err
		}
		for i := range all {
			ok, err := c.hand(ctx, tx, r.N, all[i].N, &drafts[i])
			if err != nil {
				return err
			}
			if ok {
				handed++
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return handed, nil
}

func (c Campaigns) hand(ctx context.Context, tx *sql.Tx, run, recipient int64, d *message.Draft) (bool, error) {
	if _, n, ok := campaign.ReadKey(d.ID); !ok || n != recipient {
		return false, errors.New("store: a draft that is not its recipient's")
	}
	a := outbox.Attempt{Draft: *d, State: outbox.Fresh, Due: d.SendAt, Read: d.SendAt}
	err := c.s.one(ctx, tx, handSQL, []any{milli(d.SendAt), recipient, run}, &a.Try)
	if err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return false, err
	}
	if a.Try > 1 {
		if a.Result, err = c.lastResult(ctx, tx, d.ID, a.Try-1); err != nil {
			return false, err
		}
	}
	vals, err := c.s.values(&a)
	if err != nil {
		return false, err
	}
	_, err = c.s.exec(ctx, tx, startSQL, append(vals, d.ID, a.Try)...)
	return err == nil, err
}

// lastResult is what the record of a key shows, because of the attempt before: the
// next one goes on from it.
func (c Campaigns) lastResult(ctx context.Context, tx *sql.Tx, key string, attempt int) (result message.Result, err error) {
	err = c.s.each(ctx, tx, func(r *sql.Rows) error {
		var text sql.RawBytes
		if err := r.Scan(&text); err != nil {
			return err
		}
		return json.Unmarshal(text, &result)
	}, `SELECT result FROM outbox WHERE record = ? AND attempt = ?`, key, attempt)
	return result, err
}

// Open implements campaign.Handing.
func (c Campaigns) Open(ctx context.Context, run int64) (int, error) {
	var n int
	err := c.s.one(ctx, c.s.read, `SELECT COUNT(*) FROM recipients WHERE run = ? AND state = 'handed'`, []any{run}, &n)
	return n, err
}

// TakeBack implements campaign.Handing. Who is gone meanwhile is found without a
// writing transaction.
func (c Campaigns) TakeBack(ctx context.Context, run int64, before time.Time) (int, error) {
	const query = untriedSQL + ` AND r.handed_at < ? AND o.since_at = 0)`
	at := milli(before.Add(time.Millisecond - time.Nanosecond)) // when they were handed over is cut to milliseconds
	found, err := c.s.attempts(ctx, c.s.read, query, run, at)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	back := 0
	err = c.s.Tx(ctx, func(tx *sql.Tx) (err error) {
		back, err = c.takeBack(ctx, tx, query, run, at)
		return err
	})
	if err != nil {
		return 0, err
	}
	return back, nil
}

// untriedSQL finds the attempts of a run that wait; a condition and a parenthesis
// go on behind.
const untriedSQL = `WHERE n IN (SELECT o.n FROM recipients AS r JOIN campaigns AS c ON c.n = r.run
JOIN outbox AS o ON o.record = c.record || ':' || CAST(r.n AS TEXT) AND o.attempt = r.hands
WHERE r.run = ? AND r.state = 'handed' AND o.state IN ('new', 'ready')`

// withdraw takes everything back that a run has handed over and that waits. What
// may have been sent is to be asked for first, before it is sent again.
func (c Campaigns) withdraw(ctx context.Context, tx *sql.Tx, r *campaign.Run) (int, error) {
	return c.takeBack(ctx, tx, untriedSQL+`)`, r.N)
}

func (c Campaigns) takeBack(ctx context.Context, tx *sql.Tx, query string, args ...any) (int, error) {
	found, err := c.s.attempts(ctx, tx, query, args...)
	if err != nil {
		return 0, err
	}
	back, now := 0, time.Now()
	for i := range found {
		a := outbox.Withdrawn(found[i], now)
		if _, err := c.s.set(ctx, tx, &a, unchanged, a.Version); err != nil {
			return 0, err
		}
		if a.State == outbox.Dropped {
			back++
		}
	}
	return back, nil
}

// Drafts implements campaign.Handing.
func (c Campaigns) Drafts(ctx context.Context, keys []string) ([]message.Draft, error) {
	handed, err := c.keyed(ctx, keys)
	if err != nil {
		return nil, err
	}
	all := make([]message.Draft, 0, len(keys))
	for _, key := range keys {
		h, ok := handed[key]
		if !ok {
			continue
		}
		a, ok, err := c.s.Outbox().Last(ctx, key)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		d := a.Draft
		switch status := h.run.Status; {
		case status == campaign.Sending:
			d.Ask = message.AskSend
		case status == campaign.Completed && !a.Since.IsZero() && a.Result.Status == message.Uncertain:
			// A human has decided that it is sent again: nobody else would hand it over.
			d.Ask, d.SendAt = message.AskSend, time.Now()
		case status.Over():
			d.Ask = message.AskCancel
		default:
			d.Ask = message.AskDraft
		}
		all = append(all, d)
	}
	return all, nil
}

// member is a recipient with its run.
type member struct {
	campaign.Recipient
	run campaign.Run
}

// keyed reads recipients by their keys. Those that are not known are left out.
func (c Campaigns) keyed(ctx context.Context, keys []string) (map[string]member, error) {
	found, runs := map[string]member{}, map[int64]campaign.Run{}
	for _, key := range keys {
		record, n, ok := campaign.ReadKey(key)
		if !ok {
			continue
		}
		all, err := c.s.recipients(ctx, c.s.read, `WHERE n = ?`, n)
		if err != nil {
			return nil, err
		}
		if len(all) == 0 {
			continue
		}
		m := member{Recipient: all[0]}
		if _, known := runs[m.Run]; !known {
			some, err := c.s.runs(ctx, c.s.read, `WHERE n = ?`, m.Run)
			if err != nil {
				return nil, err
			}
			for i := range some {
				runs[m.Run] = some[i]
			}
		}
		if m.run = runs[m.Run]; m.run.Campaign.ID == record {
			found[key] = m
		}
	}
	return found, nil
}

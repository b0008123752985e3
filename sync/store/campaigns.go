package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/twiliosf/twiliosf/sync/campaign"
)

// Campaigns are the campaigns' memory in the store.
type Campaigns struct{ s *Store }

var (
	_ campaign.Runs       = Campaigns{}
	_ campaign.Books      = Campaigns{}
	_ campaign.Recipients = Campaigns{}
	_ campaign.Handing    = Campaigns{}
	_ campaign.Results    = Campaigns{}
	_ campaign.Notes      = Campaigns{}
)

// Campaigns gives it.
func (s *Store) Campaigns() Campaigns { return Campaigns{s} }

// asStored has durations in nanoseconds and tells no map from an empty one.
var asStored = json.JoinOptions(jsonv1.FormatDurationAsNano(true), json.FormatNilMapAsNull(true), json.FormatNilSliceAsNull(true))

// runs reads rows; query goes on behind the columns.
func (s *Store) runs(ctx context.Context, q queryer, query string, args ...any) ([]campaign.Run, error) {
	var all []campaign.Run
	var payload sql.RawBytes
	err := s.each(ctx, q, func(r *sql.Rows) error {
		var n, version int64
		if err := r.Scan(&n, &version, &payload); err != nil {
			return err
		}
		var run campaign.Run
		if err := json.Unmarshal(payload, &run, asStored); err != nil {
			return fmt.Errorf("the run %d of a campaign cannot be read: %w", n, err)
		}
		run.N, run.Version = n, version
		all = append(all, run)
		return nil
	}, `SELECT n, version, payload FROM campaigns `+query, args...)
	return all, err
}

// setRun writes a run unless it has changed since it was read, and makes one that
// has no number yet.
func (s *Store) setRun(ctx context.Context, tx *sql.Tx, r *campaign.Run) (bool, error) {
	payload, err := json.Marshal(r, asStored)
	if err != nil {
		return false, fmt.Errorf("store: encode a campaign's run: %w", err)
	}
	args := []any{string(r.Status), milli(r.Due), milli(r.Ended), string(payload)}
	query, key := `UPDATE campaigns SET version = version + 1, status = ?, due_at = ?, ended_at = ?, payload = ? WHERE n = ? AND version = ? RETURNING n, version`,
		[]any{r.N, r.Version}
	if r.N == 0 {
		query, key = `INSERT INTO campaigns (version, status, due_at, ended_at, payload, record, kind) VALUES (1, ?, ?, ?, ?, ?, ?)
ON CONFLICT (record, kind) DO NOTHING RETURNING n, version`, []any{r.Campaign.ID, string(r.Kind)}
	}
	ok := false
	err = s.each(ctx, tx, func(rows *sql.Rows) error {
		ok = true
		return rows.Scan(&r.N, &r.Version)
	}, query, append(args, key...)...)
	return ok && err == nil, err
}

// Take implements campaign.Runs. What is no news is found without a writing
// transaction, for a poll shows the records of the last minutes again and again.
func (c Campaigns) Take(ctx context.Context, all []campaign.Campaign, now time.Time) (int, error) {
	changed := 0
	for start := 0; start < len(all); start += lookupRows {
		chunk := all[start:min(start+lookupRows, len(all))]
		news, err := c.meet(ctx, c.s.read, chunk, now)
		if err != nil {
			return changed, err
		}
		if len(news) == 0 {
			continue
		}
		n := 0
		if err := c.s.Tx(ctx, func(tx *sql.Tx) error {
			if news, err = c.meet(ctx, tx, chunk, now); err != nil {
				return err
			}
			n, err = c.enter(ctx, tx, news)
			return err
		}); err != nil {
			return changed, err
		}
		changed += n
	}
	return changed, nil
}

// encounter is what the readings of a record make of its run.
type encounter struct {
	run       campaign.Run
	withdrawn bool
}

// meet answers what is news of records, one by one in their order.
func (c Campaigns) meet(ctx context.Context, q queryer, all []campaign.Campaign, now time.Time) ([]*encounter, error) {
	args := make([]any, len(all))
	for i := range all {
		args[i] = all[i].ID
	}
	runs, err := c.s.runs(ctx, q, `WHERE record IN (`+placeholders(len(args))+`) AND kind = 'send'`, args...)
	if err != nil {
		return nil, err
	}
	known := map[string]*campaign.Run{}
	for i := range runs {
		known[runs[i].Campaign.ID] = &runs[i]
	}
	var news []*encounter
	met := map[string]*encounter{}
	for i := range all {
		id := all[i].ID
		r, changed, withdrawn := campaign.Meet(known[id], all[i], now)
		if !changed {
			continue
		}
		e := met[id]
		if e == nil {
			e = &encounter{}
			met[id] = e
			news = append(news, e)
		}
		e.run, e.withdrawn = r, e.withdrawn || withdrawn
		known[id] = &e.run
	}
	return news, nil
}

func (c Campaigns) enter(ctx context.Context, tx *sql.Tx, news []*encounter) (changed int, err error) {
	for _, e := range news {
		ok, err := c.s.setRun(ctx, tx, &e.run)
		if err != nil {
			return 0, err
		}
		if !ok {
			continue
		}
		changed++
		if e.withdrawn {
			if _, err := c.withdraw(ctx, tx, &e.run); err != nil {
				return 0, err
			}
		}
	}
	return changed, nil
}

// Due implements campaign.Runs.
func (c Campaigns) Due(ctx context.Context, now time.Time, limit int) ([]campaign.Run, error) {
	return c.s.runs(ctx, c.s.read, `WHERE due_at <= ? ORDER BY due_at, n LIMIT ?`, milli(now), limit)
}

// NextDue implements campaign.Runs. A run that is due at once is due in 1970.
func (c Campaigns) NextDue(ctx context.Context) (time.Time, bool, error) {
	var at sql.NullInt64
	err := c.s.one(ctx, c.s.read, `SELECT MIN(due_at) FROM campaigns WHERE due_at < ?`, []any{milli(campaign.Never)}, &at)
	return time.UnixMilli(at.Int64).UTC(), at.Valid, err
}

// Revise implements campaign.Runs.
func (c Campaigns) Revise(ctx context.Context, r *campaign.Run) (bool, error) {
	ok, next := false, *r
	err := c.s.Tx(ctx, func(tx *sql.Tx) (err error) {
		ok, err = c.s.setRun(ctx, tx, &next)
		return err
	})
	if err != nil || !ok {
		return false, err
	}
	*r = next
	return true, nil
}

// overRuns is the condition of runs that are over.
const overRuns = `status IN ('Canceled', 'Completed', 'Failed')`

// Runs implements campaign.Books.
func (c Campaigns) Runs(ctx context.Context, limit int) ([]campaign.Run, error) {
	return c.s.runs(ctx, c.s.read, `WHERE kind = 'send' ORDER BY CASE WHEN `+overRuns+` THEN 1 ELSE 0 END, ended_at DESC, n DESC LIMIT ?`, limit)
}

// Run implements campaign.Books.
func (c Campaigns) Run(ctx context.Context, record string, k campaign.Kind) (campaign.Run, bool, error) {
	found, err := c.s.runs(ctx, c.s.read, `WHERE record = ? AND kind = ?`, record, string(k))
	if err != nil || len(found) == 0 {
		return campaign.Run{}, false, err
	}
	return found[0], true, nil
}

// Forget implements campaign.Books. A run to send is marked before its rows go, so
// that none begins anew without them; what a crash leaves is dropped the next time.
func (c Campaigns) Forget(ctx context.Context, before time.Time) error {
	const old = `WHERE ended_at > 0 AND ended_at < ? AND ` + overRuns
	runs, err := c.s.runs(ctx, c.s.read, old, milli(before))
	if err != nil {
		return err
	}
	for i := range runs {
		if err := c.forget(ctx, &runs[i]); err != nil {
			return err
		}
	}
	if len(runs) == 0 {
		return nil
	}
	return c.s.Tx(ctx, func(tx *sql.Tx) error { return c.s.countSent(ctx, tx) })
}

func (c Campaigns) forget(ctx context.Context, r *campaign.Run) error {
	end := `DELETE FROM campaigns WHERE n = ? AND version = ?`
	if r.Kind == campaign.ToSend {
		end = `UPDATE campaigns SET ended_at = 0 WHERE n = ? AND version = ?`
		if !r.Forgotten {
			r.Forget()
			if ok, err := c.Revise(ctx, r); err != nil || !ok {
				return err
			}
		}
	}
	if err := c.drop(ctx, r.N, true); err != nil {
		return err
	}
	_, err := c.s.exec(ctx, c.s.write, end, r.N, r.Version)
	return err
}

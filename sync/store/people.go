package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/people"
	"github.com/twiliosf/twiliosf/sync/phone"
)

// People is the index of whose number is whose.
type People struct{ s *Store }

var (
	_ people.Index     = People{}
	_ people.Directory = People{}
)

// People gives the index.
func (s *Store) People() People { return People{s} }

// States implements people.Index.
func (p People) States(ctx context.Context) (map[string]people.State, error) {
	states := map[string]people.State{}
	err := p.s.each(ctx, p.s.read, func(r *sql.Rows) error {
		var name string
		var st people.State
		var mark, checked, filled int64
		if err := r.Scan(&name, &st.Definition, &st.Held, &st.Generation, &st.Filling, &st.Job, &st.Locator, &mark, &checked, &filled, &st.People); err != nil {
			return err
		}
		st.Mark, st.CheckedAt, st.FilledAt = fromUnix(mark), fromUnix(checked), fromUnix(filled)
		states[name] = st
		return nil
	}, `SELECT name, definition, held, generation, filling, job, locator, mark, checked_at, filled_at, people FROM people_objects`)
	return states, err
}

const objectSQL = `SELECT object FROM people_objects WHERE name = ?`

// Holds implements people.Index.
func (p People) Holds(ctx context.Context, object string, ids []string) (map[string]people.Holding, error) {
	held := make(map[string]people.Holding, len(ids))
	var n int64
	if err := p.s.one(ctx, p.s.read, objectSQL, []any{object}, &n); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = nil // nothing of the object is known yet
		}
		return held, err
	}
	for chunk := range slices.Chunk(ids, lookupRows) {
		args := append(make([]any, 0, lookupRows+1), n)
		for i := range lookupRows {
			args = append(args, chunk[min(i, len(chunk)-1)])
		}
		if err := p.s.each(ctx, p.s.read, func(r *sql.Rows) error {
			var id, numbers string
			var h people.Holding
			if err := r.Scan(&id, &h.Owner, &h.Generation, &numbers); err != nil {
				return err
			}
			h.Numbers = split(numbers)
			held[id] = h
			return nil
		}, holdsSQL, args...); err != nil {
			return nil, err
		}
	}
	return held, nil
}

var holdsSQL = `SELECT record, owner, generation, numbers FROM people WHERE object = ? AND record IN (` + placeholders(lookupRows) + `)`

const (
	putPersonSQL = `INSERT INTO people (object, record, owner, generation, numbers) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (object, record) DO UPDATE SET owner = excluded.owner, generation = excluded.generation, numbers = excluded.numbers`
	dropPersonSQL = `DELETE FROM people WHERE object = ? AND record = ?`
	putNumberSQL  = `INSERT INTO people_numbers (number, object, record) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`
	dropNumberSQL = `DELETE FROM people_numbers WHERE number = ? AND object = ? AND record = ?`
	forgetLastSQL = `DELETE FROM last_status WHERE record = ?`
)

// Write implements people.Index.
func (p People) Write(ctx context.Context, object string, st people.State, changes []people.Change) error {
	return p.s.Tx(ctx, func(tx *sql.Tx) error {
		var n int64
		if err := p.s.one(ctx, tx, `INSERT INTO people_objects
(name, definition, held, generation, filling, job, locator, mark, checked_at, filled_at, people) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET definition = excluded.definition, held = excluded.held, generation = excluded.generation,
filling = excluded.filling, job = excluded.job, locator = excluded.locator, mark = excluded.mark, checked_at = excluded.checked_at,
filled_at = excluded.filled_at, people = excluded.people RETURNING object`,
			[]any{
				object, st.Definition, st.Held, st.Generation, st.Filling, st.Job, st.Locator,
				unix(st.Mark), unix(st.CheckedAt), unix(st.FilledAt), st.People,
			}, &n); err != nil {
			return err
		}
		var cleared []message.FollowUp
		for i := range changes {
			if err := p.change(ctx, tx, n, st.Generation, &changes[i]); err != nil {
				return err
			}
			f, err := p.clear(ctx, tx, object, &changes[i])
			if err != nil {
				return err
			}
			cleared = append(cleared, f...)
		}
		return p.s.follow(ctx, tx, cleared)
	})
}

// change replaces what is known of one record.
func (p People) change(ctx context.Context, tx *sql.Tx, object, generation int64, c *people.Change) error {
	was, is := keysOf(c.Was), keysOf(c.Numbers)
	for _, key := range was {
		if !slices.Contains(is, key) {
			if _, err := p.s.exec(ctx, tx, dropNumberSQL, key, object, c.ID); err != nil {
				return err
			}
		}
	}
	for _, key := range is {
		if !slices.Contains(was, key) {
			if _, err := p.s.exec(ctx, tx, putNumberSQL, key, object, c.ID); err != nil {
				return err
			}
		}
	}
	if len(c.Numbers) == 0 {
		_, err := p.s.exec(ctx, tx, dropPersonSQL, object, c.ID)
		return err
	}
	_, err := p.s.exec(ctx, tx, putPersonSQL, object, c.ID, c.Owner, generation, joined(c.Numbers))
	return err
}

// clear forgets the last status of a record that is gone, or of a number that it
// has lost; the org is told of the latter.
func (p People) clear(ctx context.Context, tx *sql.Tx, object string, c *people.Change) ([]message.FollowUp, error) {
	if c.Gone {
		_, err := p.s.exec(ctx, tx, forgetLastSQL, c.ID)
		return nil, err
	}
	for _, key := range keysOf(c.Lost) {
		res, err := p.s.exec(ctx, tx, `DELETE FROM last_status WHERE record = ? AND number = ?`, c.ID, key)
		if err != nil {
			return nil, err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return []message.FollowUp{{
				Kind: message.FollowStatus, Key: c.ID, Status: &message.LastStatus{Person: message.Link{Object: object, ID: c.ID}},
			}}, err
		}
	}
	return nil, nil
}

// pruneRows is how many records one transaction drops.
const pruneRows = 500

// Prune implements people.Index.
func (p People) Prune(ctx context.Context, object string, generation int64) (int64, error) {
	var n int64
	if err := p.s.one(ctx, p.s.read, objectSQL, []any{object}, &n); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return 0, err
	}
	total, after := int64(0), ""
	for {
		stale, err := p.stale(ctx, n, generation, after)
		if err != nil {
			return total, err
		}
		if len(stale) > 0 {
			if err := p.drop(ctx, n, stale); err != nil {
				return total, err
			}
			total, after = total+int64(len(stale)), stale[len(stale)-1].ID
		}
		if len(stale) < pruneRows {
			break
		}
	}
	if generation != 0 {
		return total, nil
	}
	_, err := p.s.exec(ctx, p.s.write, `DELETE FROM people_objects WHERE object = ?`, n)
	return total, err
}

// stale reads the next records that are not of a generation. It may have to look
// at all of them, which no writer should wait for.
func (p People) stale(ctx context.Context, object, generation int64, after string) ([]people.Change, error) {
	var stale []people.Change
	err := p.s.each(ctx, p.s.read, func(r *sql.Rows) error {
		var numbers string
		c := people.Change{Gone: true}
		err := r.Scan(&c.ID, &numbers)
		c.Was = split(numbers)
		stale = append(stale, c)
		return err
	}, `SELECT record, numbers FROM people WHERE object = ? AND record > ? AND generation <> ? ORDER BY record LIMIT ?`,
		object, after, generation, pruneRows)
	return stale, err
}

func (p People) drop(ctx context.Context, object int64, stale []people.Change) error {
	return p.s.Tx(ctx, func(tx *sql.Tx) error {
		for i := range stale {
			if err := p.change(ctx, tx, object, 0, &stale[i]); err != nil {
				return err
			}
			if _, err := p.s.exec(ctx, tx, forgetLastSQL, stale[i].ID); err != nil {
				return err
			}
		}
		_, err := p.s.exec(ctx, tx, `UPDATE people_objects SET people = people - ? WHERE object = ?`, len(stale), object)
		return err
	})
}

// keysOf are the keys of numbers, each once.
func keysOf(numbers []message.Number) []int64 {
	keys := make([]int64, 0, len(numbers))
	for _, n := range numbers {
		if key := int64(phone.KeyOf(n)); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

func joined(numbers []message.Number) string {
	var b strings.Builder
	for i, n := range numbers {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(n))
	}
	return b.String()
}

func split(numbers string) []message.Number {
	var all []message.Number
	for n := range strings.FieldsSeq(numbers) {
		all = append(all, message.Number(n))
	}
	return all
}

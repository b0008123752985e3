package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
)

// The states of a recipient.
const (
	isWaiting = "waiting"
	isLeftOut = "left_out"
)

const addColumns = 11

var addSQL = addRows(upsertRows)

func addRows(n int) string {
	return `INSERT INTO recipients (run, state, reason, due_at, phone, theirs, object, person, member, last, text) VALUES ` + rows(addColumns, n)
}

// Add implements campaign.Recipients.
func (c Campaigns) Add(ctx context.Context, r *campaign.Run, page []campaign.Recipient) (bool, error) {
	ok, next := false, *r
	err := c.s.Tx(ctx, func(tx *sql.Tx) (err error) {
		if ok, err = c.s.setRun(ctx, tx, &next); err != nil || !ok {
			return err
		}
		return c.add(ctx, tx, next.N, page)
	})
	if err != nil || !ok {
		return false, err
	}
	*r = next
	return true, nil
}

func (c Campaigns) add(ctx context.Context, tx *sql.Tx, run int64, page []campaign.Recipient) error {
	there, holders, err := c.met(ctx, tx, run, page)
	if err != nil {
		return err
	}
	args := make([]any, 0, upsertRows*addColumns)
	for i := range page {
		p := &page[i]
		if there[p.Person] {
			continue
		}
		there[p.Person] = true
		state, reason := isWaiting, p.Reason
		if reason == "" {
			for _, n := range phone.Writings(p.Number) {
				if holders[n] {
					reason = campaign.Duplicate
				}
			}
			holders[p.Number] = true
		}
		if reason != "" {
			state = isLeftOut
		}
		args = append(args, run, state, string(reason), milli(p.Due), int64(phone.KeyOf(p.Number)), string(p.Number),
			p.Person.Object, p.Person.ID, p.Member, p.Last, p.Text)
		if len(args) == cap(args) {
			if _, err := c.s.exec(ctx, tx, addSQL, args...); err != nil {
				return err
			}
			args = args[:0]
		}
	}
	if len(args) == 0 {
		return nil
	}
	_, err = c.s.exec(ctx, tx, addRows(len(args)/addColumns), args...)
	return err
}

// met answers who of a page is a run's already, and which of its numbers are
// another's.
func (c Campaigns) met(ctx context.Context, tx *sql.Tx, run int64, page []campaign.Recipient) (there map[message.Link]bool, holders map[message.Number]bool, err error) {
	there, holders = make(map[message.Link]bool, len(page)), make(map[message.Number]bool, len(page))
	var written []message.Number
	for i := range page {
		if page[i].Number != "" {
			written = append(written, phone.Writings(page[i].Number)...)
		}
	}
	for chunk := range slices.Chunk(page, lookupRows) {
		people := []any{run}
		for i := range lookupRows {
			people = append(people, chunk[min(i, len(chunk)-1)].Person.ID)
		}
		if err := c.s.each(ctx, tx, func(r *sql.Rows) error {
			var l message.Link
			err := r.Scan(&l.Object, &l.ID)
			there[l] = true
			return err
		}, metPeopleSQL, people...); err != nil {
			return nil, nil, err
		}
	}
	for chunk := range slices.Chunk(written, lookupRows) {
		numbers := []any{run}
		for i := range lookupRows {
			numbers = append(numbers, string(chunk[min(i, len(chunk)-1)]))
		}
		if err := c.s.each(ctx, tx, func(r *sql.Rows) error {
			var n message.Number
			err := r.Scan(&n)
			holders[n] = true
			return err
		}, metNumbersSQL, numbers...); err != nil {
			return nil, nil, err
		}
	}
	return there, holders, nil
}

var (
	metPeopleSQL  = `SELECT object, person FROM recipients WHERE run = ? AND person IN (` + placeholders(lookupRows) + `)`
	metNumbersSQL = `SELECT theirs FROM recipients WHERE run = ? AND reason = '' AND theirs IN (` + placeholders(lookupRows) + `)`
)

const recipientColumns = `n, run, object, person, member, last, theirs, reason, text, due_at`

// recipients reads rows; query goes on behind the columns.
func (s *Store) recipients(ctx context.Context, q queryer, query string, args ...any) ([]campaign.Recipient, error) {
	var all []campaign.Recipient
	err := s.each(ctx, q, func(r *sql.Rows) error {
		var p campaign.Recipient
		var due int64
		if err := r.Scan(&p.N, &p.Run, &p.Person.Object, &p.Person.ID, &p.Member, &p.Last, &p.Number, &p.Reason, &p.Text, &due); err != nil {
			return err
		}
		p.Due = fromMilli(due)
		all = append(all, p)
		return nil
	}, `SELECT `+recipientColumns+` FROM recipients `+query, args...)
	return all, err
}

// Waiting implements campaign.Recipients.
func (c Campaigns) Waiting(ctx context.Context, run int64, now time.Time, limit int) ([]campaign.Recipient, error) {
	return c.s.recipients(ctx, c.s.read, `WHERE run = ? AND state = 'waiting' AND due_at <= ? ORDER BY due_at, n LIMIT ?`, run, milli(now), limit)
}

// PutOff implements campaign.Recipients.
func (c Campaigns) PutOff(ctx context.Context, all []campaign.Recipient) error {
	if len(all) == 0 {
		return nil
	}
	return c.s.Tx(ctx, func(tx *sql.Tx) error {
		for i := range all {
			if _, err := c.s.exec(ctx, tx, `UPDATE recipients SET due_at = ? WHERE n = ? AND run = ? AND state = 'waiting'`,
				milli(all[i].Due), all[i].N, all[i].Run); err != nil {
				return err
			}
		}
		return nil
	})
}

// Clear implements campaign.Recipients.
func (c Campaigns) Clear(ctx context.Context, run int64, all bool) error {
	if err := c.drop(ctx, run, all); err != nil || !all {
		return err
	}
	return c.s.Tx(ctx, func(tx *sql.Tx) error { return c.s.countSent(ctx, tx) })
}

// drop drops the recipients of a run, or those of them who were not sent to.
func (c Campaigns) drop(ctx context.Context, run int64, all bool) error {
	states := ` AND state IN ('waiting', 'left_out')`
	if all {
		states = ""
	}
	return c.s.inParts(ctx, []string{`DELETE FROM recipients WHERE n IN (SELECT n FROM recipients WHERE run = ?` + states + ` LIMIT ?)`}, run)
}

// dropRows is how many rows one transaction drops: nobody who writes waits for a
// million of them.
const dropRows = 1000

// inParts repeats statements, whose last argument is how many rows they are to drop,
// until the last of them finds fewer, each time in a transaction of its own.
func (s *Store) inParts(ctx context.Context, queries []string, args ...any) error {
	args = append(args, dropRows)
	for n := int64(dropRows); n >= dropRows; {
		if err := s.Tx(ctx, func(tx *sql.Tx) error {
			for _, query := range queries {
				res, err := s.exec(ctx, tx, query, args...)
				if err != nil {
					return err
				}
				if n, err = res.RowsAffected(); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// sender takes a run's sender apart.
func sender(of string) (number message.Number, service string) {
	if strings.HasPrefix(of, "MG") {
		return "", of
	}
	return message.Number(of), ""
}

package store

import (
	"context"
	"database/sql"
	"slices"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/people"
	"github.com/twiliosf/twiliosf/sync/phone"
)

// findSQL counts before it joins: thousands of records may share the number of a
// switchboard. Of an object that was never filled nobody knows whether a record is
// the only one.
var findSQL = `SELECT f.number, o.name, f.records, f.record, p.owner FROM
(SELECT number, object, COUNT(*) AS records, MIN(record) AS record FROM people_numbers
 WHERE number IN (` + placeholders(lookupRows) + `) GROUP BY number, object) AS f
JOIN people_objects AS o ON o.object = f.object AND o.held <> ''
JOIN people AS p ON p.object = f.object AND p.record = f.record
ORDER BY f.number, f.object`

// Find implements people.Directory.
func (p People) Find(ctx context.Context, keys []phone.Key) (map[phone.Key][]people.Match, error) {
	found := map[phone.Key][]people.Match{}
	for chunk := range slices.Chunk(keys, lookupRows) {
		args := make([]any, lookupRows)
		for i := range args {
			args[i] = int64(chunk[min(i, len(chunk)-1)])
		}
		if err := p.s.each(ctx, p.s.read, func(r *sql.Rows) error {
			var key phone.Key
			var m people.Match
			if err := r.Scan(&key, &m.Object, &m.Records, &m.ID, &m.Owner); err != nil {
				return err
			}
			found[key] = append(found[key], m)
			return nil
		}, findSQL, args...); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Note implements people.Directory.
func (p People) Note(ctx context.Context, all []people.Noted) error {
	fresh, err := p.fresh(ctx, all)
	if err != nil || len(fresh) == 0 {
		return err
	}
	return p.s.Tx(ctx, func(tx *sql.Tx) error {
		var due []message.FollowUp
		for i := range fresh {
			last := &fresh[i].Status
			// Another batch may have been faster, and newer.
			key, id := int64(fresh[i].Key), last.Person.ID
			res, err := p.s.exec(ctx, tx, noteSQL, id, key, last.At.Unix(), last.Status, key, last.Person.Object, id)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil {
				return err
			} else if n > 0 {
				due = append(due, message.FollowUp{Kind: message.FollowStatus, Key: last.Person.ID, Status: last})
			}
		}
		return p.s.follow(ctx, tx, due)
	})
}

// Of two messages of one second, the one that is written later counts. A number
// that the person has lost meanwhile says nothing any more.
const noteSQL = `INSERT INTO last_status (record, number, at, status) SELECT ?, ?, ?, ?
WHERE EXISTS (SELECT 1 FROM people_numbers AS n JOIN people_objects AS o ON o.object = n.object WHERE n.number = ? AND o.name = ? AND n.record = ?)
ON CONFLICT (record) DO UPDATE SET number = excluded.number, at = excluded.at, status = excluded.status
WHERE excluded.at > last_status.at OR (excluded.at = last_status.at AND excluded.status <> last_status.status)`

// fresh are those that say something else than what is kept, or of a later time.
func (p People) fresh(ctx context.Context, all []people.Noted) ([]people.Noted, error) {
	type kept struct {
		at     int64
		status string
	}
	known := map[string]kept{}
	for chunk := range slices.Chunk(all, lookupRows) {
		args := make([]any, lookupRows)
		for i := range args {
			args[i] = chunk[min(i, len(chunk)-1)].Status.Person.ID
		}
		if err := p.s.each(ctx, p.s.read, func(r *sql.Rows) error {
			var id string
			var k kept
			err := r.Scan(&id, &k.at, &k.status)
			known[id] = k
			return err
		}, lastSQL, args...); err != nil {
			return nil, err
		}
	}
	var fresh []people.Noted
	for _, n := range all {
		k, there := known[n.Status.Person.ID]
		if at := n.Status.At.Unix(); !there || at > k.at || (at == k.at && n.Status.Status != k.status) {
			fresh = append(fresh, n)
		}
	}
	return fresh, nil
}

var lastSQL = `SELECT record, at, status FROM last_status WHERE record IN (` + placeholders(lookupRows) + `)`

// Personal implements people.Directory.
func (p People) Personal(ctx context.Context) (map[phone.Key]string, error) {
	all := map[phone.Key]string{}
	err := p.s.each(ctx, p.s.read, func(r *sql.Rows) error {
		var key phone.Key
		var user string
		err := r.Scan(&key, &user)
		all[key] = user
		return err
	}, `SELECT number, user_id FROM personal_numbers`)
	return all, err
}

// SetPersonal implements people.Directory.
func (p People) SetPersonal(ctx context.Context, all map[phone.Key]string) error {
	return p.s.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := p.s.exec(ctx, tx, `DELETE FROM personal_numbers`); err != nil {
			return err
		}
		for key, user := range all {
			if _, err := p.s.exec(ctx, tx, `INSERT INTO personal_numbers (number, user_id) VALUES (?, ?)`, int64(key), user); err != nil {
				return err
			}
		}
		return nil
	})
}

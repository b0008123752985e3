package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/twiliosf/twiliosf/sync/consent"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

var (
	_ consent.Register = (*Store)(nil)
	_ consent.Keywords = (*Store)(nil)
	_ consent.Progress = (*Store)(nil)
)

// Use implements consent.Register. Without a classifier no message says anything.
func (s *Store) Use(c consent.Classifier) { s.classifier.Store(&c) }

// reads is the present classifier, nil for none.
func (s *Store) reads() consent.Classifier {
	if c := s.classifier.Load(); c != nil {
		return *c
	}
	return nil
}

// sayEvents enters what events that are new say of consent, in the transaction
// that keeps them (P6).
func (s *Store) sayEvents(ctx context.Context, tx *sql.Tx, all []*arrival) error {
	c := s.reads()
	if c == nil {
		return nil
	}
	var said []consent.Statement
	for _, a := range all {
		if !a.first {
			continue
		}
		if x, ok := c.Event(a.event); ok {
			said = append(said, x)
		}
	}
	return s.say(ctx, tx, said, ifNew)
}

// sayMessages enters what messages say that Twilio's API has shown. Its dates
// replace those of webhooks' receipts.
func (s *Store) sayMessages(ctx context.Context, tx *sql.Tx, all []*merge) error {
	c := s.reads()
	if c == nil {
		return nil
	}
	var said []consent.Statement
	for _, m := range all {
		for i := range m.news {
			if x, ok := c.Message(m.news[i].Message); ok {
				said = append(said, x)
			}
		}
	}
	return s.say(ctx, tx, said, redate)
}

// redateStatement puts what a message has said, if anything, under the message's
// own date.
func (s *Store) redateStatement(ctx context.Context, tx *sql.Tx, sid message.SID, at int64) error {
	var number string
	err := s.each(ctx, tx, func(r *sql.Rows) error { return r.Scan(&number) },
		`UPDATE consent_statements SET at = ? WHERE id = ? AND at <> ? RETURNING number`, at, string(sid), at)
	if err != nil || number == "" {
		return err
	}
	return s.settleConsent(ctx, tx, message.Number(number), nil)
}

// redateKnown does so for inbound events of messages that a sweep had seen before.
func (s *Store) redateKnown(ctx context.Context, tx *sql.Tx, held map[message.SID]*holding, events []mirror.QueuedEvent) error {
	for i := range events {
		e := &events[i].Event
		if h := held[e.SID]; e.Kind == message.InboundEvent && h != nil && !h.fresh {
			if err := s.redateStatement(ctx, tx, e.SID, h.created); err != nil {
				return err
			}
		}
	}
	return nil
}

// What is done with a statement that is known already.
const (
	ifNew   = ` DO NOTHING`
	redate  = ` DO UPDATE SET at = excluded.at WHERE consent_statements.at <> excluded.at`
	replace = ` DO UPDATE SET at = excluded.at, active = excluded.active, in_at = excluded.in_at, out_at = excluded.out_at, message = excluded.message
WHERE consent_statements.at < excluded.at OR (consent_statements.at = excluded.at AND consent_statements.active > excluded.active)`
)

const sayColumns = `INSERT INTO consent_statements (id, number, class, keyword, at, active, in_at, out_at, message)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id)`

// say enters statements and brings the register up to them. A row of the org's
// that is as the register has it by now is not written there again.
func (s *Store) say(ctx context.Context, tx *sql.Tx, said []consent.Statement, known string) error {
	news := map[message.Number][]consent.Statement{}
	for i := range said {
		x := &said[i]
		res, err := s.exec(ctx, tx, sayColumns+known, x.ID, string(x.Number), string(x.Class), x.Keyword, unix(x.At),
			x.Active, unix(x.InAt), unix(x.OutAt), string(x.Message))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if n > 0 || known == replace {
			news[x.Number] = append(news[x.Number], *x)
		}
	}
	for _, number := range slices.Sorted(maps.Keys(news)) {
		if err := s.settleConsent(ctx, tx, number, news[number]); err != nil {
			return err
		}
	}
	return nil
}

// settleConsent makes the register's rows of a number anew, and queues what has
// changed for the org.
func (s *Store) settleConsent(ctx context.Context, tx *sql.Tx, number message.Number, news []consent.Statement) error {
	said, err := s.statements(ctx, tx, number)
	if err != nil {
		return err
	}
	before, err := s.consentRows(ctx, tx, number)
	if err != nil {
		return err
	}
	var follow []message.FollowUp
	for _, row := range consent.Settle(said) {
		now := row.OptIn(number)
		was, there := before[row.Keyword]
		changed := !there || was != now
		if changed {
			if _, err := s.exec(ctx, tx, `INSERT INTO consent (number, keyword, active, in_at, out_at, message) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (number, keyword) DO UPDATE SET active = excluded.active, in_at = excluded.in_at, out_at = excluded.out_at, message = excluded.message`,
				string(number), row.Keyword, now.Active, unix(now.InAt), unix(now.OutAt), string(now.Message)); err != nil {
				return err
			}
		}
		follow = append(follow, consequences(now, changed, changed && now.Active && !was.Active, news)...)
	}
	return s.follow(ctx, tx, follow)
}

// consequences are the follow-ups of one row. opened says that it was not active
// before.
func consequences(row message.OptIn, changed, opened bool, news []consent.Statement) []message.FollowUp {
	wrong := changed
	var all []message.FollowUp
	for i := range news {
		x := &news[i]
		if x.ID == "org:"+row.Key { // the org's own row: only what it has wrong is written
			wrong = x.Active != row.Active
		}
		if opened && x.Campaign != "" && x.ID == string(row.Message) {
			all = append(all, message.FollowUp{
				Kind: message.FollowMember, Key: x.Campaign + ":" + string(row.Number),
				Member: &message.Member{Campaign: x.Campaign, Number: row.Number},
			})
		}
	}
	if wrong {
		all = append(all, message.FollowUp{Kind: message.FollowOptIn, Key: row.Key, OptIn: &row})
	}
	return all
}

func (s *Store) statements(ctx context.Context, tx *sql.Tx, number message.Number) ([]consent.Statement, error) {
	var all []consent.Statement
	err := s.each(ctx, tx, func(r *sql.Rows) error {
		x := consent.Statement{Number: number}
		var at, in, out int64
		if err := r.Scan(&x.ID, &x.Class, &x.Keyword, &at, &x.Active, &in, &out, &x.Message); err != nil {
			return err
		}
		x.At, x.InAt, x.OutAt = fromUnix(at), fromUnix(in), fromUnix(out)
		all = append(all, x)
		return nil
	}, `SELECT id, class, keyword, at, active, in_at, out_at, message FROM consent_statements WHERE number = ?`, string(number))
	return all, err
}

// consentRows are the register's rows of a number, by keyword.
func (s *Store) consentRows(ctx context.Context, q queryer, number message.Number) (map[string]message.OptIn, error) {
	rows := map[string]message.OptIn{}
	err := s.each(ctx, q, func(r *sql.Rows) error {
		var row consent.Row
		var in, out int64
		if err := r.Scan(&row.Keyword, &row.Active, &in, &out, &row.Message); err != nil {
			return err
		}
		row.InAt, row.OutAt = fromUnix(in), fromUnix(out)
		rows[row.Keyword] = row.OptIn(number)
		return nil
	}, `SELECT keyword, active, in_at, out_at, message FROM consent WHERE number = ?`, string(number))
	return rows, err
}

// Learn implements consent.Register. What is no news is found without a writing
// transaction, for a poll shows the rows of the last minutes again and again.
func (s *Store) Learn(ctx context.Context, rows []message.OptIn) error {
	said, err := s.newRows(ctx, rows)
	if err != nil || len(said) == 0 {
		return err
	}
	return s.Tx(ctx, func(tx *sql.Tx) error { return s.say(ctx, tx, said, replace) })
}

// newRows are the statements of rows that say something new, or something else
// than the register.
func (s *Store) newRows(ctx context.Context, rows []message.OptIn) ([]consent.Statement, error) {
	type state struct {
		at     int64
		active bool
	}
	var said []consent.Statement
	for chunk := range slices.Chunk(rows, lookupRows) {
		args := make([]any, len(chunk))
		for i := range chunk {
			args[i] = consent.Shown(&chunk[i]).ID
		}
		known := map[string]state{}
		if err := s.each(ctx, s.read, func(r *sql.Rows) error {
			var id string
			var was state
			err := r.Scan(&id, &was.at, &was.active)
			known[id] = was
			return err
		}, `SELECT s.id, s.at, s.active FROM consent_statements AS s JOIN consent AS c ON c.number = s.number AND c.keyword = s.keyword
WHERE c.active = s.active AND s.id IN (`+placeholders(len(chunk))+`)`, args...); err != nil {
			return nil, err
		}
		for i := range chunk {
			x := consent.Shown(&chunk[i])
			if was, ok := known[x.ID]; !ok || was != (state{unix(x.At), x.Active}) {
				said = append(said, x)
			}
		}
	}
	return said, nil
}

// Moved implements consent.Register.
func (s *Store) Moved(ctx context.Context, number message.Number, at time.Time) error {
	return s.Tx(ctx, func(tx *sql.Tx) error {
		return s.say(ctx, tx, []consent.Statement{consent.Left(number, at)}, ifNew)
	})
}

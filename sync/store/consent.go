package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"

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
	var said, read []consent.Statement
	for _, a := range all {
		if !a.first {
			continue
		}
		x, ok := c.Event(a.event)
		switch {
		case !ok:
			continue
		case x.Class == consent.Stop:
			if err := s.notBefore(ctx, tx, &x); err != nil {
				return err
			}
		}
		if a.event.OptOut != "" {
			read = append(read, x)
		} else {
			said = append(said, x)
		}
	}
	if err := s.say(ctx, tx, said, ifNew); err != nil {
		return err
	}
	return s.say(ctx, tx, read, reread)
}

// notBefore has a STOP that comes in count from now, whatever our clock says of
// now: one that is behind must not place it before what was said earlier. Its
// message's own date takes that place when Twilio's API shows it.
func (s *Store) notBefore(ctx context.Context, tx *sql.Tx, x *consent.Statement) error {
	var newest int64
	if err := s.one(ctx, tx, `SELECT COALESCE(MAX(at), 0) FROM consent_statements WHERE number = ?`, []any{string(x.Number)}, &newest); err != nil {
		return err
	}
	if newest > unix(x.At) {
		x.At = fromUnix(newest)
	}
	return nil
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
	ifNew = ` DO NOTHING`
	// Twilio's own reading of a text, which only its webhook call tells, replaces ours.
	reread  = ` DO UPDATE SET class = excluded.class, keyword = excluded.keyword WHERE consent_statements.class <> excluded.class`
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
	for _, row := range withTakenBack(consent.Settle(said), before) {
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

// withTakenBack adds the rows that are there for a word which was none, as Twilio
// has told since: nothing was joined, and nothing stopped.
func withTakenBack(rows []consent.Row, before map[string]message.OptIn) []consent.Row {
	for keyword, was := range before {
		switch {
		case was.Active != (keyword != "") || slices.ContainsFunc(rows, func(r consent.Row) bool { return r.Keyword == keyword }):
		case keyword == "":
			rows = append(rows, consent.Row{Active: true, InAt: was.OutAt, Message: was.Message})
		default:
			rows = append(rows, consent.Row{Keyword: keyword, OutAt: was.InAt, Message: was.Message})
		}
	}
	return rows
}

// consequences are the follow-ups of one row. opened says that it was not active
// before.
func consequences(row message.OptIn, changed, opened bool, news []consent.Statement) []message.FollowUp {
	wrong := changed
	var all []message.FollowUp
	for i := range news {
		x := &news[i]
		if x.ID == "org:"+row.Key { // the org's own row: only what it has wrong is written
			wrong = x.Loose || x.Active != row.Active
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

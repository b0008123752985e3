package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/twiliosf/twiliosf/sync/consent"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

// The statements of every message's way.
const (
	ifReady     = unchanged + ` AND state = 'ready'`
	ifIntended  = ` AND state = 'intended'`
	intendSQL   = setSQL + ifReady
	concludeSQL = setSQL + ifIntended
	tokenSQL    = `INSERT INTO outbox_tokens (token, n) VALUES (?, ?)`
)

// intent is one caller's part of a commit of intents or outcomes.
type intent struct {
	attempt  *outbox.Attempt
	outcome  bool // what came of it, not the intent itself
	ok       bool
	optedOut bool
}

// Recover implements outbox.Intents. A killed process has left intents of which
// nothing is known, and records that may have changed since it read them.
func (b Outbox) Recover(ctx context.Context, now time.Time) error {
	return b.s.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := b.s.exec(ctx, tx, `UPDATE outbox SET state = 'uncertain', due_at = ?, version = version + 1 WHERE state = 'intended'`, milli(now)); err != nil {
			return err
		}
		_, err := b.s.exec(ctx, tx, `UPDATE outbox SET state = 'new', reread = 1, due_at = CASE WHEN state = 'ready' THEN 0 ELSE due_at END, version = version + 1
WHERE state IN ('new', 'ready')`)
		return err
	})
}

// Intend implements outbox.Intents. Intents that wait for the one writing
// connection are committed together, and each of them after every STOP that has
// committed before (P6).
func (b Outbox) Intend(ctx context.Context, a *outbox.Attempt) (ok, optedOut bool, err error) {
	i := &intent{attempt: a}
	err = b.s.intents.join(i, func(all []*intent) error { return b.commitIntents(ctx, all) })
	return i.ok, i.optedOut, err
}

// Conclude implements outbox.Intents.
func (b Outbox) Conclude(ctx context.Context, a *outbox.Attempt) error {
	return b.s.intents.join(&intent{attempt: a, outcome: true}, func(all []*intent) error { return b.commitIntents(ctx, all) })
}

// commitIntents' context is that of the caller who happened to come first, so the
// others must not fall with it.
func (b Outbox) commitIntents(ctx context.Context, all []*intent) error {
	if len(all) > 1 {
		ctx = context.WithoutCancel(ctx)
	}
	return b.s.Tx(ctx, func(tx *sql.Tx) error {
		for _, i := range all {
			do := b.intend
			if i.outcome {
				do = b.conclude
			}
			if err := do(ctx, tx, i); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b Outbox) intend(ctx context.Context, tx *sql.Tx, i *intent) error {
	a := i.attempt
	may, err := b.s.allowed(ctx, tx, []message.Number{a.Out.To}, a.Draft.Keyword)
	if err != nil {
		return err
	}
	i.ok, i.optedOut = false, !may[a.Out.To]
	if i.optedOut {
		return nil
	}
	if i.ok, err = b.s.set(ctx, tx, a, ifReady, a.Version); err != nil || !i.ok {
		return err
	}
	_, err = b.s.exec(ctx, tx, tokenSQL, a.Token, a.N)
	return err
}

// conclude leaves alone what a status callback has settled by its token.
func (b Outbox) conclude(ctx context.Context, tx *sql.Tx, i *intent) error {
	a := i.attempt
	if sid := a.Result.SID; sid != "" {
		free, err := b.s.free(ctx, tx, []message.SID{sid})
		if err != nil {
			return err
		}
		if !free[sid] {
			*a = outbox.Contested(*a, a.Ended)
		}
	}
	if off, err := b.s.calledOff(ctx, tx, a); err != nil {
		return err
	} else if off {
		*a = outbox.Withdrawn(*a, time.Now())
	}
	ok, err := b.s.set(ctx, tx, a, ifIntended)
	if err != nil || !ok {
		return err
	}
	return b.s.ended(ctx, tx, a, fmt.Sprintf("%s:%d", a.Draft.ID, a.Try))
}

// ended notes what an outcome says beside what became of the attempt: who talks to
// whom, that a try was in vain, and, under a name that is used once, that a number has
// opted out, which counts like a STOP.
func (s *Store) ended(ctx context.Context, tx *sql.Tx, a *outbox.Attempt, name string) error {
	if a.Turned != nil {
		if err := s.turned(ctx, tx, a.N, a.Turned); err != nil {
			return err
		}
	}
	switch {
	case a.State == outbox.Accepted:
		return s.converse(ctx, tx, a.Out.To, outbox.Sender{Number: a.Out.From, Service: a.Out.Service}, a.Intended)
	case a.State == outbox.Rejected && a.Result.ErrorCode == codeOptedOut:
		return s.say(ctx, tx, []consent.Statement{{
			ID: "refused:" + name, Number: consent.Subject(a.Out.To), Class: consent.Stop, At: a.Ended.Truncate(time.Second),
		}}, ifNew)
	default:
		return nil
	}
}

// codeOptedOut is Twilio's. https://www.twilio.com/docs/api/errors/21610
const codeOptedOut = 21610

package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/outbox"
	"github.com/twiliosf/twiliosf/sync/phone"
)

// What became of a recipient's message, as it is counted.
const (
	wasSent        = "sent"
	wasDelivered   = "delivered"
	wasUndelivered = "undelivered"
	wasFailed      = "failed"
	wasBlocked     = "blocked"
)

// codeBlocked is Twilio's for a carrier that takes nothing for a number.
// https://www.twilio.com/docs/api/errors/30004
const codeBlocked = 30004

// outcome is "" while a message has not left Twilio.
func outcome(s message.Status, code int) string {
	switch s {
	case message.Sent:
		return wasSent
	case message.Delivered, message.Read, message.PartiallyDelivered:
		return wasDelivered
	case message.Undelivered, message.Failed, message.Canceled:
		switch {
		case code == codeOptedOut || code == codeBlocked:
			return wasBlocked
		case s == message.Undelivered:
			return wasUndelivered
		}
		return wasFailed
	default:
		return ""
	}
}

const (
	reachedSQL = `UPDATE recipients SET state = 'accepted', sid = ?, outcome = ?, rank = ?, sent_at = ?,
answer = CASE WHEN member = '' OR answer > 0 THEN answer ELSE 1 END WHERE n = ? AND sid = '' RETURNING hands`
	// An attempt before the latest says nothing but that it was accepted.
	missedSQL = `UPDATE recipients SET state = ?, outcome = ? WHERE n = ? AND hands = ? AND state IN ('handed', 'uncertain')`
)

// reach brings the recipient of a campaign up to its attempt, in the transaction
// that writes the attempt.
func (s *Store) reach(ctx context.Context, tx *sql.Tx, a *outbox.Attempt) error {
	_, n, ok := campaign.ReadKey(a.Draft.ID)
	if !ok {
		return nil
	}
	miss := func(state, outcome string) error {
		_, err := s.exec(ctx, tx, missedSQL, state, outcome, n, a.Try)
		return err
	}
	switch a.State {
	case outbox.Accepted:
		return s.reached(ctx, tx, a, n)
	case outbox.Rejected, outbox.Refused:
		if a.Result.ErrorCode == codeOptedOut {
			return miss("refused", wasBlocked)
		}
		return miss("refused", "")
	case outbox.Held:
		return miss("uncertain", "")
	case outbox.Dropped:
		return miss(isWaiting, "")
	default:
		if a.Result.Status != message.Uncertain {
			return nil
		}
		return miss("handed", "") // a human has decided
	}
}

// reached is for a recipient who has a message.
func (s *Store) reached(ctx context.Context, tx *sql.Tx, a *outbox.Attempt, n int64) error {
	s.reaches.Store(true)
	status := message.Status(a.Result.Status)
	hands := 0
	err := s.one(ctx, tx, reachedSQL, []any{
		string(a.Result.SID), outcome(status, a.Result.ErrorCode), status.Rank(), milli(a.Intended), n,
	}, &hands)
	if err != nil || hands == a.Try {
		if errors.Is(err, sql.ErrNoRows) { // it has another, or is forgotten
			err = nil
		}
		return err
	}
	// It was handed over again, because nobody found the message. P5
	later, err := s.attempts(ctx, tx, `WHERE record = ? AND attempt > ? AND state IN ('new', 'ready')`, a.Draft.ID, a.Try)
	if err != nil {
		return err
	}
	for i := range later {
		x := outbox.Withdrawn(later[i], time.Now())
		if _, err := s.set(ctx, tx, &x, unchanged, x.Version); err != nil {
			return err
		}
	}
	return nil
}

// calledOff is true of an attempt of a campaign that would be sent again, though the
// campaign is paused or was canceled. One that a human has decided on goes on.
func (s *Store) calledOff(ctx context.Context, tx *sql.Tx, a *outbox.Attempt) (bool, error) {
	if a.Draft.Bulk == "" || a.State != outbox.Ready {
		return false, nil
	}
	_, n, _ := campaign.ReadKey(a.Draft.ID)
	var status campaign.Status
	err := s.one(ctx, tx, `SELECT c.status FROM recipients AS r JOIN campaigns AS c ON c.n = r.run WHERE r.n = ?`, []any{n}, &status)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	}
	return status != campaign.Sending && status != campaign.Completed, err
}

// countSent notes whether any recipient has a message. While none has, nothing is
// paid for them.
func (s *Store) countSent(ctx context.Context, q queryer) error {
	some := false
	err := s.one(ctx, q, `SELECT EXISTS (SELECT 1 FROM recipients WHERE sid <> '')`, nil, &some)
	if err == nil {
		s.reaches.Store(some)
	}
	return err
}

const (
	// P4: a status never moves back; between two final ones the later counts.
	becameSQL = `UPDATE recipients SET outcome = ?, rank = ? WHERE sid = ? AND sid <> '' AND rank <= ? AND (rank <> ? OR outcome <> ?)`
	// A reply belongs to what was sent to the number last. Each counts once.
	repliedSQL = `UPDATE recipients SET replied = 1, answer = CASE WHEN member = '' THEN 0 ELSE 2 END
WHERE replied = 0 AND n = (SELECT n FROM recipients WHERE phone = ? AND sid <> '' AND sent_at < ? ORDER BY sent_at DESC, n DESC LIMIT 1)`
)

// hear tells recipients what the org has been told of messages: the status of their
// own, and that they have written.
func (s *Store) hear(ctx context.Context, tx *sql.Tx, settled []mirror.Settlement) error {
	if !s.reaches.Load() {
		return nil
	}
	for i := range settled {
		c := &settled[i]
		if c.Refusal != nil || !c.RetryAt.IsZero() {
			continue
		}
		m := c.Change.Message
		var err error
		switch rank := m.Status.Rank(); {
		case m.Direction == message.Inbound:
			if key := phone.KeyOf(m.From); key != 0 {
				// Twilio's times are whole seconds.
				_, err = s.exec(ctx, tx, repliedSQL, int64(key), milli(m.Created.Truncate(time.Second).Add(time.Second)))
			}
		case m.Direction == message.OutboundAPI && rank >= message.Sent.Rank():
			o := outcome(m.Status, m.ErrorCode)
			_, err = s.exec(ctx, tx, becameSQL, o, rank, string(m.SID), rank, rank, o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

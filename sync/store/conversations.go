package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

// Conversations are what conversations have used last.
type Conversations struct{ s *Store }

// Conversations gives them.
func (s *Store) Conversations() Conversations { return Conversations{s} }

// live is how young a message is whose conversation goes on while we look. Older
// ones, as backfills bring them, are the org's to remember: a row for each would
// cost a fifth of a message's whole way.
const live = time.Hour

const converseSQL = `INSERT INTO conversations (theirs, ours, service, at) VALUES (?, ?, ?, ?)
ON CONFLICT (theirs) DO UPDATE SET ours = excluded.ours, service = excluded.service, at = excluded.at WHERE conversations.at <= excluded.at`

// converse notes what a conversation has used.
func (s *Store) converse(ctx context.Context, tx *sql.Tx, theirs message.Number, ours outbox.Sender, at time.Time) error {
	if theirs == "" || ours == (outbox.Sender{}) {
		return nil
	}
	_, err := s.exec(ctx, tx, converseSQL, string(theirs), string(ours.Number), ours.Service, unix(at))
	return err
}

// converseMessages does so for messages that Twilio's API has shown.
func (s *Store) converseMessages(ctx context.Context, tx *sql.Tx, all []*merge) error {
	since := time.Now().Add(-live)
	for _, m := range all {
		for i := range m.news {
			if x := m.news[i].Message; x.Created.After(since) && x.Ours() != "" && x.Status != message.Failed {
				if err := s.converse(ctx, tx, x.Theirs(), outbox.Sender{Number: x.Ours(), Service: x.ServiceSID}, x.Created); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// converseEvents does so for messages that came in.
func (s *Store) converseEvents(ctx context.Context, tx *sql.Tx, events []mirror.QueuedEvent) error {
	for i := range events {
		if e := &events[i].Event; e.Kind == message.InboundEvent {
			if err := s.converse(ctx, tx, e.From, outbox.Sender{Number: e.To, Service: e.ServiceSID}, e.Received); err != nil {
				return err
			}
		}
	}
	return nil
}

// Last implements outbox.Conversations.
func (c Conversations) Last(ctx context.Context, theirs []message.Number) (map[message.Number]outbox.Sender, error) {
	last := map[message.Number]outbox.Sender{}
	for chunk := range slices.Chunk(theirs, lookupRows) {
		args := make([]any, len(chunk))
		for i, n := range chunk {
			args[i] = string(n)
		}
		if err := c.s.each(ctx, c.s.read, func(r *sql.Rows) error {
			var theirs message.Number
			var ours outbox.Sender
			err := r.Scan(&theirs, &ours.Number, &ours.Service)
			last[theirs] = ours
			return err
		}, `SELECT theirs, ours, service FROM conversations WHERE theirs IN (`+placeholders(len(chunk))+`)`, args...); err != nil {
			return nil, err
		}
	}
	return last, nil
}

// Note implements outbox.Conversations.
func (c Conversations) Note(ctx context.Context, senders map[message.Number]outbox.Sender) error {
	if len(senders) == 0 {
		return nil
	}
	return c.s.Tx(ctx, func(tx *sql.Tx) error {
		for theirs, ours := range senders {
			if _, err := c.s.exec(ctx, tx, `INSERT INTO conversations (theirs, ours, service, at) VALUES (?, ?, ?, 0) ON CONFLICT (theirs) DO NOTHING`,
				string(theirs), string(ours.Number), ours.Service); err != nil {
				return err
			}
		}
		return nil
	})
}

package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

// Claim implements outbox.Claims.
func (b Outbox) Claim(ctx context.Context, a *outbox.Attempt, m *message.Message, now time.Time) (mine, sure bool, err error) {
	err = b.s.Tx(ctx, func(tx *sql.Tx) error {
		mine, sure, err = b.claim(ctx, tx, a, m, now)
		return err
	})
	return mine, sure, err
}

func (b Outbox) claim(ctx context.Context, tx *sql.Tx, a *outbox.Attempt, m *message.Message, now time.Time) (mine, sure bool, err error) {
	free, err := b.s.free(ctx, tx, []message.SID{m.SID})
	if err != nil || !free[m.SID] {
		return false, true, err
	}
	if refused, err := b.refusedTry(ctx, tx, a.N, m); err != nil || refused != "" {
		return false, true, err
	}
	// A message that an equal attempt is making at this moment may be in the list
	// before Twilio's answer is with us.
	rivals, err := b.s.attempts(ctx, tx, `WHERE theirs = ? AND since_at > 0 AND sid = '' AND rejected_sid = '' AND state = 'intended' AND n <> ?`,
		string(a.Out.To), a.N)
	if err != nil {
		return false, false, err
	}
	for i := range rivals {
		if outbox.Suspects(&rivals[i], m) {
			return false, false, nil
		}
	}
	next := outbox.Found(*a, m, now)
	if mine, err = b.s.set(ctx, tx, &next, unchanged, a.Version); err != nil || !mine {
		return mine, true, err
	}
	if err := b.s.ended(ctx, tx, &next, string(m.SID)); err != nil {
		return false, false, err
	}
	return true, true, b.s.rewrite(ctx, tx, unix(m.Created), m.SID)
}

// rewrite has the next sighting of a message count as news: it was written as
// nobody's, and belongs to a record now.
func (s *Store) rewrite(ctx context.Context, tx *sql.Tx, created int64, sid message.SID) error {
	_, err := s.exec(ctx, tx, `UPDATE messages SET fingerprint = fingerprint - 1, updated_at = 0 WHERE created_at = ? AND sid = ? AND seq IS NULL`,
		created, string(sid))
	return err
}

// Free implements outbox.Claims.
func (b Outbox) Free(ctx context.Context, sids []message.SID) (map[message.SID]bool, error) {
	return b.s.free(ctx, b.s.read, sids)
}

func (s *Store) free(ctx context.Context, q queryer, sids []message.SID) (map[message.SID]bool, error) {
	free := map[message.SID]bool{}
	for chunk := range slices.Chunk(sids, lookupRows) {
		args := make([]any, 0, len(chunk))
		for _, sid := range chunk {
			free[sid] = true
			args = append(args, string(sid))
		}
		if err := s.owners(ctx, q, args, func(o owner) { delete(free, o.sid) }); err != nil {
			return nil, err
		}
	}
	return free, nil
}

// owner is the attempt that has a message.
type owner struct {
	sid      message.SID
	record   string
	rejected bool
	written  bool
	result   message.Result
}

func (s *Store) owners(ctx context.Context, q queryer, sids []any, found func(owner)) error {
	in := placeholders(len(sids))
	var result sql.RawBytes
	return s.each(ctx, q, func(r *sql.Rows) error {
		var o owner
		if err := r.Scan(&o.sid, &o.record, &o.rejected, &o.written, &result); err != nil {
			return err
		}
		if err := json.Unmarshal(result, &o.result); err != nil {
			return fmt.Errorf("the attempt of %s cannot be read: %w", o.record, err)
		}
		found(o)
		return nil
	}, `SELECT sid, record, 0, write_at IS NULL, result FROM outbox WHERE sid <> '' AND sid IN (`+in+`)
UNION ALL SELECT rejected_sid, record, 1, write_at IS NULL, result FROM outbox WHERE rejected_sid <> '' AND rejected_sid IN (`+in+`)
UNION ALL SELECT t.sid, o.record, 1, 1, o.result FROM outbox_refused AS t JOIN outbox AS o ON o.n = t.n WHERE t.sid <> '' AND t.sid IN (`+in+`)`,
		slices.Concat(sids, sids, sids)...)
}

// Whose implements outbox.Claims. A message that was listed was made before: its
// attempt was intended then, and is either still without it when that is looked at
// or has it afterwards. So the owners are asked once more after the suspects.
func (b Outbox) Whose(ctx context.Context, messages []*message.Message, now time.Time) ([]outbox.Claim, error) {
	claims := make([]outbox.Claim, len(messages))
	sent := map[message.SID]int{}
	for i, m := range messages {
		if b.s.oldest.mayHave(m) {
			sent[m.SID] = i
		}
	}
	if len(sent) == 0 {
		return claims, nil
	}
	open, err := b.unsettled(ctx)
	if err != nil {
		return nil, err
	}
	if err := b.owned(ctx, messages, sent, claims); err != nil || !open || len(sent) == 0 {
		return claims, err
	}
	for sid, i := range sent {
		if claims[i], err = b.suspect(ctx, messages[i], now); err != nil {
			return nil, err
		}
		if claims[i].Kind != outbox.Stranger {
			delete(sent, sid)
		}
	}
	return claims, b.owned(ctx, messages, sent, claims)
}

// owned answers for the messages that an attempt has, and takes them out of sent.
func (b Outbox) owned(ctx context.Context, messages []*message.Message, sent map[message.SID]int, claims []outbox.Claim) error {
	args := make([]any, 0, len(sent))
	for sid := range sent {
		args = append(args, string(sid))
	}
	for chunk := range slices.Chunk(args, lookupRows) {
		if err := b.s.owners(ctx, b.s.read, chunk, func(o owner) {
			claims[sent[o.sid]] = o.claim(messages[sent[o.sid]])
			delete(sent, o.sid)
		}); err != nil {
			return err
		}
	}
	return nil
}

// claim is what the mirror does about an attempt's message. Until its record shows
// the SID, nobody else writes the record: an older status would come after a newer
// one (P4). So would one that is older than the write-back's, which a look-up or a
// callback has told us, and the mirror not yet.
//
// A campaign's recipient has no record before the message is mirrored, unless a
// human had to decide: then the record of its key gets the SID first.
func (o *owner) claim(m *message.Message) outbox.Claim {
	older := m.Status.Known() && m.Status.Rank() < message.Status(o.result.Status).Rank()
	bulk, _, _ := campaign.ReadKey(o.record)
	switch {
	case o.rejected:
		return outbox.Claim{Kind: outbox.RejectedOf, Record: o.record, Bulk: bulk}
	case o.written && !older && bulk != "":
		return outbox.Claim{Kind: outbox.Stranger, Bulk: bulk}
	case o.written && !older:
		return outbox.Claim{Kind: outbox.Bound, Record: o.record}
	default:
		return outbox.Claim{Kind: outbox.Wait, Record: o.record}
	}
}

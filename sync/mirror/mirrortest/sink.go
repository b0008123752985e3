package mirrortest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// SinkUnderTest is an org that TestSink can look into. Refuse makes it refuse a
// message's record for good; Bodies are the bodies of the records with a SID.
// PutDraft makes a record without a SID that asks to be sent, DeleteDraft deletes
// such a record, and Draft reads it.
type SinkUnderTest struct {
	Sink   mirror.Sink
	Refuse func(message.SID)
	Bodies func(message.SID) []string

	PutDraft    func() (id string)
	DeleteDraft func(id string)
	Draft       func(id string) (Draft, bool)
}

// written makes records of messages that the org may hold already.
func written(all ...message.Message) []mirror.Record {
	records := make([]mirror.Record, len(all))
	for i := range all {
		records[i].Message = &all[i]
	}
	return records
}

// TestSink is the contract of mirror.Sink.
func TestSink(t *testing.T, now time.Time, open func(t *testing.T) SinkUnderTest) {
	ctx := context.Background()
	t.Run("a message becomes one record, however often it is written", func(t *testing.T) {
		s := open(t)
		for range 3 {
			outcomes, err := s.Sink.Upsert(ctx, written(Text(1, now)))
			require.NoError(t, err)
			require.Equal(t, []error{nil}, outcomes)
		}
		require.Equal(t, []string{"text 1"}, s.Bodies(SID(1)))
	})
	t.Run("what changed is changed on the same record", func(t *testing.T) {
		s := open(t)
		_, err := s.Sink.Upsert(ctx, written(Text(1, now)))
		require.NoError(t, err)
		redacted := Text(1, now)
		redacted.Body = ""
		_, err = s.Sink.Upsert(ctx, written(redacted))
		require.NoError(t, err)
		require.Equal(t, []string{""}, s.Bodies(SID(1)))
	})
	t.Run("it tells which messages have a record", func(t *testing.T) {
		s := open(t)
		empty, err := s.Sink.Empty(ctx)
		require.NoError(t, err)
		require.True(t, empty)
		_, err = s.Sink.Upsert(ctx, written(Text(1, now), Text(3, now)))
		require.NoError(t, err)
		empty, err = s.Sink.Empty(ctx)
		require.NoError(t, err)
		require.False(t, empty)
		var sids []message.SID
		for n := range mirror.BatchSize {
			sids = append(sids, SID(n))
		}
		there, err := s.Sink.Held(ctx, sids)
		require.NoError(t, err)
		require.Equal(t, map[message.SID]bool{SID(1): true, SID(3): true}, there)
	})
	t.Run("a full batch has its outcomes in order, and one refusal is one record's", func(t *testing.T) {
		s := open(t)
		s.Refuse(SID(77))
		var batch []message.Message
		for n := range mirror.BatchSize {
			batch = append(batch, Text(n, now))
		}
		outcomes, err := s.Sink.Upsert(ctx, written(batch...))
		require.NoError(t, err)
		require.Len(t, outcomes, len(batch))
		for n, outcome := range outcomes {
			if n == 77 {
				require.Equal(t, fault.Permanent, fault.ClassOf(outcome))
				require.Empty(t, s.Bodies(SID(n)))
				continue
			}
			require.NoError(t, outcome)
			require.Len(t, s.Bodies(SID(n)), 1)
		}
	})
	testDrafts(t, now, open)
}

// testDrafts is the contract for messages that have been drafts.
func testDrafts(t *testing.T, now time.Time, open func(t *testing.T) SinkUnderTest) {
	ctx := context.Background()
	upsert := func(t *testing.T, s SinkUnderTest, batch ...mirror.Record) {
		outcomes, err := s.Sink.Upsert(ctx, batch)
		require.NoError(t, err)
		require.Equal(t, make([]error, len(batch)), outcomes)
	}
	sent := func(n int) *message.Message {
		m := Text(n, now)
		m.Direction, m.Status = message.OutboundAPI, message.Delivered
		return &m
	}
	t.Run("a draft's own record becomes the message's, and there is no second one", func(t *testing.T) {
		s := open(t)
		id := s.PutDraft()
		for range 2 {
			upsert(t, s, mirror.Record{Message: sent(1), ID: id})
		}
		require.Equal(t, []string{"text 1"}, s.Bodies(SID(1)))
		d, there := s.Draft(id)
		require.True(t, there)
		require.Equal(t, Draft{SID: SID(1), Status: message.Delivered}, d)
		upsert(t, s, mirror.Record{Message: sent(1)})
		require.Len(t, s.Bodies(SID(1)), 1, "its SID finds it too")
	})
	t.Run("messages with and without a draft share a batch, and each has its outcome", func(t *testing.T) {
		s := open(t)
		s.Refuse(SID(3))
		s.Refuse(SID(4))
		var batch []mirror.Record
		for n := range 6 {
			r := mirror.Record{Message: sent(n)}
			if n%2 == 0 {
				r.ID = s.PutDraft()
			}
			batch = append(batch, r)
		}
		outcomes, err := s.Sink.Upsert(ctx, batch)
		require.NoError(t, err)
		require.Len(t, outcomes, len(batch))
		for n, outcome := range outcomes {
			if n == 3 || n == 4 {
				require.Equal(t, fault.Permanent, fault.ClassOf(outcome), n)
				require.Empty(t, s.Bodies(SID(n)))
				continue
			}
			require.NoError(t, outcome, n)
			require.Len(t, s.Bodies(SID(n)), 1)
		}
	})
	t.Run("a message whose draft was deleted gets a record again", func(t *testing.T) {
		s := open(t)
		id, never := s.PutDraft(), s.PutDraft()
		upsert(t, s, mirror.Record{Message: sent(1), ID: id})
		s.DeleteDraft(id)
		s.DeleteDraft(never)
		for range 2 {
			upsert(t, s, mirror.Record{Message: sent(1), ID: id}, mirror.Record{Message: sent(2), ID: never})
		}
		require.Len(t, s.Bodies(SID(1)), 1)
		require.Len(t, s.Bodies(SID(2)), 1)
	})
	t.Run("a record made before the draft was known is merged into it", func(t *testing.T) {
		s := open(t)
		upsert(t, s, mirror.Record{Message: sent(1)})
		id := s.PutDraft()
		upsert(t, s, mirror.Record{Message: sent(1), ID: id})
		require.Len(t, s.Bodies(SID(1)), 1)
		d, there := s.Draft(id)
		require.True(t, there)
		require.Equal(t, SID(1), d.SID)
	})
	t.Run("a send that Twilio refused is told on its draft and is no message", func(t *testing.T) {
		s := open(t)
		id, deleted := s.PutDraft(), s.PutDraft()
		s.DeleteDraft(deleted)
		failed, other := sent(1), sent(2)
		failed.Status, other.Status = message.Failed, message.Failed
		upsert(t, s, mirror.Record{Message: failed, ID: id, Rejected: true}, mirror.Record{Message: other, ID: deleted, Rejected: true})
		d, _ := s.Draft(id)
		require.Equal(t, Draft{Rejected: SID(1), Status: "Send"}, d, "its user may have asked for it again")
		there, err := s.Sink.Held(ctx, []message.SID{SID(1), SID(2)})
		require.NoError(t, err)
		require.Empty(t, there)
		outcomes, err := s.Sink.Upsert(ctx, []mirror.Record{{Message: failed, Rejected: true}})
		require.NoError(t, err)
		require.Equal(t, fault.Permanent, fault.ClassOf(outcomes[0]), "of no record it can be told")
	})
	t.Run("of several refused sends of a draft the latest is told", func(t *testing.T) {
		s := open(t)
		id, another := s.PutDraft(), s.PutDraft()
		var refused []mirror.Record // newest first, as a list shows them
		for n := 3; n > 0; n-- {
			m := sent(n)
			m.Status, m.Created = message.Failed, m.Created.Add(time.Duration(n)*time.Minute)
			refused = append(refused, mirror.Record{Message: m, ID: id, Rejected: true})
			again := *m
			again.SID = SID(10 + n)
			refused = append(refused, mirror.Record{Message: &again, ID: another, Rejected: true})
		}
		upsert(t, s, append(refused, mirror.Record{Message: sent(4), ID: another})...)
		d, _ := s.Draft(id)
		require.Equal(t, SID(3), d.Rejected)
		d, _ = s.Draft(another)
		require.Equal(t, SID(13), d.Rejected)
		require.Equal(t, SID(4), d.SID, "and the one that was taken after them")
	})
}

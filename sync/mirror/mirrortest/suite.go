package mirrortest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// SID makes the n-th message SID of a test.
func SID(n int) message.SID { return message.SID(fmt.Sprintf("SM%032x", n)) }

// Text makes the n-th inbound message of a test, received at the given time.
func Text(n int, at time.Time) message.Message {
	at = at.UTC().Truncate(time.Second)
	return message.Message{
		SID: SID(n), From: "+14155550100", To: "+14155550199", Body: fmt.Sprintf("text %d", n),
		Direction: message.Inbound, Status: message.Received, Segments: 1, Created: at, Updated: at, Sent: at,
	}
}

// SourceUnderTest is an account that TestSource can fill.
type SourceUnderTest struct {
	Source mirror.Source
	Put    func(...message.Message)
}

// TestSource is the contract of mirror.Source. now is a time near the account's
// clock; the messages lie in the days before it.
func TestSource(t *testing.T, now time.Time, open func(t *testing.T) SourceUnderTest) {
	ctx := context.Background()
	collect := func(t *testing.T, s mirror.Source, w mirror.Window) (sids []message.SID, pages int) {
		require.NoError(t, s.Walk(ctx, w, func(rows []message.Message) (bool, error) {
			pages++
			for _, m := range rows {
				sids = append(sids, m.SID)
			}
			return true, nil
		}))
		return sids, pages
	}
	t.Run("a walk shows every message once, newest first", func(t *testing.T) {
		s := open(t)
		var want []message.SID
		for n := range 25 {
			s.Put(Text(n, now.Add(-time.Duration(n)*time.Minute)))
			want = append(want, SID(n))
		}
		got, pages := collect(t, s.Source, mirror.Window{PageSize: 10})
		require.Equal(t, want, got)
		require.GreaterOrEqual(t, pages, 3)
	})
	t.Run("a walk ends when the page function has enough", func(t *testing.T) {
		s := open(t)
		for n := range 30 {
			s.Put(Text(n, now.Add(-time.Duration(n)*time.Minute)))
		}
		seen := 0
		require.NoError(t, s.Source.Walk(ctx, mirror.Window{PageSize: 10}, func(rows []message.Message) (bool, error) {
			seen += len(rows)
			return false, nil
		}))
		require.Equal(t, 10, seen)
	})
	t.Run("an error of the page function is the walk's", func(t *testing.T) {
		s := open(t)
		s.Put(Text(1, now))
		full := errors.New("the disk is full")
		err := s.Source.Walk(ctx, mirror.Window{}, func([]message.Message) (bool, error) { return true, full })
		require.ErrorIs(t, err, full)
	})
	t.Run("a day's window shows that UTC day and nothing else", func(t *testing.T) {
		s := open(t)
		day := now.UTC().Truncate(24 * time.Hour).Add(-48 * time.Hour)
		s.Put(Text(1, day.Add(-time.Second)), Text(2, day), Text(3, day.Add(24*time.Hour-time.Second)), Text(4, day.Add(24*time.Hour)))
		got, _ := collect(t, s.Source, mirror.Window{Day: day})
		require.Equal(t, []message.SID{SID(3), SID(2)}, got)
	})
	t.Run("a fetched message is whole", func(t *testing.T) {
		s := open(t)
		want := Text(1, now)
		s.Put(want)
		got, err := s.Source.Fetch(ctx, SID(1))
		require.NoError(t, err)
		require.Equal(t, want.Body, got.Body)
		require.Equal(t, want.At(), got.At())
		require.Equal(t, want.Status, got.Status)
	})
	t.Run("a message that is not there is gone, which is no trouble", func(t *testing.T) {
		_, err := open(t).Source.Fetch(ctx, SID(404))
		require.ErrorIs(t, err, mirror.ErrGone)
	})
	t.Run("a canceled walk ends with its context's error", func(t *testing.T) {
		s := open(t)
		s.Put(Text(1, now))
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		err := s.Source.Walk(ctx, mirror.Window{}, func([]message.Message) (bool, error) { return true, nil })
		require.ErrorIs(t, err, context.Canceled)
	})
}

// SinkUnderTest is an org that TestSink can look into. Refuse makes it refuse a
// message's record for good; Bodies are the bodies of the records with a SID.
type SinkUnderTest struct {
	Sink   mirror.Sink
	Refuse func(message.SID)
	Bodies func(message.SID) []string
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
}

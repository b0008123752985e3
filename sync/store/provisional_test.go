package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// A webhook and a sweep tell of one message at the same moment, and name different
// times of its creation. It is one message all the same, and the sweep's older
// picture does not take its status back (P2, P4).
func TestAMessageThatBothTellOfAtOnceIsOne(t *testing.T) {
	s := open(t)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const messages = 400
	sids := make([]message.SID, messages)
	for i := range sids {
		sids[i] = newSID()
	}
	var both sync.WaitGroup
	for i := range sids {
		both.Go(func() {
			_, err := s.Keep(t.Context(), message.Event{
				Kind: message.InboundEvent, SID: sids[i], From: "+14155550123", To: "+14155550100", Body: "hello", Status: message.Received, Received: at.Add(2 * time.Second),
			})
			require.NoError(t, err)
			line, err := s.Waiting(t.Context(), at.Add(time.Hour), 500)
			require.NoError(t, err)
			_, _, err = s.Fold(t.Context(), line)
			require.NoError(t, err)
		})
		both.Go(func() {
			_, _, err := s.Merge(t.Context(), []message.Message{{
				SID: sids[i], From: "+14155550123", To: "+14155550100", Body: "hello", Direction: message.Inbound, Status: message.Receiving,
				Created: at, Updated: at,
			}})
			require.NoError(t, err)
		})
		both.Wait()
	}
	changes, err := s.Changed(t.Context(), 0, at.Add(time.Hour), 10*messages)
	require.NoError(t, err)
	seen := map[message.SID][]mirror.Change{}
	for _, c := range changes {
		seen[c.Message.SID] = append(seen[c.Message.SID], c)
	}
	for sid, all := range seen {
		require.Len(t, all, 1, "%s has %d rows", sid, len(all))
		require.Equal(t, message.Received, all[0].Message.Status)
	}
}

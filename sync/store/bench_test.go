package store_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/store"
)

func open(tb testing.TB) *store.Store {
	tb.Helper()
	s, err := store.Open(context.Background(), store.Options{URL: "sqlite://" + tb.TempDir() + "/t.db", Version: "test"})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

func newSID() message.SID {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return message.SID("SM" + hex.EncodeToString(b[:]))
}

// BenchmarkFirstSight is the store's share of one message's way: merged, read by
// the writer, settled. One operation is one message.
func BenchmarkFirstSight(b *testing.B) {
	ctx := context.Background()
	s := open(b)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	body := strings.Repeat("a text of the usual length ", 3)
	page := make([]message.Message, 1000)
	b.ReportAllocs()
	for done := 0; done < b.N; done += len(page) {
		for i := range page {
			page[i] = message.Message{
				SID: newSID(), From: "+14155550100", To: "+14155550199", Body: body, Direction: message.Inbound,
				Status: message.Received, Segments: 1, Price: "-0.0075", PriceUnit: "USD",
				Created: at, Updated: at, Sent: at,
			}
		}
		_, _, err := s.Merge(ctx, page)
		require.NoError(b, err)
		changes, err := s.Changed(ctx, 0, time.Now(), 1000)
		require.NoError(b, err)
		require.Len(b, changes, 1000)
		for i := 0; i < 1000; i += 200 {
			var settled []mirror.Settlement
			for _, c := range changes[i : i+200] {
				settled = append(settled, mirror.Settlement{Change: c})
			}
			require.NoError(b, s.Settle(ctx, settled))
		}
	}
}

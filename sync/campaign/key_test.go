package campaign_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
)

func TestAKeyIsReadAsItWasMadeAndARecordsIdIsNone(t *testing.T) {
	const record = "a0B000000000001AAA"
	for _, n := range []int64{1, 42, math.MaxInt64} {
		key := campaign.Key(record, n)
		require.LessOrEqual(t, len(key), 64)
		gotRecord, got, ok := campaign.ReadKey(key)
		require.True(t, ok)
		require.Equal(t, record, gotRecord)
		require.Equal(t, n, got)
	}
	for _, none := range []string{"", record, record + ":", ":1", record + ":0", record + ":-1", record + ":+1", record + ":01", record + ":1:2", record + ":x"} {
		_, _, ok := campaign.ReadKey(none)
		require.False(t, ok, none)
	}
}

func FuzzReadKey(f *testing.F) {
	f.Add("a0B000000000001AAA:1")
	f.Fuzz(func(t *testing.T, key string) {
		if record, n, ok := campaign.ReadKey(key); ok {
			require.Equal(t, key, campaign.Key(record, n))
		}
	})
}

func TestEveryReasonHasWords(t *testing.T) {
	said := map[string]bool{}
	for _, r := range []campaign.Reason{
		campaign.NoNumber, campaign.BadNumber, campaign.Duplicate, campaign.OptedOut, campaign.NotOptedIn, campaign.Blocked, campaign.NoText, campaign.CalledOff,
	} {
		require.Greater(t, len(r.Words()), len(campaign.Reason("").Words()))
		require.False(t, said[r.Words()])
		said[r.Words()] = true
	}
}

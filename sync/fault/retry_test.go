package fault_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
)

func TestThePauseDoublesUpToTheLastOne(t *testing.T) {
	const first, last = 2 * time.Second, 5 * time.Minute
	for n, want := range map[int]time.Duration{0: first, 1: 4 * time.Second, 5: 64 * time.Second, 8: last, 1000: last} {
		for range 100 {
			got := fault.RetryIn(n, first, last, 0)
			require.GreaterOrEqual(t, got, want/2)
			require.Less(t, got, want*3/2)
		}
	}
	require.GreaterOrEqual(t, fault.RetryIn(0, first, last, time.Minute), 30*time.Second)
}

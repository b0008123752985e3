package outbox

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// Others were on their way when it broke: what comes of them says nothing of the try.
func TestOnlyWhoTriesEndsTheTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := fault.New(fault.Throttled, "create", errNoSID)
		c := newCircuit()
		var before []ticket
		for range 4 {
			n, err := c.enter(t.Context())
			require.NoError(t, err)
			before = append(before, n)
		}
		c.bad(before[0], down)
		try, err := c.enter(t.Context())
		require.NoError(t, err)
		c.leave(before[1])
		c.doubt(before[2], down)
		c.bad(before[3], down)
		soon, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err = c.enter(soon)
		require.ErrorIs(t, err, context.DeadlineExceeded, "a second one tries at the same time")
		c.leave(try)
		_, err = c.enter(t.Context())
		require.NoError(t, err)
	})
}

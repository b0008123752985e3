package campaign_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// cut is a memory of recipients that is cut off once some of them are dropped.
type cut struct {
	campaign.Recipients
	armed *atomic.Bool
}

func (c cut) Clear(ctx context.Context, run int64, all bool) error {
	err := c.Recipients.Clear(ctx, run, all)
	if c.armed.CompareAndSwap(true, false) {
		return errAway
	}
	return err
}

func TestAFailureThatIsCutShortLosesNobody(t *testing.T) {
	var refuse, armed atomic.Bool
	inBubble(t, func(t *testing.T, w *world) {
		refuse.Store(true)
		w.ask(asking(0))
		time.Sleep(500 * time.Millisecond)
		refuse.Store(false)
		time.Sleep(time.Minute)
		w.says(id(0), func(c *campaign.Campaign) {
			if c.Status == campaign.Failed {
				c.Status = campaign.Send
			}
		})
		time.Sleep(10 * time.Minute)
		shown := w.org.shows(id(0))
		require.Equal(t, campaign.Completed, shown.Status)
		require.Equal(t, 60, shown.Counts.Total(), "all are counted")
		w.once(60)
	}, audience(60), func(w *world) {
		w.org.page = 20
		w.org.reading = func(_ context.Context, locator string) error {
			if !refuse.Load() || locator != "40" {
				return nil
			}
			armed.Store(true)
			return fault.New(fault.Permanent, "salesforce query", errors.New("a field is hidden"))
		}
		w.ports.Recipients = cut{w.ports.Recipients, &armed}
	})
}

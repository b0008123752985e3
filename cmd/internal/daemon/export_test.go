package daemon

import (
	"context"

	"github.com/twiliosf/twiliosf/sync/message"
)

// Queue adds follow-ups as the store does in the transactions that they follow
// from.
func (d *Daemon) Queue(ctx context.Context, all ...message.FollowUp) error {
	err := d.store.FollowUps().Add(ctx, all)
	d.current.Load().followups.Wake()
	return err
}

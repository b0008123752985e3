package daemon

import (
	"context"
	"errors"

	"github.com/twiliosf/twiliosf/config"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/sync/followup"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// buildFollowUps plugs in who does what follows from messages.
func (g *generation) buildFollowUps() error {
	doers, err := g.doers()
	if err != nil {
		return &ConfigError{err}
	}
	g.followups, err = followup.New(followup.Ports{Queue: g.store.FollowUps(), Health: g.health, Doers: doers},
		followup.Options{Grace: g.cfg.Drain / 4, Log: g.log, Metrics: g.metrics})
	return err
}

func (g *generation) doers() (map[message.FollowUpKind]followup.Doer, error) {
	if g.mirrorOnly() {
		return nobodyFollows(), nil
	}
	names := g.cfg.Salesforce.Objects.Message()
	media, badMedia := records.NewMedia(g.org, g.account, records.MediaOptions{
		Names: records.MediaNames{Parent: names["object"], Key: names["sid"]}, Files: g.cfg.Media.Store == config.MediaFiles,
	})
	status, badStatus := records.NewLastStatus(g.org, records.LastStatusNames{})
	if err := errors.Join(badMedia, badStatus); err != nil {
		return nil, err
	}
	return map[message.FollowUpKind]followup.Doer{
		message.FollowMedia:  media,
		message.FollowStatus: status,
		message.FollowOptIn:  records.NewOptIns(g.org, g.people.Who),
		message.FollowMember: records.NewMembers(g.org, g.people.Who),
	}, nil
}

// followUp runs the engine. What it has not done by its end is done by the next
// one, so it stops with the first of all.
func (g *generation) followUp(ctx context.Context) {
	// It ends with its context's cause, which is no news here.
	_ = g.followups.Run(ctx) //nolint:errcheck // see above
}

// waking are the writer's changes; settling them queues what follows from them.
type waking struct {
	mirror.Changes
	wake func(...message.FollowUpKind)
}

func (g *generation) wakingFollowUps() mirror.Changes {
	return waking{Changes: g.store, wake: g.followups.Wake}
}

// Settle implements mirror.Changes.
func (w waking) Settle(ctx context.Context, settled []mirror.Settlement) error {
	err := w.Changes.Settle(ctx, settled)
	if err == nil {
		w.wake()
	}
	return err
}

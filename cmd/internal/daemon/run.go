package daemon

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/twiliosf/twiliosf/sync/alarm"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

const (
	usageEvery = time.Minute
	checkEvery = time.Hour
)

// run works until ctx is done. It stops from the front to the back: first the
// schedules, then the jobs that run, then the writer, so that each has the next
// one to hand its work to.
func (g *generation) run(ctx context.Context, idle bool) error {
	g.noteMirrorOnly()
	var front, back sync.WaitGroup
	writing, stopWriter := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWriter()
	back.Go(func() {
		// It ends with its context's cause, which is no news here.
		_ = g.mirror.Writer.Run(writing) //nolint:errcheck // see above
	})
	back.Go(func() { g.keepBooks(writing) })
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	front.Go(func() { g.checkOrg(ctx) })
	front.Go(func() { g.mirror.Inbox.Run(ctx) })
	front.Go(func() { g.followUp(ctx) })
	var errs [2]error
	if !idle && !g.mirrorOnly() {
		front.Go(func() { g.consent.Run(ctx) })
		front.Go(func() { g.send(ctx) })
		// It ends with its context's cause, which is no news here.
		front.Go(func() { _ = g.campaigns.Run(ctx) }) //nolint:errcheck // see above
	}
	if !idle {
		front.Go(func() { g.people.Run(ctx) })
		front.Go(func() {
			errs[0] = g.scheduler.Run(ctx)
			cancel()
		})
	}
	if err := g.resumeBackfills(ctx); err != nil && !fault.Stopped(ctx, err) {
		g.storeState(err)
	}
	errs[1] = g.engine.Run(ctx)
	cancel()
	front.Wait()
	stopWriter()
	back.Wait()
	return errors.Join(errs[:]...)
}

// keepBooks keeps the count of our API calls over a restart, and the quarantine's
// condition.
func (g *generation) keepBooks(ctx context.Context) {
	save := func() {
		calls := map[time.Time]int{}
		for _, h := range g.org.HourlyUsage() {
			calls[h.Hour] = h.Calls
		}
		if err := g.store.SaveUsage(context.WithoutCancel(ctx), calls, time.Now()); err != nil {
			g.storeState(err)
			return
		}
		g.health.Clear("store", condNotKept) // whoever raised it: the store writes
	}
	defer save()
	g.noteQuarantine(ctx)
	for alarm.Sleep(ctx, usageEvery) {
		save()
		if err := g.store.Forget(ctx, time.Now(), g.cfg.Sync.Lookback); err != nil {
			g.storeState(err)
		}
		g.noteQuarantine(ctx)
	}
}

// noteQuarantine keeps the condition true to the store: after a restart it is
// there again, and when the last message has left it ends.
func (g *generation) noteQuarantine(ctx context.Context) {
	q, err := g.store.Quarantine(ctx, 1)
	switch {
	case err != nil:
		return // whoever needs the store next tells of it
	case len(q) > 0:
		g.health.Raise(mirror.Quarantined())
	default:
		g.health.Clear(mirror.Quarantined().Name)
	}
}

// checkOrg looks at the org before the first message does, so that a wrong
// credential or a missing field is known at the start and not at night.
func (g *generation) checkOrg(ctx context.Context) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 2*time.Second, time.Minute
	troubles := health.NewTroubles("salesforce", g.health)
	for {
		err := g.records.Check(ctx)
		next := checkEvery
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			troubles.Had(err)
			next = max(pause.NextBackOff(), fault.After(err))
		default:
			troubles.Over()
			pause.Reset()
			g.noteMissing()
			if time.Since(time.Unix(g.unlinkedAt.Load(), 0)) > 24*time.Hour {
				g.health.Clear(condLinks)
			}
		}
		t := time.NewTimer(next)
		select {
		case <-t.C:
		case <-g.doubt(err):
		case <-ctx.Done():
			t.Stop()
			return
		}
		t.Stop()
	}
}

// doubt says that somebody was refused what the last look has found in order.
func (g *generation) doubt(last error) <-chan struct{} {
	if last != nil {
		return nil
	}
	return g.orgInDoubt
}

// noteMissing tells which optional fields are left out.
func (g *generation) noteMissing() {
	const name = "salesforce-fields"
	missing := g.records.Missing()
	if len(missing) == 0 {
		g.health.Clear(name)
		return
	}
	g.health.Raise(health.Condition{
		Name: name, Severity: health.Notice,
		Cause:  fmt.Sprintf("The org lacks these fields, or hides them from the integration user: %s. They are left out.", strings.Join(missing, ", ")),
		Remedy: "Create the fields and give the integration user access to them, or map them to others under salesforce.objects.",
	})
}

const condLinks = "salesforce-links"

// unlinked tells of a record that arrived without its owner or its links.
func (g *generation) unlinked(f *fault.Error) {
	g.unlinkedAt.Store(time.Now().Unix())
	g.health.Raise(health.Condition{
		Name: condLinks, Severity: health.Notice,
		Cause: fmt.Sprintf("The org refuses owners or links of new messages (%s%s). The messages arrive without them.", f.Code, of(f.Fields)),
		Remedy: "Give records of inactive users to active ones, let the integration user see and transfer them, " +
			"or set people.owner to integration_user or people.link to off.",
	})
}

func of(fields []string) string {
	if len(fields) == 0 {
		return ""
	}
	return " of " + strings.Join(fields, ", ")
}

package campaign_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
)

var errKilled = errors.New("the process is gone")

// killer ends a process at the at-th of its effects: before it or just after. Nothing
// that the process does from then on has an effect.
type killer struct {
	campaign.Runs
	campaign.Recipients
	campaign.Handing
	campaign.Notes
	campaign.Org
	campaign.Audiences
	at     int64
	before bool
	n      atomic.Int64
	dead   atomic.Bool
}

func (k *killer) do(effect func() error) error {
	if k.dead.Load() {
		return errKilled
	}
	if k.n.Add(1) != k.at {
		return effect()
	}
	if !k.before {
		_ = effect()
	}
	k.dead.Store(true)
	return errKilled
}

func (k *killer) Take(ctx context.Context, all []campaign.Campaign, now time.Time) (n int, err error) {
	err = k.do(func() error { n, err = k.Runs.Take(ctx, all, now); return err })
	return n, err
}

func (k *killer) Revise(ctx context.Context, r *campaign.Run) (ok bool, err error) {
	err = k.do(func() error { ok, err = k.Runs.Revise(ctx, r); return err })
	return ok && err == nil, err
}

func (k *killer) Add(ctx context.Context, r *campaign.Run, page []campaign.Recipient) (ok bool, err error) {
	err = k.do(func() error { ok, err = k.Recipients.Add(ctx, r, page); return err })
	return ok && err == nil, err
}

func (k *killer) PutOff(ctx context.Context, all []campaign.Recipient) error {
	return k.do(func() error { return k.Recipients.PutOff(ctx, all) })
}

func (k *killer) Clear(ctx context.Context, run int64, all bool) error {
	return k.do(func() error { return k.Recipients.Clear(ctx, run, all) })
}

func (k *killer) Hand(ctx context.Context, r *campaign.Run, all []campaign.Recipient, drafts []message.Draft) (n int, err error) {
	err = k.do(func() error { n, err = k.Handing.Hand(ctx, r, all, drafts); return err })
	return n, err
}

func (k *killer) TakeBack(ctx context.Context, run int64, before time.Time) (n int, err error) {
	err = k.do(func() error { n, err = k.Handing.TakeBack(ctx, run, before); return err })
	return n, err
}

func (k *killer) Recorded(ctx context.Context, run int64, all []campaign.Unsent) error {
	return k.do(func() error { return k.Notes.Recorded(ctx, run, all) })
}

func (k *killer) Noted(ctx context.Context, run int64, all []campaign.Member) error {
	return k.do(func() error { return k.Notes.Noted(ctx, run, all) })
}

func (k *killer) Tell(ctx context.Context, all []campaign.Telling) (outcomes []error, err error) {
	err = k.do(func() error { outcomes, err = k.Org.Tell(ctx, all); return err })
	return outcomes, err
}

func (k *killer) Record(ctx context.Context, all []campaign.Unsent) (outcomes []error, err error) {
	err = k.do(func() error { outcomes, err = k.Org.Record(ctx, all); return err })
	return outcomes, err
}

func (k *killer) Answered(ctx context.Context, all []campaign.Member) (outcomes []error, err error) {
	err = k.do(func() error { outcomes, err = k.Org.Answered(ctx, all); return err })
	return outcomes, err
}

func (k *killer) Begin(ctx context.Context, a campaign.Audience) (export string, err error) {
	err = k.do(func() error { export, err = k.Audiences.Begin(ctx, a); return err })
	return export, err
}

func (k *killer) Finish(ctx context.Context, export string) error {
	return k.do(func() error { return k.Audiences.Finish(ctx, export) })
}

// mortal puts a killer between an engine and the world.
func (w *world) mortal(at int64, before bool) *killer {
	k := &killer{
		Runs: w.ports.Runs, Recipients: w.ports.Recipients, Handing: w.ports.Handing, Notes: w.ports.Notes, Org: w.ports.Org, Audiences: w.ports.Audiences,
		at: at, before: before,
	}
	whole := w.ports
	w.ports.Runs, w.ports.Recipients, w.ports.Handing, w.ports.Notes, w.ports.Org, w.ports.Audiences = k, k, k, k, k, k
	w.renew()
	w.ports = whole
	return k
}

func TestAKillAtAnyMomentSendsNobodyTwiceAndLosesNobody(t *testing.T) {
	const sent, all = 70, 100
	reached := true
	for at := int64(1); reached; at++ {
		for _, before := range []bool{true, false} {
			t.Run(fmt.Sprintf("moment %d, before %t", at, before), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := begin(t, audience(all), paced(10), func(w *world) {
						w.org.large, w.org.page = true, 30
						w.org.people = func(n int) campaign.Person {
							p := contact(n)
							if n >= sent {
								p.Phones = nil
							}
							return p
						}
					})
					defer w.close()
					k := w.mortal(at, before)
					w.run()
					c := asking(0)
					w.org.locked(func() { w.org.records[c.ID] = c })
					_ = w.Take(t.Context(), []campaign.Campaign{c})
					time.Sleep(5 * time.Minute)
					reached = k.dead.Load()
					w.stop()

					w.renew()
					w.run()
					w.poll()
					_ = w.Take(t.Context(), []campaign.Campaign{c}) // what was read before, once more
					time.Sleep(time.Hour)
					w.once(sent)
					shown := w.org.shows(id(0))
					require.Equal(t, campaign.Completed, shown.Status)
					require.Equal(t, sent, shown.Counts.Accepted)
					require.Equal(t, map[campaign.Reason]int{campaign.NoNumber: all - sent}, shown.Counts.LeftOut)
					w.org.locked(func() {
						require.Len(t, w.org.recorded, all-sent)
						require.Len(t, w.org.answered, sent)
					})
				})
			})
		}
	}
}

func TestAStopIsShortAndTheCampaignGoesOnAfterIt(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		for range 20 {
			time.Sleep(7 * time.Second)
			began := time.Now()
			w.stop()
			require.LessOrEqual(t, time.Since(began), 6*time.Second)
			w.renew()
			w.run()
		}
		time.Sleep(10 * time.Minute)
		w.once(2000)
		require.Equal(t, campaign.Completed, w.org.shows(id(0)).Status)
	}, audience(2000), paced(20))
}

func TestAStoreThatRefusesIsSaidAndNothingIsLost(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(20 * time.Second)
		w.ledger.Fail(errors.New("disk full"))
		time.Sleep(10 * time.Minute)
		require.Equal(t, "store", w.health.Active()[0].Name)
		w.ledger.Fail(nil)
		time.Sleep(10 * time.Minute)
		w.once(1000)
	}, audience(1000))
}

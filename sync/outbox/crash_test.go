package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

var errKilled = errors.New("the process is gone")

// killer ends a process at the at-th of its effects: before it or just after.
// Nothing that the process does from then on has an effect.
type killer struct {
	outbox.Ledger
	outbox.Intents
	outbox.Results
	outbox.Claims
	outbox.Account
	outbox.Org
	at     int64
	before bool
	once   bool // it is no death: the one effect fails, or seems to
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
	k.dead.Store(!k.once)
	return errKilled
}

func (k *killer) Take(ctx context.Context, d []message.Draft, now time.Time) (n int, err error) {
	err = k.do(func() error { n, err = k.Ledger.Take(ctx, d, now); return err })
	return n, err
}

func (k *killer) Revise(ctx context.Context, all []outbox.Attempt) (revised []bool, err error) {
	err = k.do(func() error { revised, err = k.Ledger.Revise(ctx, all); return err })
	return revised, err
}

func (k *killer) Recover(ctx context.Context, now time.Time) error {
	return k.do(func() error { return k.Intents.Recover(ctx, now) })
}

func (k *killer) Intend(ctx context.Context, a *outbox.Attempt) (ok, out bool, err error) {
	err = k.do(func() error { ok, out, err = k.Intents.Intend(ctx, a); return err })
	return ok, out, err
}

func (k *killer) Conclude(ctx context.Context, a *outbox.Attempt) error {
	return k.do(func() error { return k.Intents.Conclude(ctx, a) })
}

func (k *killer) Written(ctx context.Context, all []outbox.Writing) error {
	return k.do(func() error { return k.Results.Written(ctx, all) })
}

func (k *killer) Claim(ctx context.Context, a *outbox.Attempt, m *message.Message, now time.Time) (mine, sure bool, err error) {
	err = k.do(func() error { mine, sure, err = k.Claims.Claim(ctx, a, m, now); return err })
	return mine, sure, err
}

func (k *killer) Create(ctx context.Context, o message.Outgoing) (m message.Message, err error) {
	err = k.do(func() error { m, err = k.Account.Create(ctx, o); return err })
	return m, err
}

func (k *killer) WriteBack(ctx context.Context, all []message.Result) (outcomes []error, err error) {
	err = k.do(func() error { outcomes, err = k.Org.WriteBack(ctx, all); return err })
	return outcomes, err
}

// mortal puts a killer between an outbox and the world.
func (w *world) mortal(at int64, before bool) *killer {
	b := w.store.Outbox()
	k := &killer{Ledger: b, Intents: b, Results: b, Claims: b, Account: w.account, Org: w.org, at: at, before: before}
	p := w.ports
	p.Ledger, p.Intents, p.Results, p.Claims, p.Account, p.Org = k, k, k, k, k, k
	p.Lines, p.Books, p.Requests, p.Conversations = b, b, b, w.store.Conversations()
	var err error
	w.Outbox, err = outbox.New(p, w.options)
	require.NoError(w.t, err)
	return k
}

func TestAKillAtAnyMomentSendsNothingTwiceAndLosesNothing(t *testing.T) {
	const n = 8
	reached := true
	for at := int64(1); reached; at++ {
		before := at%2 == 0
		t.Run(fmt.Sprintf("moment %d", at), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := begin(t, quick, func(w *world) {
					w.options.SettleAfter = time.Minute
					w.account.latency = 50 * time.Millisecond
					w.account.fail = func(n int, _ message.Outgoing) failure {
						return []failure{none, after, before2(n), lost, none, after, none, none}[n%8]
					}
				})
				k := w.mortal(at, before)
				var all []message.Draft
				for i := range n {
					all = append(all, draft(i))
				}
				w.put(all...)
				w.run()
				_ = w.Take(t.Context(), all)
				for range 100 {
					time.Sleep(5 * time.Second)
					if k.dead.Load() {
						break
					}
				}
				reached = k.dead.Load()
				w.stop()
				require.NoError(t, w.store.Close())

				w.open()
				w.run()
				time.Sleep(time.Second)
				require.NoError(t, w.Take(t.Context(), all)) // the poll reads back
				time.Sleep(time.Hour)
				w.once(n)
				w.close()
			})
		})
		if at > 1 {
			at++ // every other one
		}
	}
}

// before2 breaks the connection the first time only.
func before2(n int) failure {
	if n < 8 {
		return before
	}
	return none
}

func TestAStopLetsWhatIsBeingSentEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		w.stop()
		a, _, err := w.store.Outbox().Last(t.Context(), id(0))
		require.NoError(t, err)
		require.Equal(t, outbox.Accepted, a.State)
	}, func(w *world) { w.account.latency = 3 * time.Second })
}

func TestAStopThatCutsACallShortLeavesItUncertainAndNotSentTwice(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		began := time.Now()
		w.stop()
		require.LessOrEqual(t, time.Since(began), 6*time.Second)
		require.NoError(t, w.store.Close())
		w.account.locked(func() { w.account.latency = 0 })
		w.account.locked(func() { w.account.make(message.Outgoing{To: theirs, From: long, Body: "hello 0"}, message.Queued) }) // it had reached Twilio
		w.open()
		w.run()
		time.Sleep(time.Hour)
		w.once(1)
	}, func(w *world) { w.account.latency = time.Hour })
}

func TestAfterARestartWhatWaitedIsReadAgainFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t)
		w.ask(draft(0), draft(1))
		canceled := draft(0)
		canceled.Ask = message.AskCancel
		w.put(canceled) // while we were away
		w.run()
		defer w.close()
		time.Sleep(time.Minute)
		require.Len(t, w.account.sent(), 1)
		require.Equal(t, "hello 1", w.account.sent()[0].Body)
	})
}

func TestAWholeStoreThatRefusesSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t)
		k := w.mortal(4, true) // from then on
		w.put(draft(0))
		w.run()
		time.Sleep(time.Second)
		_ = w.Take(t.Context(), []message.Draft{draft(0)})
		time.Sleep(time.Minute)
		require.True(t, k.dead.Load())
		require.LessOrEqual(t, w.account.attempts(), 1)
		require.Equal(t, "store", w.health.Active()[0].Name)
		w.close()
	})
}

func TestWhatAHumanHasSentAgainOutlivesARestart(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Hour)
		require.Equal(t, message.Uncertain, w.org.result(id(0)).Status)
		w.stop() // as where no daemon runs
		require.NoError(t, w.Settle(t.Context(), id(0), outbox.Decision{Again: true}))
		require.NoError(t, w.store.Close())
		w.account.locked(func() { w.account.fail = nil })
		w.open()
		w.run()
		time.Sleep(time.Minute)
		w.once(1)
	}, func(w *world) {
		w.options.Hold = true
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

func TestWhileNoAnswerOfTwiliosArrivesTheOthersWait(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		var all []message.Draft
		for n := range 200 {
			all = append(all, draft(n))
		}
		w.ask(all...)
		time.Sleep(time.Minute)
		require.Less(t, w.account.attempts(), 40)
		require.Equal(t, "twilio-unreachable", w.health.Active()[0].Name)
		w.account.locked(func() { w.account.fail = nil })
		time.Sleep(time.Hour)
		w.once(200)
		require.Empty(t, w.health.Active())
	}, quick, func(w *world) {
		w.account.latency = 10 * time.Millisecond
		w.options.InFlight = 8
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

func TestAnIntentWhoseCommitSeemsToFailIsSentAllTheSame(t *testing.T) {
	for _, before := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w := begin(t)
			k := w.mortal(4, before) // the intent, after the start, the reading and the plan
			k.once = true
			w.run()
			time.Sleep(time.Second)
			w.ask(draft(0))
			time.Sleep(time.Minute)
			w.once(1)
			w.close()
		})
	}
}

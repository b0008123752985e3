package outbox_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

// Its record is in the recycle bin when the result comes, and is taken out later:
// it says Send, and always will.
func TestARecordThatComesBackFromTheRecycleBinIsNotSentAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := draft(0)
		w.ask(d)
		time.Sleep(time.Second)
		w.org.locked(func() { delete(w.org.drafts, id(0)) })
		time.Sleep(time.Minute)
		require.Len(t, w.account.sent(), 1)
		d.Modified = time.Now().UTC().Truncate(time.Second)
		w.ask(d)
		require.NoError(t, w.store.Outbox().Forget(t.Context(), time.Now().Add(time.Hour))) // a month later
		d.Modified = time.Now().UTC().Truncate(time.Second)                                 // any change
		w.ask(d)
		time.Sleep(time.Hour)
		require.Len(t, w.account.sent(), 1)
	}, func(w *world) { w.account.latency = 5 * time.Second })
}

// goneOnce is an org in which a request is deleted for a while.
type goneOnce struct {
	outbox.Org
	back atomic.Bool
}

func (g *goneOnce) WriteStudio(ctx context.Context, results []message.StudioResult) ([]error, error) {
	if g.back.Load() {
		return g.Org.WriteStudio(ctx, results)
	}
	outcomes := make([]error, len(results))
	for i := range outcomes {
		outcomes[i] = outbox.ErrGone
	}
	return outcomes, nil
}

func TestARequestThatComesBackFromTheRecycleBinStartsNoSecondFlow(t *testing.T) {
	var o *goneOnce
	inBubble(t, func(t *testing.T, w *world) {
		r := request()
		w.request(r)
		time.Sleep(time.Minute)
		require.Len(t, w.studio.starts(), 1)
		w.studio.locked(func() {
			for sid := range w.studio.status {
				w.studio.status[sid] = "ended"
			}
		})
		time.Sleep(time.Hour)
		o.back.Store(true)
		r.Modified = time.Now().UTC().Truncate(time.Second)
		for range 3 {
			w.request(r)
			time.Sleep(15 * time.Second)
		}
		require.Len(t, w.studio.starts(), 1)
	}, func(w *world) {
		o = &goneOnce{Org: w.org}
		w.ports.Org = o
	})
}

// The record refuses to show the refusal (a validation rule), and its user puts both
// right. An hour later the old refusal is written over the new wish.
func TestACorrectionIsNotOverwrittenByTheRefusalOfWhatWasBefore(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := draft(0)
		d.To = "call mom"
		w.ask(d)
		time.Sleep(time.Minute)
		require.Empty(t, w.org.shown())
		w.org.locked(func() { w.org.refuse = nil })
		d = draft(0)
		for range 2 {
			w.ask(d)
			time.Sleep(15 * time.Second)
		}
		time.Sleep(2 * time.Hour)
		require.Len(t, w.account.sent(), 1, "its number is right, and it says %+v", w.org.result(id(0)))
		require.Equal(t, w.account.sent()[0].SID, w.org.result(id(0)).SID, "nor is the old refusal written an hour later")
	}, func(w *world) {
		w.org.refuse = func(message.Result) error {
			return &fault.Error{Class: fault.Permanent, Op: "update", Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Err: errReset}
		}
	})
}

// One record refuses its result, and is tried again every hour. Others are fine.
func TestWhatARecordRefusesIsToldUntilTheRecordTakesIt(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := draft(0)
		d.Body = ""
		w.ask(d)
		time.Sleep(time.Minute)
		require.NotEmpty(t, w.health.Active())
		w.ask(draft(1))
		time.Sleep(time.Minute)
		require.NotEmpty(t, w.health.Active(), "the first record still does not show its result")
	}, func(w *world) {
		w.org.refuse = func(r message.Result) error {
			if r.ID != id(0) {
				return nil
			}
			return &fault.Error{Class: fault.Permanent, Op: "update", Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Err: errReset}
		}
	})
}

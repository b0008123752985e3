package outbox_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

const flow = "FW00000000000000000000000000000001"

func request() message.StudioRequest {
	return message.StudioRequest{
		ID: id(0), Modified: time.Now().UTC().Truncate(time.Second), Ask: message.AskSend, Flow: flow, To: "(415) 555-0199", From: string(long),
		Parameters: `{"name":"Ada"}`,
	}
}

func (w *world) request(r message.StudioRequest) {
	w.t.Helper()
	require.NoError(w.t, w.TakeRequests(w.t.Context(), []message.StudioRequest{r}))
}

func (w *world) flow() message.StudioResult {
	w.org.mu.Lock()
	defer w.org.mu.Unlock()
	return w.org.flows[id(0)]
}

func TestARequestStartsItsFlowOnceAndFollowsIt(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		r := request()
		for range 4 {
			w.request(r)
			time.Sleep(time.Second)
		}
		require.Equal(t, []string{flow + " " + string(theirs) + " " + string(long) + ` {"name":"Ada"}`}, w.studio.starts())
		sid := w.flow().Execution
		require.Equal(t, message.StudioResult{ID: id(0), Execution: sid, Status: "active"}, w.flow())
		w.studio.locked(func() { w.studio.status[sid] = "ended" })
		time.Sleep(2 * time.Minute)
		require.Equal(t, "ended", w.flow().Status)
	})
}

func TestARequestIsCheckedBeforeTwilio(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*message.StudioRequest)
		says   string
	}{
		"no flow":                {func(r *message.StudioRequest) { r.Flow = "my flow" }, "Flow SID"},
		"no number":              {func(r *message.StudioRequest) { r.To = "Ada" }, "To number"},
		"no sender":              {func(r *message.StudioRequest) { r.From = "" }, "From"},
		"parameters not JSON":    {func(r *message.StudioRequest) { r.Parameters = "name=Ada" }, "Parameters"},
		"parameters not objects": {func(r *message.StudioRequest) { r.Parameters = `["Ada"]` }, "Parameters"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				r := request()
				c.change(&r)
				w.request(r)
				time.Sleep(time.Minute)
				require.Equal(t, "failed", w.flow().Status)
				require.Contains(t, w.flow().ErrorMessage, c.says)
				require.Empty(t, w.studio.starts())
			})
		})
	}
}

func TestAFlowWhoseStartIsUncertainIsLeftToAHuman(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.request(request())
		time.Sleep(time.Hour)
		require.Equal(t, message.Uncertain, w.flow().Status)
		w.studio.locked(func() { w.studio.err = nil })
		stale := request()
		stale.Modified = stale.Modified.Add(-30 * time.Minute) // changed while it was being started
		w.request(stale)
		time.Sleep(time.Minute)
		require.Empty(t, w.studio.starts())
		w.request(request()) // a human asks again, and each poll shows it
		time.Sleep(15 * time.Second)
		w.request(request())
		time.Sleep(time.Minute)
		require.Len(t, w.studio.starts(), 1)
		require.Equal(t, "active", w.flow().Status)
	}, func(w *world) { w.studio.err = fault.New(fault.Uncertain, "execute", errReset) })
}

func TestARefusedFlowSaysWhyInTwiliosWords(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.request(request())
		time.Sleep(time.Minute)
		require.Equal(t, "failed", w.flow().Status)
		require.Equal(t, "The flow is not published", w.flow().ErrorMessage)
	}, func(w *world) {
		w.studio.err = &fault.Error{Class: fault.Permanent, Op: "execute", Code: "20404", Err: errors.New("The flow is not published")}
	})
}

func TestAFlowIsStartedWhenTwilioAnswersAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.request(request())
		time.Sleep(time.Hour)
		require.Empty(t, w.flow().Status)
		w.studio.locked(func() { w.studio.err = nil })
		time.Sleep(5 * time.Minute)
		require.Len(t, w.studio.starts(), 1)
	}, func(w *world) { w.studio.err = fault.New(fault.Transient, "execute", errReset) })
}

func TestARequestThatIsCalledOffIsNotStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t)
		w.request(request())
		off := request()
		off.Ask = message.AskDraft
		w.request(off)
		w.run()
		defer w.close()
		time.Sleep(time.Minute)
		require.Empty(t, w.studio.starts())
		require.Empty(t, w.flow())
	})
}

func TestAKillWhileAFlowIsStartedLeavesItUncertain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t)
		w.request(request())
		due, err := w.store.Outbox().DueRequests(t.Context(), time.Now(), 1)
		require.NoError(t, err)
		due[0].State = "starting" // the intent is all that was committed
		_, err = w.store.Outbox().ReviseRequests(t.Context(), due)
		require.NoError(t, err)
		w.run()
		defer w.close()
		time.Sleep(time.Minute)
		require.Empty(t, w.studio.starts())
		require.Equal(t, message.Uncertain, w.flow().Status)
	})
}

// A stop lets the flow under way begin, and leaves the others to the next process.
func TestAStopLeavesNoFlowUncertain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t)
		w.studio.slow = time.Second
		const requests = 20
		for n := range requests {
			r := request()
			r.ID = id(n)
			w.request(r)
		}
		w.run()
		time.Sleep(3500 * time.Millisecond)
		w.close()
		require.Less(t, len(w.studio.starts()), requests)
		w.open()
		w.run()
		defer w.close()
		time.Sleep(time.Minute)
		require.Len(t, w.studio.starts(), requests)
		w.org.locked(func() {
			for n := range requests {
				require.Equal(t, "active", w.org.flows[id(n)].Status, n)
			}
		})
	})
}

// forgetful refuses one revision of requests.
type forgetful struct {
	outbox.Requests
	n atomic.Int64
}

func (f *forgetful) ReviseRequests(ctx context.Context, all []outbox.Request) (int, error) {
	if f.n.Add(1) == 2 { // the outcome, after the intent
		return 0, errKilled
	}
	return f.Requests.ReviseRequests(ctx, all)
}

func TestAFlowWhoseOutcomeTheStoreRefusesOnceIsNotCalledUncertain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Outbox.Requests = &forgetful{Requests: w.store.Outbox()} // nothing has been asked yet
		w.request(request())
		time.Sleep(2 * time.Minute)
		require.Len(t, w.studio.starts(), 1)
		require.Equal(t, "active", w.flow().Status, "%+v", w.flow())
	})
}

// Some refusals are our own: they do not say that Twilio takes anything.
func TestARefusalWithoutTwilioDoesNotEndItsTrouble(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Minute)
		require.NotEmpty(t, w.health.Active())
		w.studio.locked(func() { w.studio.err = fault.New(fault.Permanent, "twilio start flow", errors.New("no such flow")) })
		w.request(request())
		synctest.Wait()
		time.Sleep(5 * time.Second)
		require.Equal(t, "failed", w.flow().Status)
		require.NotEmpty(t, w.health.Active())
	}, func(w *world) {
		w.account.err = func(message.Outgoing) error { return fault.New(fault.Throttled, "create", errReset) }
	})
}

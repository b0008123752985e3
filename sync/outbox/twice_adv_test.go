package outbox_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

// What we have sent is younger than its intent allows, by Twilio's clock.
func TestAHostWhoseClockIsSlowSendsNothingTwice(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Hour)
		require.Equal(t, 1, w.account.attempts(), "sent again although Twilio lists it")
	}, func(w *world) {
		w.account.slow = -8 * time.Minute
		w.account.fail = func(n int, _ message.Outgoing) failure { return []failure{after, none, none}[n] }
	})
}

// The machine is suspended between the commit of the intent and the call.
func TestAMachineThatIsSuspendedBeforeTheCallSendsNothingTwice(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(2 * time.Hour)
		require.Len(t, w.account.sent(), 1)
	}, func(w *world) {
		w.account.latency = 8 * time.Minute
		w.account.fail = func(n int, _ message.Outgoing) failure { return []failure{after, none, none}[n] }
	})
}

// queueFullOnce refuses the first create and lists it as Twilio does.
func queueFullOnce(w *world) {
	refused := false
	w.account.err = func(o message.Outgoing) error {
		if refused {
			return nil
		}
		refused = true
		w.account.make(o, message.Failed)
		w.account.messages[len(w.account.messages)-1].ErrorCode = 21611
		return &fault.Error{Class: fault.Throttled, Op: "create", Code: "21611", Err: errReset}
	}
}

func TestAMessageThatWasMadeAfterAFullQueueIsNotCalledFailed(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Hour)
		sent := w.account.sent()
		require.Len(t, sent, 2)
		require.Equal(t, sent[1].SID, w.org.result(id(0)).SID, "%+v", w.org.result(id(0)))
		require.NotEqual(t, outbox.Stranger, w.whose(sent[1]).Kind, "its message would get a second record")
	}, queueFullOnce, func(w *world) {
		w.account.fail = func(int, message.Outgoing) failure { return after }
	})
}

func TestAMessageThatWasNotMadeAfterAFullQueueIsSentAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Hour)
		require.NotEmpty(t, w.org.result(id(0)).SID, "a draft is lost: %+v", w.org.result(id(0)))
	}, queueFullOnce, func(w *world) {
		w.account.fail = func(n int, _ message.Outgoing) failure { return []failure{none, lost, none, none}[n] }
	})
}

func TestACreateThatAFullQueueRefusedIsNoStranger(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Minute)
		require.NotEmpty(t, w.org.result(id(0)).SID)
		require.NotEqual(t, outbox.Stranger, w.whose(w.account.sent()[0]).Kind, "the mirror makes a second record of it")
	}, queueFullOnce)
}

// A human puts right what Twilio refused and sends again within two minutes.
func TestTheRefusalOfTheFormerAttemptIsNotTakenForTheNext(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(20 * time.Second)
		require.Equal(t, "failed", w.org.result(id(0)).Status)
		d := draft(0)
		for range 2 {
			w.ask(d)
			time.Sleep(15 * time.Second)
		}
		time.Sleep(time.Hour)
		sent := w.account.sent()
		require.Len(t, sent, 2)
		require.Equal(t, sent[1].SID, w.org.result(id(0)).SID, "%+v", w.org.result(id(0)))
	}, func(w *world) {
		refused := false
		w.account.err = func(o message.Outgoing) error {
			if refused {
				return nil
			}
			refused = true
			w.account.make(o, message.Failed)
			w.account.messages[len(w.account.messages)-1].ErrorCode = 21608
			return &fault.Error{Class: fault.Permanent, Op: "create", Code: "21608", Err: errors.New("unverified")}
		}
		w.account.fail = func(int, message.Outgoing) failure { return after }
	})
}

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

// A template's text is not known here. Somebody else writes to the same number from
// the same sender.
func TestADraftOfATemplateDoesNotTakeAnothersMessage(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := draft(0)
		d.To, d.Body, d.Content, d.Sender = "whatsapp:"+string(theirs), "", "HX00000000000000000000000000000001", "whatsapp:"+string(long)
		w.ask(d)
		time.Sleep(2 * time.Second)
		w.account.locked(func() {
			w.account.make(message.Outgoing{To: message.Number(d.To), From: "whatsapp:" + long, Body: "Anna here, how can I help?"}, message.Delivered)
		})
		time.Sleep(time.Hour)
		require.Empty(t, w.org.result(id(0)).SID, "the draft was never sent, and its record says: %+v", w.org.result(id(0)))
	}, func(w *world) {
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

// P5: asked several times over settle_after.
func TestAfterAnOutageOfTheListItIsAskedOverSettleAfterAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(15 * time.Minute)
		w.account.locked(func() { w.account.blind = nil })
		time.Sleep(2 * time.Minute) // a fifth of settle_after
		require.Equal(t, 1, w.account.attempts(), "the list has been asked for less than a minute")
	}, func(w *world) {
		w.account.blind = fault.New(fault.Transient, "list", errReset)
		w.account.fail = func(n int, _ message.Outgoing) failure { return []failure{lost, none}[n] }
	})
}

// The message is listed late, after its attempt was given up as too late.
func TestAMessageThatIsListedAfterItsAttemptWasGivenUpIsNoStranger(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Hour)
		require.Equal(t, "failed", w.org.result(id(0)).Status)
		require.Len(t, w.account.sent(), 1)
		require.NotEqual(t, outbox.Stranger, w.whose(w.account.sent()[0]).Kind, "the record says %q, and the message gets another", w.org.result(id(0)).ErrorMessage)
	}, func(w *world) {
		w.options.LateLimit, w.account.lag = 5*time.Minute, 30*time.Minute
		w.account.fail = func(int, message.Outgoing) failure { return after }
	})
}

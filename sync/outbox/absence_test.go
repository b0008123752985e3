package outbox_test

import (
	"context"
	"fmt"
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

// Nor a refusal of something else that was sent there.
func TestADraftOfATemplateDoesNotTakeAnothersRefusal(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := draft(0)
		d.Body, d.Content = "", "HX00000000000000000000000000000001"
		w.ask(d)
		time.Sleep(2 * time.Second)
		w.account.locked(func() {
			w.account.make(message.Outgoing{To: theirs, From: long, Body: "Anna here"}, message.Failed)
			w.account.messages[0].ErrorCode = 21610
		})
		time.Sleep(time.Hour)
		require.NotEmpty(t, w.org.result(id(0)).SID, "%+v", w.org.result(id(0)))
	}, func(w *world) {
		w.account.fail = func(n int, _ message.Outgoing) failure { return []failure{lost, none}[n] }
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

// A list that cannot be read whole settles nothing, and somebody must hear of it.
func TestAListThatCannotBeReadWholeIsTold(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(20 * time.Minute)
		require.NotEmpty(t, w.health.Active(), "for half an hour nobody is told why nothing is settled")
	}, func(w *world) {
		w.account.partial = fmt.Errorf("%w: %w", outbox.ErrPartial, &fault.Error{Class: fault.Transient, Op: "twilio list messages", Code: "UNREADABLE_ROW", Err: errReset})
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

// lists counts how often a list is read.
type lists struct {
	*account
	n atomic.Int64
}

func (l *lists) Outgoing(ctx context.Context, to message.Number, since time.Time, page func([]message.Message) (bool, error)) error {
	l.n.Add(1)
	return l.account.Outgoing(ctx, to, since, page)
}

// It is read as often as one that can, and twice more.
func TestAListThatCannotBeReadWholeIsNotReadWithoutEnd(t *testing.T) {
	var l *lists
	inBubble(t, func(t *testing.T, w *world) {
		var all []message.Draft
		for n := range 20 {
			d := draft(n)
			d.To = fmt.Sprintf("+1415555%04d", 100+n)
			all = append(all, d)
		}
		w.ask(all...)
		time.Sleep(time.Hour)
		require.Less(t, l.n.Load(), int64(400), "eight looks each, and the newest pages with them")
	}, quick, func(w *world) {
		l = &lists{account: w.account}
		w.ports.Account = l
		w.account.partial = outbox.ErrPartial
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

// hiding is a list by number that does not show what was just sent.
type hiding struct{ *account }

func (h *hiding) Outgoing(ctx context.Context, to message.Number, since time.Time, page func([]message.Message) (bool, error)) error {
	if to != "" {
		return nil
	}
	return h.account.Outgoing(ctx, to, since, page)
}

func TestWhatTheListOfItsNumberDoesNotShowIsFoundAmongTheNewest(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Hour)
		w.once(1)
		require.Equal(t, 1, w.account.attempts())
	}, func(w *world) {
		w.ports.Account = &hiding{w.account}
		w.account.fail = func(n int, _ message.Outgoing) failure { return []failure{after, none}[n] }
	})
}

// endless is an account that sends more than anybody can read.
type endless struct{ *account }

func (e *endless) Outgoing(ctx context.Context, to message.Number, since time.Time, page func([]message.Message) (bool, error)) error {
	if to != "" {
		return e.account.Outgoing(ctx, to, since, page)
	}
	for all := make([]message.Message, 1000); ; {
		if more, err := page(all); err != nil || !more {
			return err
		}
	}
}

func TestAListThatIsTooLongToBeReadProvesNoAbsence(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(20 * time.Minute)
		require.Equal(t, "outbox-list", w.health.Active()[0].Name)
		time.Sleep(20 * time.Minute)
		require.Equal(t, 1, w.account.attempts())
		require.Equal(t, message.Uncertain, w.org.result(id(0)).Status)
	}, func(w *world) {
		w.ports.Account = &endless{w.account}
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

// A look, an outage of the list, and another look are no six.
func TestALookBeforeAnOutageOfTheListAndOneAfterItProveNoAbsence(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(10 * time.Second)
		w.account.locked(func() { w.account.blind = fault.New(fault.Transient, "list", errReset) })
		time.Sleep(15 * time.Minute)
		w.account.locked(func() { w.account.blind = nil })
		time.Sleep(20 * time.Second)
		require.Equal(t, 1, w.account.attempts())
		time.Sleep(time.Minute)
		require.Equal(t, 2, w.account.attempts())
	}, func(w *world) {
		w.account.fail = func(n int, _ message.Outgoing) failure { return []failure{lost, none}[n] }
	})
}

// Six looks were made or planned in a minute; then an administrator has given them ten.
func TestALongerSettleAfterHoldsForWhatIsUncertainAlready(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(45 * time.Second)
		w.stop()
		require.NoError(t, w.store.Close())
		w.options.SettleAfter = 10 * time.Minute
		w.open()
		w.run()
		time.Sleep(5 * time.Minute)
		require.Equal(t, 1, w.account.attempts())
		time.Sleep(10 * time.Minute)
		require.Equal(t, 2, w.account.attempts())
	}, func(w *world) {
		w.options.SettleAfter = time.Minute
		w.account.fail = func(n int, _ message.Outgoing) failure { return []failure{lost, none}[n] }
	})
}

// It was sent by somebody else, with the same words.
func TestAnEqualMessageThatWasMadeMuchLaterIsLeftToAHuman(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(8 * time.Minute)
		w.account.locked(func() { w.account.make(message.Outgoing{To: theirs, From: long, Body: "hello 0"}, message.Sent) })
		time.Sleep(time.Hour)
		require.Equal(t, message.Uncertain, w.org.result(id(0)).Status)
		require.Empty(t, w.org.result(id(0)).SID)
	}, func(w *world) {
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

// The last look shows its message while an equal draft is being sent, whose it may be.
func TestAtTheLastLookAMessageThatMayBeAnEqualDraftsIsWaitedFor(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0)) // its answer is lost after 20 s, and the last look is a minute later
		time.Sleep(70 * time.Second)
		equal := draft(1)
		equal.Body = "hello 0"
		w.ask(equal)
		time.Sleep(time.Hour)
		require.Len(t, w.account.sent(), 2)
		require.Equal(t, w.account.sent()[0].SID, w.org.result(id(0)).SID)
		require.Equal(t, w.account.sent()[1].SID, w.org.result(id(1)).SID)
	}, func(w *world) {
		w.options.SettleAfter = time.Minute
		w.account.lag = 58 * time.Second
		w.account.fail = func(n int, _ message.Outgoing) failure { return []failure{after, none, none}[n] }
		w.ports.Account = &slowAnswer{account: w.account, by: 20 * time.Second}
	})
}

// The mirror was faster than the look-up, and has written it as nobody's.
func TestAMessageThatALookUpFindsIsWrittenAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		m := w.mirrored()
		w.account.locked(func() { w.account.lag = 0 })
		time.Sleep(time.Minute)
		require.Equal(t, m.SID, w.org.result(id(0)).SID)
		n, _, err := w.store.Merge(t.Context(), []message.Message{m})
		require.NoError(t, err)
		require.Equal(t, 1, n, "it is news")
	}, func(w *world) {
		w.account.lag = 24 * time.Hour
		w.account.fail = func(int, message.Outgoing) failure { return after }
	})
}

func TestAfterAnOutageAListThatIsReadInPartIsAskedForAWhileToo(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(40 * time.Minute)
		w.account.locked(func() { w.account.blind, w.account.partial = nil, outbox.ErrPartial })
		time.Sleep(25 * time.Minute)
		require.Empty(t, w.org.result(id(0)).Status)
		time.Sleep(10 * time.Minute)
		require.Equal(t, message.Uncertain, w.org.result(id(0)).Status)
	}, func(w *world) {
		w.account.blind = fault.New(fault.Transient, "list", errReset)
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

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

// The user has called it off while an administrator was asked.
func TestWhatWasCalledOffIsNotSentByAnAdministratorsAgain(t *testing.T) {
	for name, off := range map[string]func(*message.Draft){
		"canceled": func(d *message.Draft) { d.Ask = message.AskCancel },
		"draft":    func(d *message.Draft) { d.Ask = message.AskDraft },
		"deleted":  func(d *message.Draft) { d.Deleted = true },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.ask(draft(0))
				time.Sleep(time.Hour)
				require.Equal(t, message.Uncertain, w.org.result(id(0)).Status)
				w.account.locked(func() { w.account.fail = nil })
				d := draft(0)
				off(&d)
				w.ask(d)
				time.Sleep(time.Minute)
				require.ErrorIs(t, w.Settle(t.Context(), id(0), outbox.Decision{Again: true}), outbox.ErrNotAsked)
				time.Sleep(time.Minute)
				require.Empty(t, w.account.sent())
				w.ask(draft(0)) // and now it is wanted
				time.Sleep(time.Minute)
				w.once(1)
			}, func(w *world) {
				w.options.Hold = true
				w.account.fail = func(int, message.Outgoing) failure { return lost }
			})
		})
	}
}

// overtaken has something happen between the reading and the decision.
type overtaken struct {
	outbox.Books
	then atomic.Pointer[func()]
}

func (o *overtaken) Last(ctx context.Context, record string) (outbox.Attempt, bool, error) {
	a, ok, err := o.Books.Last(ctx, record)
	if fn := o.then.Swap(nil); fn != nil {
		(*fn)()
	}
	return a, ok, err
}

// A callback names the message at the moment at which an administrator gives it up.
func TestADecisionThatWasOvertakenIsNotCalledSettled(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Hour)
		books := &overtaken{Books: w.store.Outbox()}
		fn := func() { w.callback(w.account.sent()[0].SID, message.Delivered) }
		books.then.Store(&fn)
		w.stop() // the engine reads them too
		w.Outbox.Books = books
		err := w.Settle(t.Context(), id(0), outbox.Decision{})
		w.run()
		time.Sleep(time.Minute)
		require.Equal(t, "delivered", w.org.result(id(0)).Status)
		require.ErrorIs(t, err, outbox.ErrChanged, "it was told to be given up, and that it was")
	}, func(w *world) {
		w.options.Hold = true
		w.account.lag = 24 * time.Hour
		w.account.fail = func(int, message.Outgoing) failure { return after }
	})
}

// What was not found is to be sent again, and Salesforce does not answer for hours.
func TestWhatIsSentAgainIsNotSentLongAfterItsTimeEither(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		w.org.locked(func() { w.org.err = fault.New(fault.Transient, "query", errReset) })
		time.Sleep(2 * time.Hour)
		w.org.locked(func() { w.org.err = nil })
		time.Sleep(10 * time.Minute)
		require.Empty(t, w.account.sent())
		require.Contains(t, w.org.result(id(0)).ErrorMessage, "late_limit")
	}, func(w *world) {
		w.options.LateLimit = time.Hour
		w.account.fail = func(n int, _ message.Outgoing) failure { return []failure{lost, none}[n] }
	})
}

func TestAnAdministratorsAgainAfterTheLateLimitSendsNothingAndSaysSo(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(2 * time.Hour)
		require.ErrorIs(t, w.Settle(t.Context(), id(0), outbox.Decision{Again: true}), outbox.ErrTooLate)
		time.Sleep(time.Minute)
		require.Equal(t, 1, w.account.attempts())
		require.Contains(t, w.org.result(id(0)).ErrorMessage, "late_limit")
	}, func(w *world) {
		w.options.Hold, w.options.LateLimit = true, time.Hour
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

// wide is a list that shows what nobody has asked for.
type wide struct{ *account }

func (l *wide) Outgoing(ctx context.Context, _ message.Number, since time.Time, page func([]message.Message) (bool, error)) error {
	return l.account.Outgoing(ctx, "", since, page)
}

func TestAHumanCannotGiveARecordAMessageToSomebodyElse(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Hour)
		var m message.Message
		w.account.locked(func() {
			m = w.account.make(message.Outgoing{To: "+14155550198", From: long, Body: "hello 0"}, message.Sent)
		})
		require.ErrorIs(t, w.Settle(t.Context(), id(0), outbox.Decision{SID: m.SID}), outbox.ErrNotListed)
	}, func(w *world) {
		w.ports.Account = &wide{w.account}
		w.options.Hold = true
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

// It was not found, and is to be sent again when its sender's turn comes. Then a sweep
// shows it.
func TestWhatIsListedWhileItWaitsToBeSentAgainIsNotSentAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		w.org.locked(func() { w.org.err = fault.New(fault.Transient, "query", errReset) })
		time.Sleep(time.Hour)
		require.Equal(t, outbox.Wait, w.whose(w.account.sent()[0]).Kind)
		w.org.locked(func() { w.org.err = nil })
		time.Sleep(time.Hour)
		w.once(1)
	}, func(w *world) {
		w.account.lag = 30 * time.Minute
		w.account.fail = func(n int, _ message.Outgoing) failure { return []failure{after, none}[n] }
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

package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
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
				require.NoError(t, w.Settle(t.Context(), id(0), outbox.Decision{Again: true}))
				time.Sleep(time.Minute)
				require.Empty(t, w.account.sent())
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
		w.Outbox.Books = books
		err := w.Settle(t.Context(), id(0), outbox.Decision{})
		time.Sleep(time.Minute)
		require.Equal(t, "delivered", w.org.result(id(0)).Status)
		require.Error(t, err, "it was told to be given up, and that it was")
	}, func(w *world) {
		w.options.Hold = true
		w.account.lag = 24 * time.Hour
		w.account.fail = func(int, message.Outgoing) failure { return after }
	})
}

// mirrored is a message whose text was changed, as the mirror has written it to its
// end as nobody's.
func (w *world) mirrored() message.Message {
	w.t.Helper()
	m := w.account.sent()[0]
	m.Status, m.Body, m.Updated = message.Delivered, "Sent from a trial account - hello 0", m.Created.Add(time.Second)
	_, changes, err := w.store.Merge(w.t.Context(), []message.Message{m})
	require.NoError(w.t, err)
	require.NoError(w.t, w.store.Settle(w.t.Context(), []mirror.Settlement{{Change: changes[0]}}))
	return m
}

func (w *world) names(m message.Message, s message.Status) {
	w.t.Helper()
	_, err := w.store.Keep(w.t.Context(), message.Event{
		Kind: message.StatusEvent, SID: m.SID, Status: s, To: theirs, From: long, Ref: w.account.token(m.SID),
		Received: time.Now().UTC().Truncate(time.Second),
	})
	require.NoError(w.t, err)
}

// The message cannot be fetched the first time: Twilio does not answer.
func TestAMessageThatALateCallbackNamesIsFetchedUntilItIs(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		m := w.mirrored()
		w.names(m, message.Delivered)
		for range 2 { // the fetch after the first has failed, or the process was killed before it
			waiting, err := w.store.Waiting(t.Context(), time.Now(), 100)
			require.NoError(t, err)
			unknown, _, err := w.store.Fold(t.Context(), waiting)
			require.NoError(t, err)
			require.Len(t, unknown, 1, "its text is to be fetched")
		}
	}, func(w *world) {
		w.account.lag = 24 * time.Hour
		w.account.fail = func(int, message.Outgoing) failure { return after }
	})
}

// The callback comes half an hour after the message was made. Its record would show
// the callback's status for ever, which is older than what the mirror had written.
func TestAMessageThatAVeryLateCallbackNamesIsWrittenAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		m := w.mirrored()
		time.Sleep(30 * time.Minute)
		require.Equal(t, message.Uncertain, w.org.result(id(0)).Status)
		w.names(m, message.Sent)
		waiting, err := w.store.Waiting(t.Context(), time.Now(), 100)
		require.NoError(t, err)
		unknown, _, err := w.store.Fold(t.Context(), waiting)
		require.NoError(t, err)
		require.Len(t, unknown, 1)
		time.Sleep(time.Minute)
		require.Equal(t, "sent", w.org.result(id(0)).Status)
		n, _, err := w.store.Merge(t.Context(), []message.Message{m}) // what was fetched
		require.NoError(t, err)
		require.Equal(t, 1, n, "and it is news")
	}, func(w *world) {
		w.options.Hold = true
		w.account.lag = 24 * time.Hour
		w.account.fail = func(int, message.Outgoing) failure { return after }
	})
}

// shy does not always tell of its senders.
type shy struct {
	*account
	silent atomic.Bool
}

func (s *shy) Senders(ctx context.Context) (outbox.Senders, error) {
	if s.silent.Load() {
		return outbox.Senders{}, fault.New(fault.Transient, "twilio list numbers", errReset)
	}
	return s.account.Senders(ctx)
}

func TestANewSenderIsNotRefusedWhileTwilioDoesNotTellOfSenders(t *testing.T) {
	var s *shy
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Minute)
		w.account.locked(func() { w.account.senders.Numbers = append(w.account.senders.Numbers, "+14155550777") }) // just bought
		s.silent.Store(true)
		d := draft(1)
		d.Sender = "+14155550777"
		w.ask(d)
		time.Sleep(time.Minute)
		require.Empty(t, w.org.result(id(1)).ErrorMessage)
	}, func(w *world) {
		s = &shy{account: w.account}
		w.ports.Account = s
	})
}

// The sender that Twilio refused has never been used with anybody.
func TestASenderThatTwilioRefusedIsNotTheConversationsLast(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Minute)
		d := draft(1)
		d.Sender = string(other) // it cannot send to this country
		w.ask(d)
		time.Sleep(time.Minute)
		require.Equal(t, 21612, w.org.result(id(1)).ErrorCode)
		w.ask(draft(2))
		time.Sleep(time.Minute)
		require.NotEmpty(t, w.org.result(id(2)).SID, "it went by the refused one: %+v", w.org.result(id(2)))
	}, func(w *world) {
		w.account.err = func(o message.Outgoing) error {
			if o.From == other {
				return &fault.Error{Class: fault.Permanent, Op: "create", Code: "21612", Err: errors.New("not reachable")}
			}
			return nil
		}
	})
}

// What was not found is to be sent again, and Salesforce does not answer for a day.
func TestWhatIsSentAgainIsNotSentLongAfterItsTimeEither(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		w.org.locked(func() { w.org.err = fault.New(fault.Transient, "query", errReset) })
		time.Sleep(24 * time.Hour)
		w.org.locked(func() { w.org.err = nil })
		time.Sleep(time.Hour)
		require.Empty(t, w.account.sent(), "late_limit is 12 h")
		require.Contains(t, w.org.result(id(0)).ErrorMessage, "late_limit")
	}, func(w *world) {
		w.account.fail = func(n int, _ message.Outgoing) failure { return []failure{lost, none}[n] }
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

// "Twilio's code and text": package twilio hands the text over in Words, and in Err
// its own meaning of the code.
func TestARefusalShowsTwiliosOwnTextOnTheRecord(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Minute)
		require.Contains(t, w.org.result(id(0)).ErrorMessage, "Attempt to send to unsubscribed recipient")
	}, func(w *world) {
		w.account.err = func(message.Outgoing) error {
			return &fault.Error{
				Class: fault.Permanent, Op: "create", Code: "21610", Err: errors.New("the recipient has opted out"),
				Words: "Attempt to send to unsubscribed recipient",
			}
		}
	})
}

// P8: what Twilio lists of a refused create has its own words, with the number.
func TestTheListOfSendsMasksNumbersInTwiliosWords(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		w.account.locked(func() {
			w.account.make(message.Outgoing{To: theirs, From: long, Body: "hello 0"}, message.Failed)
			w.account.messages[0].ErrorCode = 21211
			w.account.messages[0].ErrorMessage = "The 'To' number " + string(theirs) + " is not a valid phone number."
		})
		time.Sleep(time.Minute)
		listed, err := w.List(t.Context(), outbox.Rejected, 10)
		require.NoError(t, err)
		require.Len(t, listed, 1)
		require.NotContains(t, fmt.Sprint(listed), string(theirs))
	}, func(w *world) {
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

// It has opted out, in and out again, and both times the same record was refused.
func TestTwiliosSecondWordThatANumberHasOptedOutCountsToo(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Minute)
		w.says(theirs, long, "START")
		time.Sleep(time.Minute)
		d := draft(0)
		for range 2 {
			w.ask(d)
			time.Sleep(time.Minute)
		}
		require.Equal(t, 2, w.account.attempts())
		w.ask(draft(1))
		time.Sleep(time.Minute)
		require.Equal(t, 2, w.account.attempts(), "Twilio was asked again about a number that it has just called opted out")
	}, func(w *world) {
		w.account.err = func(message.Outgoing) error {
			return &fault.Error{Class: fault.Permanent, Op: "create", Code: "21610", Err: errors.New("unsubscribed")}
		}
	})
}

// A look-up finds out that Twilio refused it, because the number has opted out.
func TestARefusalThatALookUpFindsCountsAsAnOptOut(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		w.account.locked(func() {
			w.account.make(message.Outgoing{To: theirs, From: long, Body: "hello 0"}, message.Failed)
			w.account.messages[0].ErrorCode = 21610
			w.account.fail = nil
		})
		time.Sleep(time.Minute)
		require.Equal(t, 21610, w.org.result(id(0)).ErrorCode)
		w.ask(draft(1))
		time.Sleep(time.Minute)
		require.Equal(t, 21610, w.org.result(id(1)).ErrorCode)
	}, func(w *world) {
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

package outbox_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

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

// A full queue that a look-up finds is what it is when Twilio answers so.
func TestAFullQueueThatALookUpFindsIsTriedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		w.account.locked(func() {
			w.account.make(message.Outgoing{To: theirs, From: long, Body: "hello 0"}, message.Failed)
			w.account.messages[0].ErrorCode = 21611
		})
		time.Sleep(time.Minute)
		sent := w.account.sent()
		require.Len(t, sent, 2)
		require.Equal(t, sent[1].SID, w.org.result(id(0)).SID)
		require.Equal(t, outbox.Claim{Kind: outbox.RejectedOf, Record: id(0)}, w.whose(sent[0]))
	}, func(w *world) {
		w.account.fail = func(n int, _ message.Outgoing) failure { return []failure{lost, none}[n] }
	})
}

// A look-up has taken a failed message for it, and then Twilio calls about the one
// that it has made, or lists it.
func TestAMessageOverrulesARefusalThatTheListSeemedToShow(t *testing.T) {
	for name, tell := range map[string]func(*world, message.Message){
		"by a callback": func(w *world, m message.Message) { w.callback(m.SID, message.Delivered) },
		"by the list":   func(w *world, m message.Message) { require.Equal(w.t, outbox.Wait, w.whose(m).Kind) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.ask(draft(0))
				time.Sleep(time.Second)
				made := w.account.sent()[0]
				var refused message.Message
				w.account.locked(func() {
					refused = w.account.make(message.Outgoing{To: theirs, From: long, Body: "hello 0"}, message.Failed)
					w.account.messages[1].ErrorCode, refused.ErrorCode = 21408, 21408
					w.account.lag = 0
					w.account.messages[0].Created = time.Now().Add(2 * time.Hour) // it is not listed yet
				})
				time.Sleep(time.Minute)
				require.Equal(t, 21408, w.org.result(id(0)).ErrorCode)
				tell(w, made)
				time.Sleep(time.Minute)
				require.Equal(t, made.SID, w.org.result(id(0)).SID)
				require.Empty(t, w.org.result(id(0)).ErrorCode)
				require.Equal(t, outbox.RejectedOf, w.whose(refused).Kind, "no record is made of it")
			}, func(w *world) {
				w.account.lag = 24 * time.Hour
				w.account.fail = func(int, message.Outgoing) failure { return after }
			})
		})
	}
}

func TestAMessageThatWasMadeBeatsAFailedOneOfTheSameWords(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.account.locked(func() { // another system's, a moment before
			w.account.make(message.Outgoing{To: theirs, From: long, Body: "hello 0"}, message.Failed)
			w.account.messages[0].ErrorCode = 21408
		})
		w.ask(draft(0))
		time.Sleep(time.Minute)
		require.Equal(t, w.account.sent()[1].SID, w.org.result(id(0)).SID, "%+v", w.org.result(id(0)))
	}, func(w *world) {
		w.account.fail = func(int, message.Outgoing) failure { return after }
	})
}

// It was sent again meanwhile: what was refused before does not say what became of that.
func TestARefusalThatIsListedLateIsNotOfTheNextIntent(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		w.account.locked(func() {
			w.account.make(message.Outgoing{To: theirs, From: long, Body: "hello 0"}, message.Failed)
			w.account.messages[0].ErrorCode = 21408
		})
		time.Sleep(11 * time.Minute)
		require.Equal(t, 2, w.account.attempts())
		w.account.locked(func() { w.account.lag = 0 })
		time.Sleep(time.Hour)
		require.NotEmpty(t, w.org.result(id(0)).SID, "%+v", w.org.result(id(0)))
	}, func(w *world) {
		w.account.lag = 24 * time.Hour
		w.account.fail = func(n int, _ message.Outgoing) failure { return []failure{lost, lost, none}[n] }
	})
}

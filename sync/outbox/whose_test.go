package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

// whose asks about one message.
func (w *world) whose(m message.Message) outbox.Claim {
	w.t.Helper()
	claims, err := w.Whose(w.t.Context(), []*message.Message{&m})
	require.NoError(w.t, err)
	require.Len(w.t, claims, 1)
	return claims[0]
}

// seen is a message as a sweep shows it.
func seen(n int, body string) message.Message {
	return message.Message{
		SID: message.SID(fmt.Sprintf("SM%032x", n)), From: long, To: theirs, Body: body, Direction: message.OutboundAPI, Status: message.Sent,
		Created: time.Now().UTC().Truncate(time.Second),
	}
}

func TestAMessageWaitsForItsRecordToShowIt(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		w.org.locked(func() { w.org.err = fault.New(fault.Transient, "write", errReset) })
		sent := w.account.sent()[0]
		require.Equal(t, outbox.Claim{Kind: outbox.Wait}, w.whose(sent), "Twilio's answer is on its way")
		time.Sleep(5 * time.Second)
		require.Equal(t, outbox.Claim{Kind: outbox.Wait, Record: id(0)}, w.whose(sent), "Salesforce does not answer")
		w.org.locked(func() { w.org.err = nil })
		time.Sleep(2 * time.Minute)
		require.Equal(t, outbox.Claim{Kind: outbox.Bound, Record: id(0)}, w.whose(sent))
	}, func(w *world) {
		w.ports.Account = &slowAnswer{account: w.account, by: 3 * time.Second}
	})
}

func TestOthersMessagesAreStrangers(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		for name, change := range map[string]func(*message.Message){
			"another text":         func(m *message.Message) { m.Body = "hello 1" },
			"to somebody else":     func(m *message.Message) { m.To = "+14155550198" },
			"from another number":  func(m *message.Message) { m.From = other },
			"an answer of a flow":  func(m *message.Message) { m.Direction = message.OutboundReply },
			"of a quarter earlier": func(m *message.Message) { m.Created = m.Created.Add(-15 * time.Minute) },
		} {
			m := seen(1000, "hello 0")
			change(&m)
			require.Equal(t, outbox.Claim{}, w.whose(m), name)
		}
		require.Equal(t, outbox.Wait, w.whose(seen(1000, "hello 0")).Kind)
	}, func(w *world) {
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

func TestACreateThatTwilioRefusedAndListsIsItsRecords(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Minute)
		m := seen(1000, "hello 0")
		m.Status, m.ErrorCode, m.Created = message.Failed, 21614, m.Created.Add(-time.Minute)
		require.Equal(t, outbox.Claim{Kind: outbox.RejectedOf, Record: id(0)}, w.whose(m))
		time.Sleep(time.Minute)
		require.Empty(t, w.org.result(id(0)).RejectedSID, "the mirror writes it")
		require.Empty(t, w.org.result(id(0)).SID)
		require.Equal(t, outbox.Claim{Kind: outbox.RejectedOf, Record: id(0)}, w.whose(m), "once more")
		m.SID = "SM0000000000000000000000000000ffff"
		require.Equal(t, outbox.Claim{}, w.whose(m), "a second one is somebody else's")
	}, func(w *world) {
		w.account.err = func(message.Outgoing) error {
			return &fault.Error{Class: fault.Permanent, Op: "create", Code: "21614", Err: errors.New("not a mobile number")}
		}
	})
}

func TestALookUpThatFindsARefusedCreateIsARefusal(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		w.account.mu.Lock()
		m := w.account.make(message.Outgoing{To: theirs, From: long, Body: "hello 0"}, message.Failed)
		w.account.messages[0].ErrorCode = 21408
		w.account.mu.Unlock()
		time.Sleep(time.Minute)
		r := w.org.result(id(0))
		require.Equal(t, "failed", r.Status)
		require.Equal(t, 21408, r.ErrorCode)
		require.Equal(t, m.SID, r.RejectedSID)
		require.Empty(t, r.SID)
	}, func(w *world) {
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

func TestWhatIsHeldAndFoundAfterAllIsSettled(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Hour)
		require.Equal(t, message.Uncertain, w.org.result(id(0)).Status)
		require.Equal(t, outbox.Wait, w.whose(w.account.sent()[0]).Kind)
		time.Sleep(time.Minute)
		w.once(1)
		require.Equal(t, outbox.Bound, w.whose(w.account.sent()[0]).Kind)
	}, func(w *world) {
		w.options.Hold = true
		w.account.lag = 24 * time.Hour
		w.account.fail = func(int, message.Outgoing) failure { return after }
	})
}

func TestAShortenedLinkOfAServiceIsLeftToAHuman(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := draft(0)
		d.Body = "see https://example.com/a/very/long/page"
		w.ask(d)
		time.Sleep(time.Second)
		w.account.locked(func() {
			w.account.make(message.Outgoing{To: theirs, Service: service, From: other, Body: "see https://twil.io/x"}, message.Sent)
		})
		time.Sleep(time.Hour)
		require.Equal(t, message.Uncertain, w.org.result(id(0)).Status)
		require.Equal(t, 1, w.account.attempts())
	}, byService, func(w *world) {
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

// Its send got lost, and while Twilio was asked for it the user has changed their mind.
func TestWhatIsCalledOffWhileItIsLookedUpIsNotSentAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		require.Equal(t, 1, w.account.attempts())
		off := draft(0)
		off.Ask, off.Modified = message.AskCancel, time.Now()
		w.ask(off)
		time.Sleep(time.Hour)
		require.Equal(t, 1, w.account.attempts())
	}, func(w *world) {
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

// Twilio has taken it and changed its text: that is not proven absence (P5).
func TestATextThatTwilioHasChangedIsLeftToAHuman(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		w.account.locked(func() {
			w.account.make(message.Outgoing{To: theirs, From: long, Body: "Sent from your Twilio trial account - hello"}, message.Sent)
		})
		time.Sleep(time.Hour)
		require.Equal(t, message.Uncertain, w.org.result(id(0)).Status)
		require.Equal(t, 1, w.account.attempts())
	}, func(w *world) {
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

func TestARecordThatRefusesItsResultIsToldAgainAndNotSentAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(10 * time.Hour)
		require.Equal(t, 0, w.account.attempts())
		require.InDelta(t, 10, w.org.called(), 2)
		require.Equal(t, "outbox-write-back", w.health.Active()[0].Name)
		w.org.locked(func() { w.org.refuse = nil })
		time.Sleep(2 * time.Hour)
		require.Equal(t, "failed", w.org.result(id(0)).Status)
		require.Empty(t, w.health.Active())
	}, func(w *world) {
		w.options.Sender = outbox.Sender{}
		w.org.refuse = func(message.Result) error {
			return &fault.Error{Class: fault.Permanent, Op: "update", Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Err: errReset}
		}
	})
}

func TestNothingIsForgottenThatIsNotOver(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		far := draft(1)
		far.SendAt = far.Modified.Add(60 * 24 * time.Hour)
		w.ask(draft(0), far)
		time.Sleep(time.Second) // results are gathered for two
		require.Len(t, w.account.sent(), 1)
		books := w.store.Outbox()
		has := func(n int) bool {
			_, ok, err := books.Last(t.Context(), id(n))
			require.NoError(t, err)
			return ok
		}
		require.NoError(t, books.Forget(t.Context(), time.Now().Add(time.Hour)))
		require.True(t, has(0), "its record does not show it yet")
		time.Sleep(time.Minute)
		require.NoError(t, books.Forget(t.Context(), time.Now().Add(-time.Hour)))
		require.True(t, has(0), "it is too young")
		require.NoError(t, books.Forget(t.Context(), time.Now().Add(time.Hour)))
		require.False(t, has(0))
		require.True(t, has(1))
	})
}

// Its record refuses the SID, so it says Send still, and any change of it would be
// read as a wish.
func TestWhatItsRecordDoesNotShowIsNeverForgottenAndNotSentAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Minute)
		require.Equal(t, 1, w.account.attempts())
		require.NoError(t, w.store.Outbox().Forget(t.Context(), time.Now().Add(time.Hour)))
		touched := draft(0)
		touched.Modified = time.Now().Add(time.Minute)
		w.ask(touched)
		time.Sleep(time.Hour)
		require.Equal(t, 1, w.account.attempts())
	}, func(w *world) {
		w.org.refuse = func(message.Result) error {
			return &fault.Error{Class: fault.Permanent, Op: "update", Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Err: errReset}
		}
	})
}

func TestAMessageThatAHumanGaveAwayTooEarlyIsLeftToTheHuman(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Hour)
		w.account.locked(func() { w.account.fail = nil })
		w.ask(draft(1))
		time.Sleep(time.Second)
		require.ErrorIs(t, w.Settle(t.Context(), id(0), outbox.Decision{SID: w.account.sent()[0].SID}), outbox.ErrTaken)
		w.account.locked(func() { w.account.messages[0].Body = "Sent from your Twilio trial account - hello" })
		require.NoError(t, w.Settle(t.Context(), id(0), outbox.Decision{SID: w.account.sent()[0].SID})) // it is the other's
		time.Sleep(time.Minute)
		require.Equal(t, w.account.sent()[0].SID, w.org.result(id(0)).SID)
		require.Equal(t, message.Uncertain, w.org.result(id(1)).Status)
		require.Equal(t, "outbox-held", w.health.Active()[0].Name)
	}, func(w *world) {
		w.options.Hold = true
		w.ports.Account = &slowAnswer{account: w.account, by: 5 * time.Second}
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

// unasked says that a message is known to be nobody's without a look into the
// store, which a backfill could not afford for each.
func (w *world) unasked(m message.Message) bool {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	cancel()
	claims, err := w.Whose(ctx, []*message.Message{&m})
	if err == nil {
		require.Equal(w.t, []outbox.Claim{{}}, claims)
	}
	return err == nil
}

func TestNobodyIsAskedWhoseAMessageIsFromBeforeTheFirstSend(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		long := seen(1000, "hello 0")
		long.Created = long.Created.Add(-26 * time.Hour)
		require.True(t, w.unasked(seen(1000, "hello 0")), "nothing was ever sent")
		w.ask(draft(0))
		require.True(t, w.unasked(seen(1000, "hello 0")), "nothing was sent yet")
		time.Sleep(time.Minute)
		require.False(t, w.unasked(w.account.sent()[0]))
		require.True(t, w.unasked(long))
		late := long
		late.Sent = time.Now()
		require.False(t, w.unasked(late), "a human may have named it")
		time.Sleep(48 * time.Hour)
		w.ask(draft(1))
		time.Sleep(time.Minute)
		require.False(t, w.unasked(w.account.sent()[0]), "a later send")

		w.close()
		w.open()
		require.False(t, w.unasked(w.account.sent()[0]), "a restart")
		require.Equal(t, outbox.Bound, w.whose(w.account.sent()[0]).Kind)
		require.True(t, w.unasked(long))
		require.NoError(t, w.store.Outbox().Forget(t.Context(), time.Now().Add(time.Hour)))
		require.NoError(t, w.store.Close())
		w.open()
		require.True(t, w.unasked(w.account.sent()[0]), "forgotten")
	})
}

// Its intent was taken back, and a callback shows that it was sent nevertheless.
func TestWhatWasSentAgainstAllAppearanceIsItsRecords(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		off := draft(0)
		off.Ask, off.Modified = message.AskCancel, time.Now().Add(time.Second)
		w.ask(off)
		time.Sleep(time.Minute)
		sent := w.account.sent()[0]
		w.close()
		w.open()
		require.Equal(t, outbox.Stranger, w.whose(sent).Kind)
		w.callback(sent.SID, message.Delivered)
		require.NotEqual(t, outbox.Stranger, w.whose(sent).Kind)
		require.NoError(t, w.store.Close())
		w.open()
		require.NotEqual(t, outbox.Stranger, w.whose(sent).Kind, "a restart")
	}, func(w *world) {
		w.ports.Account = &denies{account: w.account}
	})
}

// denies is a Twilio that makes messages and says that it never heard of them.
type denies struct{ *account }

func (d *denies) Create(ctx context.Context, o message.Outgoing) (message.Message, error) {
	if _, err := d.account.Create(ctx, o); err != nil {
		return message.Message{}, err
	}
	return message.Message{}, fault.New(fault.Transient, "create", errReset)
}

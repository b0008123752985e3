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
	"github.com/twiliosf/twiliosf/sync/outbox"
)

// from is what the only message was sent from.
func (w *world) from() outbox.Sender {
	w.t.Helper()
	time.Sleep(time.Minute)
	sent := w.account.sent()
	require.Len(w.t, sent, 1, "%+v", w.org.shown())
	return outbox.Sender{Number: sent[0].From, Service: sent[0].ServiceSID}
}

// everything gives every rule something to say.
func everything(w *world) {
	w.ports.Personal = personal{"005OWNER": free}
	w.org.last[theirs] = other
	w.options.Sender = outbox.Sender{Number: long}
}

func TestTheDraftsOwnSenderComesFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := draft(0)
		d.Owner, d.Sender = "005OWNER", "12345"
		w.ask(d)
		require.Equal(t, outbox.Sender{Number: short}, w.from())
	}, everything)
}

func TestADraftMayNameAMessagingService(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := draft(0)
		d.Sender = service
		w.ask(d)
		require.Equal(t, outbox.Sender{Service: service}, w.from())
	}, everything)
}

func TestThePersonalNumberOfTheOwnerComesSecond(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := draft(0)
		d.Owner = "005OWNER"
		w.ask(d, draft(1))
		time.Sleep(time.Minute)
		sent := map[string]message.Number{}
		for _, m := range w.account.sent() {
			sent[m.Body] = m.From
		}
		require.Equal(t, map[string]message.Number{"hello 0": free, "hello 1": other}, sent, "the other has no owner with a number")
	}, everything)
}

func TestThePersonalNumberMustBeOneOfTheAccounts(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := draft(0)
		d.Owner = "005OWNER"
		w.ask(d)
		require.Equal(t, outbox.Sender{Number: other}, w.from())
	}, everything, func(w *world) { w.ports.Personal = personal{"005OWNER": "+14155559999"} })
}

func TestTheNumberThatTheConversationUsedLastComesThird(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		require.Equal(t, outbox.Sender{Number: other}, w.from())
	}, everything)
}

func TestTheConversationsNumberIsTheOneTheyWroteToLast(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.says(theirs, free, "hi")
		w.ask(draft(0))
		require.Equal(t, outbox.Sender{Number: free}, w.from())
	}, everything)
}

func TestASweptMessageTellsOfTheConversationToo(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		for i, age := range []time.Duration{2 * time.Minute, 30 * time.Minute, 2 * time.Hour} {
			m := message.Message{
				SID: message.SID(fmt.Sprintf("SM%032x", 1000+i)), From: theirs, To: []message.Number{free, short, long}[i], Direction: message.Inbound,
				Status: message.Received, Created: time.Now().UTC().Truncate(time.Second).Add(-age),
			}
			_, _, err := w.store.Merge(t.Context(), []message.Message{m})
			require.NoError(t, err)
		}
		w.ask(draft(0))
		require.Equal(t, outbox.Sender{Number: free}, w.from())
	}, everything)
}

func TestAConversationStaysWithItsServicesNumber(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		m := message.Message{
			SID: message.SID(fmt.Sprintf("SM%032x", 1000)), From: other, To: theirs, ServiceSID: service, Direction: message.OutboundAPI,
			Status: message.Delivered, Created: time.Now().UTC().Truncate(time.Second),
		}
		_, _, err := w.store.Merge(t.Context(), []message.Message{m})
		require.NoError(t, err)
		w.ask(draft(0))
		require.Equal(t, outbox.Sender{Number: other, Service: service}, w.from())
	}, everything)
}

func TestANumberThatWeGaveUpIsNotUsedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		require.Equal(t, outbox.Sender{Number: long}, w.from())
	}, everything, func(w *world) { w.org.last[theirs] = "+14155559999" })
}

func TestTheDefaultSenderComesLast(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		require.Equal(t, outbox.Sender{Number: long}, w.from())
	})
}

func TestWithoutAnySenderTheRecordSaysWhatToDo(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Minute)
		require.Equal(t, "failed", w.org.result(id(0)).Status)
		require.Contains(t, w.org.result(id(0)).ErrorMessage, "twilio.sender")
		require.Zero(t, w.account.attempts())
	}, func(w *world) { w.options.Sender = outbox.Sender{} })
}

func TestASenderIsAskedForOnceMoreBeforeItIsUnknown(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Minute)
		w.account.locked(func() { w.account.senders.Numbers = append(w.account.senders.Numbers, "+14155550777") }) // just bought
		d := draft(1)
		d.Sender = "(415) 555-0777"
		w.ask(d)
		time.Sleep(time.Minute)
		require.Equal(t, message.Number("+14155550777"), w.account.sent()[1].From)
		for i := range 10 {
			d := draft(2 + i)
			d.Sender = "+14155559999"
			w.ask(d)
		}
		time.Sleep(time.Minute)
		require.Equal(t, 21606, w.org.result(id(2)).ErrorCode)
		require.LessOrEqual(t, w.account.inquiries(), 3)
	})
}

func TestAWhatsAppNumberIsReachedFromAWhatsAppSender(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := draft(0)
		d.To, d.Owner = "whatsapp:"+string(theirs), "005OWNER"
		d.Body, d.Content, d.Values = "shown on the record only", "HX00000000000000000000000000000001", `{"1":"Ada"}`
		w.ask(d)
		require.Equal(t, outbox.Sender{Number: "whatsapp:" + long}, w.from())
		require.Empty(t, w.account.sent()[0].Body, "a template brings its own text")
	}, func(w *world) { w.ports.Personal = personal{"005OWNER": free} })
}

func TestDraftsWaitWhileSalesforceCannotTellOfTheConversation(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		named := draft(1)
		named.Sender, named.To = string(long), "+14155550198"
		w.ask(draft(0), named)
		time.Sleep(time.Hour)
		require.Len(t, w.account.sent(), 1, "who names a sender need not wait")
		w.org.locked(func() { w.org.err = nil })
		time.Sleep(5 * time.Minute)
		require.Len(t, w.account.sent(), 2)
		require.Equal(t, other, w.account.sent()[1].From)
	}, everything, func(w *world) { w.org.err = fault.New(fault.Transient, "query", errReset) })
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

func TestASenderThatARecordNamedIsTheConversationsFromThenOn(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := draft(0)
		d.Sender = string(other)
		w.ask(d)
		time.Sleep(time.Minute)
		w.ask(draft(1))
		time.Sleep(time.Minute)
		require.Equal(t, other, w.org.result(id(1)).From)
	})
}

package outbox_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

func byService(w *world) { w.options.Sender = outbox.Sender{Service: service} }

// quick lets senders send as fast as they can.
func quick(w *world) {
	w.options.Rates = outbox.Rates{Default: 1000, TollFree: 1000, ShortCode: 1000, Service: 1000}
}

func TestARecordThatAsksIsSentOnceAndSaysSo(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := draft(0)
		for range 5 {
			w.ask(d)
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		w.once(1)
		r := w.org.result(id(0))
		require.Equal(t, message.Result{ID: id(0), SID: w.account.sent()[0].SID, Status: "queued", From: long, To: theirs}, r)
		require.Equal(t, 1, w.org.written(id(0)))
	})
}

func TestADraftIsWithTwilioWithinASecondOfThePoll(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		asked := time.Now()
		w.ask(draft(0))
		time.Sleep(time.Second)
		require.Len(t, w.account.sent(), 1)
		require.Less(t, w.account.times()[0].Sub(asked), time.Second)
	})
}

// fewDrafts is how many records ask at once in a run of all tests; TWILIOSF_DRAFTS
// asks for more.
const fewDrafts = 1000

func drafts(t *testing.T) int {
	t.Helper()
	text := os.Getenv("TWILIOSF_DRAFTS")
	if text == "" {
		return fewDrafts
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

func TestManyRecordsAreSentExactlyOnceWhileConnectionsBreak(t *testing.T) {
	n := drafts(t)
	inBubble(t, func(t *testing.T, w *world) {
		var all []message.Draft
		for i := range n {
			d := draft(i)
			d.To = fmt.Sprintf("+1415%07d", 2000000+i%(n/7)) // each has several
			all = append(all, d)
		}
		w.ask(all...)
		for range 200 {
			time.Sleep(10 * time.Minute)
			if counts, err := w.store.Outbox().Counts(t.Context()); err == nil && len(counts) == 0 {
				break
			}
		}
		time.Sleep(time.Minute)
		w.once(n)
	}, quick, func(w *world) {
		rng := rand.New(rand.NewPCG(1, 2))
		w.account.latency, w.account.lag = 100*time.Millisecond, 4*time.Minute
		w.account.fail = func(int, message.Outgoing) failure {
			switch x := rng.Float64(); {
			case x < .3:
				return after
			case x < .6:
				return before
			case x < .62:
				return lost
			}
			return none
		}
		w.options.LateLimit = 1000 * time.Hour
	})
}

func TestManyDraftsAtOnceAllGoAtThePace(t *testing.T) {
	n := drafts(t)
	inBubble(t, func(t *testing.T, w *world) {
		var all []message.Draft
		for i := range n {
			d := draft(i)
			d.To = fmt.Sprintf("+1415%07d", 2000000+i)
			all = append(all, d)
		}
		began := time.Now()
		w.ask(all...)
		w.ask(all...)            // the next poll shows them again
		whole := float64(n) / 10 // ten a second
		time.Sleep(time.Duration(1.1 * whole * float64(time.Second)))
		w.once(n)
		took := w.account.times()[n-1].Sub(began)
		require.InDelta(t, whole, took.Seconds(), whole*.01)
		require.Less(t, w.org.called(), n/10, "results are written together")
	}, byService, func(w *world) { w.account.latency = 200 * time.Millisecond })
}

func TestTwoEqualDraftsAreTwoMessages(t *testing.T) {
	for name, how := range map[string]failure{"answered": none, "both answers lost": after, "neither was made": lost} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				a, b := draft(0), draft(1)
				b.Body = a.Body
				w.ask(a, b)
				time.Sleep(30 * time.Minute)
				require.Len(t, w.account.sent(), 2)
				require.NotEqual(t, w.org.result(id(0)).SID, w.org.result(id(1)).SID)
				require.NotEmpty(t, w.org.result(id(0)).SID)
				require.NotEmpty(t, w.org.result(id(1)).SID)
			}, func(w *world) {
				w.account.fail = func(n int, _ message.Outgoing) failure {
					if n < 2 {
						return how
					}
					return none
				}
			})
		})
	}
}

func TestAnEqualDraftDoesNotTakeTheMessageOfOneThatIsBeingSent(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b := draft(0), draft(1)
		b.Body = a.Body
		w.ask(a)
		time.Sleep(21 * time.Second) // its answer is lost, and it never was made
		w.account.locked(func() { w.account.fail = nil })
		w.ask(b)
		time.Sleep(time.Minute)
		require.Len(t, w.account.sent(), 1)
		require.Equal(t, w.account.sent()[0].SID, w.org.result(id(1)).SID)
		require.Empty(t, w.org.result(id(0)).SID)
		time.Sleep(20 * time.Minute)
		require.Len(t, w.account.sent(), 2)
		require.Equal(t, w.account.sent()[1].SID, w.org.result(id(0)).SID)
	}, func(w *world) {
		w.account.fail = func(int, message.Outgoing) failure { return lost }
		// Twilio's list shows the second one's message long before its answer comes.
		w.ports.Account = &slowAnswer{account: w.account, by: 20 * time.Second}
	})
}

func TestAStatusCallbackSettlesWhatTheListDoesNotShow(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(5 * time.Minute)
		require.Empty(t, w.org.result(id(0)).SID)
		sid := w.account.sent()[0].SID
		w.callback(sid, message.Delivered)
		time.Sleep(time.Minute)
		require.Equal(t, sid, w.org.result(id(0)).SID)
		require.Equal(t, "delivered", w.org.result(id(0)).Status)
		time.Sleep(time.Hour)
		require.Len(t, w.account.sent(), 1)
	}, func(w *world) {
		w.account.lag = 24 * time.Hour
		w.account.fail = func(int, message.Outgoing) failure { return after }
	})
}

func TestACallbackThatIsFasterThanTwiliosAnswerIsNotUndoneByIt(t *testing.T) {
	for name, how := range map[string]failure{"the answer comes": none, "the answer is lost": after} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.ask(draft(0))
				time.Sleep(time.Second)
				require.Len(t, w.account.sent(), 1)
				w.callback(w.account.sent()[0].SID, message.Sent)
				time.Sleep(time.Hour)
				w.once(1)
				require.Equal(t, "sent", w.org.result(id(0)).Status)
			}, func(w *world) {
				w.ports.Account = &slowAnswer{account: w.account, by: 5 * time.Second}
				w.account.fail = func(int, message.Outgoing) failure { return how }
			})
		})
	}
}

func TestHoldLeavesWhatIsNotFoundToAHuman(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0), draft(1), draft(2))
		time.Sleep(time.Hour)
		for n := range 3 {
			require.Equal(t, message.Uncertain, w.org.result(id(n)).Status)
		}
		require.Empty(t, w.account.sent())
		require.NotEmpty(t, w.health.Active())
		require.Equal(t, "outbox-held", w.health.Active()[0].Name)
		listed, err := w.List(t.Context(), outbox.Held, 10)
		require.NoError(t, err)
		require.Len(t, listed, 3)
		require.NotContains(t, fmt.Sprint(listed), string(theirs), "numbers are masked")

		var found message.Message
		w.account.locked(func() {
			w.account.fail = nil
			w.account.messages, w.account.to = nil, map[message.Number][]int{}
			found = w.account.make(message.Outgoing{To: theirs, From: long, Body: "hello, and more"}, message.Delivered)
		})
		require.NoError(t, w.Settle(t.Context(), id(0), outbox.Decision{Again: true}))
		require.ErrorIs(t, w.Settle(t.Context(), id(1), outbox.Decision{SID: "SM000000000000000000000000000000aa"}), outbox.ErrNotListed)
		require.NoError(t, w.Settle(t.Context(), id(1), outbox.Decision{SID: found.SID}))
		require.ErrorIs(t, w.Settle(t.Context(), id(2), outbox.Decision{SID: found.SID}), outbox.ErrTaken)
		require.NoError(t, w.Settle(t.Context(), id(2), outbox.Decision{}))
		require.ErrorIs(t, w.Settle(t.Context(), id(3), outbox.Decision{Again: true}), outbox.ErrNoAttempt)
		time.Sleep(time.Minute)
		require.Len(t, w.account.sent(), 2)
		require.Equal(t, w.account.sent()[1].SID, w.org.result(id(0)).SID)
		require.Equal(t, found.SID, w.org.result(id(1)).SID)
		require.Equal(t, string(message.Delivered), w.org.result(id(1)).Status, "its status is Twilio's, not older")
		require.Equal(t, "failed", w.org.result(id(2)).Status)
		require.ErrorIs(t, w.Settle(t.Context(), id(0), outbox.Decision{Again: true}), outbox.ErrCertain)
		time.Sleep(2 * time.Minute)
		require.Empty(t, w.health.Active())
	}, func(w *world) {
		w.options.Hold = true
		w.account.fail = func(int, message.Outgoing) failure { return lost }
	})
}

func TestNothingIsSentAgainWhileTheListCannotBeRead(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(5 * time.Hour)
		require.Equal(t, 1, w.account.attempts())
		w.account.locked(func() { w.account.blind = nil })
		time.Sleep(time.Hour)
		w.once(1)
	}, func(w *world) {
		w.account.blind = fault.New(fault.Transient, "list", errReset)
		w.account.fail = func(n int, _ message.Outgoing) failure {
			if n == 0 {
				return lost
			}
			return none
		}
	})
}

// A row of the list that nobody can read may be what is looked for.
func TestAListThatCannotBeReadWholeProvesNoAbsence(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0), draft(1))
		time.Sleep(time.Minute)
		require.NotEmpty(t, w.org.result(id(0)).SID, "what the rest shows is found")
		time.Sleep(25 * time.Minute)
		require.Equal(t, 2, w.account.attempts())
		require.Empty(t, w.org.result(id(1)).Status, "it may be mended")
		time.Sleep(10 * time.Minute)
		require.Equal(t, message.Uncertain, w.org.result(id(1)).Status)
		require.Equal(t, 2, w.account.attempts())
	}, func(w *world) {
		w.account.partial = outbox.ErrPartial
		w.account.fail = func(n int, _ message.Outgoing) failure { return []failure{after, lost}[n] }
	})
}

// What we have sent is older than its intent then, by Twilio's clock.
func TestAHostWhoseClockIsFastSendsNothingTwice(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Hour)
		require.Equal(t, 1, w.account.attempts())
		require.Equal(t, message.Uncertain, w.org.result(id(0)).Status)
	}, func(w *world) {
		w.account.slow = 20 * time.Minute
		w.account.fail = func(int, message.Outgoing) failure { return after }
	})
}

func TestARefusalOfTwiliosStandsOnTheRecordAndSendAgainIsANewAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := draft(0)
		w.ask(d)
		time.Sleep(time.Minute)
		r := w.org.result(id(0))
		require.Equal(t, "failed", r.Status)
		require.Equal(t, 21614, r.ErrorCode)
		require.Equal(t, "'To' number is not a mobile number Ask for another.", r.ErrorMessage)

		stale := d
		stale.Modified = stale.Modified.Add(20 * time.Second) // changed while it was being sent, and read late
		require.NoError(t, w.Take(t.Context(), []message.Draft{stale}))
		time.Sleep(time.Minute)
		require.Equal(t, 1, w.account.attempts())

		w.account.locked(func() { w.account.err = nil })
		d = draft(0)
		for range 3 {
			w.ask(d)
			time.Sleep(15 * time.Second)
		}
		time.Sleep(time.Minute)
		w.once(1)
	}, func(w *world) {
		w.account.err = func(message.Outgoing) error {
			return &fault.Error{Class: fault.Permanent, Op: "create", Code: "21614", Err: errors.New("'To' number is not a mobile number"), Hint: "Ask for another."}
		}
	})
}

func TestThrottlingAndBrokenConnectionsAreNoNewAttempts(t *testing.T) {
	for _, class := range []fault.Class{fault.Throttled, fault.Transient, fault.Auth} {
		t.Run(class.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				var all []message.Draft
				for i := range 50 {
					all = append(all, draft(i))
				}
				w.ask(all...)
				time.Sleep(time.Hour)
				require.Empty(t, w.org.shown())
				require.Less(t, w.account.attempts(), 80, "one tries, the others wait")
				require.Len(t, w.health.Active(), 1)
				w.account.locked(func() { w.account.err = nil })
				time.Sleep(5 * time.Minute)
				w.once(50)
				require.Empty(t, w.health.Active())
				a, _, err := w.store.Outbox().Last(t.Context(), id(0))
				require.NoError(t, err)
				require.Equal(t, 1, a.Try)
			}, func(w *world) {
				w.account.err = func(message.Outgoing) error {
					return &fault.Error{Class: class, Op: "create", Condition: "twilio-credentials", Err: errReset}
				}
			})
		})
	}
}

func TestADraftThatIsDeletedWhileItIsBeingSentIsDone(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Second)
		w.org.locked(func() { delete(w.org.drafts, id(0)) })
		time.Sleep(time.Hour)
		require.Len(t, w.account.sent(), 1)
		require.Less(t, w.org.called(), 3)
	}, func(w *world) { w.account.latency = 5 * time.Second })
}

func TestASTOPOfASecondAgoIsObeyed(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0), draft(1)) // the second waits a second for its turn
		synctest.Wait()
		w.says(long, "STOP")
		time.Sleep(time.Minute)
		require.Len(t, w.account.sent(), 1)
		r := w.org.result(id(1))
		require.Equal(t, "failed", r.Status)
		require.Equal(t, 21610, r.ErrorCode)
		require.Contains(t, r.ErrorMessage, "opted out")
		w.says(long, "START")
		d := draft(1)
		w.ask(d)
		time.Sleep(time.Minute)
		require.Len(t, w.account.sent(), 2)
	})
}

func TestTwiliosWordThatANumberHasOptedOutCounts(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0))
		time.Sleep(time.Minute)
		w.ask(draft(1))
		time.Sleep(time.Minute)
		require.Equal(t, 1, w.account.attempts())
		require.Equal(t, 21610, w.org.result(id(1)).ErrorCode)
	}, func(w *world) {
		w.account.err = func(message.Outgoing) error {
			return &fault.Error{Class: fault.Permanent, Op: "create", Code: "21610", Err: errors.New("unsubscribed")}
		}
	})
}

func TestAFailureOfSalesforceRepeatsNoSend(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(draft(0), draft(1))
		time.Sleep(1500 * time.Millisecond)
		w.org.locked(func() { w.org.err = fault.New(fault.Transient, "write", errReset) })
		time.Sleep(10 * time.Hour)
		require.Len(t, w.account.sent(), 2)
		require.Less(t, w.org.called(), 1000)
		w.org.locked(func() { w.org.err = nil })
		time.Sleep(5 * time.Minute)
		w.once(2)
	}, func(w *world) { w.org.last[theirs] = long; w.options.Sender = outbox.Sender{Number: long} })
}

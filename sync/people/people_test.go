package people_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/people"
)

func link(object, id string) message.Link { return message.Link{Object: object, ID: id} }

func TestAMessageIsLinkedToTheOneRecordThatHasItsNumber(t *testing.T) {
	o := newOrg("Contact", "Lead", "Account", "Case")
	w := newWorld(t, o)
	contact := o.set("Contact", 1, ann, "(415) 555-0100 x3", "call mom")
	lead := o.set("Lead", 1, bob, "+1 415 555 0100")
	o.set("Contact", 2, bob, "415-555-0101")
	o.set("Contact", 3, bob, "4155550101")
	account := o.set("Account", 1, bob, "1 (415) 555-0101")
	both := o.set("Contact", 4, ann, "415-555-0102 / 415-555-0103")
	open := o.set("Case", 1, que, "020 7946 0018", "+44 (0)20 7946 0018")
	w.fill()

	got := w.meet(from("+14155550100"))
	require.ElementsMatch(t, []message.Link{link("Contact", contact), link("Lead", lead)}, got.People)
	require.Equal(t, ann, got.Owner, "a Contact's owner comes before a Lead's")

	got = w.meet(from("+14155550101"))
	require.Equal(t, []message.Link{link("Account", account)}, got.People, "two Contacts have it: neither is linked")
	require.Equal(t, bob, got.Owner)

	require.Equal(t, []message.Link{link("Contact", both)}, w.meet(from("whatsapp:+14155550103")).People)
	require.Equal(t, []message.Link{link("Case", open)}, w.meet(from("+442079460018")).People)
	require.Empty(t, w.meet(from("+442079460018")).Owner, "a queue owns no message")
	for _, nobody := range []message.Number{"", "72345", "TWILIOSF", "+14155550199"} {
		require.Zero(t, w.meet(from(nobody)), nobody)
	}
	out := from("+15005550006")
	out.To, out.Direction, out.Status = "+14155550102", message.OutboundAPI, message.Queued
	require.Equal(t, []message.Link{link("Contact", both)}, w.meet(out).People, "whoever wrote")
	require.Equal(t, map[string]int{"newest": 4}, o.calls, "four small objects, a call each")
}

func TestLinksAndOwnersCanBeOff(t *testing.T) {
	o := newOrg("Contact")
	w := newWorld(t, o)
	contact := o.set("Contact", 1, ann, "(415) 555-0100")
	w.fill()
	w.restart(func(p *people.Options) { p.Link = false })
	require.Equal(t, message.Links{Owner: ann}, w.meet(from("+14155550100")))
	w.restart(func(p *people.Options) { p.Own = false })
	require.Equal(t, message.Links{People: []message.Link{link("Contact", contact)}}, w.meet(from("+14155550100")))
}

func TestAPersonalNumbersUserOwnsWhatNobodyElseDoes(t *testing.T) {
	o := newOrg("Contact")
	w := newWorld(t, o)
	require.NoError(t, w.engine.SetPersonal(t.Context(), map[message.Number]string{"+15005550006": bob, "+15005550007": que}))
	require.Equal(t, bob, w.meet(from("+14155550100")).Owner)
	w.restart()
	require.Equal(t, bob, w.meet(from("+14155550100")).Owner, "over a restart")
	o.set("Contact", 1, ann, "(415) 555-0100")
	w.fill()
	require.Equal(t, ann, w.meet(from("+14155550100")).Owner)
	require.NoError(t, w.engine.SetPersonal(t.Context(), nil))
	require.Empty(t, w.meet(from("+14155550101")).Owner)
}

func TestARefreshFollowsWhatPeopleChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact", "Lead")
		w := newWorld(t, o)
		contact := o.set("Contact", 1, ann, "(415) 555-0100")
		twin := o.set("Contact", 2, ann, "(415) 555-0109")
		lead := o.set("Lead", 1, ann, "(415) 555-0108")
		w.fill()
		time.Sleep(5 * time.Minute)

		o.set("Contact", 1, bob, "(415) 555-0101") // another number, another owner
		o.set("Contact", 2, ann, "(415) 555-0101", "(415) 555-0109")
		o.remove("Lead", lead)
		later := o.set("Lead", 2, bob, "(415) 555-0107")
		w.refresh()
		require.Empty(t, w.meet(from("+14155550100")).People)
		require.Empty(t, w.meet(from("+14155550101")).People, "two have it now")
		require.Equal(t, []message.Link{link("Contact", twin)}, w.meet(from("+14155550109")).People)
		require.Empty(t, w.meet(from("+14155550108")).People, "it was deleted")
		require.Equal(t, []message.Link{link("Lead", later)}, w.meet(from("+14155550107")).People)

		time.Sleep(5 * time.Minute)
		o.remove("Contact", twin) // merged into the other
		w.refresh()
		got := w.meet(from("+14155550101"))
		require.Equal(t, []message.Link{link("Contact", contact)}, got.People)
		require.Equal(t, bob, got.Owner, "the owner of today")
		require.Equal(t, 2, o.called("changed"), "one call for both objects")
		require.Equal(t, []people.Move{{
			Person: link("Contact", contact), Old: []message.Number{"+14155550100"}, New: []message.Number{"+14155550101"},
		}}, o.moves, "to have one more, or to be deleted, is no move")
	})
}

func TestADayOnWhichNothingChangesReadsNothingAndCostsACallARefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact", "Lead")
		w := newWorld(t, o)
		for n := range 1500 {
			o.set("Contact", n, ann, fmt.Sprintf("415-555-%04d", n))
		}
		w.fill()
		read := 0
		for range 288 {
			time.Sleep(5 * time.Minute)
			w.refresh()
		}
		require.Equal(t, 288, o.called("changed"))
		_, err := o.Changed(t.Context(), []people.Since{{Object: "Contact", At: marks(w)["Contact"].Mark.Add(-5 * time.Minute)}},
			func(int, people.Record) error { read++; return nil })
		require.NoError(t, err)
		require.Zero(t, read, "what was changed together once is not read for ever")
		require.Empty(t, o.moves)
	})
}

func marks(w *world) map[string]people.State {
	w.t.Helper()
	states, err := w.store.People().States(w.t.Context())
	require.NoError(w.t, err)
	return states
}

func TestALargeObjectIsExportedAndAStopGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact")
		w := newWorld(t, o)
		const many = 12_345
		for n := range many {
			o.set("Contact", n, ann, fmt.Sprintf("+1415%07d", n))
		}
		stops := 0
		o.onPage = func(locator string) error {
			if stops < 3 && locator == fmt.Sprint(2000*(stops+1)) {
				stops++
				return context.Canceled
			}
			return nil
		}
		for range 3 {
			require.Error(t, w.engine.Fill(t.Context()))
			w.restart()
		}
		w.fill()
		require.Equal(t, 1, o.called("start"), "a restart finds its export")
		require.Equal(t, 13+3, o.called("page"), "and its page")
		require.Empty(t, o.jobs, "no export is left behind")
		require.EqualValues(t, many, marks(w)["Contact"].People)
		require.Equal(t, []message.Link{link("Contact", id("Contact", 12_344))}, w.meet(from("+14150012344")).People)

		// What was changed while the export ran comes with the first refresh.
		o.set("Contact", 7, bob, "+14159999999")
		time.Sleep(time.Minute)
		w.refresh()
		require.Equal(t, bob, w.meet(from("+14159999999")).Owner)
	})
}

func TestAnExportThatIsGoneStartsAnew(t *testing.T) {
	o := newOrg("Contact")
	w := newWorld(t, o)
	for n := range 2500 {
		o.set("Contact", n, ann, fmt.Sprintf("+1415%07d", n))
	}
	o.fail("await", errBusy)
	require.ErrorIs(t, w.engine.Fill(t.Context()), errBusy)
	require.Len(t, o.jobs, 1)
	clear(o.jobs) // a week has passed
	o.fail("await", nil)
	w.restart()
	w.fill()
	require.Equal(t, 2, o.called("start"))
	require.Empty(t, w.conditions())
	require.EqualValues(t, 2500, marks(w)["Contact"].People)
}

func TestAnObjectTooLargeForAQueryIsExported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact")
		w := newWorld(t, o)
		o.set("Contact", 1, ann, "(415) 555-0100")
		o.fail("newest", fmt.Errorf("%w: %w", people.ErrTooLarge, errBusy))
		w.fill()
		require.NotEmpty(t, w.meet(from("+14155550100")).People)
		o.set("Contact", 1, ann, "(415) 555-0101")
		time.Sleep(time.Minute)
		w.refresh()
		require.NotEmpty(t, w.meet(from("+14155550101")).People, "what changed while it was exported comes as well")
		require.Empty(t, w.conditions())
	})
}

func TestWhatWasDeletedForGoodGoesWithTheNextFilling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact")
		w := newWorld(t, o)
		for n := range 1200 {
			o.set("Contact", n, ann, fmt.Sprintf("+1415%07d", n))
		}
		w.fill()
		for n := range 1100 {
			delete(o.rows["Contact"], id("Contact", n))
		}
		moved := o.set("Contact", 1199, ann, "+14159999999")
		time.Sleep(11 * 24 * time.Hour) // offline, longer than the recycle bin can be relied on
		w.refresh()
		require.Zero(t, o.called("changed"), "it is filled, not refreshed")
		w.fill()
		require.EqualValues(t, 100, marks(w)["Contact"].People)
		require.Empty(t, w.meet(from("+14150000000")).People)
		require.NotEmpty(t, w.meet(from("+14150001150")).People)
		require.Len(t, o.moves, 1, "a number that was changed meanwhile is one all the same")
		require.Equal(t, moved, o.moves[0].Person.ID)
	})
}

func TestAnotherDefinitionFillsAnewAndMovesNobody(t *testing.T) {
	o := newOrg("Contact", "Lead")
	w := newWorld(t, o)
	o.set("Contact", 1, ann, "020 7946 0018", "(415) 555-0100")
	o.set("Lead", 1, ann, "(415) 555-0100")
	w.fill()
	require.Empty(t, w.meet(from("+442079460018")).People)
	w.restart(func(p *people.Options) { p.Country = "GB" })
	o.objects = []string{"Contact"} // and Leads are no longer wanted
	w.fill()
	require.NotEmpty(t, w.meet(from("+442079460018")).People)
	require.Empty(t, w.meet(from("+14155550100")).People)
	require.Empty(t, o.moves, "nobody has changed a number")
	require.NotContains(t, marks(w), "Lead")
	calls := o.called("newest")
	w.fill()
	require.Equal(t, calls, o.called("newest"), "once")
}

func TestAnObjectThatIsMissingIsOneConditionAndTheOthersWork(t *testing.T) {
	o := newOrg("Contact", "Lead")
	w := newWorld(t, o)
	contact := o.set("Contact", 1, ann, "(415) 555-0100")
	o.hidden["Lead"] = true
	w.fill()
	w.refresh()
	require.Equal(t, []message.Link{link("Contact", contact)}, w.meet(from("+14155550100")).People)
	require.Len(t, w.conditions(), 1)
	require.Contains(t, w.conditions()["people-objects"].Cause, "Lead")
	require.NotEmpty(t, w.conditions()["people-objects"].Remedy)
	delete(o.hidden, "Lead")
	w.fill()
	require.Empty(t, w.conditions())
}

func TestAnObjectThatIsRefusedHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact", "Lead")
		w := newWorld(t, o)
		o.set("Contact", 1, ann, "(415) 555-0100")
		w.fill()
		time.Sleep(5 * time.Minute)
		o.fail("changed Lead", fault.New(fault.Auth, "salesforce queries", errors.New("no such column")))
		contact := o.set("Contact", 2, ann, "(415) 555-0101")
		require.Error(t, w.engine.Refresh(t.Context()))
		require.Equal(t, []message.Link{link("Contact", contact)}, w.meet(from("+14155550101")).People)
		require.Contains(t, w.conditions()["people-index"].Cause, "Lead")
		o.fail("changed Lead", nil)
		w.refresh()
		require.Empty(t, w.conditions())
	})
}

func TestWhoeverHearsOfMovesIsToldAgainUntilItHasHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact")
		w := newWorld(t, o)
		o.set("Contact", 1, ann, "(415) 555-0100")
		w.fill()
		time.Sleep(5 * time.Minute)
		o.set("Contact", 1, ann, "(415) 555-0101")
		o.refuse = errBusy
		require.ErrorIs(t, w.engine.Refresh(t.Context()), errBusy)
		o.refuse = nil
		w.restart()
		w.refresh()
		require.Len(t, o.moves, 2)
		require.Equal(t, o.moves[0], o.moves[1])
		time.Sleep(5 * time.Minute)
		w.refresh()
		require.Len(t, o.moves, 2, "and not again")
	})
}

func TestANumberThatIsOnlyWrittenOtherwiseHasNotMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact")
		w := newWorld(t, o)
		o.set("Contact", 1, ann, "(415) 555-0100", "+54 11 2345 6789")
		w.fill()
		time.Sleep(5 * time.Minute)
		o.set("Contact", 1, ann, "+1 415.555.0100 (new!)", "+54 9 11 2345 6789")
		w.refresh()
		require.Empty(t, o.moves)
		require.NotEmpty(t, w.meet(from("whatsapp:+5491123456789")).People)
	})
}

func TestRunFillsAtTheStartAndAfterTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact")
		w := newWorld(t, o)
		o.set("Contact", 1, ann, "(415) 555-0100")
		o.fail("newest", errBusy)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.engine.Run(ctx)
		}()
		time.Sleep(time.Minute)
		require.Empty(t, w.conditions(), "it may pass")
		time.Sleep(3 * time.Hour)
		require.Contains(t, w.conditions()["people-index"].Cause, "Contact")
		o.fail("newest", nil)
		time.Sleep(30 * time.Minute)
		require.Empty(t, w.conditions())
		require.NotEmpty(t, w.meet(from("+14155550100")).People)
		time.Sleep(8 * 24 * time.Hour)
		calls := o.called("newest")
		w.refresh() // finds that the filling is old, and wakes it
		synctest.Wait()
		require.Equal(t, calls+1, o.called("newest"))
		cancel()
		<-done
	})
}

func TestMoreChangesThanARefreshTakesAreExported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact")
		w := newWorld(t, o)
		o.set("Contact", 1, ann, "(415) 555-0100")
		w.fill()
		time.Sleep(5 * time.Minute)
		for n := range 100_001 {
			o.set("Contact", n, ann, "none") // a data load; nobody has a number
		}
		w.refresh()
		require.Zero(t, o.called("start"))
		w.fill()
		require.Equal(t, 1, o.called("start"))
		require.Empty(t, w.meet(from("+14155550100")).People)
	})
}

func TestTheFirstMessagesWaitForThePeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact", "Lead")
		w := newWorld(t, o)
		contact := o.set("Contact", 1, ann, "(415) 555-0100")
		o.fail("newest", errBusy)
		run := func() (stop func()) {
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				w.engine.Run(ctx)
			}()
			synctest.Wait()
			return func() { cancel(); <-done }
		}
		stop := run()
		began := time.Now()
		require.Empty(t, w.meet(from("+14155550100")).People)
		require.Equal(t, 10*time.Minute, time.Since(began), "but not for ever")
		stop()

		w.restart()
		stop = run()
		time.AfterFunc(20*time.Second, func() { o.fail("newest", nil) })
		began = time.Now()
		require.Equal(t, []message.Link{link("Contact", contact)}, w.meet(from("+14155550100")).People)
		require.Less(t, time.Since(began), time.Minute)
		stop()

		w.restart()
		o.fail("shapes", errBusy)
		stop = run()
		began = time.Now()
		require.NotEmpty(t, w.meet(from("+14155550100")).People)
		require.Zero(t, time.Since(began), "a restart knows them already")
		stop()
	})
}

func TestNobodyWaitsForAnObjectThatIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact")
		w := newWorld(t, o)
		o.fail("newest", fault.New(fault.Permanent, "salesforce queries", errors.New("malformed")))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.engine.Run(ctx)
		}()
		synctest.Wait()
		began := time.Now()
		w.meet(from("+14155550100"))
		require.Zero(t, time.Since(began))
		cancel()
		<-done
	})
}

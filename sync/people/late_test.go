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

var errQuota = fault.New(fault.Permanent, "salesforce bulk start", errors.New("no query jobs for you"))

// Cases are closed all day, and the open ones may be old: what is none of the
// people any more must not be read again with each refresh.
func TestManyThatAreNoPeopleAnyMoreAreNotReadForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Case")
		w := newWorld(t, o)
		open := o.set("Case", 1, ann, "(415) 555-0100") // and nobody has touched it since
		time.Sleep(24 * time.Hour)
		for n := range 100_001 {
			o.remove("Case", id("Case", n+2))
		}
		time.Sleep(time.Hour)
		w.fill()
		w.refresh()
		w.fill()
		require.Equal(t, 1, o.called("newest"), "it need not be filled twice")
		require.Equal(t, []message.Link{link("Case", open)}, w.meet(from("+14155550100")).People)
	})
}

// Of a number that two have, the first filling knows one of them for a while.
func TestNobodyIsTheOnlyOneBeforeAllAreKnown(t *testing.T) {
	o := newOrg("Contact")
	w := newWorld(t, o)
	for n := range 2500 {
		o.set("Contact", n, ann, fmt.Sprintf("+1415%07d", n%2000))
	}
	o.fail("await", errBusy)
	require.Error(t, w.engine.Fill(t.Context()))
	require.Empty(t, w.meet(from("+14150000400")), "it is two people's")
	require.Empty(t, w.meet(from("+14150000600")), "it is one's, but who knows")
	w.meet(to("+14150000400", time.Now(), message.Delivered, 0))
	require.Empty(t, w.statuses())
	o.fail("await", nil)
	w.fill()
	require.Empty(t, w.meet(from("+14150000400")).People)
	require.NotEmpty(t, w.meet(from("+14150000600")).People)
}

func TestAnOldFillingIsRefreshedUntilThereIsANewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact", "Lead")
		w := newWorld(t, o)
		for n := range 2500 {
			o.set("Contact", n, ann, fmt.Sprintf("+1415%07d", n))
		}
		w.fill()
		o.fail("start", errQuota)
		for day := range 20 {
			time.Sleep(24 * time.Hour)
			contact := o.set("Contact", day, bob, fmt.Sprintf("+1416%07d", day))
			o.remove("Contact", id("Contact", 100+day))
			if err := w.engine.Fill(t.Context()); day > 7 {
				require.ErrorIs(t, err, errQuota)
			}
			w.refresh()
			got := w.meet(from(message.Number(fmt.Sprintf("+1416%07d", day))))
			require.Equal(t, []message.Link{link("Contact", contact)}, got.People, "day %d", day)
			require.Empty(t, w.meet(from(message.Number(fmt.Sprintf("+1415%07d", 100+day)))).People, "deleted on day %d", day)
		}
		o.fail("start", nil)
		w.fill()
		require.Len(t, o.moves, 20)
		require.EqualValues(t, 2480, marks(w)["Contact"].People)
	})
}

func TestAnExportThatNeverEndsHoldsUpNoOtherObject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact", "Lead")
		w := newWorld(t, o)
		for n := range 2500 {
			o.set("Contact", n, ann, fmt.Sprintf("+1415%07d", n))
		}
		lead := o.set("Lead", 1, ann, "(415) 555-0100")
		o.onAwait = func(ctx context.Context) error {
			<-ctx.Done()
			return fault.New(fault.Transient, "salesforce bulk wait", context.Cause(ctx))
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.engine.Run(ctx)
		}()
		synctest.Wait()
		require.Equal(t, []message.Link{link("Lead", lead)}, w.meet(from("+14155550100")).People)
		time.Sleep(3 * time.Hour)
		require.Contains(t, w.conditions()["people-index"].Cause, "Contact", "and somebody hears of it")
		require.Equal(t, 1, o.called("start"))
		require.Greater(t, o.called("await"), 30, "its end is not slept through")
		o.locked(func() { o.onAwait = nil })
		time.Sleep(6 * time.Minute)
		require.NotEmpty(t, w.meet(from("+14150002400")).People)
		require.Empty(t, w.conditions())
		cancel()
		<-done
	})
}

// A clock that ran ahead has moved the mark along.
func TestAClockThatWasPutBackFillsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact")
		w := newWorld(t, o)
		o.set("Contact", 1, ann, "(415) 555-0100")
		w.fill()
		st := marks(w)["Contact"]
		st.CheckedAt, st.Mark = time.Now().Add(24*time.Hour), time.Now().Add(24*time.Hour)
		require.NoError(t, w.store.People().Write(t.Context(), "Contact", st, nil))
		o.set("Contact", 1, ann, "(415) 555-0101")
		w.fill()
		require.NotEmpty(t, w.meet(from("+14155550101")).People)
		require.WithinDuration(t, time.Now(), marks(w)["Contact"].Mark, time.Hour)
	})
}

// The rows of an export were asked for by the fields of its day. Read by others,
// they would take numbers from people who have them still.
func TestAnExportIsNotReadByAnotherDefinition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact")
		w := newWorld(t, o)
		for n := range 2500 {
			o.set("Contact", n, ann, fmt.Sprintf("+1415%07d", n))
		}
		w.fill()
		time.Sleep(8 * 24 * time.Hour)
		o.onPage = func(locator string) error {
			if locator != "1000" {
				return nil
			}
			// The field is hidden, and a refresh of the others finds it out.
			o.onPage, o.define["Contact"] = nil, ", but for some"
			w.refresh()
			for _, rows := range o.jobs {
				for i := range rows {
					rows[i].Phones = nil
				}
			}
			return nil
		}
		require.Error(t, w.engine.Fill(t.Context()))
		require.Empty(t, o.moves, "nobody has changed a number")
		w.fill()
		require.Empty(t, o.moves)
		require.EqualValues(t, 2500, marks(w)["Contact"].People)
	})
}

func TestAPersonIsFoundEvenIfNothingIsLinked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact", "Lead", "Account")
		w := newWorld(t, o)
		w.restart(func(p *people.Options) { p.Link, p.Own = false, false })
		who := func(number message.Number) *message.Link {
			t.Helper()
			person, err := w.engine.Who(t.Context(), number)
			require.NoError(t, err)
			return person
		}
		lead := link("Lead", o.set("Lead", 1, ann, "(415) 555-0100"))
		o.set("Account", 1, ann, "(415) 555-0100")
		w.fill()
		require.Equal(t, &lead, who("+14155550100"))
		time.Sleep(time.Minute)
		contact := link("Contact", o.set("Contact", 1, ann, "(415) 555-0100"))
		w.refresh()
		require.Equal(t, &contact, who("whatsapp:+14155550100"))
		for _, nobody := range []message.Number{"", "72345", "+14155550199"} {
			require.Nil(t, who(nobody), nobody)
		}
	})
}

func TestNobodyIsAStrangerBeforeThePeopleAreKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact")
		w := newWorld(t, o)
		contact := link("Contact", o.set("Contact", 1, ann, "(415) 555-0100"))
		o.fail("newest", errBusy)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.engine.Run(ctx)
		}()
		time.Sleep(time.Hour)
		_, err := w.engine.Who(t.Context(), "+14155550100")
		require.Equal(t, fault.Transient, fault.ClassOf(err), "who asks, asks again")
		o.fail("newest", nil)
		time.Sleep(10 * time.Minute)
		person, err := w.engine.Who(t.Context(), "+14155550100")
		require.NoError(t, err)
		require.Equal(t, &contact, person)
		cancel()
		<-done
	})
}

// An export takes an hour at times, and what it brings is as old.
func TestPeopleChangeWhileTheyAreExported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact")
		w := newWorld(t, o)
		for n := range 2500 {
			o.set("Contact", n, ann, fmt.Sprintf("+1415%07d", n))
		}
		w.fill()
		time.Sleep(8 * 24 * time.Hour)
		o.fail("await", errBusy) // it runs
		require.ErrorIs(t, w.engine.Fill(t.Context()), errBusy)
		time.Sleep(5 * time.Minute)
		moved, gone := o.set("Contact", 1, bob, "+14165550100"), id("Contact", 2)
		o.remove("Contact", gone)
		fresh := o.set("Contact", 3000, ann, "+14165550101")
		check := func() {
			t.Helper()
			require.Equal(t, message.Links{People: []message.Link{link("Contact", moved)}, Owner: bob}, w.meet(from("+14165550100")))
			require.Empty(t, w.meet(from("+14150000001")).People)
			require.Empty(t, w.meet(from("+14150000002")).People)
			require.Equal(t, []message.Link{link("Contact", fresh)}, w.meet(from("+14165550101")).People)
		}
		w.refresh()
		check()
		time.Sleep(time.Hour)
		w.refresh()
		o.fail("await", nil)
		w.fill()
		require.Equal(t, 2, o.called("start"))
		w.refresh()
		check()
		require.Len(t, o.moves, 1, "and only once")
		require.EqualValues(t, 2500, marks(w)["Contact"].People)

		// The next export is lost, and another one follows.
		time.Sleep(8 * 24 * time.Hour)
		o.fail("await", errBusy)
		require.ErrorIs(t, w.engine.Fill(t.Context()), errBusy)
		o.set("Contact", 1, bob, "+14165550109")
		o.fail("await", nil)
		clear(o.jobs)
		for n := range 2200 { // so many that it is not among the newest
			o.set("Contact", n+10, bob, fmt.Sprintf("+1415%07d", n+10))
			o.rows["Contact"][id("Contact", n+10)] = func(r people.Record) people.Record {
				r.Modified = r.Modified.Add(time.Minute)
				return r
			}(o.rows["Contact"][id("Contact", n+10)])
		}
		time.Sleep(time.Hour)
		w.fill()
		require.Equal(t, bob, w.meet(from("+14165550109")).Owner)
	})
}

// Between the question whose number it is and the note, the number may go.
func TestAStatusOfANumberThatHasJustGoneIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact")
		w := newWorld(t, o)
		contact := o.set("Contact", 1, ann, "(415) 555-0100")
		w.fill()
		time.Sleep(5 * time.Minute)
		o.set("Contact", 1, ann, "(415) 555-0101")
		w.refresh()
		require.NoError(t, w.store.People().Note(t.Context(), []people.Noted{{
			Key: 14155550100, Status: message.LastStatus{Person: link("Contact", contact), Status: "failed", At: time.Now()},
		}}))
		require.Empty(t, w.statuses())
	})
}

func TestANumberOfTwoUsersIsNobodysHoweverItIsWritten(t *testing.T) {
	o := newOrg("Contact")
	w := newWorld(t, o)
	for range 20 { // whichever comes last
		require.NoError(t, w.engine.SetPersonal(t.Context(), map[message.Number]string{
			"+5215512345678": ann, "+525512345678": bob, "+15005550006": bob,
		}))
		m := from("+14155550100")
		require.Equal(t, bob, w.meet(m).Owner)
		m.To = "+525512345678"
		require.Empty(t, w.meet(m).Owner)
	}
}

// A change has the time at which it was made, and is seen when it is committed.
func TestAChangeThatIsCommittedLateIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact")
		w := newWorld(t, o)
		w.fill()
		time.Sleep(time.Hour)
		o.set("Contact", 1, ann, "(415) 555-0100")
		w.refresh()
		late := o.set("Contact", 2, ann, "(415) 555-0101")
		r := o.rows["Contact"][late]
		r.Modified = r.Modified.Add(-4 * time.Minute)
		o.rows["Contact"][late] = r
		time.Sleep(5 * time.Minute)
		w.refresh()
		require.Equal(t, []message.Link{link("Contact", late)}, w.meet(from("+14155550101")).People)
	})
}

package archive_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/archive"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// in runs a test in virtual time.
func in(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		test(t, newWorld(t))
	})
}

func TestOldMessagesLeaveAndComeBackEqualWithTheirMedia(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		contact, err := w.org.Insert("Contact", map[string]any{"LastName": "Doe"})
		require.NoError(t, err)
		w.old(230)
		linked := w.insert(1000, 800, map[string]any{
			"Contact__c": contact, "Status__c": "undelivered", "Direction__c": "outbound-api", "Error_Code__c": "30003", "Error_Message__c": "unreachable",
			"Archive_After__c": "1999-12-02", "Parent_Record_Id__c": contact, "Body__c": strings.Repeat("long ", 300) + ".",
		})
		w.attach(linked, 1)
		w.attach(linked, 2)
		w.insert(2000, 10, nil) // too young
		before := w.live()
		require.NoError(t, w.engine().Run(t.Context()))
		require.Equal(t, 1, w.org.Count(object), "only the young one is left")
		require.NotNil(t, w.row(2000))
		require.Zero(t, w.org.Count(media))
		require.Equal(t, 231, w.gone())
		require.Empty(t, w.conditions())
		runs := w.runs()
		require.Len(t, runs, 3, "at most 100 messages a run")
		require.Equal(t, archive.Done, runs[0].State)

		v, err := w.engine().Verify(t.Context())
		require.NoError(t, err)
		require.Empty(t, v.Problems)
		require.Empty(t, v.Strays)
		require.Equal(t, 231, v.Messages)
		require.Equal(t, 2, v.Media)

		got, err := w.engine().Restore(t.Context(), archive.Wanted{All: true})
		require.NoError(t, err)
		require.Equal(t, archive.Restored{Matched: 231, Restored: 231, Media: 2, Problems: []string{}}, got)
		require.Equal(t, before, w.live())
		require.Equal(t, 2, w.org.Count(media))
		for m := range w.org.Rows(media) {
			require.Equal(t, w.row(1000)["Id"], m["Message__c"], "media come back under their message")
		}
		require.Zero(t, w.gone())
		require.Equal(t, time.Now().UTC().Add(90*day).Format(time.DateOnly), w.row(1)["Archive_After__c"])

		again, err := w.engine().Restore(t.Context(), archive.Wanted{All: true})
		require.NoError(t, err)
		require.Zero(t, again.Matched, "what is there is left alone")
		require.NoError(t, w.engine().Run(t.Context()))
		require.Equal(t, 232, w.org.Count(object), "a restored message stays for 90 days")
		time.Sleep(92 * day)
		require.NoError(t, w.engine().Run(t.Context()))
		require.Equal(t, 1, w.org.Count(object))
	})
}

func TestSomeComeBackByNumberAndTime(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.old(100)
		require.NoError(t, w.engine().Run(t.Context()))
		number := archive.Wanted{Number: "+14155550007", DryRun: true}
		got, err := w.engine().Restore(t.Context(), number)
		require.NoError(t, err)
		require.Equal(t, 2, got.Matched, "7 and 57")
		require.Zero(t, w.org.Count(object), "a dry run changes nothing")
		number.DryRun = false
		got, err = w.engine().Restore(t.Context(), number)
		require.NoError(t, err)
		require.Equal(t, 2, got.Restored)
		require.NotNil(t, w.row(57))

		now := time.Now()
		got, err = w.engine().Restore(t.Context(), archive.Wanted{Since: now.Add(-402*day - time.Hour), Until: now.Add(-401*day + time.Hour)})
		require.NoError(t, err)
		require.Equal(t, 7, got.Restored, "8 of two days, of which 7 is back already")
		for _, w1 := range []archive.Wanted{{}, {All: true, Number: "+1"}, {Since: now, Until: now}} {
			_, err := w.engine().Restore(t.Context(), w1)
			require.Error(t, err)
		}
	})
}

func TestWhatMustStayStays(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		going, err := w.org.Insert(bulk, map[string]any{"Status__c": "Sending"})
		require.NoError(t, err)
		over, err := w.org.Insert(bulk, map[string]any{"Status__c": "Completed"})
		require.NoError(t, err)
		today := time.Now().UTC()
		for n, more := range []map[string]any{
			{"Message_SID__c": nil},
			{"Status__c": "Draft"},
			{"Status__c": "Uncertain"},
			{"Archive_After__c": today.AddDate(0, 0, 1).Format(time.DateOnly)},
			{"Bulk_Message__c": going},
			{"Unread__c": true},
			{"Direction__c": "outbound-api"},
			{"Body__c": "x", "Price_Unit__c": "EUR"},
		} {
			if _, marked := more["Unread__c"]; !marked {
				more["Unread__c"] = false
			}
			w.insert(n, 500, more)
		}
		w.insert(50, 500, map[string]any{"Unread__c": false, "Bulk_Message__c": over})
		w.insert(51, 500, map[string]any{"Unread__c": false, "Status__c": "sent"}) // it may be so for ever
		w.insert(52, 500, map[string]any{"Unread__c": false, "Archive_After__c": today.Format(time.DateOnly)})
		w.insert(53, 366, map[string]any{"Unread__c": false, "Status__c": "scheduled"})
		w.ro.Hold, w.ro.Where, w.ro.Directions = "Unread__c", "Price_Unit__c = 'USD' OR Price_Unit__c = null", []string{"inbound"}
		require.NoError(t, w.engine().Run(t.Context()))
		require.Equal(t, 9, w.org.Count(object))
		for _, n := range []int{50, 51, 52} {
			require.Nil(t, w.row(n), n)
		}
	})
}

func TestANewRecordIsNotOldBecauseOurClockIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.insert(1, 300, nil)
		w.insert(2, 500, nil)
		e := w.engine()
		// The org's clock says what is 365 days ago; a criterion of ours that is 100
		// days ahead does not change that.
		all, err := w.records.Page(t.Context(), archive.Criteria{Before: time.Now().Add(-265 * day), Days: 365, Scheduled: time.Now().Add(-265 * day)}, "", 10)
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.NoError(t, e.Run(t.Context()))
		require.NotNil(t, w.row(1))
	})
}

func TestWhatHasChangedSinceItWasCopiedStays(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		ids := []string{w.insert(0, 500, nil), w.insert(1, 500, nil), w.insert(2, 500, nil), w.insert(3, 500, nil)}
		w.spies.beforeAgain = func() {
			// In the same second in which it was copied: no time tells of it.
			require.NoError(t, w.org.Update(object, ids[0], map[string]any{"Body__c": "a note"}))
			w.attach(ids[1], 7)
			time.Sleep(2 * time.Second)
			require.NoError(t, w.org.Update(object, ids[2], map[string]any{"Unread__c": true}))
		}
		require.NoError(t, w.engine().Run(t.Context()))
		require.Equal(t, 3, w.org.Count(object))
		require.Nil(t, w.row(3))
		require.Equal(t, 3, w.runs()[0].Changed)
		require.Equal(t, 1, w.gone(), "what stays is the mirror's")
		require.NoError(t, w.engine().Run(t.Context()))
		require.Zero(t, w.org.Count(object), "the next night they leave as they are then")
		_, err := w.engine().Restore(t.Context(), archive.Wanted{All: true})
		require.NoError(t, err)
		require.Equal(t, "a note", w.row(0)["Body__c"], "the latest copy comes back")
		require.Equal(t, 1, w.org.Count(media))
	})
}

func TestAMessageThatIsBeingWrittenStays(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.insert(1, 500, nil)
		w.insert(2, 500, nil)
		w.spies.beforeAgain = nil
		at := w.row(1)["Date_Created__c"].(time.Time)
		_, _, err := w.store.Merge(t.Context(), []message.Message{{SID: message.SID(sid(1)), Created: at, Status: message.Sent, Body: "news", Direction: message.Inbound}})
		require.NoError(t, err)
		require.NoError(t, w.engine().Run(t.Context()))
		require.NotNil(t, w.row(1))
		require.Nil(t, w.row(2))
	})
}

func TestATargetThatIsFullOrBrokenCostsNothing(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.old(90)
		n := 0
		w.target.put = func(_ string, data []byte) ([]byte, error) {
			n++
			if n == 3 {
				return nil, errFull
			}
			return data, nil
		}
		require.ErrorIs(t, w.engine().Run(t.Context()), errFull)
		require.Equal(t, 90, w.org.Count(object))
		require.Equal(t, []string{"archive-target"}, w.conditions())
		require.Empty(t, w.target.all(), "what is half written is thrown away")
		require.Empty(t, w.runs())
		require.NoError(t, w.engine().Run(t.Context()))
		require.Zero(t, w.org.Count(object))
		require.Empty(t, w.conditions())
	})
}

func TestADiskThatWritesSomethingElseIsFoundBeforeAnythingLeaves(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.old(30)
		w.target.put = func(name string, data []byte) ([]byte, error) {
			if strings.HasPrefix(name, "messages/") {
				data = slices.Clone(data)
				data[len(data)/2] ^= 4
			}
			return data, nil
		}
		err := w.engine().Run(t.Context())
		var d *archive.DamagedError
		require.ErrorAs(t, err, &d)
		require.Contains(t, d.Name, "messages/month=")
		require.Equal(t, 30, w.org.Count(object))
		require.Equal(t, []string{"archive-damaged"}, w.conditions())
		require.Zero(t, w.gone())
	})
}

func TestAFormatThatWritesSomethingElseIsFoundBeforeAnythingLeaves(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.old(30)
		w.format = lying{}
		require.ErrorContains(t, w.engine().Run(t.Context()), "is not what was written")
		require.Equal(t, 30, w.org.Count(object))
	})
}

func TestAFlippedBitIsFoundAndNothingMoreLeavesOnItsAccount(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.old(100)
		w.budget = stopping(2) // after the copy
		require.Error(t, w.engine().Run(t.Context()))
		require.Equal(t, archive.Leaving, w.runs()[0].State)
		require.Equal(t, 100, w.org.Count(object))
		require.Equal(t, []string{"archive-budget"}, w.conditions())
		w.budget = nil
		name := w.target.flip(t, "messages/")
		v, err := w.engine().Verify(t.Context())
		require.NoError(t, err)
		require.Len(t, v.Problems, 1)
		require.Contains(t, v.Problems[0], name)

		require.Error(t, w.engine().Run(t.Context()))
		require.Equal(t, 100, w.org.Count(object), "nothing has left")
		require.Equal(t, archive.Blocked, w.runs()[0].State)
		require.Contains(t, w.runs()[0].Problem, name)
		require.Contains(t, w.conditions(), "archive-damaged")
		require.Zero(t, w.gone())
		require.NoError(t, w.engine().Run(t.Context()), "the next night they are copied anew")
		require.Zero(t, w.org.Count(object))
		got, err := w.engine().Restore(t.Context(), archive.Wanted{All: true})
		require.NoError(t, err)
		require.Equal(t, 100, got.Restored)
		require.Len(t, got.Problems, 1, "the damaged file is told of")
	})
}

// stopping is a budget that allows n looks and is then used up.
func stopping(n int) func() error {
	return func() error {
		n--
		if n < 0 {
			return &fault.Error{Class: fault.Throttled, Code: archive.CodeBudget, Op: "archive", Err: errors.New("enough"), Hint: "Wait."}
		}
		return nil
	}
}

func TestAnOrgThatRefusesDeletionIsAConditionAndNoCopyIsMadeTwice(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.old(60)
		refusal := &salesforcetest.Refusal{Code: "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", Message: "no"}
		w.org.Script(salesforcetest.Refuse(func(map[string]any) *salesforcetest.Refusal { return refusal }).On(salesforcetest.OpCollectionsDelete).Times(2))
		for range 2 {
			var refused *archive.RefusedError
			require.ErrorAs(t, w.engine().Run(t.Context()), &refused)
			require.Equal(t, 60, w.org.Count(object))
			require.Equal(t, []string{"archive-refused"}, w.conditions())
			require.Len(t, w.runs(), 1)
			require.Zero(t, w.gone(), "what stays is the mirror's")
		}
		require.NoError(t, w.engine().Run(t.Context()))
		require.Zero(t, w.org.Count(object))
		require.Empty(t, w.conditions())
	})
}

func TestOneRecordThatIsRefusedHoldsNobodyUp(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.old(60)
		stuck := w.row(7)["Id"]
		w.org.Script(salesforcetest.Refuse(func(r map[string]any) *salesforcetest.Refusal {
			if r["Id"] != stuck {
				return nil
			}
			return &salesforcetest.Refusal{Code: "INSUFFICIENT_ACCESS_OR_READONLY", Message: "no"}
		}).On(salesforcetest.OpCollectionsDelete).Forever())
		require.NoError(t, w.engine().Run(t.Context()))
		require.Equal(t, 1, w.org.Count(object))
		require.Equal(t, []string{"archive-refused"}, w.conditions())
		require.NoError(t, w.engine().Run(t.Context()))
		require.Len(t, w.runs(), 1, "it is not copied again every night")
		time.Sleep(8 * day)
		require.NoError(t, w.engine().Run(t.Context()))
		require.Len(t, w.runs(), 2)
	})
}

func TestLostAnswersAndLocksLoseNothing(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.old(90)
		before := w.live()
		w.org.Script(
			salesforcetest.ResetAfter().On(salesforcetest.OpCollectionsDelete).Times(9),
			salesforcetest.LockRows(func(map[string]any) bool { return true }).On(salesforcetest.OpCollectionsDelete).Times(1),
		)
		for range 5 {
			_ = w.engine().Run(t.Context())
		}
		require.Zero(t, w.org.Count(object))
		require.Equal(t, 90, w.gone())
		_, err := w.engine().Restore(t.Context(), archive.Wanted{All: true})
		require.NoError(t, err)
		require.Equal(t, before, w.live())
	})
}

func TestAStopAtAnyMomentGoesOnWhereItWas(t *testing.T) {
	for moment := range 24 {
		in(t, func(t *testing.T, w *world) {
			w.old(120)
			before := w.live()
			ctx, cancel := context.WithCancel(t.Context())
			n := 0
			w.budget = func() error {
				n++
				if n == moment/2+1 && moment%2 == 0 {
					cancel()
				}
				return nil
			}
			w.target.put = func(_ string, data []byte) ([]byte, error) {
				if moment%2 == 1 && len(w.target.files) == moment/2 {
					cancel()
				}
				return data, nil
			}
			err := w.engine().Run(ctx)
			cancel()
			require.Empty(t, w.conditions(), "a stop is no trouble: %v", err)
			copied, live := w.copied(), w.live()
			for sid := range before {
				require.True(t, copied[sid] > 0 || live[sid] != nil, "%s is in neither", sid)
			}
			w.target.put, w.budget = nil, nil
			require.NoError(t, w.engine().Run(t.Context()))
			require.Zero(t, w.org.Count(object))
			require.Len(t, w.copied(), 120)
			v, err := w.engine().Verify(t.Context())
			require.NoError(t, err)
			require.Empty(t, v.Strays)
			_, err = w.engine().Restore(t.Context(), archive.Wanted{All: true})
			require.NoError(t, err)
			require.Equal(t, before, w.live())
		})
	}
}

func TestWithoutDeletionMessagesAreMarkedOnceAndStay(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.old(90)
		w.o.Delete = false
		for range 2 {
			require.NoError(t, w.engine().Run(t.Context()))
		}
		require.Equal(t, 90, w.org.Count(object))
		require.Equal(t, true, w.row(3)["Archived__c"])
		require.Len(t, w.runs(), 1)
		require.Zero(t, w.gone(), "the mirror goes on with what is marked")
		w.o.Delete = true
		require.NoError(t, w.engine().Run(t.Context()))
		require.Zero(t, w.org.Count(object), "what was marked leaves when deletion is allowed")
	})
}

func TestWhatIsArchivedIsBroughtBackByNoSweep(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.insert(1, 500, nil)
		at := w.row(1)["Date_Created__c"].(time.Time)
		m := message.Message{SID: message.SID(sid(1)), Created: at, Sent: at, Updated: at, Status: message.Sent, Body: "x", Direction: message.Inbound}
		require.NoError(t, w.engine().Run(t.Context()))
		n, changes, err := w.store.Merge(t.Context(), []message.Message{m})
		require.NoError(t, err)
		require.Zero(t, n)
		require.Empty(t, changes)
		_, err = w.engine().Restore(t.Context(), archive.Wanted{All: true})
		require.NoError(t, err)
		n, _, err = w.store.Merge(t.Context(), []message.Message{m})
		require.NoError(t, err)
		require.Equal(t, 1, n, "a restored message is live again")
	})
}

func TestAStoreThatWasLostLearnsWhatIsArchived(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.old(90)
		require.NoError(t, w.engine().Run(t.Context()))
		_, err := w.engine().Restore(t.Context(), archive.Wanted{Number: "+14155550007"})
		require.NoError(t, err)
		require.NoError(t, w.store.Close())
		w.url = "sqlite://" + t.TempDir() + "/new.db"
		w.openStore()
		require.NoError(t, w.engine().Run(t.Context()))
		require.Equal(t, 88, w.gone(), "all but the two that are back")
		w.o.Account = "AC2"
		require.NoError(t, w.store.Close())
		w.url = "sqlite://" + t.TempDir() + "/other.db"
		w.openStore()
		require.NoError(t, w.engine().Run(t.Context()))
		require.Zero(t, w.gone(), "another account's are nobody's")
	})
}

func TestALinkToARecordThatIsGoneDoesNotHoldARestoreUp(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		contact, err := w.org.Insert("Contact", map[string]any{"LastName": "Doe"})
		require.NoError(t, err)
		w.insert(1, 500, map[string]any{"Contact__c": contact})
		w.insert(2, 500, nil)
		require.NoError(t, w.engine().Run(t.Context()))
		require.NoError(t, w.org.Delete("Contact", contact))
		got, err := w.engine().Restore(t.Context(), archive.Wanted{All: true})
		require.NoError(t, err)
		require.Equal(t, 2, got.Restored)
		require.Nil(t, w.row(1)["Contact__c"])
	})
}

func TestAWrongConditionOrHoldFieldKeepsEverything(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.old(10)
		w.ro.Where = "No_Such__c = 1"
		require.Error(t, w.engine().Run(t.Context()))
		w.ro.Where, w.ro.Hold = "", "No_Hold__c"
		require.ErrorContains(t, w.engine().Run(t.Context()), "No_Hold__c")
		require.Equal(t, 10, w.org.Count(object))
		require.Equal(t, []string{"archive-stopped"}, w.conditions())
	})
}

func TestAFilesNameTellsItsMonth(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.insert(1, 500, nil)
		month := w.row(1)["Date_Created__c"].(time.Time).Format("2006-01")
		require.NoError(t, w.engine().Run(t.Context()))
		names, err := w.target.List(t.Context(), "messages/month="+month+"/"+w.runs()[0].ID)
		require.NoError(t, err)
		require.Len(t, names, 1)
		require.True(t, strings.HasSuffix(names[0], w.format.Extension()))
	})
}

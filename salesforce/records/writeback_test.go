package records_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

const sentSID = message.SID("SM0123456789abcdef0123456789abcdef")

// sendDraft is a record that a user has set to Send.
func sendDraft(t *testing.T, s *salesforcetest.Server) string {
	t.Helper()
	return insert(t, s, object, map[string]any{
		"Status__c": "Send", "To_Number__c": "(415) 555-0100", "Body__c": "Hi", "Error_Code__c": "30001", "Error_Message__c": "the last time",
	})
}

func rowOf(t *testing.T, s *salesforcetest.Server, id string) map[string]any {
	t.Helper()
	row, there := s.Row(object, id)
	require.True(t, there)
	return row
}

func writeBack(t *testing.T, m *records.Messages, results ...message.Result) error {
	t.Helper()
	outcomes, err := m.WriteBack(t.Context(), results)
	require.NoError(t, err)
	require.Len(t, outcomes, len(results))
	return errors.Join(outcomes...)
}

func TestADraftsRecordShowsWhatBecameOfIt(t *testing.T) {
	sent := message.Result{
		SID: sentSID, Status: "queued", From: "+14155550199", To: "+14155550100", Service: "MG0123456789abcdef0123456789abcdef", Segments: 2,
	}
	untouched := map[string]any{"To_Number__c": "(415) 555-0100", "Their_Number__c": nil, "Body__c": "Hi", "Message_SID__c": nil}
	for what, c := range map[string]struct {
		result message.Result
		want   map[string]any
	}{
		"sent": {sent, map[string]any{
			"Message_SID__c": string(sentSID), "Status__c": "queued", "From_Number__c": "+14155550199", "To_Number__c": "+14155550100",
			"Their_Number__c": "+14155550100", "Messaging_Service_Sid__c": sent.Service, "Num_Segments__c": 2.0, "Direction__c": "outbound-api",
			"Body__c": "Hi", "Error_Code__c": nil, "Error_Message__c": nil, "Rejected_SID__c": nil,
		}},
		"refused by Twilio": {
			message.Result{RejectedSID: sentSID, Status: "failed", ErrorCode: 21610, ErrorMessage: "Attempt to send to unsubscribed recipient"},
			map[string]any{"Status__c": "failed", "Error_Code__c": "21610", "Error_Message__c": "Attempt to send to unsubscribed recipient", "Rejected_SID__c": string(sentSID)},
		},
		"refused by us": {
			message.Result{Status: "failed", ErrorMessage: strings.Repeat("to whom? ", 100)},
			map[string]any{"Status__c": "failed", "Error_Code__c": nil, "Error_Message__c": strings.Repeat("to whom? ", 100)[:254], "Direction__c": "outbound-api"},
		},
		"uncertain": {
			message.Result{Status: message.Uncertain, ErrorMessage: "It may have left.", To: "+14155550100"},
			map[string]any{"Status__c": "Uncertain", "Error_Message__c": "It may have left.", "Their_Number__c": "+14155550100", "To_Number__c": "+14155550100"},
		},
		"canceled": {message.Result{Status: "canceled"}, map[string]any{"Status__c": "canceled", "Error_Message__c": nil}},
	} {
		s, m := emulated(t)
		c.result.ID = sendDraft(t, s)
		for range 2 {
			require.NoError(t, writeBack(t, m, c.result), what)
		}
		row := rowOf(t, s, c.result.ID)
		for name, want := range c.want {
			require.Equal(t, want, row[name], "%s: %s", what, name)
		}
		for name, want := range untouched {
			if _, said := c.want[name]; !said {
				require.Equal(t, want, row[name], "%s: %s", what, name)
			}
		}
		require.Equal(t, 1, s.Count(object))
	}
}

func TestABatchWithAndWithoutDraftsIsTwoCallsAndHasOneFate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := emulated(t)
		batch := plain(numbered(200))
		for i := range 100 {
			batch[2*i].ID = sendDraft(t, s)
		}
		require.NoError(t, s.Delete(object, batch[0].ID))
		require.NoError(t, m.Check(t.Context()))
		s.ResetCalls()
		outcomes, err := m.Upsert(t.Context(), batch)
		requireAll(t, outcomes, err)
		require.Equal(t, 2, s.Calls().Total)
		require.Equal(t, 200, s.Count(object))

		s.Script(salesforcetest.ServerUnavailable().On(salesforcetest.OpCollectionsUpsert).Forever())
		_, err = m.Upsert(t.Context(), batch)
		require.Equal(t, fault.Transient, fault.ClassOf(err), "nothing is known of any message")
		s.ClearFaults()
		outcomes, err = m.Upsert(t.Context(), batch)
		requireAll(t, outcomes, err)
		require.Equal(t, 200, s.Count(object))
	})
}

func TestAResultWithoutASIDTakesNoneAway(t *testing.T) {
	s, m := emulated(t)
	id := sendDraft(t, s)
	require.NoError(t, writeBack(t, m, message.Result{ID: id, SID: sentSID, Status: "queued"}))
	require.NoError(t, writeBack(t, m, message.Result{ID: id, Status: "canceled"}))
	require.Equal(t, string(sentSID), rowOf(t, s, id)["Message_SID__c"])
}

func TestTwoHundredResultsAreOneCallAndEachHasItsOutcome(t *testing.T) {
	s, m := emulated(t)
	require.NoError(t, m.Check(t.Context()))
	results := make([]message.Result, 200)
	for i := range results {
		results[i] = message.Result{ID: sendDraft(t, s), SID: numbered(200)[i].SID, Status: "queued"}
	}
	require.NoError(t, s.Delete(object, results[7].ID))
	require.NoError(t, s.Delete(object, results[8].ID))
	s.EmptyRecycleBin()
	require.NoError(t, s.Delete(object, results[9].ID))
	s.Script(salesforcetest.Refuse(func(r map[string]any) *salesforcetest.Refusal {
		switch r["Message_SID__c"] {
		case string(results[10].SID):
			return &salesforcetest.Refusal{Code: "NOT_FOUND", Message: "The requested resource does not exist"}
		case string(results[50].SID):
			return &salesforcetest.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "Not this one."}
		}
		return nil
	}).Forever())
	outcomes, err := m.WriteBack(t.Context(), results)
	require.NoError(t, err)
	for i, o := range outcomes {
		switch i {
		case 7, 8, 9, 10:
			require.Equal(t, salesforce.CodeEntityIsDeleted, fault.CodeOf(o), "it was deleted while it was sent")
			require.Equal(t, fault.Permanent, fault.ClassOf(o))
		case 50:
			require.Equal(t, "FIELD_CUSTOM_VALIDATION_EXCEPTION", fault.CodeOf(o))
			require.Equal(t, fault.Permanent, fault.ClassOf(o))
			require.Contains(t, fault.Hint(o), "validation rule")
		default:
			require.NoError(t, o, i)
			require.Equal(t, string(results[i].SID), rowOf(t, s, results[i].ID)["Message_SID__c"])
		}
	}
	require.Equal(t, 1, s.Calls().ByOperation[salesforcetest.OpCollectionsUpdate])
	require.Equal(t, 197, s.Count(object))
}

func TestAnOutageAtWriteBackIsNoVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := emulated(t)
		r := message.Result{ID: sendDraft(t, s), SID: sentSID, Status: "queued"}
		require.NoError(t, m.Check(t.Context()))
		s.Script(salesforcetest.ServerUnavailable().Forever())
		_, err := m.WriteBack(t.Context(), []message.Result{r})
		require.Equal(t, fault.Transient, fault.ClassOf(err))
		s.ClearFaults()
		s.Script(salesforcetest.LockRows(func(map[string]any) bool { return true }).Forever())
		require.Equal(t, fault.Transient, fault.ClassOf(writeBack(t, m, r)))
		s.ClearFaults()
		require.NoError(t, writeBack(t, m, r))
	})
}

// doubled is an org where the mirror has made a second record of a draft's
// message, with two files.
func doubled(t *testing.T) (s *salesforcetest.Server, m *records.Messages, draft, stranger string, files []string) {
	t.Helper()
	s, m = emulated(t)
	require.NoError(t, m.Check(t.Context()))
	draft = sendDraft(t, s)
	stranger = insert(t, s, object, map[string]any{"Message_SID__c": string(sentSID), "Status__c": "delivered"})
	for i := range 2 {
		files = append(files, insert(t, s, "TwilioSF_Media__c", map[string]any{"Media_SID__c": fmt.Sprintf("ME%032x", i), "Message__c": stranger}))
	}
	return s, m, draft, stranger, files
}

// requireMerged holds what a user sees in the end: one record, the draft's, with
// all files.
func requireMerged(t *testing.T, s *salesforcetest.Server, draft string, files []string) {
	t.Helper()
	rows := s.ByKey(object, "Message_SID__c", string(sentSID))
	require.Len(t, rows, 1)
	require.Equal(t, draft, rows[0]["Id"])
	require.Equal(t, 1, s.Count(object))
	for _, id := range files {
		file, there := s.Row("TwilioSF_Media__c", id)
		require.True(t, there, "no file was deleted with its record")
		require.Equal(t, draft, file["Message__c"])
	}
}

func TestASecondRecordOfADraftsMessageIsMergedIntoTheFirst(t *testing.T) {
	s, m, draft, _, files := doubled(t)
	require.NoError(t, writeBack(t, m, message.Result{ID: draft, SID: sentSID, Status: "queued"}))
	requireMerged(t, s, draft, files)

	s, m, draft, _, files = doubled(t)
	other := sendDraft(t, s)
	require.NoError(t, s.Delete(object, other))
	outcomes, err := m.Upsert(t.Context(), []mirror.Record{{Message: &message.Message{SID: sentSID, Status: message.Delivered}, ID: draft}})
	requireAll(t, outcomes, err)
	requireMerged(t, s, draft, files)
	require.Equal(t, "delivered", rowOf(t, s, draft)["Status__c"])
}

// Whatever call of a merge is cut off, before it is processed or after, doing it
// again ends well.
func TestAMergeThatIsCutOffIsDoneAgain(t *testing.T) {
	var moved, deleted atomic.Bool
	update := salesforcetest.ResetAfter().On(salesforcetest.OpCollectionsUpdate)
	for op, cut := range map[string]salesforcetest.Fault{
		"the write":     update,
		"the look":      salesforcetest.ResetBefore().On(salesforcetest.OpQuery),
		"the move":      update.When(func(salesforcetest.Request) bool { return moved.Load() }),
		"the deletion":  salesforcetest.ResetBefore().On(salesforcetest.OpCollectionsDelete),
		"its answer":    salesforcetest.ResetAfter().On(salesforcetest.OpCollectionsDelete),
		"the rewriting": update.When(func(salesforcetest.Request) bool { return deleted.Load() }),
	} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, m, draft, _, files := doubled(t)
				moved.Store(false)
				deleted.Store(false)
				s.OnRequest(func(r salesforcetest.Request) {
					moved.Store(moved.Load() || r.Operation == salesforcetest.OpQuery)
					deleted.Store(deleted.Load() || r.Operation == salesforcetest.OpCollectionsDelete)
				})
				s.Script(cut.Forever())
				r := message.Result{ID: draft, SID: sentSID, Status: "queued"}
				outcomes, err := m.WriteBack(t.Context(), []message.Result{r})
				if err == nil {
					err = outcomes[0]
				}
				require.Error(t, err)
				require.NotEqual(t, fault.Permanent, fault.ClassOf(err), "it is no verdict")
				s.ClearFaults()
				require.NoError(t, writeBack(t, m, r))
				requireMerged(t, s, draft, files)
			})
		})
	}
}

// Under trouble of every kind, repeating what is not settled ends with one record
// a message, the draft's, and with all files.
func TestWhateverHappensDraftsEndWithOneRecordAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := emulated(t, func(o *salesforcetest.Options) { o.Seed = 11 })
		messages := numbered(400)
		var waiting []message.Result
		files := map[string]string{} // the draft's id by the file's
		for i := range messages {
			r := message.Result{ID: sendDraft(t, s), SID: messages[i].SID, Status: "queued"}
			waiting = append(waiting, r)
			if i%3 == 0 {
				double := insert(t, s, object, map[string]any{"Message_SID__c": string(r.SID)})
				files[insert(t, s, "TwilioSF_Media__c", map[string]any{"Media_SID__c": fmt.Sprintf("ME%032x", i), "Message__c": double})] = r.ID
			}
		}
		for _, trouble := range []salesforcetest.Fault{
			salesforcetest.ResetBefore(), salesforcetest.ResetAfter(), salesforcetest.TruncatedJSON(), salesforcetest.MaintenancePage(),
			salesforcetest.Garbage(), salesforcetest.ConcurrentLimit(), salesforcetest.Lock(), salesforcetest.RevokedSessions(),
		} {
			s.Chance(0.08, trouble)
		}
		for rounds := 0; len(waiting) > 0; rounds++ {
			require.Less(t, rounds, 500)
			batch := waiting[:min(100, len(waiting))]
			waiting = waiting[len(batch):len(waiting):len(waiting)]
			outcomes, err := m.WriteBack(t.Context(), batch)
			for i := range batch {
				if err != nil || outcomes[i] != nil {
					waiting = append(waiting, batch[i])
				}
				if err == nil {
					require.NotEqual(t, fault.Permanent, fault.ClassOf(outcomes[i]), "%v", outcomes[i])
				}
			}
			time.Sleep(time.Second)
		}
		require.Equal(t, 400, s.Count(object))
		for file, draft := range files {
			row, there := s.Row("TwilioSF_Media__c", file)
			require.True(t, there)
			require.Equal(t, draft, row["Message__c"])
		}
	})
}

func TestASecondRecordThatCannotGoStaysWithItsFiles(t *testing.T) {
	s, m, draft, stranger, files := doubled(t)
	second, third := sendDraft(t, s), sendDraft(t, s)
	r := []message.Result{{ID: draft, SID: sentSID, Status: "queued"}, {ID: second, SID: "SM2", Status: "queued"}, {ID: third, SID: "SM3", Status: "queued"}}
	insert(t, s, object, map[string]any{"Message_SID__c": "SM3"})
	require.NoError(t, s.Restrict(object, salesforcetest.Deny{Delete: true}))
	outcomes, err := m.WriteBack(t.Context(), r)
	require.NoError(t, err)
	require.Contains(t, fault.Hint(outcomes[0]), "cannot be deleted")
	require.Equal(t, records.CodeSecondRecord, fault.CodeOf(outcomes[0]))
	require.Equal(t, fault.Permanent, fault.ClassOf(outcomes[0]), "this record's trouble and no other's")
	require.NoError(t, outcomes[1], "it keeps no other from being written")
	require.Error(t, outcomes[2])
	require.NoError(t, s.Restrict(object, salesforcetest.Deny{}))

	require.NoError(t, s.ReadOnlyField("TwilioSF_Media__c", "Message__c", true))
	for _, id := range files { // they had moved already
		require.NoError(t, s.Update("TwilioSF_Media__c", id, map[string]any{"Message__c": stranger}))
	}
	outcomes, err = m.WriteBack(t.Context(), r)
	require.NoError(t, err)
	require.Contains(t, fault.Hint(outcomes[0]), "media cannot be moved")
	_, there := s.Row(object, stranger)
	require.True(t, there)
	require.NoError(t, outcomes[2], "this one has no files")
	require.NoError(t, s.ReadOnlyField("TwilioSF_Media__c", "Message__c", false))
	outcomes, err = m.WriteBack(t.Context(), r[:1])
	requireAll(t, outcomes, err)
	file, there := s.Row("TwilioSF_Media__c", files[0])
	require.True(t, there)
	require.Equal(t, draft, file["Message__c"])
}

func TestARecordThatIsMadeAgainAndAgainIsNoVerdictAndOneThatIsHiddenIs(t *testing.T) {
	s, m, draft, _, _ := doubled(t)
	s.OnRequest(func(r salesforcetest.Request) {
		if r.Operation == salesforcetest.OpCollectionsUpdate && len(s.ByKey(object, "Message_SID__c", string(sentSID))) == 0 {
			_, err := s.Insert(object, map[string]any{"Message_SID__c": string(sentSID)})
			require.NoError(t, err)
		}
	})
	r := message.Result{ID: draft, SID: sentSID, Status: "queued"}
	require.Equal(t, fault.Transient, fault.ClassOf(writeBack(t, m, r)))
	s.OnRequest(nil)
	require.NoError(t, writeBack(t, m, r))

	s, m = emulated(t)
	id := sendDraft(t, s)
	s.Script(salesforcetest.Refuse(func(map[string]any) *salesforcetest.Refusal {
		return &salesforcetest.Refusal{Code: "DUPLICATE_VALUE", Message: "duplicate value found: <unknown> duplicates value on record with id: <unknown>"}
	}).Forever())
	err := writeBack(t, m, message.Result{ID: id, SID: sentSID, Status: "queued"})
	require.Equal(t, fault.Permanent, fault.ClassOf(err))
	require.Equal(t, salesforce.CodeDuplicateValue, fault.CodeOf(err))
	require.Contains(t, fault.Hint(err), "recycle bin")
}

func TestASecondRecordThatSomebodyElseDeletesIsOutOfTheWay(t *testing.T) {
	s, m, draft, stranger, files := doubled(t)
	s.OnRequest(func(r salesforcetest.Request) {
		if r.Operation == salesforcetest.OpCollectionsDelete {
			require.NoError(t, s.Delete(object, stranger))
		}
	})
	require.NoError(t, writeBack(t, m, message.Result{ID: draft, SID: sentSID, Status: "queued"}))
	requireMerged(t, s, draft, files)
}

func TestARecordIsNeverMergedIntoItself(t *testing.T) {
	s, m := emulated(t)
	r := message.Result{ID: sendDraft(t, s), SID: sentSID, Status: "queued"}
	require.NoError(t, writeBack(t, m, r, r), "a mistake of the caller's, which costs a call")
	require.Equal(t, 1, s.Count(object))
	require.Equal(t, string(sentSID), rowOf(t, s, r.ID)["Message_SID__c"])
	require.Zero(t, s.Calls().ByOperation[salesforcetest.OpCollectionsDelete])
}

func TestAnOrgWithoutMediaMergesToo(t *testing.T) {
	s, m, draft, _, _ := doubled(t)
	require.NoError(t, s.Restrict("TwilioSF_Media__c", salesforcetest.Deny{Read: true}))
	require.NoError(t, writeBack(t, m, message.Result{ID: draft, SID: sentSID, Status: "queued"}))
	requireMerged(t, s, draft, nil)
}

func TestAResultOfAnUnreadableValueSpoilsNoOther(t *testing.T) {
	s, m := emulated(t)
	good := sendDraft(t, s)
	outcomes, err := m.WriteBack(t.Context(), []message.Result{
		{ID: good, SID: sentSID, Status: "queued"}, {ID: "no id", Status: "failed"}, {ID: "003Hn0000000001IAA", Status: "failed"},
	})
	require.NoError(t, err)
	require.NoError(t, outcomes[0])
	require.Equal(t, fault.Permanent, fault.ClassOf(outcomes[1]))
	require.Equal(t, salesforce.CodeEntityIsDeleted, fault.CodeOf(outcomes[2]), "it is no record of this object")
	_, err = m.WriteBack(t.Context(), make([]message.Result, 201))
	require.Equal(t, fault.Permanent, fault.ClassOf(err))
}

func TestStudioRequestsAreReadAndShowWhatBecameOfThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const studio = "TwilioSF_Studio_Request__c"
		s, org := emulatedOrg(t)
		m, err := records.New(org, records.Options{})
		require.NoError(t, err)
		var got []message.StudioRequest
		p := newPoll(t, org, &marks{}, m.StudioPart(func(_ context.Context, all []message.StudioRequest) error { got = all; return nil }))
		request := map[string]any{
			"Status__c": "Send", "Flow_SID__c": "FW0123456789abcdef0123456789abcdef", "To_Number__c": "+1 415 555 0100", "From__c": "+14155550199",
			"Parameters__c": `{"name": "Ada"}`,
		}
		id := insert(t, s, studio, request)
		request["Execution_SID__c"] = "FN1"
		insert(t, s, studio, request)
		insert(t, s, studio, map[string]any{"Status__c": "failed"})
		require.NoError(t, p.Run(t.Context()))
		require.Len(t, got, 1)
		require.Equal(t, message.StudioRequest{
			ID: id, Modified: got[0].Modified, Ask: message.AskSend, Flow: "FW0123456789abcdef0123456789abcdef", To: "+1 415 555 0100",
			From: "+14155550199", Parameters: `{"name": "Ada"}`,
		}, got[0])
		require.False(t, got[0].Modified.IsZero())

		gone := insert(t, s, studio, map[string]any{"Status__c": "Send"})
		time.Sleep(15 * time.Second)
		require.NoError(t, s.Delete(studio, gone))
		require.NoError(t, p.Run(t.Context()))
		require.True(t, got[len(got)-1].Deleted)

		outcomes, err := m.WriteStudio(t.Context(), []message.StudioResult{
			{ID: id, Status: "failed", ErrorMessage: strings.Repeat("no such flow ", 40)}, {ID: gone, Status: "active", Execution: "FN3"},
		})
		require.NoError(t, err)
		require.NoError(t, outcomes[0])
		require.Equal(t, salesforce.CodeEntityIsDeleted, fault.CodeOf(outcomes[1]))
		row, _ := s.Row(studio, id)
		require.Equal(t, "failed", row["Status__c"])
		require.Len(t, row["Error_Message__c"], 255-1, "it ends in a blank, which the org trims")
		require.Nil(t, row["Execution_SID__c"])
		outcomes, err = m.WriteStudio(t.Context(), []message.StudioResult{{ID: id, Status: "active", Execution: "FN2"}})
		requireAll(t, outcomes, err)
		outcomes, err = m.WriteStudio(t.Context(), []message.StudioResult{{ID: id, Status: "ended"}})
		requireAll(t, outcomes, err)
		row, _ = s.Row(studio, id)
		require.Equal(t, []any{"ended", "FN2", nil, `{"name": "Ada"}`}, []any{row["Status__c"], row["Execution_SID__c"], row["Error_Message__c"], row["Parameters__c"]})
	})
}

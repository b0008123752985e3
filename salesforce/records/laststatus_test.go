package records_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/followup"
	"github.com/twiliosf/twiliosf/sync/followup/followuptest"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
)

var heard = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func lastStatus(object, id, status string) message.FollowUp {
	s := &message.LastStatus{Person: message.Link{Object: object, ID: id}, Status: status, At: heard}
	if status == "" {
		s.At = time.Time{}
	}
	return message.FollowUp{Kind: message.FollowStatus, Key: id, Status: s}
}

// withPeople is an org with people, and the writer of their last status.
func withPeople(t *testing.T, n int) (*salesforcetest.Server, *records.LastStatus, []string) {
	t.Helper()
	server, org := orgWithFollowUps(t)
	w, err := records.NewLastStatus(org, records.LastStatusNames{})
	require.NoError(t, err)
	ids := make([]string, n)
	for i := range ids {
		ids[i], err = server.Insert("Contact", map[string]any{"LastName": fmt.Sprint("Person ", i)})
		require.NoError(t, err)
	}
	return server, w, ids
}

func statusOf(t *testing.T, s *salesforcetest.Server, object, id string) (status any, at any) {
	t.Helper()
	row, there := s.Row(object, id)
	require.True(t, there)
	return row["Last_Message_Status__c"], row["Last_Message_Status_Date__c"]
}

func TestTheLastStatusStandsOnContactAndLead(t *testing.T) {
	s, w, ids := withPeople(t, 2)
	lead, err := s.Insert("Lead", map[string]any{"LastName": "L", "Company": "C"})
	require.NoError(t, err)
	outcomes, err := w.Do(t.Context(), []message.FollowUp{
		lastStatus("Contact", ids[0], "delivered"), lastStatus("Lead", lead, "blocked"), lastStatus("Contact", ids[1], "failed"),
	})
	requireAll(t, outcomes, err)
	for id, want := range map[string]string{ids[0]: "delivered", ids[1]: "failed", lead: "blocked"} {
		object := "Contact"
		if id == lead {
			object = "Lead"
		}
		status, at := statusOf(t, s, object, id)
		require.Equal(t, want, status)
		require.True(t, heard.Equal(at.(time.Time)))
	}
	require.Equal(t, 2, s.Calls().ByOperation[salesforcetest.OpCollectionsUpdate], "a call an object")

	outcomes, err = w.Do(t.Context(), []message.FollowUp{lastStatus("Contact", ids[0], "")})
	requireAll(t, outcomes, err)
	status, at := statusOf(t, s, "Contact", ids[0])
	require.Nil(t, status, "a number that changed clears it")
	require.Nil(t, at)
}

func TestAPersonWhoIsGoneOrRefusesHoldsNobodyUp(t *testing.T) {
	s, w, ids := withPeople(t, 4)
	require.NoError(t, s.Delete("Contact", ids[0]))
	s.Script(salesforcetest.Refuse(func(r map[string]any) *salesforcetest.Refusal {
		if r["id"] == ids[1] {
			return &salesforcetest.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "Person 1 must have a birthday"}
		}
		return nil
	}).Forever())
	account := message.FollowUp{Kind: message.FollowStatus, Key: "001", Status: &message.LastStatus{Person: message.Link{Object: "Account", ID: "001"}}}
	outcomes, err := w.Do(t.Context(), []message.FollowUp{
		lastStatus("Contact", ids[0], "delivered"), lastStatus("Contact", ids[1], "delivered"), lastStatus("Contact", ids[2], "delivered"),
		account, {Kind: message.FollowStatus, Key: "x"},
	})
	require.NoError(t, err)
	require.ErrorIs(t, outcomes[0], followup.ErrGone)
	require.Equal(t, "FIELD_CUSTOM_VALIDATION_EXCEPTION", fault.CodeOf(outcomes[1]))
	require.Contains(t, fault.Hint(outcomes[1]), "Contact")
	for _, i := range []int{0, 1, 3, 4} {
		require.Equal(t, fault.Permanent, fault.ClassOf(outcomes[i]), i)
	}
	require.NoError(t, outcomes[2])
	status, _ := statusOf(t, s, "Contact", ids[2])
	require.Equal(t, "delivered", status)
}

func TestFieldsThatAreMissingOnOneObjectKeepOnlyItsPeopleWaiting(t *testing.T) {
	s, w, ids := withPeople(t, 1)
	lead, err := s.Insert("Lead", map[string]any{"LastName": "L", "Company": "C"})
	require.NoError(t, err)
	require.NoError(t, s.HideField("Lead", "Last_Message_Status__c", true))
	require.NoError(t, s.ReadOnlyField("Lead", "Last_Message_Status_Date__c", true))
	outcomes, err := w.Do(t.Context(), []message.FollowUp{lastStatus("Lead", lead, "failed"), lastStatus("Contact", ids[0], "failed")})
	require.NoError(t, err)
	require.Equal(t, records.CodeSchema, fault.CodeOf(outcomes[0]))
	require.Equal(t, fault.Auth, fault.ClassOf(outcomes[0]))
	require.Equal(t, []string{"Last_Message_Status__c", "Last_Message_Status_Date__c"}, fault.Of(outcomes[0]).Fields)
	require.NoError(t, outcomes[1])
	_, err = w.Do(t.Context(), []message.FollowUp{lastStatus("Lead", lead, "failed")})
	require.Equal(t, records.CodeSchema, fault.CodeOf(err))
	require.Positive(t, fault.After(err))
}

func TestARecordThatSpoilsTheWholeCallIsFound(t *testing.T) {
	s, w, ids := withPeople(t, 30)
	s.Script(salesforcetest.Answer(400, "application/json", `[{"errorCode":"JSON_PARSER_ERROR","message":"x"}]`).On(salesforcetest.OpCollectionsUpdate))
	batch := make([]message.FollowUp, len(ids))
	for i, id := range ids {
		batch[i] = lastStatus("Contact", id, "delivered")
	}
	outcomes, err := w.Do(t.Context(), batch)
	requireAll(t, outcomes, err)

	s.Script(salesforcetest.Answer(400, "application/json", `[{"errorCode":"JSON_PARSER_ERROR","message":"x"}]`).On(salesforcetest.OpCollectionsUpdate).Forever())
	outcomes, err = w.Do(t.Context(), batch[:1])
	require.NoError(t, err)
	require.Equal(t, fault.Permanent, fault.ClassOf(outcomes[0]))

	s.ClearFaults()
	s.Script(salesforcetest.Answer(405, "application/json", `[{"errorCode":"METHOD_NOT_ALLOWED","message":"x"}]`).On(salesforcetest.OpCollectionsUpdate).Forever())
	_, err = w.Do(t.Context(), batch)
	require.Equal(t, fault.Transient, fault.ClassOf(err), "a fault of the call is no verdict on its records")
}

// A whole life: the engine, with an org that loses the fields for a day and
// refuses one person for good.
func TestTheLastStatusInTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w, ids := withPeople(t, 5)
		require.NoError(t, s.HideField("Contact", "Last_Message_Status__c", true))
		queue, registry := &followuptest.Memory{}, health.New(zap.NewNop(), nil)
		e, err := followup.New(followup.Ports{Queue: queue, Health: registry, Doers: map[message.FollowUpKind]followup.Doer{message.FollowStatus: w}}, followup.Options{})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- e.Run(ctx) }()
		for _, id := range ids {
			require.NoError(t, queue.Add(ctx, []message.FollowUp{lastStatus("Contact", id, "undelivered")}))
		}
		e.Wake(message.FollowStatus)
		time.Sleep(24 * time.Hour)
		require.Len(t, registry.Active(), 1)
		require.Equal(t, "last-status-waits", registry.Active()[0].Name)
		require.Contains(t, registry.Active()[0].Cause, "Last_Message_Status__c")
		require.Less(t, s.Calls().ByOperation[salesforcetest.OpDescribe], 200)

		require.NoError(t, s.HideField("Contact", "Last_Message_Status__c", false))
		s.Script(salesforcetest.Refuse(func(r map[string]any) *salesforcetest.Refusal {
			if r["id"] == ids[3] {
				return &salesforcetest.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "no"}
			}
			return nil
		}).Forever())
		time.Sleep(15 * time.Minute)
		for i, id := range ids {
			status, _ := statusOf(t, s, "Contact", id)
			if i == 3 {
				require.Nil(t, status)
				continue
			}
			require.Equal(t, "undelivered", status)
		}
		require.Len(t, registry.Active(), 1)
		require.Equal(t, "last-status-refused", registry.Active()[0].Name)
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
}

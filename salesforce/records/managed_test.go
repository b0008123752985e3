package records_test

import (
	"os"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

const (
	packaged = "TwilioSF__Message__c"
	uniqueID = "TwilioSF__Message_SID_Unique__c"
	copiedID = "TwilioSF__Message_SID__c"
)

// packageOrg is an org with the managed package, and the writer for it.
func packageOrg(t *testing.T) (*salesforcetest.Server, *records.Messages) {
	t.Helper()
	s := salesforcetest.NewServer(salesforcetest.Options{Schema: os.DirFS("../salesforcetest/testdata/managed")})
	t.Cleanup(s.Close)
	w, err := records.New(orgOf(t, s), records.Options{Names: records.Managed()})
	require.NoError(t, err)
	return s, w
}

// packageRecord is the one record of a message in the package's object.
func packageRecord(t *testing.T, s *salesforcetest.Server, sid message.SID) map[string]any {
	t.Helper()
	rows := s.ByKey(packaged, uniqueID, string(sid))
	require.Len(t, rows, 1, "one message is one record")
	return rows[0]
}

func TestThePackagesObjectTakesAMessageWithBothItsSIDs(t *testing.T) {
	s, w := packageOrg(t)
	require.NoError(t, w.Check(t.Context()))
	require.Empty(t, w.Missing(), "what the package has no field for is not missed")
	m := whole()
	outcomes, err := w.Upsert(t.Context(), plain([]message.Message{m}))
	requireAll(t, outcomes, err)
	row := packageRecord(t, s, m.SID)
	for name, want := range map[string]any{
		"Message_SID__c": string(m.SID), "Body__c": m.Body, "From_Number__c": string(m.From), "To_Number__c": string(m.To),
		"Direction__c": "inbound", "Status__c": "received", "Error_Code__c": "30003", "Messaging_Service_Sid__c": m.ServiceSID,
		"Number_of_Media__c": "1", "API_Failure_Message__c": nil,
	} {
		require.Equal(t, want, row["TwilioSF__"+name], name)
	}
}

func TestStatusesThatThePackagesPicklistLacksAreWrittenAsTheNearest(t *testing.T) {
	s, w := packageOrg(t)
	folded := map[message.Status]string{
		message.Scheduled: "accepted", message.Accepted: "accepted", message.Queued: "queued", message.Sending: "sending", message.Sent: "sent",
		message.Delivered: "delivered", message.Undelivered: "undelivered", message.Failed: "failed", message.Canceled: "failed",
		message.PartiallyDelivered: "delivered", message.Read: "delivered", message.Receiving: "receiving", message.Received: "received",
		"brand-new": "brand-new",
	}
	batch := numbered(len(folded))
	i := 0
	for status := range folded {
		batch[i].Status = status
		i++
	}
	outcomes, err := w.Upsert(t.Context(), plain(batch))
	requireAll(t, outcomes, err)
	for _, m := range batch {
		require.Equal(t, folded[m.Status], packageRecord(t, s, m.SID)["TwilioSF__Status__c"], m.Status)
	}
}

func TestInAnOrgOfOursNoStatusIsFolded(t *testing.T) {
	s, w := emulated(t)
	m := whole()
	m.Status = message.Read
	outcomes, err := w.Upsert(t.Context(), plain([]message.Message{m}))
	requireAll(t, outcomes, err)
	require.Equal(t, "read", stored(t, s, m.SID)["Status__c"])
}

func TestWhatThePackageMustHaveIsNamedAndTheRestIsLeftOut(t *testing.T) {
	for _, field := range []string{uniqueID, copiedID} {
		s, w := packageOrg(t)
		require.NoError(t, s.ReadOnlyField(packaged, field, true))
		_, err := w.Upsert(t.Context(), plain(numbered(1)))
		require.Equal(t, records.CodeSchema, fault.CodeOf(err))
		require.Equal(t, []string{field}, fault.Of(err).Fields)
		require.Zero(t, s.Count(packaged))
	}
	s, w := packageOrg(t)
	require.NoError(t, s.HideField(packaged, "TwilioSF__Number_of_Media__c", true))
	outcomes, err := w.Upsert(t.Context(), plain(numbered(1)))
	requireAll(t, outcomes, err)
	require.Equal(t, []string{"TwilioSF__Number_of_Media__c"}, w.Missing())

	bare := salesforcetest.NewServer(salesforcetest.Options{})
	t.Cleanup(bare.Close)
	w, err = records.New(orgOf(t, bare), records.Options{Names: records.Managed()})
	require.NoError(t, err)
	require.Equal(t, []string{packaged}, fault.Of(w.Check(t.Context())).Fields)
}

// packageMakes has the package make a record of a message.
func packageMakes(t *testing.T, s *salesforcetest.Server, values map[string]any) string {
	t.Helper()
	id, err := s.Insert(packaged, values)
	require.NoError(t, err)
	return id
}

func TestRecordsThatThePackageHasMadeAreAdopted(t *testing.T) {
	s, w := packageOrg(t)
	batch := numbered(4)
	sid := func(i int) string { return string(batch[i].SID) }
	both := packageMakes(t, s, map[string]any{uniqueID: sid(0), copiedID: sid(0), "TwilioSF__Status__c": "queued"})
	alone := packageMakes(t, s, map[string]any{copiedID: sid(1), "TwilioSF__Status__c": "queued"})
	first := packageMakes(t, s, map[string]any{copiedID: sid(2)})
	twin := packageMakes(t, s, map[string]any{copiedID: sid(2)})
	held, err := w.Held(t.Context(), []message.SID{batch[0].SID, batch[1].SID, batch[2].SID, batch[3].SID})
	require.NoError(t, err)
	require.Equal(t, map[message.SID]bool{batch[0].SID: true, batch[1].SID: true, batch[2].SID: true}, held)
	outcomes, err := w.Upsert(t.Context(), plain(batch))
	requireAll(t, outcomes, err)
	require.Equal(t, 5, s.Count(packaged), "one is new")
	for i, id := range []string{both, alone, first} {
		row := packageRecord(t, s, batch[i].SID)
		require.Equal(t, id, row["Id"])
		require.Equal(t, string(batch[i].Status), row["TwilioSF__Status__c"])
	}
	other, _ := s.Row(packaged, twin)
	require.Nil(t, other[uniqueID], "nothing of the package's is deleted or written twice")
}

func TestTheKeyOfAnotherMessageIsNotTakenFromARecord(t *testing.T) {
	s, w := packageOrg(t)
	batch := numbered(2)
	id := packageMakes(t, s, map[string]any{copiedID: string(batch[0].SID), uniqueID: string(batch[1].SID)})
	held, err := w.Held(t.Context(), []message.SID{batch[0].SID})
	require.NoError(t, err)
	require.Empty(t, held)
	outcomes, err := w.Upsert(t.Context(), plain(batch))
	requireAll(t, outcomes, err)
	require.Equal(t, id, packageRecord(t, s, batch[1].SID)["Id"])
	require.NotEqual(t, id, packageRecord(t, s, batch[0].SID)["Id"])
}

func TestARecordThatThePackageMakesMeanwhileIsUpdated(t *testing.T) {
	s, w := packageOrg(t)
	require.NoError(t, w.Check(t.Context()))
	m := numbered(1)[0]
	var made atomic.Bool
	s.Script(salesforcetest.Refuse(func(map[string]any) *salesforcetest.Refusal {
		if made.Swap(true) {
			return nil
		}
		return &salesforcetest.Refusal{Code: "DUPLICATE_VALUE", Message: "duplicate value found: " + uniqueID + " duplicates value on record with id: a00000000000001", Fields: []string{uniqueID}}
	}))
	id := packageMakes(t, s, map[string]any{uniqueID: string(m.SID), copiedID: string(m.SID), "TwilioSF__Status__c": "queued"})
	outcomes, err := w.Upsert(t.Context(), plain([]message.Message{m}))
	requireAll(t, outcomes, err)
	require.True(t, made.Load())
	row := packageRecord(t, s, m.SID)
	require.Equal(t, id, row["Id"])
	require.Equal(t, string(m.Status), row["TwilioSF__Status__c"])
}

func TestARecordThatCannotBeAdoptedGetsNoSecondOne(t *testing.T) {
	s, w := packageOrg(t)
	batch := numbered(2)
	packageMakes(t, s, map[string]any{copiedID: string(batch[0].SID)})
	s.Script(salesforcetest.Refuse(func(map[string]any) *salesforcetest.Refusal {
		return &salesforcetest.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "closed"}
	}))
	held, err := w.Held(t.Context(), []message.SID{batch[0].SID, batch[1].SID})
	require.NoError(t, err)
	require.Empty(t, held)
	jobs, err := inBulk(t, s, w).UpsertMany(t.Context(), plain(batch[:1]))
	require.NoError(t, err)
	require.Error(t, jobs[0], "a job leaves it to the calls")
	require.Equal(t, 1, s.Count(packaged))
	outcomes, err := w.Upsert(t.Context(), plain(batch))
	require.NoError(t, err)
	require.Equal(t, "FIELD_CUSTOM_VALIDATION_EXCEPTION", fault.CodeOf(outcomes[0]))
	require.Equal(t, fault.Permanent, fault.ClassOf(outcomes[0]))
	require.Contains(t, fault.Hint(outcomes[0]), packaged)
	require.NoError(t, outcomes[1])
	require.Equal(t, 2, s.Count(packaged))

	_, err = w.Held(t.Context(), []message.SID{batch[0].SID}) // the rule lets it pass now
	require.NoError(t, err)
	outcomes, err = w.Upsert(t.Context(), plain(batch))
	requireAll(t, outcomes, err)
	require.Equal(t, 2, s.Count(packaged))
}

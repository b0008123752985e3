package salesforce_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// contacts puts n contacts into an org.
func contacts(t *testing.T, s *salesforcetest.Server, n int) {
	t.Helper()
	for i := range n {
		_, err := s.Insert("Contact", map[string]any{"LastName": fmt.Sprintf("No %d, \"x\"\nend", i)})
		require.NoError(t, err)
	}
}

// readAll runs a query as a job and reads it page by page.
func readAll(t *testing.T, org *salesforce.Org, soql string, all bool, page int) (seen map[string]string, pages int) {
	t.Helper()
	id, err := org.StartBulkQuery(t.Context(), soql, all)
	require.NoError(t, err)
	require.NoError(t, org.AwaitBulkQuery(t.Context(), id))
	seen = map[string]string{}
	for locator := ""; pages == 0 || locator != ""; pages++ {
		locator, err = org.BulkQueryRows(t.Context(), id, locator, page, func(r map[string]string) error {
			require.NotContains(t, seen, r["Id"], "each record once")
			seen[r["Id"]] = r["LastName"]
			return nil
		})
		require.NoError(t, err)
	}
	require.NoError(t, org.DropBulkQuery(t.Context(), id))
	require.NoError(t, org.DropBulkQuery(t.Context(), id), "it is gone already")
	return seen, pages
}

func TestABulkQueryReadsEveryRecordOnceWhateverGoesWrong(t *testing.T) {
	results := salesforcetest.OpBulkResults
	for name, trouble := range map[string][]salesforcetest.Fault{
		"nothing": nil,
		"the connection": {
			salesforcetest.TruncatedJSON().On(results).Times(2), salesforcetest.ResetBefore().On(results),
			salesforcetest.ResetAfter().On(salesforcetest.OpBulkCreate), salesforcetest.ResetAfter().On(salesforcetest.OpBulkDelete),
		},
		"the server": {
			salesforcetest.MaintenancePage().On(results), salesforcetest.Garbage().On(results), salesforcetest.UnknownException().On(salesforcetest.OpBulkState),
			salesforcetest.ServerUnavailable().On(salesforcetest.OpBulkCreate), salesforcetest.ConcurrentLimit().On(results),
		},
		"the session": {salesforcetest.RevokedSessions().On(results), salesforcetest.RevokedSessions().On(salesforcetest.OpBulkState)},
		"stalls":      {salesforcetest.Latency(100 * time.Second).On(results)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newEmulator(func(o *salesforcetest.Options) { o.BulkDelay = 10 * time.Minute })
				org := orgAt(t, s)
				contacts(t, s, 2500)
				s.Script(trouble...)
				seen, pages := readAll(t, org, "SELECT Id, LastName FROM Contact", false, 1000)
				require.Len(t, seen, 2500)
				require.Equal(t, 3, pages)
				require.Contains(t, seen, "003Hn0000000002IAA")
				require.Equal(t, "No 1, \"x\"\nend", seen["003Hn0000000002IAA"])
				require.Zero(t, s.Pending(), "every trouble came")
				require.LessOrEqual(t, s.BulkQueries(), 1, "a start whose answer was lost leaves a job behind")
			})
		})
	}
}

func TestABulkQueryThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEmulator()
		org := orgAt(t, s)
		contacts(t, s, 2)
		id, err := org.StartBulkQuery(t.Context(), "SELECT Id FROM Contact", false)
		require.NoError(t, err)
		s.Script(salesforcetest.Hang().On(salesforcetest.OpBulkResults))
		began := time.Now()
		_, err = org.BulkQueryRows(t.Context(), id, "", 0, func(map[string]string) error { return nil })
		require.Equal(t, salesforce.CodeTimeout, fault.CodeOf(err))
		require.Equal(t, 150*time.Second, time.Since(began))
		_, err = org.BulkQueryRows(t.Context(), id, "", 0, func(map[string]string) error {
			time.Sleep(time.Hour) // the reader's own time is not Salesforce's
			return nil
		})
		require.NoError(t, err)
	})
}

func TestABulkQueryTellsOfDeletedRecordsWhenAskedTo(t *testing.T) {
	s := newEmulator()
	org := orgAt(t, s)
	contacts(t, s, 3)
	require.NoError(t, s.Delete("Contact", "003Hn0000000002IAA"))
	seen, _ := readAll(t, org, "SELECT Id, LastName FROM Contact", false, 0)
	require.Len(t, seen, 2)
	seen, _ = readAll(t, org, "SELECT Id, LastName FROM Contact WHERE IsDeleted = true", true, 0)
	require.Len(t, seen, 1)
	seen, pages := readAll(t, org, "SELECT Id FROM Contact WHERE LastName = 'nobody'", false, 0)
	require.Empty(t, seen)
	require.Equal(t, 1, pages)
}

func TestABulkJobIsDroppedAlsoWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEmulator(func(o *salesforcetest.Options) { o.BulkDelay = time.Hour })
		org := orgAt(t, s)
		id, err := org.StartBulkQuery(t.Context(), "SELECT Id FROM Contact", false)
		require.NoError(t, err)
		job, err := org.BulkQueryState(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, salesforce.BulkQuery{ID: id, State: "UploadComplete"}, job)
		require.NoError(t, org.DropBulkQuery(t.Context(), id))
		require.Zero(t, s.BulkQueries())
		_, err = org.BulkQueryState(t.Context(), id)
		require.Equal(t, fault.Transient, fault.ClassOf(err))
	})
}

func TestABulkQueryThatSalesforceRefusesOrGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEmulator()
		org := orgAt(t, s)
		_, err := org.StartBulkQuery(t.Context(), "SELECT Nope__c FROM Contact WHERE LastName = 'A Secret'", false)
		require.Equal(t, fault.Auth, fault.ClassOf(err))
		require.Contains(t, err.Error(), "Nope__c", "the operator must learn which")
		require.NotContains(t, err.Error(), "Secret")
		_, err = org.StartBulkQuery(t.Context(), "SELECT COUNT(Id) FROM Contact", false)
		require.Equal(t, fault.Permanent, fault.ClassOf(err))

		s.FailBulkQueries("InternalServerError : retried 15 times")
		id, err := org.StartBulkQuery(t.Context(), "SELECT Id FROM Contact", false)
		require.NoError(t, err)
		require.ErrorContains(t, org.AwaitBulkQuery(t.Context(), id), "retried 15 times")
	})
}

func TestFiveQueriesAreOneCall(t *testing.T) {
	s := newEmulator()
	org := orgAt(t, s)
	contacts(t, s, 2100)
	require.NoError(t, s.Delete("Contact", "003Hn0000000002IAA"))
	_, err := org.Limits(t.Context())
	require.NoError(t, err)
	s.ResetCalls()
	n := make([]int, 5)
	outcomes, err := org.Queries(t.Context(), []salesforce.CompositeQuery{
		{SOQL: "SELECT Id FROM Contact"}, {SOQL: "SELECT Id FROM Contact WHERE IsDeleted = true", All: true},
		{SOQL: "SELECT Id FROM Lead"}, {SOQL: "SELECT Nope FROM Lead"}, {SOQL: "SELECT Id FROM User WHERE LastName != 'O\\'Neil & + %'"},
	}, func(i int, _ map[string]any) error {
		n[i]++
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, salesforce.CodeInvalidField, fault.CodeOf(outcomes[3]))
	outcomes[3] = nil
	require.Equal(t, make([]error, 5), outcomes)
	require.Equal(t, []int{2099, 1, 0, 0, 1}, n)
	require.Equal(t, 2, s.Calls().Total, "one for the five, one for the second page of the first")
}

func TestRecordsAreInsertedAndChangedById(t *testing.T) {
	s := newEmulator()
	org := orgAt(t, s)
	rows, err := org.InsertCollection(t.Context(), notes(3, "one"))
	require.NoError(t, err)
	require.True(t, rows[2].Created)
	id := rows[1].ID
	rows, err = org.UpdateCollection(t.Context(), [][]byte{
		fmt.Appendf(nil, `{"attributes":{"type":"Note__c"},"id":%q,"Text__c":"two"}`, id),
		[]byte(`{"attributes":{"type":"Note__c"},"Text__c":"two"}`),
	})
	require.NoError(t, err)
	require.Equal(t, salesforce.RowResult{ID: id}, rows[0])
	require.Equal(t, "MISSING_ARGUMENT", rows[1].Err.Code)
	row, _ := s.Row("Note__c", id)
	require.Equal(t, "two", row["Text__c"])
}

func TestRecordsAreDeletedByIdAndADeletionMayBeRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEmulator()
		org := orgAt(t, s)
		rows, err := org.InsertCollection(t.Context(), notes(200, "one"))
		require.NoError(t, err)
		ids := make([]string, len(rows))
		for i := range rows {
			ids[i] = rows[i].ID
		}
		require.NoError(t, s.Delete("Note__c", ids[5]))
		s.ResetCalls()
		s.Script(salesforcetest.ResetAfter().On(salesforcetest.OpCollectionsDelete))
		rows, err = org.DeleteCollection(t.Context(), append(ids[:199:199], "a00Hn0000999999"))
		require.NoError(t, err)
		require.Equal(t, 1, s.Count("Note__c"), "the one that was not named")
		require.Equal(t, salesforce.CodeEntityIsDeleted, rows[0].Err.Code, "the first call did it, the second one says so")
		require.Equal(t, "INVALID_CROSS_REFERENCE_KEY", rows[199].Err.Code)

		rows, err = org.DeleteCollection(t.Context(), ids[199:])
		require.NoError(t, err)
		require.Equal(t, []salesforce.RowResult{{ID: ids[199]}}, rows)
		require.Zero(t, s.Count("Note__c"))

		calls := s.Calls().Total
		for _, bad := range [][]string{make([]string, 201), {"a00&allOrNone=true"}, {""}} {
			_, err = org.DeleteCollection(t.Context(), bad)
			require.Equal(t, fault.Permanent, fault.ClassOf(err))
		}
		rows, err = org.DeleteCollection(t.Context(), nil)
		require.NoError(t, err)
		require.Empty(t, rows)
		require.Equal(t, calls, s.Calls().Total)
	})
}

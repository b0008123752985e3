package salesforce_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
)

func csvPage(body, records, locator string) reply {
	return reply{status: 200, body: body, header: http.Header{
		"Content-Type": {"text/csv"}, "Sforce-Numberofrecords": {records}, "Sforce-Locator": {locator},
	}}
}

// readPage reads one page of a job and gives the Ids in the order they came.
func readPage(t *testing.T, f *fakeOrg) (ids []string, next string, err error) {
	t.Helper()
	next, err = newOrg(t, f).BulkQueryRows(t.Context(), "750x", "MTAw", 2, func(r map[string]string) error {
		ids = append(ids, r["Id"]+r["Name"])
		return nil
	})
	return ids, next, err
}

func TestAPageOfResultsIsReadByColumnName(t *testing.T) {
	f := always(csvPage("\"Id\",\"Name\"\n\"1\",\"says \"\"hi\"\",\nbye\"\n\"2\",\"\"\n", "2", "MjAw"))
	ids, next, err := readPage(t, f)
	require.NoError(t, err)
	require.Equal(t, []string{"1says \"hi\",\nbye", "2"}, ids)
	require.Equal(t, "MjAw", next)
	c := f.seen()[0]
	require.Equal(t, "/services/data/v64.0/jobs/query/750x/results", c.path)
	require.Equal(t, "MTAw", c.query.Get("locator"))
	require.Equal(t, "2", c.query.Get("maxRecords"))
	require.Equal(t, "text/csv", c.header.Get("Accept"))

	_, next, err = readPage(t, always(csvPage("\"Id\"\n", "0", "null")))
	require.NoError(t, err)
	require.Empty(t, next)
}

func TestAPageThatBreaksOffIsReadAgainAndGivesEachRecordOnce(t *testing.T) {
	whole := csvPage("\"Id\"\n\"1\"\n\"2\"\n\"3\"\n", "3", "null")
	broken := csvPage("\"Id\"\n\"1\"\n\"2\"\n", "3", "null")
	broken.broken = true
	short := broken
	short.broken = false
	inQuotes := csvPage("\"Id\"\n\"1\"\n\"2", "3", "null")
	page := ok("<html>maintenance</html>")
	page.header = http.Header{"Content-Type": {"text/html"}}
	synctest.Test(t, func(t *testing.T) {
		for what, first := range map[string]reply{
			"breaks": broken, "ends early": short, "ends in a value": inQuotes, "a page of something else": page,
			"busy": refused(503, "SERVER_UNAVAILABLE", "busy"),
		} {
			f := inTurn(first, whole)
			ids, next, err := readPage(t, f)
			require.NoError(t, err, what)
			require.Empty(t, next, what)
			require.Equal(t, []string{"1", "2", "3"}, ids, what)
			require.Len(t, f.seen(), 2, what)
		}
		for what, r := range map[string]reply{"breaks": broken, "ends early": short, "other form": page} {
			ids, _, err := readPage(t, always(r))
			require.Equal(t, fault.Transient, fault.ClassOf(err), what)
			require.LessOrEqual(t, len(ids), 2, what)
		}
	})
}

func TestOnlyTheWaitForSalesforceIsBounded(t *testing.T) {
	page := csvPage("\"Id\",\"Name\"\n\"1\",\"one\"\n\"2\",\"two\"\n", "2", "null")
	page.stalls = true
	synctest.Test(t, func(t *testing.T) {
		n := 0
		began := time.Now()
		_, err := newOrg(t, always(page)).BulkQueryRows(t.Context(), "750x", "", 0, func(map[string]string) error {
			n++
			time.Sleep(time.Hour)
			return nil
		})
		require.Equal(t, salesforce.CodeTimeout, fault.CodeOf(err))
		require.Equal(t, 2, n, "the reader's own hours are not Salesforce's")
		require.Equal(t, 2*time.Hour+150*time.Second, time.Since(began))
	})
}

func TestACalleeWhoHasEnoughEndsThePage(t *testing.T) {
	enough := errors.New("enough")
	f := always(csvPage("\"Id\"\n\"1\"\n\"2\"\n", "2", "null"))
	n := 0
	_, err := newOrg(t, f).BulkQueryRows(t.Context(), "750x", "", 0, func(map[string]string) error {
		n++
		return enough
	})
	require.ErrorIs(t, err, enough)
	require.Equal(t, 1, n)
	require.Len(t, f.seen(), 1)
	require.Empty(t, f.seen()[0].query)
}

func TestAJobThatEndsBadlySaysWhetherAnotherCanDoBetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			body  string
			class fault.Class
			code  string
		}{
			{`{"state":"Aborted"}`, fault.Permanent, salesforce.CodeJobAborted},
			{`{"state":"Failed","errorMessage":"InvalidBatch : no 'O''Secret' there"}`, fault.Permanent, "InvalidBatch"},
			{`{"state":"Failed","errorMessage":"INVALID_FIELD: \nSELECT Id FROM X WHERE Y = 'O Secret'\nERROR at Row:1:Column:8\nNo such column 'Nope__c'"}`, fault.Auth, "INVALID_FIELD"},
			{`{"state":"Failed","errorMessage":"ExceededQuota : too many"}`, fault.Throttled, "ExceededQuota"},
			{`{"state":"Failed","errorMessage":"InternalServerError : retried 15 times"}`, fault.Transient, "InternalServerError"},
			{`{"state":"Failed"}`, fault.Transient, ""},
		} {
			err := newOrg(t, inTurn(ok(`{"state":"InProgress"}`), ok(c.body))).AwaitBulkQuery(t.Context(), "750x")
			require.Equal(t, c.class, fault.ClassOf(err), "%s: %v", c.body, err)
			require.Equal(t, c.code, fault.CodeOf(err))
			require.NotContains(t, err.Error(), "Secret")
		}
		err := newOrg(t, always(refused(404, "NOT_FOUND", "gone"))).AwaitBulkQuery(t.Context(), "750x")
		require.Equal(t, fault.Transient, fault.ClassOf(err), "a job whose days are over is no matter of permissions")
	})
}

func TestAJobIsAskedLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		f := &fakeOrg{serve: func(int, call) reply {
			if time.Since(began) > time.Hour {
				return ok(`{"state":"JobComplete","numberRecordsProcessed":7}`)
			}
			return ok(`{"state":"InProgress"}`)
		}}
		require.NoError(t, newOrg(t, f).AwaitBulkQuery(t.Context(), "750x"))
		require.Less(t, len(f.seen()), 90)
		require.Less(t, time.Since(began), time.Hour+2*time.Minute)
	})
}

func TestQueriesInOneCallFailAlone(t *testing.T) {
	f := inTurn(
		ok(`{"compositeResponse":[
			{"httpStatusCode":200,"body":{"totalSize":2,"done":false,"nextRecordsUrl":"/services/data/v64.0/query/01g-1","records":[{"Id":"1"}]}},
			{"httpStatusCode":400,"body":[{"errorCode":"INVALID_FIELD","message":"SELECT X FROM Y WHERE Z = 'a secret'\nERROR at Row:1:Column:8\nNo such column"}]},
			{"httpStatusCode":200,"body":{"totalSize":1,"done":true,"records":[{"Id":"3"}]}}]}`),
		ok(`{"totalSize":2,"done":true,"records":[{"Id":"2"}]}`))
	org := newOrg(t, f)
	var got []string
	row := func(i int, r map[string]any) error {
		id, _ := r["Id"].(string)
		got = append(got, strings.Repeat("+", i)+id)
		return nil
	}
	qs := []salesforce.CompositeQuery{{SOQL: "SELECT Id FROM A"}, {SOQL: "SELECT X FROM Y WHERE Z = 'a secret'"}, {SOQL: "SELECT Id FROM C", All: true}}
	outcomes, err := org.Queries(t.Context(), qs, row)
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2", "++3"}, got)
	require.Len(t, outcomes, 3)
	require.NoError(t, outcomes[0])
	require.Equal(t, "INVALID_FIELD", fault.CodeOf(outcomes[1]))
	require.NotContains(t, outcomes[1].Error(), "secret")
	require.NoError(t, outcomes[2])
	require.Contains(t, f.seen()[0].body, "/services/data/v64.0/queryAll?q=SELECT+Id+FROM+C")
	require.Len(t, f.seen(), 2)

	_, err = org.Queries(t.Context(), make([]salesforce.CompositeQuery, 6), row)
	require.Error(t, err)
	_, err = org.Queries(t.Context(), nil, row)
	require.NoError(t, err)
	require.Len(t, f.seen(), 2)
}

func TestAnInsertThatMayHaveHappenedIsUncertain(t *testing.T) {
	record := [][]byte{[]byte(`{"attributes":{"type":"M__c"},"K__c":"1"}`)}
	f := always(ok(`[{"id":"a01","success":true,"errors":[]}]`))
	rows, err := newOrg(t, f).InsertCollection(t.Context(), record)
	require.NoError(t, err)
	require.Equal(t, []salesforce.RowResult{{ID: "a01", Created: true}}, rows)
	require.Equal(t, "POST", f.seen()[0].method)
	require.Equal(t, "/services/data/v64.0/composite/sobjects", f.seen()[0].path)

	for what, r := range map[string]reply{
		"cut off": {err: errors.New("reset")}, "gateway": {status: 504}, "garbage": ok("[{"), "other rows": ok("[]"),
	} {
		f := always(r)
		_, err := newOrg(t, f).InsertCollection(t.Context(), record)
		require.Equal(t, fault.Uncertain, fault.ClassOf(err), what)
		require.Len(t, f.seen(), 1, what)
	}
}

func TestAnUpdateByIdMayBeMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := inTurn(reply{status: 503}, ok(`[{"id":"a01","success":true,"errors":[]},{"success":false,"errors":[{"statusCode":"ENTITY_IS_DELETED","message":"x"}]}]`))
		rows, err := newOrg(t, f).UpdateCollection(t.Context(), [][]byte{[]byte(`{"id":"a01"}`), []byte(`{"id":"a02"}`)})
		require.NoError(t, err)
		require.Equal(t, salesforce.RowResult{ID: "a01"}, rows[0])
		require.Equal(t, salesforce.CodeEntityIsDeleted, rows[1].Err.Code)
		require.Equal(t, "PATCH", f.seen()[1].method)
	})
}

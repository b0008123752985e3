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

func TestAJobIsMadeForItsRecords(t *testing.T) {
	f := always(ok(`{"id":"750x","state":"Open"}`))
	org := newOrg(t, f)
	id, err := org.StartBulkIngest(t.Context(), salesforce.BulkJob{Object: "Note__c", Operation: salesforce.BulkUpsert, KeyField: "Key__c"})
	require.NoError(t, err)
	require.Equal(t, "750x", id)
	_, err = org.StartBulkIngest(t.Context(), salesforce.BulkJob{Object: "Note__c", Operation: salesforce.BulkHardDelete})
	require.NoError(t, err)
	c := f.seen()
	require.Equal(t, "/services/data/v64.0/jobs/ingest", c[0].path)
	require.JSONEq(t, `{"object":"Note__c","operation":"upsert","externalIdFieldName":"Key__c","contentType":"CSV","columnDelimiter":"COMMA","lineEnding":"LF"}`, c[0].body)
	require.JSONEq(t, `{"object":"Note__c","operation":"hardDelete","contentType":"CSV","columnDelimiter":"COMMA","lineEnding":"LF"}`, c[1].body)
	for _, bad := range []salesforce.BulkJob{{Object: "No te", Operation: salesforce.BulkDelete}, {Object: "Note__c", Operation: salesforce.BulkUpsert}} {
		_, err = org.StartBulkIngest(t.Context(), bad)
		require.Equal(t, fault.Permanent, fault.ClassOf(err))
	}
	require.Len(t, f.seen(), 2)
	for code, class := range map[string]fault.Class{
		"INVALIDENTITY": fault.Auth, "FEATURENOTENABLED": fault.Auth, "InvalidJob": fault.Auth, "EXCEEDEDQUOTA": fault.Throttled,
	} {
		_, err = newOrg(t, always(refused(400, code, "no"))).StartBulkIngest(t.Context(), salesforce.BulkJob{Object: "Note__c", Operation: salesforce.BulkDelete})
		require.Equal(t, class, fault.ClassOf(err), code)
		require.NotEmpty(t, fault.Hint(err), code)
	}
}

func TestAnUploadIsMadeOnceBecauseAJobTakesDataOnce(t *testing.T) {
	const data = "\"Key__c\"\n\"a secret\"\n"
	f := always(reply{status: 201})
	require.NoError(t, newOrg(t, f, func(o *salesforce.Options) { o.GzipRequests = true }).
		UploadBulkIngest(t.Context(), "750x", []byte(data+strings.Repeat("\"k\"\n", 1000))))
	c := f.seen()[0]
	require.Equal(t, "PUT /services/data/v64.0/jobs/ingest/750x/batches", c.method+" "+c.path)
	require.Equal(t, "text/csv", c.header.Get("Content-Type"))
	require.True(t, strings.HasPrefix(c.body, data), "as it is: that an upload may be compressed is not documented")
	synctest.Test(t, func(t *testing.T) {
		for what, c := range map[string]struct {
			reply reply
			class fault.Class
		}{
			"cut off": {reply{err: errors.New("reset")}, fault.Uncertain}, "gateway": {reply{status: 504}, fault.Uncertain},
			"busy": {refused(503, "SERVER_UNAVAILABLE", "a secret"), fault.Transient}, "refused": {refused(400, "INVALIDJOBSTATE", "a secret"), fault.Permanent},
		} {
			f := always(c.reply)
			err := newOrg(t, f).UploadBulkIngest(t.Context(), "750x", []byte(data))
			require.Equal(t, c.class, fault.ClassOf(err), what)
			require.NotContains(t, err.Error(), "secret", what)
			require.Len(t, f.seen(), 1, what)
		}
	})
	for _, bad := range []error{
		newOrg(t, f).UploadBulkIngest(t.Context(), "750/../x", nil),
		newOrg(t, f).UploadBulkIngest(t.Context(), "750x", make([]byte, salesforce.MaxBulkData+1)),
	} {
		require.Equal(t, fault.Permanent, fault.ClassOf(bad))
	}
	require.Len(t, f.seen(), 1)
}

func TestAnUploadMayTakeAsLongAsSalesforceLetsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := ok("")
		hang.status, hang.stalls = 201, true
		began := time.Now()
		err := newOrg(t, always(hang)).UploadBulkIngest(t.Context(), "750x", []byte("\"Id\"\n"))
		require.Equal(t, salesforce.CodeTimeout, fault.CodeOf(err))
		require.Equal(t, fault.Uncertain, fault.ClassOf(err))
		require.Equal(t, 10*time.Minute, time.Since(began))
	})
}

func TestAJobIsAwaitedLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		f := &fakeOrg{serve: func(int, call) reply {
			if time.Since(began) < time.Hour {
				return ok(`{"state":"InProgress","numberRecordsProcessed":2}`)
			}
			return ok(`{"state":"JobComplete","numberRecordsProcessed":8,"numberRecordsFailed":1}`)
		}}
		job, err := newOrg(t, f).AwaitBulkIngest(t.Context(), "750x")
		require.NoError(t, err)
		require.Equal(t, salesforce.BulkIngest{ID: "750x", State: "JobComplete", Processed: 8, Failed: 1}, job)
		require.Less(t, len(f.seen()), 90)
		require.Less(t, time.Since(began), time.Hour+2*time.Minute)
	})
	job, err := newOrg(t, always(ok(`{"state":"Failed","errorMessage":"InvalidBatch : Field name not found : X"}`))).AwaitBulkIngest(t.Context(), "750x")
	require.NoError(t, err)
	require.Equal(t, "InvalidBatch: Field name not found : X", job.Reason)
	_, err = newOrg(t, always(refused(404, "NOT_FOUND", "x"))).AwaitBulkIngest(t.Context(), "750x")
	require.Equal(t, fault.Transient, fault.ClassOf(err), "its days are over")
}

func TestClosingAndAbortingAgainIsNoFault(t *testing.T) {
	f := always(refused(400, "INVALIDJOBSTATE", "it is InProgress"))
	org := newOrg(t, f)
	require.NoError(t, org.CloseBulkIngest(t.Context(), "750x"))
	require.NoError(t, org.AbortBulkIngest(t.Context(), "750x"))
	require.JSONEq(t, `{"state":"UploadComplete"}`, f.seen()[0].body)
	require.JSONEq(t, `{"state":"Aborted"}`, f.seen()[1].body)
	gone := newOrg(t, always(refused(404, "NOT_FOUND", "x")))
	require.NoError(t, gone.DropBulkIngest(t.Context(), "750x"))
	require.Equal(t, fault.Transient, fault.ClassOf(gone.CloseBulkIngest(t.Context(), "750x")))
}

func resultPage(body string) reply {
	return reply{status: 200, body: body, header: http.Header{"Content-Type": {"text/csv"}}}
}

func TestResultFilesAreReadByColumn(t *testing.T) {
	f := always(resultPage("\"sf__Id\",\"sf__Created\",\"Key__c\",\"Text__c\"\n\"a01\",\"true\",\"k1\",\"a\r\nb\rc\"\n\"a02\",\"false\",\"k2\",\"\"\n"))
	var seen []string
	err := newOrg(t, f).BulkSuccesses(t.Context(), "750x", func(r *salesforce.BulkRow, id string, created bool) error {
		seen = append(seen, id, r.Value("key__c"), r.Value("Text__c"), r.Value("Nope"))
		require.Equal(t, id == "a01", created)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []string{"a01", "k1", "a\r\nb\rc", "", "a02", "k2", "", ""}, seen)
	require.Equal(t, "/services/data/v64.0/jobs/ingest/750x/successfulResults/", f.seen()[0].path)
	require.Equal(t, "text/csv", f.seen()[0].header.Get("Accept"))

	enough := errors.New("enough")
	f = always(resultPage("\"Key__c\"\n\"k1\"\n\"k2\"\n"))
	require.ErrorIs(t, newOrg(t, f).BulkUnprocessed(t.Context(), "750x", func(*salesforce.BulkRow) error { return enough }), enough)
	require.Len(t, f.seen(), 1)
	synctest.Test(t, func(t *testing.T) {
		for what, r := range map[string]reply{
			"no such column": resultPage("\"Key__c\"\n\"k\"\n"), "no UTF-8": resultPage("\"sf__Error\"\n\"\xff\"\n"),
			"in a value": resultPage("\"sf__Error\"\n\"A:"), "something else": ok("{}"),
		} {
			err := newOrg(t, always(r)).BulkFailures(t.Context(), "750x", func(*salesforce.BulkRow, *fault.Error) error { return nil })
			require.Equal(t, salesforce.CodeUnreadable, fault.CodeOf(err), what)
		}
	})
}

func TestAResultFileThatBreaksOffIsReadAgainFromTheBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := resultPage("\"Key__c\"\n\"k1\"\n\"k2\"\n")
		broken.broken = true
		f := inTurn(broken, resultPage("\"Key__c\"\n\"k2\"\n\"k1\"\n\"k3\"\n"))
		var seen []string
		require.NoError(t, newOrg(t, f).BulkUnprocessed(t.Context(), "750x", func(r *salesforce.BulkRow) error {
			seen = append(seen, r.Value("Key__c"))
			return nil
		}))
		require.Equal(t, []string{"k1", "k2", "k2", "k1", "k3"}, seen)
	})
}

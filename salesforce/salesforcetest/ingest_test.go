package salesforcetest_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

const ingests = data + "/jobs/ingest"

// ingest makes a job that must be accepted and returns its id.
func (u *user) ingest(operation string, more ...string) string {
	u.t.Helper()
	status, body := u.call("POST", ingests, fmt.Sprintf(`{"object":%q,"operation":%q%s}`, message, operation, strings.Join(more, "")))
	require.Equal(u.t, 200, status, body)
	made := parse(u.t, body)
	require.Equal(u.t, "Open", made["state"])
	require.Equal(u.t, "services/data/v64.0/jobs/ingest/"+made["id"].(string)+"/batches", made["contentUrl"], "without a slash")
	return made["id"].(string)
}

const bySID = `,"externalIdFieldName":"Message_SID__c"`

func (u *user) upload(id, csv string) {
	u.t.Helper()
	status, body := u.call("PUT", ingests+"/"+id+"/batches", csv, "Content-Type: text/csv")
	require.Equal(u.t, 201, status, body)
	require.Empty(u.t, body)
}

func (u *user) ingestTo(id, state string) (int, string) {
	u.t.Helper()
	return u.call("PATCH", ingests+"/"+id, `{"state":"`+state+`"}`)
}

func (u *user) ingestJob(id string) map[string]any {
	u.t.Helper()
	status, body := u.call("GET", ingests+"/"+id, "")
	require.Equal(u.t, 200, status, body)
	return parse(u.t, body)
}

func (u *user) file(id, name string) string {
	u.t.Helper()
	status, body := u.call("GET", ingests+"/"+id+"/"+name, "", "Accept: text/csv")
	require.Equal(u.t, 200, status, body)
	return body
}

// runs uploads a file, lets the job run and returns what it says of itself.
func (u *user) runs(id, csv string) map[string]any {
	u.t.Helper()
	u.upload(id, csv)
	status, body := u.ingestTo(id, "UploadComplete")
	require.Equal(u.t, 200, status, body)
	return u.ingestJob(id)
}

func TestAnIngestJobGoesThroughItsStatesAndWritesWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := login(t, salesforcetest.Options{BulkDelay: time.Hour, BulkBatchRows: 2})
		id := u.ingest("upsert", bySID)
		u.upload(id, "Message_SID__c,Body__c\nSM1,one\nSM2,two\nSM3,three\nSM4,four\n")
		require.Equal(t, "Open", u.ingestJob(id)["state"])
		time.Sleep(time.Hour)
		require.Equal(t, "Open", u.ingestJob(id)["state"], "without the call that closes it nothing runs")
		status, _ := u.call("DELETE", ingests+"/"+id, "")
		require.Equal(t, 400, status)
		status, body := u.ingestTo(id, "UploadComplete")
		require.Equal(t, 200, status, body)
		require.NotContains(t, body, "contentUrl")
		require.Equal(t, "UploadComplete", u.ingestJob(id)["state"])
		status, _ = u.call("PUT", ingests+"/"+id+"/batches", "x", "Content-Type: text/csv")
		require.Equal(t, 400, status)
		time.Sleep(30*time.Minute + time.Second)
		require.Equal(t, "InProgress", u.ingestJob(id)["state"])
		require.Zero(t, u.org.Count(message))
		status, body = u.call("GET", ingests+"/"+id+"/successfulResults", "", "Accept: text/csv")
		require.Equal(t, 400, status, body)
		time.Sleep(15 * time.Minute)
		require.Equal(t, 2, u.org.Count(message), "batch after batch")
		require.InDelta(t, 2, u.ingestJob(id)["numberRecordsProcessed"], 0)
		time.Sleep(15 * time.Minute)
		require.Equal(t, "JobComplete", u.ingestJob(id)["state"])
		require.Equal(t, 4, u.org.Count(message))
		status, _ = u.ingestTo(id, "Aborted")
		require.Equal(t, 400, status)
		require.Len(t, strings.Split(u.file(id, "successfulResults"), "\n"), 6)
		time.Sleep(8 * 24 * time.Hour)
		u.relogin()
		status, _ = u.call("GET", ingests+"/"+id, "")
		require.Equal(t, 404, status, "its days are over")
	})
}

func TestAJobThatIsAbortedKeepsWhatItHasWrittenAndNamesTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := login(t, salesforcetest.Options{BulkDelay: time.Hour, BulkBatchRows: 2})
		id := u.ingest("upsert", bySID)
		u.runs(id, "Message_SID__c,Body__c\nSM1,one\nSM2,two\nSM3,three\n")
		time.Sleep(46 * time.Minute)
		u.org.AbortIngests()
		time.Sleep(time.Hour)
		require.Equal(t, "Aborted", u.ingestJob(id)["state"])
		require.Equal(t, 2, u.org.Count(message))
		require.Equal(t, "\"Message_SID__c\",\"Body__c\"\n\"SM3\",\"three\"\n", u.file(id, "unprocessedrecords"))
		status, _ := u.call("DELETE", ingests+"/"+id, "")
		require.Equal(t, 204, status)

		waiting := u.ingest("upsert", bySID)
		u.runs(waiting, "Message_SID__c\nSM4\n")
		status, body := u.ingestTo(waiting, "Aborted")
		require.Equal(t, 200, status, body)
		time.Sleep(2 * time.Hour)
		u.relogin()
		require.Equal(t, 2, u.org.Count(message))
		require.Equal(t, "\"Message_SID__c\"\n\"SM4\"\n", u.file(waiting, "unprocessedrecords"))

		forgotten := u.ingest("upsert", bySID)
		time.Sleep(25 * time.Hour)
		u.relogin()
		require.Equal(t, "Aborted", u.ingestJob(forgotten)["state"])
	})
}

func TestAJobTellsOfEachRecordInAnyOrder(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	u.org.Script(salesforcetest.LockRows(func(r map[string]any) bool { return r["Message_SID__c"] == "SM7" }))
	var csv strings.Builder
	csv.WriteString("Message_SID__c,Num_Segments__c,Body__c\n")
	for i := range 20 {
		fmt.Fprintf(&csv, "SM%d,1,\"a, \"\"b\"\"\r\nc%d\"\n", i, i)
	}
	csv.WriteString("SM20,many,x\n")
	job := u.runs(u.ingest("upsert", bySID), csv.String())
	id := job["id"].(string)
	require.Equal(t, "JobComplete", job["state"], "which does not mean success")
	require.InDelta(t, 21, job["numberRecordsProcessed"], 0, "failed ones included")
	require.InDelta(t, 2, job["numberRecordsFailed"], 0)
	require.Equal(t, "V2Ingest", job["jobType"])
	written := u.file(id, "successfulResults")
	require.True(t, strings.HasPrefix(written, "\"sf__Id\",\"sf__Created\",\"Message_SID__c\",\"Num_Segments__c\",\"Body__c\"\n"))
	require.Contains(t, written, ",\"true\",\"SM3\",\"1\",\"a, \"\"b\"\"\r\nc3\"\n")
	require.Greater(t, strings.Index(written, `"SM0"`)+strings.Index(written, `"SM1"`), 200, "not in the order of the upload")
	failed := u.file(id, "failedResults")
	require.Contains(t, failed, `"","UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: --","SM7"`)
	require.Contains(t, failed, `"SM20"`)
	require.Equal(t, "\"Message_SID__c\",\"Num_Segments__c\",\"Body__c\"\n", u.file(id, "unprocessedrecords"))
	row := u.org.ByKey(message, "Message_SID__c", "SM3")[0]
	require.Equal(t, "a, \"b\"\r\nc3", row["Body__c"])
	require.Equal(t, 1, u.org.Writes(message, row["Id"].(string)))
}

func TestNullEmptiesAFieldAndAnEmptyValueLeavesIt(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	contact := u.create("Contact", `{"LastName":"Ada"}`)
	u.create(message, `{"Message_SID__c":"SM1","Body__c":"one","From_Number__c":"+1"}`)
	job := u.runs(u.ingest("upsert", bySID), "Message_SID__c,Body__c,From_Number__c,Contact__c\nSM1,#N/A,,"+contact+"\n")
	require.InDelta(t, 0, job["numberRecordsFailed"], 0)
	row := u.org.ByKey(message, "Message_SID__c", "SM1")[0]
	require.Nil(t, row["Body__c"])
	require.Equal(t, "+1", row["From_Number__c"])
	require.Equal(t, contact, row["Contact__c"])
}

func TestRecordsAreUpdatedAndDeletedByTheirIds(t *testing.T) {
	u := login(t, salesforcetest.Options{BulkHardDelete: true})
	one := u.create(message, `{"Message_SID__c":"SM1"}`)
	two := u.create(message, `{"Message_SID__c":"SM2"}`)
	job := u.runs(u.ingest("update"), "Id,Body__c\n"+one+",x\n"+one+",y\n,z\n"+two[:15]+",x\n")
	require.InDelta(t, 2, job["numberRecordsFailed"], 0)
	require.Equal(t, "x", u.org.ByKey(message, "Message_SID__c", "SM1")[0]["Body__c"])

	job = u.runs(u.ingest("delete"), "Id\n"+one+"\n"+one+"\n")
	require.InDelta(t, 1, job["numberRecordsFailed"], 0)
	job = u.runs(u.ingest("hardDelete"), "Id\n"+two+"\n")
	require.InDelta(t, 0, job["numberRecordsFailed"], 0)
	require.Zero(t, u.org.Count(message))
	_, body := u.call("GET", data+"/queryAll?q=SELECT+Id+FROM+"+message, "")
	require.Contains(t, body, one, "in the recycle bin")
	require.NotContains(t, body, two, "gone")
	job = u.runs(u.ingest("insert"), "Message_SID__c\nSM3\n")
	require.InDelta(t, 0, job["numberRecordsFailed"], 0)
}

func TestFilesThatAnIngestJobRefuses(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	for csv, reason := range map[string]string{
		"":                                "InvalidBatch",
		"Message_SID__c,Nope__c\nSM1,x\n": "InvalidBatch : Field name not found : Nope__c",
		"Body__c\nx\n":                    "InvalidBatch : Field name not found : Message_SID__c",
		"Message_SID__c,Body__c,body__c\nSM1,x,y\n":                            "InvalidBatch : Field name specified twice",
		"Message_SID__c\r\nSM1\r\n":                                            "ClientInputError : LineEnding is invalid",
		"Message_SID__c,Body__c\nSM1,a\rb\n":                                   "ClientInputError : LineEnding is invalid",
		"Message_SID__c,Body__c\nSM1\n":                                        "InvalidBatch",
		"Message_SID__c,Body__c\nSM1,\"a\" \n":                                 "InvalidBatch",
		"Message_SID__c,Body__c\nSM1,a\"b\n":                                   "InvalidBatch",
		"Message_SID__c,Body__c\nSM1,\"a\n":                                    "InvalidBatch",
		"Message_SID__c,Body__c\nSM1,\xff\n":                                   "InvalidBatch",
		"Message_SID__c,Body__c\nSM1,\x00\n":                                   "InvalidBatch",
		"Message_SID__c,Body__c\nSM1," + strings.Repeat("x", 131_073) + "\n":   "InvalidBatch",
		"Message_SID__c,Contact__r.Nope__c\nSM1,x\n":                           "InvalidBatch : Field name not found",
		strings.Repeat("Message_SID__c,", 3_000) + "Message_SID__c\nSM1,x\n":   "InvalidBatch",
		"Message_SID__c,Body__c\n" + strings.Repeat("SM1,\"x\"\n", 3) + "\n":   "InvalidBatch",
		"Message_SID__c,Body__c\nSM1," + strings.Repeat("\"\",", 3) + "\"\"\n": "InvalidBatch",
	} {
		id := u.ingest("upsert", bySID)
		if csv == "" {
			status, body := u.ingestTo(id, "UploadComplete")
			require.Equal(t, 200, status, body)
		} else {
			u.runs(id, csv)
		}
		job := u.ingestJob(id)
		require.Equal(t, "Failed", job["state"], "%.60q", csv)
		require.Contains(t, job["errorMessage"], reason, "%.60q", csv)
	}
	require.Zero(t, u.org.Count(message))
	job := u.runs(u.ingest("upsert", bySID+`,"lineEnding":"CRLF","columnDelimiter":"TAB"`), "Message_SID__c\tBody__c\r\nSM1\t\"a\nb\"\r\nSM2\t a,b ")
	require.Equal(t, "JobComplete", job["state"])
	require.Equal(t, "a,b", u.org.ByKey(message, "Message_SID__c", "SM2")[0]["Body__c"], "blanks are trimmed as always")
	job = u.runs(u.ingest("upsert", bySID+`,"lineEnding":"CRLF"`), "Message_SID__c\nSM1\n")
	require.Contains(t, job["errorMessage"], "LineEnding")
}

func TestRequestsThatAnIngestJobRefuses(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	for body, code := range map[string]string{
		`{"object":"` + message + `","operation":"merge"}`:                                         "INVALIDJOB",
		`{"object":"` + message + `","operation":"upsert"}`:                                        "INVALIDJOB",
		`{"object":"` + message + `","operation":"upsert","externalIdFieldName":"Body__c"}`:        "INVALIDJOB",
		`{"object":"` + message + `","operation":"update","externalIdFieldName":"Message_SID__c"}`: "INVALIDJOB",
		`{"object":"` + message + `","operation":"hardDelete"}`:                                    "FEATURENOTENABLED",
		`{"object":"Nope__c","operation":"update"}`:                                                "INVALIDENTITY",
		`{"operation":"update"}`:                                                                   "INVALIDJOB",
		`{"object":"` + message + `","operation":"update","contentType":"JSON"}`:                   "INVALIDJOB",
		`{"object":"` + message + `","operation":"update","assignmentRuleId":"x"}`:                 "JSON_PARSER_ERROR",
	} {
		status, answer := u.call("POST", ingests, body)
		require.Equal(t, 400, status, "%s: %s", body, answer)
		require.Equal(t, code, faults(t, answer)[0].ErrorCode, body)
	}
	id := u.ingest("upsert", bySID)
	status, body := u.call("PUT", ingests+"/"+id+"/batches", "x", "Content-Type: application/json")
	require.Equal(t, 415, status, body)
	status, body = u.call("PUT", ingests+"/"+id+"/batches", strings.Repeat("x", 112_500_001), "Content-Type: text/csv")
	require.Equal(t, 413, status, body)
	status, body = u.ingestTo(id, "InProgress")
	require.Equal(t, 400, status, body)
	status, body = u.call("GET", strings.Replace(ingests, "v64.0", "v63.0", 1)+"/"+id, "")
	require.Equal(t, 409, status, body)

	u.upload(id, "Message_SID__c\nSM1\n")
	u.upload(id, "Message_SID__c\nSM2\n")
	status, body = u.ingestTo(id, "UploadComplete")
	require.Equal(t, 400, status, "one upload a job")
	require.Equal(t, "INVALIDJOB", faults(t, body)[0].ErrorCode)
	require.Zero(t, u.org.Count(message))
	status, body = u.call("GET", ingests, "")
	require.Equal(t, 200, status)
	require.Len(t, parse(t, body)["records"], 1)
	require.Equal(t, map[string]int{"Open": 1}, u.org.Ingests())
}

func TestAJobThatSalesforceGivesUpNamesWhatItHasNotComeTo(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	u.org.FailIngests(1, "TooManyLockFailure : Too many lock failure 10")
	job := u.runs(u.ingest("upsert", bySID), "Message_SID__c\nSM1\nSM2\nSM3\n")
	require.Equal(t, "Failed", job["state"])
	require.Contains(t, job["errorMessage"], "TooManyLockFailure")
	require.Equal(t, 1, u.org.Count(message), "no rollback")
	require.Equal(t, "\"Message_SID__c\"\n\"SM2\"\n\"SM3\"\n", u.file(job["id"].(string), "unprocessedrecords"))
	u.org.ResetCalls()
	id := u.ingest("upsert", bySID)
	u.runs(id, "Message_SID__c\nSM1\n")
	u.file(id, "successfulResults")
	require.Equal(t, 5, u.org.Calls().Total, "each request is a call, the records are none")
}

package salesforcetest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

const jobs = data + "/jobs/query"

// job starts a bulk query that must be accepted and returns its id.
func (u *user) job(soql string, more ...string) string {
	u.t.Helper()
	status, body := u.call("POST", jobs, fmt.Sprintf(`{"operation":"query","query":%q%s}`, soql, strings.Join(more, "")))
	require.Equal(u.t, 200, status, body)
	made := parse(u.t, body)
	require.Contains(u.t, []any{"UploadComplete", "JobComplete"}, made["state"])
	require.InDelta(u.t, 64.0, made["apiVersion"], 0)
	return made["id"].(string)
}

func TestABulkJobGoesThroughItsStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := login(t, salesforcetest.Options{BulkDelay: time.Hour})
		u.create("Contact", `{"LastName":"Ada"}`)
		id := u.job("SELECT Id FROM Contact")
		require.Regexp(t, "^750", id)
		state := func() any {
			status, body := u.call("GET", jobs+"/"+id, "")
			require.Equal(t, 200, status)
			require.Equal(t, "V2Query", parse(t, body)["jobType"])
			return parse(t, body)["state"]
		}
		require.Equal(t, "UploadComplete", state())
		status, body := u.call("GET", jobs+"/"+id+"/results", "", "Accept: text/csv")
		require.Equal(t, 400, status)
		require.Equal(t, "INVALIDJOBSTATE", faults(t, body)[0].ErrorCode)
		status, body = u.call("DELETE", jobs+"/"+id, "")
		require.Equal(t, 400, status)
		require.Equal(t, "INVALIDJOBSTATE", faults(t, body)[0].ErrorCode)
		time.Sleep(30 * time.Minute)
		require.Equal(t, "InProgress", state())
		u.create("Contact", `{"LastName":"later"}`)
		time.Sleep(30 * time.Minute)
		require.Equal(t, "JobComplete", state())
		resp := u.do("GET", jobs+"/"+id+"/results", "", "Accept: text/csv")
		require.Equal(t, "null", resp.Header.Get("Sforce-Locator"))
		require.Equal(t, "1", resp.Header.Get("Sforce-NumberOfRecords"))
		_, body = read(t, resp)
		require.Equal(t, "\"Id\"\n\"003Hn0000000001IAA\"\n", body)
		status, _ = u.call("PATCH", jobs+"/"+id, `{"state":"Aborted"}`)
		require.Equal(t, 400, status)
		time.Sleep(8 * 24 * time.Hour)
		u.relogin()
		status, _ = u.call("GET", jobs+"/"+id, "")
		require.Equal(t, 404, status, "its days are over")
	})
}

func TestABulkJobIsAbortedAndDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := login(t, salesforcetest.Options{BulkDelay: time.Hour})
		id := u.job("SELECT Id FROM Contact")
		status, body := u.call("PATCH", jobs+"/"+id, `{"state":"UploadComplete"}`)
		require.Equal(t, 400, status, body)
		status, body = u.call("PATCH", jobs+"/"+id, `{"state":"Aborted"}`)
		require.Equal(t, 200, status, body)
		require.Equal(t, "Aborted", parse(t, body)["state"])
		status, body = u.call("GET", jobs, "")
		require.Equal(t, 200, status)
		require.Len(t, parse(t, body)["records"], 1)
		require.Equal(t, true, parse(t, body)["done"])
		status, _ = u.call("DELETE", jobs+"/"+id, "")
		require.Equal(t, 204, status)
		status, _ = u.call("GET", jobs+"/"+id, "")
		require.Equal(t, 404, status)
	})
}

func TestBulkResultsArePagesOfCSV(t *testing.T) {
	u := login(t, salesforcetest.Options{BulkPageRows: 3})
	account := u.create("Account", `{"Name":"Acme \"&\" Co","NumberOfEmployees":12}`)
	for i := range 7 {
		u.create("Contact", fmt.Sprintf(`{"LastName":"p%d","AccountId":%q,"Title":"a\r\nb, c","DoNotCall":true}`, i, account))
	}
	id := u.job("SELECT LastName, Title, Account.Name, Account.NumberOfEmployees, DoNotCall, Email FROM Contact ORDER BY LastName",
		`,"columnDelimiter":"SEMICOLON","lineEnding":"CRLF","contentType":"CSV"`)
	const head = `"LastName";"Title";"Account.Name";"Account.NumberOfEmployees";"DoNotCall";"Email"` + "\r\n"
	row := func(i int) string {
		return fmt.Sprintf("\"p%d\";\"a\r\nb, c\";\"Acme \"\"&\"\" Co\";\"12\";\"true\";\"\"\r\n", i)
	}
	page := func(query string) (*http.Response, string) {
		resp := u.do("GET", jobs+"/"+id+"/results?"+query, "")
		status, body := read(t, resp)
		require.Equal(t, 200, status, body)
		return resp, body
	}
	resp, body := page("maxRecords=2")
	require.Equal(t, head+row(0)+row(1), body)
	resp, body = page("maxRecords=50000&locator=" + resp.Header.Get("Sforce-Locator"))
	require.Equal(t, head+row(2)+row(3)+row(4), body, "maxRecords is a ceiling")
	again := resp.Header.Get("Sforce-Locator")
	for range 2 {
		resp, body = page("locator=" + again)
		require.Equal(t, head+row(5)+row(6), body, "a page can be read again")
		require.Equal(t, "null", resp.Header.Get("Sforce-Locator"))
	}
	for _, query := range []string{"locator=null", "locator=x", "maxRecords=0", "maxRecords=x", "page=1"} {
		status, body := u.call("GET", jobs+"/"+id+"/results?"+query, "")
		require.Equal(t, 400, status, "%s: %s", query, body)
	}
	status, body := u.call("GET", jobs+"/"+id+"/results", "", "Accept: application/json")
	require.Equal(t, 406, status, body)
	status, body = u.call("GET", strings.Replace(jobs, "v64.0", "v63.0", 1)+"/"+id+"/results", "")
	require.Equal(t, 409, status, body)

	id = u.job("SELECT CreatedDate FROM Contact LIMIT 1")
	_, body = page("")
	require.Regexp(t, `^"CreatedDate"\n"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z"\n$`, body)
}

func TestWhatBulkQueriesRefuse(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	for soql, code := range map[string]string{
		"SELECT LastName FROM Contact GROUP BY LastName":          "API_ERROR",
		"SELECT Id FROM Contact LIMIT 5 OFFSET 5":                 "API_ERROR",
		"SELECT COUNT() FROM Contact":                             "API_ERROR",
		"SELECT MAX(CreatedDate) FROM Contact":                    "API_ERROR",
		"SELECT Id, (SELECT Id FROM Contacts) FROM Account":       "API_ERROR",
		"SELECT MailingAddress FROM Contact":                      "API_ERROR",
		"SELECT TYPEOF What WHEN Account THEN Name END FROM Task": "API_ERROR",
		"SELECT Nope FROM Contact":                                "INVALID_FIELD",
		"SELECT Id FROM Nope":                                     "INVALID_TYPE",
		"SELECT FROM":                                             "MALFORMED_QUERY",
	} {
		status, body := u.call("POST", jobs, fmt.Sprintf(`{"operation":"query","query":%q}`, soql))
		require.Equal(t, 400, status, soql)
		require.Equal(t, code, faults(t, body)[0].ErrorCode, "%s: %s", soql, body)
	}
	for _, body := range []string{
		`{"operation":"insert","query":"SELECT Id FROM Contact"}`, `{"query":"SELECT Id FROM Contact"}`, `{"operation":"query"}`,
		`{"operation":"query","query":"SELECT Id FROM Contact","contentType":"JSON"}`,
		`{"operation":"query","query":"SELECT Id FROM Contact","priority":1}`,
	} {
		status, answer := u.call("POST", jobs, body)
		require.Equal(t, 400, status, "%s: %s", body, answer)
	}
	_, body := u.call("POST", data+"/composite", `{"compositeRequest":[{"method":"GET","url":"`+jobs+`","referenceId":"a"}]}`)
	require.Contains(t, body, "INVALID_INPUT")
}

func TestEachRequestOfABulkJobIsACall(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	u.org.ResetCalls()
	id := u.job("SELECT Id FROM User")
	u.call("GET", jobs+"/"+id, "")
	u.call("GET", jobs+"/"+id+"/results", "")
	u.call("DELETE", jobs+"/"+id, "")
	require.Equal(t, 4, u.org.Calls().Total)
}

func TestDeletedRowsAreSeenByQueryAllOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := login(t, salesforcetest.Options{})
		id := u.create("Contact", `{"LastName":"Ada"}`)
		time.Sleep(time.Hour)
		mark := time.Now().UTC().Format(time.RFC3339)
		status, _ := u.call("DELETE", data+"/sobjects/Contact/"+id, "")
		require.Equal(t, 204, status)
		soql := "SELECT+Id,IsDeleted+FROM+Contact+WHERE+SystemModstamp+%3E=+" + mark + "+ORDER+BY+SystemModstamp,Id"
		_, body := u.call("POST", data+"/composite", `{"compositeRequest":[`+
			`{"method":"GET","url":"`+data+`/query?q=`+soql+`","referenceId":"a"},{"method":"GET","url":"`+data+`/queryAll?q=`+soql+`","referenceId":"b"}]}`)
		parts := parse(t, body)["compositeResponse"].([]any)
		require.InDelta(t, 0, parts[0].(map[string]any)["body"].(map[string]any)["totalSize"], 0)
		found := parts[1].(map[string]any)["body"].(map[string]any)["records"].([]any)
		require.Len(t, found, 1)
		require.Equal(t, true, found[0].(map[string]any)["IsDeleted"])
		u.org.EmptyRecycleBin()
		_, body = u.call("GET", data+"/queryAll?q="+soql, "")
		require.Contains(t, body, `"totalSize":0`)
	})
}

package salesforcetest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

func TestCollectionsUpsert(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	key := func(n int) string { return `"Message_SID__c":"` + sid(n) + `"` }
	status, body := u.call("PATCH", upsert, records(key(1)+`,"Body__c":"a"`, key(2)))
	require.Equal(t, 200, status, body)
	require.Equal(t, `[{"id":"a00Hn0000000001IAA","success":true,"errors":[],"created":true},{"id":"a00Hn0000000002IAA","success":true,"errors":[],"created":true}]`, body)

	status, body = u.call("PATCH", upsert, records(
		key(3), `"Price_Unit__c":"US-Dollar",`+key(2), key(1)+`,"Body__c":null`, `"Body__c":"no key"`, key(4)+`,"Id":"a00Hn0000000001IAA"`))
	require.Equal(t, 200, status, "well formed is 200, even when rows fail")
	got := results(t, body)
	require.True(t, got[0].Success && *got[0].Created)
	require.Equal(t, "STRING_TOO_LONG", got[1].Errors[0].StatusCode)
	require.Equal(t, []string{"Price_Unit__c"}, got[1].Errors[0].Fields)
	require.Empty(t, got[1].ID)
	require.Nil(t, got[1].Created)
	require.True(t, got[2].Success && !*got[2].Created)
	require.Equal(t, "MISSING_ARGUMENT", got[3].Errors[0].StatusCode)
	require.Equal(t, "INVALID_FIELD_FOR_INSERT_UPDATE", got[4].Errors[0].StatusCode)
	require.Equal(t, 3, u.org.Count(message))
	require.Nil(t, u.org.ByKey(message, "Message_SID__c", sid(1))[0]["Body__c"])
}

func TestTwoRowsWithOneKeyInACall(t *testing.T) {
	same := func() string {
		return records(`"Message_SID__c":"SM1"`, `"Message_SID__c":"sm1"`, `"Message_SID__c":"SM2"`)
	}
	u := login(t, salesforcetest.Options{})
	_, body := u.call("PATCH", upsert, same())
	got := results(t, body)
	require.Equal(t, "Duplicate external id specified: SM1", got[0].Errors[0].Message)
	require.Equal(t, "DUPLICATE_VALUE", got[1].Errors[0].StatusCode)
	require.True(t, got[2].Success)

	u = login(t, salesforcetest.Options{SecondDuplicateFails: true})
	_, body = u.call("PATCH", upsert, same())
	got = results(t, body)
	require.True(t, got[0].Success && !got[1].Success && got[2].Success)
}

func TestAllOrNone(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	id := u.create(message, `{"Message_SID__c":"SM1","Body__c":"before"}`)
	_, body := u.call("PATCH", upsert, recordsOf(message, true, `"Message_SID__c":"SM1","Body__c":"after"`, `"Message_SID__c":"SM2"`, `"Message_SID__c":"SM3","Price_Unit__c":"long"`))
	got := results(t, body)
	for i, code := range []string{"ALL_OR_NONE_OPERATION_ROLLED_BACK", "ALL_OR_NONE_OPERATION_ROLLED_BACK", "STRING_TOO_LONG"} {
		require.Equal(t, code, got[i].Errors[0].StatusCode)
	}
	row, _ := u.org.Row(message, id)
	require.Equal(t, "before", row["Body__c"])
	require.Equal(t, 1, u.org.Writes(message, id))
	require.Equal(t, 1, u.org.Count(message))
	require.Empty(t, u.found("SELECT Id FROM "+message+" WHERE Message_SID__c = 'SM2'", "Id"))
	status, _ := u.call("PATCH", upsert, records(`"Message_SID__c":"SM2"`))
	require.Equal(t, 200, status, "the key is free again")
}

func TestWhatACollectionsCallRefusesAsAWhole(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	rowsOf := func(n int) string { return records(strings.Split(strings.Repeat(",", n-1), ",")...) }
	alternating := make([]string, 12)
	for i := range alternating {
		alternating[i] = fmt.Sprintf(`{"attributes":{"type":%q},"LastName":"x"}`, []string{"Lead", "Contact"}[i%2])
	}
	for name, c := range map[string]struct{ method, path, body, code, text string }{
		"no records":      {"POST", many, `{"records":[]}`, "REQUIRED_FIELD_MISSING", "At least 1 record is required"},
		"201 records":     {"POST", many, rowsOf(201), "EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than 200 records into this call"},
		"unknown field":   {"PATCH", upsert, records(`"Message_SID__c":"SM1"`, `"Message_SID__c":"SM2","Nope__c":1`), "INVALID_FIELD", "No such column 'Nope__c' on sobject of type TwilioSF_Message__c"},
		"unknown key":     {"POST", many, `{"allOrNon":true,"records":[{}]}`, "JSON_PARSER_ERROR", `Unrecognized field "allOrNon"`},
		"no type":         {"POST", many, `{"records":[{"Body__c":"x"}]}`, "INVALID_INPUT", "type is required"},
		"other type":      {"PATCH", upsert, recordsOf("Contact", false, `"LastName":"x"`), "INVALID_INPUT", "must be of the type in the URL"},
		"not a key":       {"PATCH", many + "/" + message + "/Body__c", records(""), "NOT_FOUND", "Body__c"},
		"text as boolean": {"POST", many, `{"allOrNone":"yes","records":[{}]}`, "JSON_PARSER_ERROR", "boolean"},
		"too many chunks": {"POST", many, `{"records":[` + strings.Join(alternating, ",") + `]}`, "INVALID_INPUT", "10 chunks"},
		"no body":         {"POST", many, ``, "JSON_PARSER_ERROR", "entity body is required"},
		"wrong time":      {"PATCH", upsert, records(`"Message_SID__c":"SM1","Date_Sent__c":"x"`), "JSON_PARSER_ERROR", "datetime"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := u.call(c.method, c.path, c.body)
			require.GreaterOrEqual(t, status, 400, body)
			require.Equal(t, c.code, faults(t, body)[0].ErrorCode, body)
			require.Contains(t, faults(t, body)[0].Message, c.text)
		})
	}
	require.Zero(t, u.org.Count(message))
	status, body := u.call("POST", many, rowsOf(200))
	require.Equal(t, 200, status)
	require.Len(t, results(t, body), 200)

	u = login(t, salesforcetest.Options{RowLevelUnknownField: true})
	_, body = u.call("PATCH", upsert, records(`"Message_SID__c":"SM1"`, `"Message_SID__c":"SM2","Nope__c":1`))
	got := results(t, body)
	require.True(t, got[0].Success)
	require.Equal(t, "INVALID_FIELD", got[1].Errors[0].StatusCode)
}

func TestCollectionsCreateUpdateReadDelete(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	_, body := u.call("POST", many, `{"records":[{"attributes":{"type":"Contact"},"LastName":"a"},{"attributes":{"type":"Lead"},"LastName":"b"},{"attributes":{"type":"Nope"}}]}`)
	got := results(t, body)
	require.Equal(t, "003Hn0000000001IAA", got[0].ID)
	require.Nil(t, got[0].Created, "created belongs to upsert")
	require.Equal(t, "Required fields are missing: [Company]", got[1].Errors[0].Message)
	require.Equal(t, "INVALID_TYPE", got[2].Errors[0].StatusCode)

	contact := got[0].ID
	_, body = u.call("PATCH", many, recordsOf("Contact", false, `"id":"`+contact+`","Title":"x"`, `"Title":"y"`, `"id":"`+contact[:15]+`","Title":"z"`, `"id":"003Hn0000000077`+`"`))
	got = results(t, body)
	require.True(t, got[0].Success)
	require.Equal(t, "Id not specified in an update call", got[1].Errors[0].Message)
	require.Equal(t, "DUPLICATE_VALUE", got[2].Errors[0].StatusCode)
	require.Equal(t, "INVALID_CROSS_REFERENCE_KEY", got[3].Errors[0].StatusCode)

	want := `[{"attributes":{"type":"Contact","url":"/services/data/v64.0/sobjects/Contact/` + contact + `"},"Title":"x"},null]`
	_, body = u.call("GET", many+"/Contact?ids="+contact+",003Hn0000000077&fields=Title", "")
	require.Equal(t, want, body)
	_, body = u.call("POST", many+"/Contact", `{"ids":["`+contact+`","003Hn0000000077"],"fields":["Title"]}`)
	require.Equal(t, want, body)

	_, body = u.call("DELETE", many+"?ids="+contact+","+contact+"&allOrNone=false", "")
	got = results(t, body)
	require.Equal(t, contact, got[0].ID)
	require.Equal(t, "ENTITY_IS_DELETED", got[1].Errors[0].StatusCode)
	require.Zero(t, u.org.Count("Contact"))
}

func TestComposite(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	before := u.org.Calls().Total
	_, body := u.call("POST", data+"/composite", `{"compositeRequest":[
	  {"method":"POST","url":"/services/data/v64.0/sobjects/Contact","referenceId":"c","body":{"LastName":"Ada"}},
	  {"method":"POST","url":"/services/data/v64.0/sobjects/`+message+`","referenceId":"m","body":{"Contact__c":"@{c.id}","Body__c":"hi @{c.id}"}},
	  {"method":"GET","url":"/services/data/v64.0/query?q=select Id, LastName from Contact where Id = '@{c.id}'","referenceId":"q"},
	  {"method":"GET","url":"/services/data/v64.0/sobjects/Contact/@{q.records[0].Id}?fields=LastName","referenceId":"g"},
	  {"method":"GET","url":"/services/data/v64.0/sobjects/Contact/@{gone.id}","referenceId":"x"},
	  {"method":"GET","url":"/services/data/v64.0/sobjects/Contact/003Hn0000000099","referenceId":"y"}]}`)
	answers := parse(t, body)["compositeResponse"].([]any)
	var statuses []any
	for _, a := range answers {
		statuses = append(statuses, a.(map[string]any)["httpStatusCode"])
	}
	require.Equal(t, []any{201.0, 201.0, 200.0, 200.0, 400.0, 404.0}, statuses, body)
	require.Contains(t, body, `"httpHeaders":{"Location":"/services/data/v64.0/sobjects/Contact/003Hn0000000001IAA"}`)
	require.Contains(t, body, "PROCESSING_HALTED")
	row, _ := u.org.Row(message, "a00Hn0000000001IAA")
	require.Equal(t, "003Hn0000000001IAA", row["Contact__c"])
	require.Equal(t, 1, u.org.Calls().Total-before, "a composite call is one call")

	_, body = u.call("POST", data+"/composite", `{"allOrNone":true,"compositeRequest":[
	  {"method":"PATCH","url":"/services/data/v64.0/sobjects/Contact/003Hn0000000001","referenceId":"a","body":{"LastName":"Eve"}},
	  {"method":"POST","url":"/services/data/v64.0/sobjects/Contact","referenceId":"b","body":{}},
	  {"method":"POST","url":"/services/data/v64.0/sobjects/Contact","referenceId":"c","body":{"LastName":"x"}}]}`)
	require.Contains(t, body, "REQUIRED_FIELD_MISSING")
	require.Contains(t, body, "The transaction was rolled back since another operation in the same transaction failed.")
	require.Equal(t, []string{"Ada"}, u.found("SELECT LastName FROM Contact", "LastName"))
}

func TestWhatACompositeRefuses(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	one := func(ref, url string) string {
		return `{"method":"GET","referenceId":"` + ref + `","url":"` + url + `"}`
	}
	const q = "/services/data/v64.0/query?q=SELECT+Id+FROM+Contact"
	var six, many26 []string
	for i := range 26 {
		if i < 6 {
			six = append(six, one(fmt.Sprintf("r%d", i), q))
		}
		many26 = append(many26, one(fmt.Sprintf("r%d", i), "/services/data/v64.0/limits"))
	}
	for want, parts := range map[string]string{
		"at most 5 query":         strings.Join(six, ","),
		"Limit of 25":             strings.Join(many26, ","),
		"not unique: a":           one("a", q) + "," + one("a", q),
		"letters, digits":         one("a-b", q),
		"Unrecognized field":      `{"method":"GET","referenceId":"a","url":"` + q + `","headers":{}}`,
		"method and url are requ": `{"referenceId":"a"}`,
	} {
		status, body := u.call("POST", data+"/composite", `{"compositeRequest":[`+parts+`]}`)
		require.Equal(t, 400, status, body)
		require.Contains(t, faults(t, body)[0].Message, want)
	}
	_, body := u.call("POST", data+"/composite", `{"compositeRequest":[`+one("a", "/services/data/v64.0/composite/batch")+`,`+one("b", "v64.0/limits")+`,`+one("c", "/services/data/v64.0/nope")+`]}`)
	require.Contains(t, body, "HTTP Method 'GET' not allowed. Allowed are POST")
	require.Contains(t, body, "must start with /services/data/")
	require.Contains(t, body, "The requested resource does not exist")
}

func TestBatch(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	before := u.org.Calls().Total
	body := `{"haltOnError":%t,"batchRequests":[
	  {"method":"POST","url":"v64.0/sobjects/Contact","richInput":{"LastName":"Ada"}},
	  {"method":"GET","url":"v64.0/sobjects/Contact/003Hn0000000099"},
	  {"method":"GET","url":"v64.0/query?q=SELECT+COUNT()+FROM+Contact"}]}`
	_, got := u.call("POST", data+"/composite/batch", fmt.Sprintf(body, false))
	require.Equal(t, `{"hasErrors":true,"results":[{"statusCode":201,"result":{"id":"003Hn0000000001IAA","success":true,"errors":[]}},`+
		`{"statusCode":404,"result":[{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]},`+
		`{"statusCode":200,"result":{"totalSize":1,"done":true,"records":[]}}]}`, got)
	require.Equal(t, 3, u.org.Calls().Total-before, "each part of a batch is a call")
	_, got = u.call("POST", data+"/composite/batch", fmt.Sprintf(body, true))
	require.Contains(t, got, `{"statusCode":412,"result":[{"message":"Batch processing halted per request","errorCode":"BATCH_PROCESSING_HALTED"}]}`)
}

package salesforcetest_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

func TestTheDailyLimitIsARollingDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := login(t, salesforcetest.Options{DailyLimit: 3})
		for i := range 3 {
			resp := u.do("GET", data+"/limits", "")
			require.Equal(t, "api-usage="+string(rune('1'+i))+"/3", resp.Header.Get("Sforce-Limit-Info"))
			status, _ := read(t, resp)
			require.Equal(t, 200, status)
			time.Sleep(time.Hour)
		}
		status, body := u.call("GET", "/services/data/", "")
		require.Equal(t, 200, status)
		require.Contains(t, body, "v64.0", "free of charge")
		for range 2 {
			status, body = u.call("GET", data+"/limits", "")
			require.Equal(t, 403, status)
			require.Equal(t, []fault{{Message: "TotalRequests Limit exceeded.", ErrorCode: "REQUEST_LIMIT_EXCEEDED"}}, faults(t, body))
		}
		time.Sleep(21*time.Hour + time.Minute)
		u.relogin()
		status, body = u.call("GET", data+"/limits", "")
		require.Equal(t, 200, status)
		require.Contains(t, body, `"DailyApiRequests":{"Max":3,"Remaining":0}`)
		status, _ = u.call("GET", data+"/limits", "")
		require.Equal(t, 403, status, "only the first call is a day old")
		u.org.ResetCalls()
		require.Zero(t, u.org.Calls().Total)
	})
}

func TestLimitFiguresNeedNotGrow(t *testing.T) {
	u := login(t, salesforcetest.Options{LimitJitter: true})
	last, fell := "", false
	for range 20 {
		resp := u.do("GET", data+"/limits", "")
		read(t, resp)
		now := resp.Header.Get("Sforce-Limit-Info")
		fell = fell || len(now) == len(last) && now < last
		last = now
	}
	require.True(t, fell)
	u.org.UseCalls(99_980)
	status, _ := u.call("GET", data+"/limits", "")
	require.Equal(t, 403, status, "others used them up")
}

func TestAFullOrgStillTakesUpdates(t *testing.T) {
	for _, code := range []int{403, 400} {
		opts := salesforcetest.Options{StorageMB: 1}
		if code == 400 {
			opts.StorageStatus = 400
		}
		u := login(t, opts)
		for range 512 {
			_, err := u.org.Insert("Contact", map[string]any{"LastName": "x"})
			require.NoError(t, err)
		}
		status, body := u.call("POST", data+"/sobjects/Contact", `{"LastName":"x"}`)
		require.Equal(t, code, status)
		require.Equal(t, "STORAGE_LIMIT_EXCEEDED", faults(t, body)[0].ErrorCode)
		_, body = u.call("PATCH", upsert, records(`"Message_SID__c":"SM1"`))
		require.Equal(t, "STORAGE_LIMIT_EXCEEDED", results(t, body)[0].Errors[0].StatusCode)
		status, _ = u.call("PATCH", data+"/sobjects/Contact/003Hn0000000001", `{"Title":"y"}`)
		require.Equal(t, 204, status)
		_, body = u.call("GET", data+"/limits", "")
		require.Contains(t, body, `"DataStorageMB":{"Max":1,"Remaining":0}`)
		require.NoError(t, u.org.Delete("Contact", "003Hn0000000001IAA"))
		u.create(message, `{}`)
	}
}

func TestWhatTheUserMayNotSee(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	id := u.create(message, `{"Price__c":-0.0075,"Body__c":"x"}`)
	require.NoError(t, u.org.HideField(message, "Price__c", true))
	for _, c := range [][3]string{
		{"POST", rows, `{"Price__c":1}`}, {"GET", rows + "/" + id + "?fields=Price__c", ""}, {"PATCH", upsert, records(`"Message_SID__c":"SM1","Price__c":1`)},
	} {
		status, body := u.call(c[0], c[1], c[2])
		require.Equal(t, 400, status)
		require.Equal(t, "No such column 'Price__c' on sobject of type TwilioSF_Message__c", faults(t, body)[0].Message)
	}
	_, body := u.query("SELECT Price__c FROM " + message)
	require.Contains(t, body, "No such column 'Price__c' on entity 'TwilioSF_Message__c'")
	for _, path := range []string{rows + "/describe", rows + "/" + id} {
		_, body = u.call("GET", path, "")
		require.NotContains(t, body, "Price__c")
	}
	require.NoError(t, u.org.HideField(message, "Price__c", false))
	_, body = u.call("GET", rows+"/"+id, "")
	require.Contains(t, body, `"Price__c":-0.0075`)

	require.NoError(t, u.org.ReadOnlyField(message, "Body__c", true))
	status, body := u.call("PATCH", rows+"/"+id, `{"Body__c":"y"}`)
	require.Equal(t, 400, status)
	require.Equal(t, "INVALID_FIELD_FOR_INSERT_UPDATE", faults(t, body)[0].ErrorCode)
	require.Error(t, u.org.HideField(message, "Nope__c", true))
}

func TestWhatTheUserMayNotDo(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	id := u.create(message, `{}`)
	require.NoError(t, u.org.Restrict(message, salesforcetest.Deny{Create: true, Edit: true, Delete: true}))
	for _, c := range [][4]string{
		{"POST", rows, `{}`, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"}, {"PATCH", rows + "/" + id, `{"Body__c":"x"}`, "INSUFFICIENT_ACCESS_OR_READONLY"},
		{"DELETE", rows + "/" + id, "", "INSUFFICIENT_ACCESS_OR_READONLY"},
	} {
		status, body := u.call(c[0], c[1], c[2])
		require.Equal(t, 400, status)
		require.Equal(t, c[3], faults(t, body)[0].ErrorCode)
	}
	require.NoError(t, u.org.Restrict(message, salesforcetest.Deny{Read: true}))
	status, _ := u.call("GET", rows+"/describe", "")
	require.Equal(t, 404, status)
	_, body := u.query("SELECT Id FROM " + message)
	require.Contains(t, body, "INVALID_TYPE")
	require.NoError(t, u.org.Restrict(message, salesforcetest.Deny{}))
	status, _ = u.call("GET", rows+"/"+id, "")
	require.Equal(t, 200, status)
}

func TestDescribe(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	resp := u.do("GET", rows+"/describe", "")
	tag, modified := resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")
	status, body := read(t, resp)
	require.Equal(t, 200, status)
	object := parse(t, body)
	require.Equal(t, "a00", object["keyPrefix"])
	require.Len(t, object, 45)
	fields := map[string]map[string]any{}
	for _, f := range object["fields"].([]any) {
		fields[f.(map[string]any)["name"].(string)] = f.(map[string]any)
	}
	sid := fields["Message_SID__c"]
	require.Len(t, sid, 57)
	for k, v := range map[string]any{
		"type": "string", "length": 34.0, "byteLength": 102.0, "externalId": true, "unique": true, "caseSensitive": false, "idLookup": true,
		"nillable": true, "createable": true, "updateable": true, "filterable": true, "label": "Message SID", "soapType": "xsd:string",
	} {
		require.Equal(t, v, sid[k], k)
	}
	require.Equal(t, false, fields["Body__c"]["filterable"])
	require.Equal(t, "textarea", fields["Body__c"]["type"])
	require.Len(t, fields["Status__c"]["picklistValues"], 16)
	require.Equal(t, false, fields["Status__c"]["restrictedPicklist"])
	require.Equal(t, []any{"Contact"}, fields["Contact__c"]["referenceTo"])
	require.Equal(t, "Contact__r", fields["Contact__c"]["relationshipName"])
	require.InDelta(t, 6, fields["Price__c"]["scale"], 0)

	for _, h := range []string{"If-Modified-Since: " + modified, "If-None-Match: " + tag} {
		status, body = u.call("GET", rows+"/describe", "", h)
		require.Equal(t, 304, status)
		require.Empty(t, body)
	}
	require.NoError(t, u.org.HideField(message, "Price__c", true))
	status, _ = u.call("GET", rows+"/describe", "", "If-Modified-Since: "+modified)
	require.Equal(t, 200, status, "the schema has changed")
	_, body = u.call("GET", data+"/sobjects", "")
	require.Equal(t, "UTF-8", parse(t, body)["encoding"])
	require.Len(t, parse(t, body)["sobjects"], 24)
	_, body = u.call("GET", data+"/limits/recordCount?sObjects=User,Nope", "")
	require.Equal(t, `{"sObjects":[{"count":1,"name":"User"}]}`, body)
}

func TestChangesOfAWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := login(t, salesforcetest.Options{})
		first := u.create("Contact", `{"LastName":"a"}`)
		time.Sleep(time.Hour)
		second := u.create("Contact", `{"LastName":"b"}`)
		third := u.create("Contact", `{"LastName":"c"}`)
		require.NoError(t, u.org.Delete("Contact", third))
		time.Sleep(time.Minute)
		window := "?start=" + url.QueryEscape(time.Now().Add(-30*time.Minute).UTC().Format("2006-01-02T15:04:05+00:00")) + "&end=" + url.QueryEscape(time.Now().UTC().Format(time.RFC3339))
		_, body := u.call("GET", data+"/sobjects/Contact/updated/"+window, "")
		require.Equal(t, []any{second}, parse(t, body)["ids"])
		_, body = u.call("GET", data+"/sobjects/Contact/deleted/"+window, "")
		require.Equal(t, third, parse(t, body)["deletedRecords"].([]any)[0].(map[string]any)["id"])
		status, body := u.call("GET", data+"/sobjects/Contact/updated", "")
		require.Equal(t, 400, status, body)
		require.NoError(t, u.org.Update("Contact", first, map[string]any{"Title": "x"}))
		_, body = u.query("SELECT CreatedDate, SystemModstamp FROM Contact WHERE Id = '" + first + "'")
		require.Contains(t, body, `"CreatedDate":"2000-01-01T00:00:00.000+0000","SystemModstamp":"2000-01-01T01:01:00.000+0000"`)
		require.Equal(t, []string{second}, u.found("SELECT Id FROM Contact WHERE CreatedDate > 2000-01-01T00:30:00Z", "Id"))
		require.Equal(t, []string{first}, u.found("SELECT Id FROM Contact WHERE SystemModstamp >= 2000-01-01T01:01:00Z", "Id"))
	})
}

func TestNothingIsSilentlyIgnored(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	id := u.create("Contact", `{"LastName":"a"}`)
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
		headers            []string
	}{
		{"GET", "/limits?x=1", "", 400, "ILLEGAL_QUERY_PARAMETER_VALUE", nil},
		{"GET", "/query?q=SELECT+Id+FROM+Contact&explain=1", "", 400, "ILLEGAL_QUERY_PARAMETER_VALUE", nil},
		{"PATCH", "/sobjects/Contact/" + id + "?updateonly=true", `{}`, 400, "ILLEGAL_QUERY_PARAMETER_VALUE", nil},
		{"GET", "/sobjects/Contact/" + id, `{}`, 400, "JSON_PARSER_ERROR", nil},
		{"PUT", "/sobjects/Contact/" + id, `{}`, 405, "METHOD_NOT_ALLOWED", nil},
		{"GET", "/jobs/transform", "", 404, "NOT_FOUND", nil},
		{"GET", "/sobjects/Nope/describe", "", 404, "NOT_FOUND", nil},
		{"GET", "/sobjects/Contact/abc", "", 404, "NOT_FOUND", nil},
		{"POST", "/sobjects/Contact", `{"LastName":"x"}`, 415, "UNSUPPORTED_MEDIA_TYPE", []string{"Content-Type: text/plain"}},
		{"GET", "/limits", "", 406, "NOT_ACCEPTABLE", []string{"Accept: application/xml"}},
		{"GET", "/limits", "", 400, "INVALID_HEADER", []string{"Sforce-Locale: de"}},
		{"GET", "/limits", "", 401, "INVALID_AUTH_HEADER", []string{"Authorization: Basic eDp5"}},
		{"GET", "/query?q=SELECT+Id+FROM+Contact", "", 400, "INVALID_QUERY_OPTIONS", []string{"Sforce-Query-Options: size=5"}},
	} {
		status, body := u.call(c.method, data+c.path, c.body, c.headers...)
		require.Equal(t, c.status, status, "%s %s: %s", c.method, c.path, body)
		require.Equal(t, c.code, faults(t, body)[0].ErrorCode)
	}
	status, _ := u.call("GET", data+"/limits", "", "Sforce-Call-Options: client=x", "Sforce-Mru: updateMru=false", "Authorization: OAuth "+u.token)
	require.Equal(t, 200, status)
	_, err := u.client.Get("http://elsewhere.example/")
	require.ErrorContains(t, err, "no such host")
}

func TestGzipBothWays(t *testing.T) {
	u := login(t, salesforcetest.Options{Gzip: true})
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := io.WriteString(z, `{"LastName":"`+strings.Repeat("x", 80)+`"}`)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	status, body := u.call("POST", data+"/sobjects/Contact", packed.String(), "Content-Encoding: gzip")
	require.Equal(t, 201, status, body)
	resp := u.do("GET", data+"/sobjects/Contact/003Hn0000000001?fields=Id", "", "Accept-Encoding: gzip")
	require.Equal(t, "gzip", resp.Header.Get("Content-Encoding"))
	r, err := gzip.NewReader(resp.Body)
	require.NoError(t, err)
	plain, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Contains(t, string(plain), "003Hn0000000001IAA")
	status, body = u.call("POST", data+"/sobjects/Contact", "no gzip", "Content-Encoding: gzip")
	require.Equal(t, http.StatusBadRequest, status, body)
}

func TestConditionalReadsAndWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := login(t, salesforcetest.Options{})
		id := u.create("Contact", `{"LastName":"a"}`)
		then := time.Now().UTC().Format(http.TimeFormat)
		status, _ := u.call("GET", data+"/sobjects/Contact/"+id, "", "If-Modified-Since: "+then)
		require.Equal(t, 304, status)
		time.Sleep(time.Minute)
		status, _ = u.call("PATCH", data+"/sobjects/Contact/"+id, `{"Title":"x"}`, "If-Unmodified-Since: "+then)
		require.Equal(t, 204, status)
		status, _ = u.call("PATCH", data+"/sobjects/Contact/"+id, `{"Title":"y"}`, "If-Unmodified-Since: "+then)
		require.Equal(t, 412, status)
	})
}

func TestPermissionSetsAndInactiveOwners(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	set, err := u.org.Insert("PermissionSet", map[string]any{"Name": "TwilioSF", "Label": "TwilioSF"})
	require.NoError(t, err)
	body := `{"AssigneeId":"005Hn0000000001IAA","PermissionSetId":"` + set + `"}`
	u.create("PermissionSetAssignment", body)
	status, answer := u.call("POST", data+"/sobjects/PermissionSetAssignment", body)
	require.Equal(t, 400, status)
	require.Equal(t, fault{
		"Duplicate PermissionSetAssignment.  Assignee: 005Hn0000000001; Permission Set: 0PSHn0000000001", "DUPLICATE_VALUE",
		[]string{"AssigneeId", "PermissionSetId"},
	}, faults(t, answer)[0])
	require.Len(t, u.found("SELECT Id FROM PermissionSetAssignment WHERE PermissionSet.Name = 'twiliosf'", "Id"), 1)

	gone, err := u.org.Insert("User", map[string]any{"Username": "x@example.com", "LastName": "x", "Email": "x@example.com", "Alias": "x", "IsActive": false})
	require.NoError(t, err)
	status, answer = u.call("POST", rows, `{"OwnerId":"`+gone+`"}`)
	require.Equal(t, 400, status)
	require.Equal(t, "INACTIVE_OWNER_OR_USER", faults(t, answer)[0].ErrorCode)
}

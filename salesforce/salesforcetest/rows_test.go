package salesforcetest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

func TestAMessageIsCreatedReadChangedAndDeleted(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	resp := u.do("POST", rows, `{"Message_SID__c":"`+sid(1)+`","Body__c":" Grüße 👋\nline two ","Num_Segments__c":2,"Date_Sent__c":"2024-09-10T10:00:00Z","Unread__c":true,"Status__c":"sent"}`)
	require.Equal(t, "/services/data/v64.0/sobjects/TwilioSF_Message__c/a00Hn0000000001IAA", resp.Header.Get("Location"))
	status, body := read(t, resp)
	require.Equal(t, 201, status)
	require.Equal(t, `{"id":"a00Hn0000000001IAA","success":true,"errors":[]}`, body)

	status, body = u.call("GET", rows+"/a00Hn0000000001?fields=Id,Name,Body__c,Num_Segments__c,Date_Sent__c,Unread__c,Contact__c,IsDeleted", "")
	require.Equal(t, 200, status, body)
	require.Equal(t, `{"attributes":{"type":"TwilioSF_Message__c","url":"/services/data/v64.0/sobjects/TwilioSF_Message__c/a00Hn0000000001IAA"},`+
		`"Id":"a00Hn0000000001IAA","Name":"MSG-00000001","Body__c":"Grüße 👋\nline two","Num_Segments__c":2.0,`+
		`"Date_Sent__c":"2024-09-10T10:00:00.000+0000","Unread__c":true,"Contact__c":null,"IsDeleted":false}`, body)

	status, body = u.call("PATCH", rows+"/a00Hn0000000001IAA", `{"Status__c":"delivered","Body__c":""}`)
	require.Equal(t, 204, status, body)
	require.Empty(t, body)
	row, found := u.org.Row(message, "a00Hn0000000001IAA")
	require.True(t, found)
	require.Equal(t, "delivered", row["Status__c"])
	require.Nil(t, row["Body__c"], "an empty text is null")
	require.Equal(t, sid(1), row["Message_SID__c"], "a field that is not sent stays")

	status, _ = u.call("DELETE", rows+"/a00Hn0000000001IAA", "")
	require.Equal(t, 204, status)
	status, body = u.call("DELETE", rows+"/a00Hn0000000001IAA", "")
	require.Equal(t, 404, status)
	require.Equal(t, fault{Message: "entity is deleted", ErrorCode: "ENTITY_IS_DELETED", Fields: []string{}}, faults(t, body)[0])
}

func TestWhatTheOrgRefusesInOneRow(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	u.create(message, `{"Message_SID__c":"SMtaken"}`)
	contact := u.create("Contact", `{"LastName":"Ada"}`)
	account := u.create("Account", `{"Name":"Acme"}`)
	for name, c := range map[string]struct {
		object, body, code, text string
		fields                   []string
	}{
		"unknown field":       {message, `{"Nope__c":"x"}`, "INVALID_FIELD", "No such column 'Nope__c' on sobject of type TwilioSF_Message__c", nil},
		"too long":            {message, `{"Price_Unit__c":"EURO"}`, "STRING_TOO_LONG", "Price Unit: data value too large: EURO (max length=3)", []string{"Price_Unit__c"}},
		"emoji count twice":   {message, `{"Price_Unit__c":"👋👋"}`, "STRING_TOO_LONG", "max length=3", []string{"Price_Unit__c"}},
		"required":            {"Contact", `{"FirstName":"Ada"}`, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", []string{"LastName"}},
		"key taken":           {message, `{"Message_SID__c":"smTAKEN"}`, "DUPLICATE_VALUE", "duplicate value found: Message_SID__c duplicates value on record with id: a00Hn0000000001", []string{}},
		"number too large":    {message, `{"Num_Segments__c":10000}`, "NUMBER_OUTSIDE_VALID_RANGE", "Segments: value outside of valid range on numeric field: 10000", []string{"Num_Segments__c"}},
		"text for a time":     {message, `{"Date_Sent__c":"yesterday"}`, "JSON_PARSER_ERROR", "Cannot deserialize instance of datetime from VALUE_STRING value yesterday or request may be missing a required field at [line:1, column:17]", nil},
		"number for a text":   {message, `{"Body__c":5}`, "JSON_PARSER_ERROR", "Cannot deserialize instance of string from VALUE_NUMBER_INT value 5", nil},
		"object for a text":   {message, `{"Body__c":{}}`, "JSON_PARSER_ERROR", "START_OBJECT", nil},
		"broken JSON":         {message, `{"Body__c":`, "JSON_PARSER_ERROR", "Unexpected end-of-input", nil},
		"field given twice":   {message, `{"Body__c":"a","body__C":"b"}`, "JSON_PARSER_ERROR", "Duplicate field 'body__C'", nil},
		"malformed reference": {message, `{"Contact__c":"xyz"}`, "MALFORMED_ID", "Contact: id value of incorrect type: xyz", []string{"Contact__c"}},
		"other type's id":     {message, `{"Contact__c":"` + account + `"}`, "FIELD_INTEGRITY_EXCEPTION", "id value of incorrect type", []string{"Contact__c"}},
		"nobody's id":         {message, `{"Contact__c":"` + contact[:14] + `9"}`, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []string{}},
		"wrong checksum":      {message, `{"Contact__c":"` + contact[:15] + `ZZZ"}`, "MALFORMED_ID", "id value of incorrect type", []string{"Contact__c"}},
		"system field":        {message, `{"CreatedDate":"2024-09-10T10:00:00Z"}`, "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: CreatedDate. Please check the security settings", []string{"CreatedDate"}},
		"automatic number":    {message, `{"Name":"MSG-1"}`, "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: Name.", []string{"Name"}},
		"id in a create":      {message, `{"Id":"` + contact + `"}`, "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", []string{"Id"}},
		"unknown parent key":  {message, `{"Contact__r":{"Email":"x@example.com"}}`, "INVALID_FIELD", "Foreign key external ID: x@example.com not found for field Email in entity Contact", []string{}},
		"parent by no key":    {message, `{"Contact__r":{"Title":"x"}}`, "INVALID_FIELD", "not an external id", nil},
		"NUL":                 {message, `{"Body__c":"a\u0000b"}`, "FIELD_INTEGRITY_EXCEPTION", "U+0000", []string{"Body__c"}},
		"bad e-mail":          {"Contact", `{"LastName":"x","Email":"nobody"}`, "INVALID_EMAIL_ADDRESS", "Email: invalid email address: nobody", []string{"Email"}},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := u.call("POST", data+"/sobjects/"+c.object, c.body)
			require.Equal(t, 400, status, body)
			got := faults(t, body)
			require.Len(t, got, 1)
			require.Equal(t, c.code, got[0].ErrorCode, body)
			require.Contains(t, got[0].Message, c.text)
			require.Equal(t, c.fields, got[0].Fields)
		})
	}
	require.Equal(t, 1, u.org.Count(message), "nothing refused was stored")
}

func TestRestrictedPicklistsAndOpenOnes(t *testing.T) {
	u := login(t, salesforcetest.Options{Schema: miniOrg(t)})
	status, body := u.call("POST", data+"/sobjects/Thing__c", `{"Name":"a","Color__c":"Pink"}`)
	require.Equal(t, 400, status)
	require.Equal(t, fault{"Colour: bad value for restricted picklist field: Pink", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", []string{"Color__c"}}, faults(t, body)[0])
	u.create("Thing__c", `{"Name":"a","Color__c":"Red"}`)

	u = login(t, salesforcetest.Options{})
	id := u.create(message, `{"Status__c":"a status of tomorrow"}`)
	row, _ := u.org.Row(message, id)
	require.Equal(t, "a status of tomorrow", row["Status__c"])
}

func TestUpsertByExternalID(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	key := rows + "/Message_SID__c/" + sid(7)
	status, body := u.call("PATCH", key, `{"Body__c":"one"}`)
	require.Equal(t, 201, status, body)
	require.Equal(t, `{"id":"a00Hn0000000001IAA","success":true,"errors":[],"created":true}`, body)
	status, body = u.call("PATCH", rows+"/Message_SID__c/"+strings.ToLower(sid(7)), `{"Body__c":"two"}`)
	require.Equal(t, 200, status, body)
	require.Equal(t, `{"id":"a00Hn0000000001IAA","success":true,"errors":[],"created":false}`, body)
	require.Equal(t, 1, u.org.Count(message), "the key ignores case")
	require.Equal(t, 2, u.org.Writes(message, "a00Hn0000000001IAA"))

	status, body = u.call("POST", key+"?_HttpMethod=PATCH", `{"Body__c":"three"}`)
	require.Equal(t, 200, status, body)
	status, body = u.call("PATCH", rows+"/Message_SID__c/"+sid(8)+"?updateOnly=true", `{"Body__c":"x"}`)
	require.Equal(t, 404, status, body)
	status, body = u.call("PATCH", key, `{"Message_SID__c":"`+sid(7)+`"}`)
	require.Equal(t, 400, status)
	require.Equal(t, "The Message_SID__c field should not be specified in the sobject data.", faults(t, body)[0].Message)
	status, body = u.call("PATCH", rows+"/Body__c/x", `{}`)
	require.Equal(t, 404, status)
	require.Equal(t, "Provided external ID field does not exist or is not accessible: Body__c", faults(t, body)[0].Message)

	old := strings.Replace(key, "v64.0", "v45.0", 1)
	status, body = u.call("PATCH", old, `{"Body__c":"four"}`)
	require.Equal(t, 204, status)
	require.Empty(t, body)
	status, body = u.call("PATCH", strings.Replace(old, sid(7), sid(9), 1), `{"Body__c":"five"}`)
	require.Equal(t, 201, status)
	require.NotContains(t, body, "created")
}

func TestAKeyThatSeveralRecordsShareIsThreeHundred(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	for range 2 {
		u.create(message, `{"Their_Number__c":"+14155550100"}`)
	}
	status, body := u.call("PATCH", rows+"/Their_Number__c/%2B14155550100", `{"Body__c":"x"}`)
	require.Equal(t, 300, status)
	require.Equal(t, `["/services/data/v64.0/sobjects/TwilioSF_Message__c/a00Hn0000000001IAA","/services/data/v64.0/sobjects/TwilioSF_Message__c/a00Hn0000000002IAA"]`, body)
	require.NoError(t, u.org.Delete(message, "a00Hn0000000001IAA"))
	status, _ = u.call("PATCH", rows+"/Their_Number__c/%2B14155550100", `{"Body__c":"x"}`)
	require.Equal(t, 200, status, "one is left")
}

func TestLookupsFollowTheirParents(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	contact := u.create("Contact", `{"LastName":"Ada","Email":"ada@example.com"}`)
	id := u.create(message, `{"Contact__r":{"Email":"ADA@example.com"}}`)
	row, _ := u.org.Row(message, id)
	require.Equal(t, contact, row["Contact__c"])
	require.NoError(t, u.org.Delete("Contact", contact))
	row, _ = u.org.Row(message, id)
	require.Nil(t, row["Contact__c"], "the look-up is emptied")
	status, body := u.call("PATCH", rows+"/"+id, `{"Contact__c":"`+contact+`"}`)
	require.Equal(t, 400, status)
	require.Equal(t, "ENTITY_IS_DELETED", faults(t, body)[0].ErrorCode)

	campaign := u.create("Campaign", `{"Name":"Spring"}`)
	member := u.create("CampaignMember", `{"CampaignId":"`+campaign+`","LeadId":"`+u.create("Lead", `{"LastName":"Ada","Company":"Acme"}`)+`"}`)
	require.NoError(t, u.org.Delete("Campaign", campaign))
	_, alive := u.org.Row("CampaignMember", member)
	require.False(t, alive, "a detail goes with its master")
}

package salesforcetest_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

// refusedWith makes a request that must be refused, and tells how.
func (u *user) refusedWith(method, path, body string) fault {
	u.t.Helper()
	status, answer := u.call(method, path, body)
	require.GreaterOrEqual(u.t, status, 400, answer)
	return faults(u.t, answer)[0]
}

func TestAPersonAccountIsAnAccountAndAContact(t *testing.T) {
	u := login(t, salesforcetest.Options{PersonAccounts: true, Schema: miniOrg(t)})
	account := u.create("Account", `{"LastName":"Lovelace","FirstName":"Ada","Phone":"+14155550100","PersonMobilePhone":"+14155550101","PersonHomePhone":"+14155550102","PersonOtherPhone":"+14155550103","PersonAssistantPhone":"+14155550104"}`)
	row, _ := u.org.Row("Account", account)
	require.Equal(t, true, row["IsPersonAccount"])
	require.Equal(t, "Ada Lovelace", row["Name"])
	contact := row["PersonContactId"].(string)
	twin, _ := u.org.Row("Contact", contact)
	require.Equal(t, true, twin["IsPersonAccount"])
	require.Equal(t, account, twin["AccountId"])
	require.Equal(t, "Ada Lovelace", twin["Name"])
	for field, want := range map[string]string{
		"Phone": "+14155550100", "MobilePhone": "+14155550101", "HomePhone": "+14155550102", "OtherPhone": "+14155550103", "AssistantPhone": "+14155550104",
	} {
		require.Equal(t, want, twin[field], field)
	}

	status, body := u.call("PATCH", data+"/sobjects/Account/"+account, `{"PersonMobilePhone":"+14155550199","LastName":"King"}`)
	require.Equal(t, 204, status, body)
	twin, _ = u.org.Row("Contact", contact)
	require.Equal(t, "+14155550199", twin["MobilePhone"])
	require.Equal(t, "Ada King", twin["Name"])
	require.Equal(t, []string{"+14155550199"}, u.found("SELECT PersonMobilePhone FROM Account WHERE PersonContact.MobilePhone = '+14155550199'", "PersonMobilePhone"))

	contacts := data + "/sobjects/Contact/" + contact
	require.Equal(t, []string{"MobilePhone"}, u.refusedWith("PATCH", contacts, `{"MobilePhone":"+14155550100"}`).Fields)
	status, body = u.call("PATCH", contacts, `{"Nick_Name__c":"Countess"}`)
	require.Equal(t, 204, status, body)
	require.Equal(t, []string{"Countess"}, u.found("SELECT Nick_Name__pc FROM Account WHERE IsPersonAccount = true", "Nick_Name__pc"))
	require.Equal(t, "DELETE_FAILED", u.refusedWith("DELETE", contacts, "").ErrorCode)

	accounts := data + "/sobjects/Account"
	require.Equal(t, []string{"Name"}, u.refusedWith("PATCH", accounts+"/"+account, `{"Name":"X"}`).Fields)
	require.Equal(t, "REQUIRED_FIELD_MISSING", u.refusedWith("PATCH", accounts+"/"+account, `{"LastName":null}`).ErrorCode)
	require.Equal(t, []string{"PersonMobilePhone"}, u.refusedWith("POST", accounts, `{"Name":"Acme","PersonMobilePhone":"+14155550100"}`).Fields)
	require.Equal(t, "INVALID_EMAIL_ADDRESS", u.refusedWith("POST", accounts, `{"LastName":"Half","PersonEmail":"nobody"}`).ErrorCode)
	u.create("Account", `{"Name":"Acme","Phone":"+14155550100"}`)
	require.Equal(t, 2, u.org.Count("Account"))
	require.Equal(t, 1, u.org.Count("Contact"))

	status, _ = u.call("DELETE", accounts+"/"+account, "")
	require.Equal(t, 204, status)
	require.Zero(t, u.org.Count("Contact"), "the twin goes with its account")
}

func TestAPersonWhoseContactIsRefusedIsNotMadeAtAll(t *testing.T) {
	tree := miniOrg(t).(fstest.MapFS)
	tree["objects/Contact/fields/Must__c.field-meta.xml"] = &fstest.MapFile{Data: []byte(xmlHead +
		`<CustomField><fullName>Must__c</fullName><label>Must</label><type>Text</type><length>9</length><required>true</required></CustomField>`)}
	u := login(t, salesforcetest.Options{PersonAccounts: true, Schema: tree})
	require.Equal(t, []string{"Must__c"}, u.refusedWith("POST", data+"/sobjects/Account", `{"LastName":"Ada"}`).Fields)
	require.Zero(t, u.org.Count("Account"))
}

func TestWithoutPersonAccountsTheirFieldsDoNotExist(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	for _, soql := range []string{"SELECT IsPersonAccount FROM Account", "SELECT PersonMobilePhone FROM Account", "SELECT IsPersonAccount FROM Contact"} {
		status, body := u.query(soql)
		require.Equal(t, 400, status)
		require.Equal(t, "INVALID_FIELD", faults(t, body)[0].ErrorCode)
	}
}

func TestACasesContactPhonesAreTheContacts(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	contact := u.create("Contact", `{"LastName":"Ada","Phone":"+14155550100","MobilePhone":"+14155550101"}`)
	id := u.create("Case", `{"ContactId":"`+contact+`","SuppliedPhone":"415 555 0102"}`)
	require.Equal(t, []string{"+14155550101"}, u.found("SELECT ContactMobile FROM Case WHERE ContactPhone = '+14155550100' AND SuppliedPhone != null", "ContactMobile"))
	f := u.refusedWith("PATCH", data+"/sobjects/Case/"+id, `{"ContactPhone":"+14155550109"}`)
	require.Equal(t, "INVALID_FIELD_FOR_INSERT_UPDATE", f.ErrorCode)
}

func TestAPersonIsAMemberOfACampaignOnce(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	campaign := u.create("Campaign", `{"Name":"Spring"}`)
	contact, lead := u.create("Contact", `{"LastName":"Ada"}`), u.create("Lead", `{"LastName":"Ada","Company":"Acme"}`)
	members := data + "/sobjects/CampaignMember"
	body := func(more string) string { return `{"CampaignId":"` + campaign + `"` + more + `}` }
	id := u.create("CampaignMember", body(`,"ContactId":"`+contact+`"`))
	u.create("CampaignMember", body(`,"LeadId":"`+lead+`","Status":"Responded"`))
	f := u.refusedWith("POST", members, body(`,"ContactId":"`+contact+`"`))
	require.Equal(t, "DUPLICATE_VALUE", f.ErrorCode)
	require.Equal(t, "DUPLICATE_VALUE", u.refusedWith("POST", members, body(`,"LeadId":"`+lead+`"`)).ErrorCode)
	require.Equal(t, "FIELD_INTEGRITY_EXCEPTION", u.refusedWith("POST", members, body("")).ErrorCode)
	require.Equal(t, "INVALID_FIELD_FOR_INSERT_UPDATE", u.refusedWith("PATCH", members+"/"+id, `{"LeadId":"`+lead+`"}`).ErrorCode)
	status, answer := u.call("PATCH", members+"/"+id, `{"Status":"Responded"}`)
	require.Equal(t, 204, status, answer)
	require.Len(t, u.found("SELECT Id FROM CampaignMember WHERE HasResponded = true", "Id"), 2)
	require.NoError(t, u.org.Delete("Contact", contact))
	require.Equal(t, 1, u.org.Count("CampaignMember"))
}

func TestAFileIsAVersionADocumentAndLinks(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	record := u.create(message, `{"Message_SID__c":"`+sid(1)+`"}`)
	bytes := "\x00\xff picture \x01"
	file := func(more string) string {
		return fmt.Sprintf(`{"PathOnClient":"ME1.jpg","VersionData":%q%s}`, base64.StdEncoding.EncodeToString([]byte(bytes)), more)
	}
	version := u.create("ContentVersion", file(`,"FirstPublishLocationId":"`+record+`"`))
	row, _ := u.org.Row("ContentVersion", version)
	require.Equal(t, "ME1", row["Title"])
	require.InDelta(t, len(bytes), row["ContentSize"], 0)
	doc := row["ContentDocumentId"].(string)
	require.Equal(t, []string{doc}, u.found("SELECT ContentDocumentId FROM ContentVersion WHERE Id = '"+version+"'", "ContentDocumentId"))
	require.Equal(t, []string{doc}, u.found("SELECT ContentDocumentId FROM ContentDocumentLink WHERE LinkedEntityId = '"+record+"'", "ContentDocumentId"))
	_, answer := u.query("SELECT Id FROM ContentDocumentLink")
	require.Contains(t, answer, "Implementation restriction: ContentDocumentLink requires a filter")
	require.Equal(t, []string{data + "/sobjects/ContentVersion/" + version + "/VersionData"}, u.found("SELECT VersionData FROM ContentVersion", "VersionData"))
	status, answer := u.call("GET", data+"/sobjects/ContentVersion/"+version+"/VersionData", "")
	require.Equal(t, 200, status)
	require.Equal(t, bytes, answer)

	next := u.create("ContentVersion", file(`,"ContentDocumentId":"`+doc+`","Title":"second"`))
	row, _ = u.org.Row("ContentVersion", version)
	require.Equal(t, false, row["IsLatest"])
	row, _ = u.org.Row("ContentDocument", doc)
	require.Equal(t, next, row["LatestPublishedVersionId"])
	require.Equal(t, "second", row["Title"])

	versions := data + "/sobjects/ContentVersion"
	require.Equal(t, "JSON_PARSER_ERROR", u.refusedWith("POST", versions, `{"PathOnClient":"a.jpg","VersionData":"no base64!"}`).ErrorCode)
	require.Equal(t, "REQUIRED_FIELD_MISSING", u.refusedWith("POST", versions, `{"PathOnClient":"a.jpg"}`).ErrorCode)
	require.Equal(t, "INVALID_FIELD_FOR_INSERT_UPDATE", u.refusedWith("PATCH", versions+"/"+version, `{"VersionData":"AAAA"}`).ErrorCode)
	require.Equal(t, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", u.refusedWith("POST", data+"/sobjects/ContentDocument", `{"Title":"x"}`).ErrorCode)
	link := `{"ContentDocumentId":"` + doc + `","LinkedEntityId":"` + record + `"}`
	require.Equal(t, "DUPLICATE_VALUE", u.refusedWith("POST", data+"/sobjects/ContentDocumentLink", link).ErrorCode)

	status, _ = u.call("DELETE", data+"/sobjects/"+message+"/"+record, "")
	require.Equal(t, 204, status)
	require.Empty(t, u.found("SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '"+record+"'", "Id"), "the link goes with its record")
	require.Equal(t, 1, u.org.Count("ContentDocument"), "the file stays")
	status, _ = u.call("DELETE", data+"/sobjects/ContentDocument/"+doc, "")
	require.Equal(t, 204, status)
	require.Zero(t, u.org.Count("ContentVersion"))
}

func TestOwnersMustBeActiveAndLookupsMustLead(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	gone, err := u.org.Insert("User", map[string]any{"Username": "x@example.com", "LastName": "Gone", "Email": "x@example.com", "Alias": "x", "IsActive": false})
	require.NoError(t, err)
	contact := u.create("Contact", `{"LastName":"Ada"}`)
	require.NoError(t, u.org.Delete("Contact", contact))
	_, body := u.call("POST", many, recordsOf(message, false,
		`"OwnerId":"`+gone+`"`, `"Contact__c":"003Hn0000009999"`, `"Contact__c":"`+contact+`"`, `"Contact__c":"nonsense"`, ""))
	var codes []string
	for _, r := range results(t, body) {
		code := "ok"
		if !r.Success {
			code = r.Errors[0].StatusCode
		}
		codes = append(codes, code)
	}
	require.Equal(t, []string{"INACTIVE_OWNER_OR_USER", "INVALID_CROSS_REFERENCE_KEY", "ENTITY_IS_DELETED", "MALFORMED_ID", "ok"}, codes)
}

func TestADetailNamesItsMasterByExternalIdAndMayMove(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	u.call("PATCH", upsert, records(`"Message_SID__c":"`+sid(1)+`"`, `"Message_SID__c":"`+sid(2)+`"`))
	media := many + "/TwilioSF_Media__c/Media_SID__c"
	row := func(n, parent int) string {
		return fmt.Sprintf(`"Media_SID__c":"ME%032x","Message__r":{"Message_SID__c":%q}`, n, strings.ToLower(sid(parent)))
	}
	_, body := u.call("PATCH", media, recordsOf("TwilioSF_Media__c", false, row(1, 1), row(2, 3), row(3, 2)))
	got := results(t, body)
	require.True(t, got[0].Success && got[2].Success, body)
	require.Equal(t, "INVALID_FIELD", got[1].Errors[0].StatusCode)
	require.Contains(t, got[1].Errors[0].Message, "Foreign key external ID: "+strings.ToLower(sid(3))+" not found for field Message_SID__c in entity "+message)

	_, body = u.call("PATCH", media, recordsOf("TwilioSF_Media__c", false, row(1, 2)))
	require.True(t, results(t, body)[0].Success, body)
	require.NoError(t, u.org.Delete(message, u.org.ByKey(message, "Message_SID__c", sid(1))[0]["Id"].(string)))
	require.Equal(t, 2, u.org.Count("TwilioSF_Media__c"))
	require.NoError(t, u.org.Delete(message, u.org.ByKey(message, "Message_SID__c", sid(2))[0]["Id"].(string)))
	require.Zero(t, u.org.Count("TwilioSF_Media__c"), "details go with their master")
}

func TestAMasterThatCannotBeChangedIsRefusedOnUpdate(t *testing.T) {
	u := login(t, salesforcetest.Options{Schema: miniOrg(t)})
	thing := u.create("Thing__c", `{"Key__c":"a"}`)
	part := u.create("Part__c", `{"Thing__c":"`+thing+`"}`)
	f := u.refusedWith("PATCH", data+"/sobjects/Part__c/"+part, `{"Thing__c":"`+thing+`"}`)
	require.Equal(t, "INVALID_FIELD_FOR_INSERT_UPDATE", f.ErrorCode)
}

func TestManyRowsAreLoadedAtOnce(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	list := make([]map[string]any, 5000)
	for i := range list {
		list[i] = map[string]any{"LastName": fmt.Sprint("p", i), "MobilePhone": fmt.Sprintf("+1415555%04d", i)}
	}
	ids, err := u.org.Load("Contact", list)
	require.NoError(t, err)
	row, _ := u.org.Row("Contact", ids[4999])
	require.Equal(t, "+14155554999", row["MobilePhone"])
	_, err = u.org.Load("Contact", []map[string]any{{"LastName": "a"}, {"FirstName": "b"}})
	require.ErrorContains(t, err, "row 1")
	require.Equal(t, 5001, u.org.Count("Contact"))
}

package records_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

// Stand-in until deploy/salesforce ships these objects and fields.
var standIn = map[string]string{
	"TwilioSF_Media__c/TwilioSF_Media__c.object-meta.xml":       `<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata"><deploymentStatus>Deployed</deploymentStatus><label>Twilio Media</label><nameField><displayFormat>MED-{00000000}</displayFormat><label>Number</label><type>AutoNumber</type></nameField><pluralLabel>Twilio Media</pluralLabel><sharingModel>ControlledByParent</sharingModel></CustomObject>`,
	"TwilioSF_Media__c/fields/Media_SID__c.field-meta.xml":      customField(`<fullName>Media_SID__c</fullName><externalId>true</externalId><label>Media SID</label><length>34</length><type>Text</type><unique>true</unique>`),
	"TwilioSF_Media__c/fields/Message__c.field-meta.xml":        customField(`<fullName>Message__c</fullName><label>Message</label><referenceTo>TwilioSF_Message__c</referenceTo><relationshipName>Media</relationshipName><reparentableMasterDetail>true</reparentableMasterDetail><type>MasterDetail</type>`),
	"TwilioSF_Media__c/fields/Content_Type__c.field-meta.xml":   customField(`<fullName>Content_Type__c</fullName><label>Type</label><length>100</length><type>Text</type>`),
	"TwilioSF_Media__c/fields/Url__c.field-meta.xml":            customField(`<fullName>Url__c</fullName><label>URL</label><type>Url</type>`),
	"TwilioSF_Media__c/fields/File_Id__c.field-meta.xml":        customField(`<fullName>File_Id__c</fullName><label>File</label><length>18</length><type>Text</type>`),
	"Contact/fields/Last_Message_Status__c.field-meta.xml":      customField(`<fullName>Last_Message_Status__c</fullName><label>Last Message Status</label><length>40</length><type>Text</type>`),
	"Contact/fields/Last_Message_Status_Date__c.field-meta.xml": customField(`<fullName>Last_Message_Status_Date__c</fullName><label>Last Message Status Date</label><type>DateTime</type>`),
	"Lead/fields/Last_Message_Status__c.field-meta.xml":         customField(`<fullName>Last_Message_Status__c</fullName><label>Last Message Status</label><length>40</length><type>Text</type>`),
	"Lead/fields/Last_Message_Status_Date__c.field-meta.xml":    customField(`<fullName>Last_Message_Status_Date__c</fullName><label>Last Message Status Date</label><type>DateTime</type>`),
}

func customField(inner string) string {
	return `<CustomField xmlns="http://soap.sforce.com/2006/04/metadata">` + inner + `</CustomField>`
}

// withFollowUps is the schema that follow-ups need.
func withFollowUps(t *testing.T, change ...func(string) string) fs.FS {
	t.Helper()
	all := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(metadata.FS, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(metadata.FS, p)
		all[p] = &fstest.MapFile{Data: raw}
		return err
	}))
	for p, text := range standIn {
		p = "force-app/main/default/objects/" + p
		if all[p] == nil {
			all[p] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	for _, f := range all {
		for _, c := range change {
			f.Data = []byte(c(string(f.Data)))
		}
	}
	return all
}

// orgWithFollowUps is an emulated org that has what follow-ups write, and a client of it.
func orgWithFollowUps(t *testing.T, change ...func(string) string) (*salesforcetest.Server, *salesforce.Org) {
	t.Helper()
	server := salesforcetest.NewServer(salesforcetest.Options{Schema: withFollowUps(t, change...)})
	t.Cleanup(server.Close)
	org, err := salesforce.New(salesforce.Options{
		LoginURL: server.URL, HTTP: server.Client().Transport,
		Auth: salesforce.ClientCredentials{ClientID: salesforcetest.DefaultConsumerKey, ClientSecret: salesforcetest.DefaultConsumerSecret},
	})
	require.NoError(t, err)
	return server, org
}

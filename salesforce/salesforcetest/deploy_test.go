package salesforcetest_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime/multipart"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

const (
	deploying = data + "/metadata/deployRequest"
	head      = `<?xml version="1.0" encoding="UTF-8"?>`
	spaced    = ` xmlns="http://soap.sforce.com/2006/04/metadata">`
)

// emptyOrg is an org without our objects, and a session in it.
func emptyOrg(t testing.TB, opts salesforcetest.Options) *user {
	t.Helper()
	org := salesforcetest.NewServer(opts)
	t.Cleanup(org.Close)
	u := &user{t: t, org: org, client: org.Client()}
	u.relogin()
	return u
}

func bundle(t testing.TB) []byte {
	t.Helper()
	data, err := metadata.Bundle()
	require.NoError(t, err)
	return data
}

// zipped is a zip of some files.
func zipped(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.Create(name)
		require.NoError(t, err)
		_, err = f.Write([]byte(files[name]))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// manifest lists components, each "Type Name".
func manifest(components ...string) string {
	text := head + `<Package` + spaced
	for _, c := range components {
		typ, name, _ := strings.Cut(c, " ")
		text += "<types><members>" + name + "</members><name>" + typ + "</name></types>"
	}
	return text + "<version>64.0</version></Package>"
}

const plainOptions = `"rollbackOnError":true,"singlePackage":true`

// deploy asks for a deployment and answers what the org says.
func (u *user) deploy(options string, file []byte) (int, string) {
	u.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part := func(disposition, kind string, data []byte) {
		p, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {disposition}, "Content-Type": {kind}})
		require.NoError(u.t, err)
		_, err = p.Write(data)
		require.NoError(u.t, err)
	}
	part(`form-data; name="json"`, "application/json", []byte(`{"deployOptions":{`+options+`}}`))
	part(`form-data; name="file"; filename="deploy.zip"`, "application/zip", file)
	require.NoError(u.t, w.Close())
	return u.call("POST", deploying, body.String(), "Content-Type: "+w.FormDataContentType())
}

func (u *user) begin(options string, file []byte) (path string) {
	u.t.Helper()
	status, body := u.deploy(options, file)
	require.Equal(u.t, 201, status, body)
	id, _ := parse(u.t, body)["id"].(string)
	require.Regexp(u.t, "^0Af[A-Za-z0-9]{15}$", id)
	return deploying + "/" + id
}

type deployed struct {
	Status                           string
	Done, Success, CheckOnly         bool
	NumberComponentsDeployed         int
	NumberComponentsTotal            int
	NumberComponentErrors            int
	Details                          struct{ ComponentFailures, ComponentSuccesses []deployedPart }
	ErrorMessage                     *string
	CanceledBy                       *string
	CreatedDate, CompletedDate       *string
	RunTestsEnabled, RollbackOnError bool
}

type deployedPart struct {
	ComponentType, FullName, FileName, Problem, ProblemType string
	LineNumber                                              int
	Created, Changed, Success                               bool
}

func (u *user) progress(path string) deployed {
	u.t.Helper()
	status, body := u.call("GET", path+"?includeDetails=true", "")
	require.Equal(u.t, 200, status, body)
	var answer struct{ DeployResult deployed }
	require.NoError(u.t, json.Unmarshal([]byte(body), &answer))
	return answer.DeployResult
}

// assign gives the integration user a permission set.
func (u *user) assign(name string) (int, string) {
	u.t.Helper()
	found := u.found("SELECT Id FROM PermissionSet WHERE Name = '"+name+"'", "Id")
	require.Len(u.t, found, 1)
	me := u.found("SELECT Id FROM User", "Id")
	return u.call("POST", data+"/sobjects/PermissionSetAssignment", fmt.Sprintf(`{"AssigneeId":%q,"PermissionSetId":%q}`, me[0], found[0]))
}

func TestAnEmptyOrgTakesOurBundleAndOpensItByThePermissionSetAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := emptyOrg(t, salesforcetest.Options{DeployDelay: 40 * time.Second})
		all, err := metadata.Components()
		require.NoError(t, err)
		path := u.begin(plainOptions, bundle(t))
		require.Equal(t, "Pending", u.progress(path).Status)
		time.Sleep(25 * time.Second)
		p := u.progress(path)
		require.Equal(t, "InProgress", p.Status)
		require.Equal(t, len(all), p.NumberComponentsTotal)
		require.Equal(t, len(all)/2, p.NumberComponentsDeployed)
		require.False(t, p.Done)
		time.Sleep(15 * time.Second)
		p = u.progress(path)
		require.Equal(t, "Succeeded", p.Status, p.Details.ComponentFailures)
		require.Len(t, p.Details.ComponentSuccesses, len(all))
		for _, one := range p.Details.ComponentSuccesses {
			require.True(t, one.Created, one.FullName)
		}

		status, _ := u.call("GET", rows+"/describe", "")
		require.Equal(t, 404, status, "nobody has access yet")
		status, body := u.query("SELECT Last_Message_Status__c FROM Contact")
		require.Equal(t, 400, status)
		require.Contains(t, body, "No such column")
		status, body = u.assign(metadata.IntegrationSet)
		require.Equal(t, 201, status, body)
		status, body = u.call("GET", rows+"/describe", "")
		require.Equal(t, 200, status)
		require.Contains(t, body, `"name":"Message_SID__c"`)
		require.Empty(t, u.found("SELECT Id, Body__c, Contact__r.Name FROM TwilioSF_Message__c", "Id"))
		u.found("SELECT Last_Message_Status__c FROM Contact", "Id")
		status, body = u.call("PATCH", upsert, `{"records":[{"attributes":{"type":"TwilioSF_Message__c"},"Message_SID__c":"SM1","Body__c":"hi"}]}`)
		require.Equal(t, 200, status)
		require.Contains(t, body, `"success":true`)
		status, body = u.assign(metadata.IntegrationSet)
		require.Equal(t, 400, status)
		require.Contains(t, body, "Duplicate PermissionSetAssignment.  Assignee: 005")

		require.NoError(t, u.org.HideField(message, "Body__c", true))
		status, _ = u.query("SELECT Body__c FROM TwilioSF_Message__c")
		require.Equal(t, 400, status, "what an administrator takes away no set gives")
		require.NoError(t, u.org.HideField(message, "Body__c", false))
		u.found("SELECT Body__c FROM TwilioSF_Message__c", "Body__c")

		given := u.found("SELECT Id FROM PermissionSetAssignment", "Id")
		status, _ = u.call("DELETE", data+"/sobjects/PermissionSetAssignment/"+given[0], "")
		require.Equal(t, 204, status)
		status, _ = u.query("SELECT Body__c FROM TwilioSF_Message__c")
		require.Equal(t, 400, status, "without the set it is closed again")
	})
}

func TestAnOrgWithOurObjectsTakesTheBundleAgainAndKeepsItsRecords(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	id, err := u.org.Insert(message, map[string]any{"Message_SID__c": "SM1", "Body__c": "hi"})
	require.NoError(t, err)
	for _, changed := range []bool{true, false} {
		p := u.progress(u.begin(plainOptions, bundle(t)))
		require.Equal(t, "Succeeded", p.Status, p.Details.ComponentFailures)
		for _, one := range p.Details.ComponentSuccesses {
			require.False(t, one.Created, one.FullName)
			require.Equal(t, changed, one.Changed, one.FullName)
		}
		require.Equal(t, id, u.found("SELECT Id FROM TwilioSF_Message__c WHERE Message_SID__c = 'SM1'", "Id")[0], "full access, as it was")
	}
	require.Equal(t, 2, u.org.Deployments())
}

func TestACheckChangesNothing(t *testing.T) {
	u := emptyOrg(t, salesforcetest.Options{})
	p := u.progress(u.begin(plainOptions+`,"checkOnly":true`, bundle(t)))
	require.Equal(t, "Succeeded", p.Status)
	require.True(t, p.CheckOnly)
	require.Empty(t, u.found("SELECT Id FROM PermissionSet", "Id"))
	require.Empty(t, u.definitions(message))
}

// definitions are an object's fields, hidden ones as well.
func (u *user) definitions(object string) []any {
	u.t.Helper()
	status, body := u.call("GET", data+"/tooling/query?q=SELECT+QualifiedApiName+FROM+FieldDefinition+WHERE+EntityDefinition.QualifiedApiName+=+'"+object+"'", "")
	require.Equal(u.t, 200, status, body)
	list, _ := parse(u.t, body)["records"].([]any)
	return list
}

func TestDeploymentsComeOneAfterTheOtherAndCanBeCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := emptyOrg(t, salesforcetest.Options{DeployDelay: time.Minute})
		first, second := u.begin(plainOptions, bundle(t)), u.begin(plainOptions, bundle(t))
		time.Sleep(50 * time.Second)
		require.Equal(t, "InProgress", u.progress(first).Status)
		require.Equal(t, "Pending", u.progress(second).Status)
		status, body := u.call("PATCH", second, `{"deployResult":{"status":"Canceling"}}`)
		require.Equal(t, 202, status, body)
		require.Equal(t, "Canceled", u.progress(second).Status)
		status, _ = u.call("PATCH", first, `{"deployResult":{"status":"Canceling"}}`)
		require.Equal(t, 202, status)
		time.Sleep(time.Hour)
		require.Equal(t, "Canceled", u.progress(first).Status)
		require.Empty(t, u.definitions(message), "what is canceled changes nothing")
		third := u.begin(plainOptions, bundle(t))
		time.Sleep(time.Minute)
		require.Equal(t, "Succeeded", u.progress(third).Status)
		status, body = u.call("PATCH", third, `{"deployResult":{"status":"Canceling"}}`)
		require.Equal(t, 400, status, body)
		require.NotEmpty(t, u.definitions(message))
	})
}

// thing is a package with one object and one field on it, a piece of which can be
// replaced.
func thing(t testing.TB, old, fresh string, extra ...string) []byte {
	t.Helper()
	object := head + `<CustomObject` + spaced + "\n" + `<deploymentStatus>Deployed</deploymentStatus>
<fields><fullName>Note__c</fullName><label>Note</label><length>40</length><type>Text</type></fields>
<fields><fullName>Of__c</fullName><label>Of</label><referenceTo>Contact</referenceTo><relationshipName>Things</relationshipName><type>Lookup</type></fields>
<fields><fullName>Must__c</fullName><label>Must</label><length>9</length><required>true</required><type>Text</type></fields>
<label>Thing</label><nameField><displayFormat>T-{0000}</displayFormat><label>No</label><type>AutoNumber</type></nameField>
<pluralLabel>Things</pluralLabel><sharingModel>ReadWrite</sharingModel></CustomObject>`
	set := head + `<PermissionSet` + spaced + `<fieldPermissions><editable>true</editable><field>Thing__c.Note__c</field><readable>true</readable></fieldPermissions>
<label>Things</label><objectPermissions><allowCreate>true</allowCreate><allowDelete>false</allowDelete><allowEdit>true</allowEdit><allowRead>true</allowRead>
<modifyAllRecords>false</modifyAllRecords><object>Thing__c</object><viewAllRecords>false</viewAllRecords></objectPermissions></PermissionSet>`
	files := map[string]string{
		"package.xml":             manifest("CustomObject Thing__c", "PermissionSet Things"),
		"objects/Thing__c.object": object, "permissionsets/Things.permissionset": set,
	}
	if old != "" {
		found := 0
		for name, text := range files {
			found += strings.Count(text, old)
			files[name] = strings.Replace(text, old, fresh, 1)
		}
		require.NotZero(t, found, old)
	}
	for i := 0; i+1 < len(extra); i += 2 {
		files[extra[i]] = extra[i+1]
	}
	return zipped(t, files)
}

func TestAComponentThatIsWrongIsNamedAndNothingChanges(t *testing.T) {
	for name, c := range map[string]struct {
		zip  []byte
		file string
		says string
	}{
		"an element that the type does not have": {
			thing(t, "<length>40</length>", "<size>40</size>"), "objects/Thing__c.object",
			"Element {http://soap.sforce.com/2006/04/metadata}size invalid at this location in type CustomField",
		},
		"an element twice": {thing(t, "<length>40</length>", "<length>40</length><length>41</length>"), "objects/Thing__c.object", "length is duplicated"},
		"a type of field that there is not": {
			thing(t, "<type>Lookup</type>", "<type>Lookdown</type>"), "objects/Thing__c.object", "'Lookdown' is not a valid value for the enum 'FieldType'",
		},
		"a lookup to nowhere": {thing(t, "Contact</referenceTo>", "Nobody__c</referenceTo>"), "objects/Thing__c.object", "'Nobody__c' does not resolve to a valid sObject type"},
		"no truth value":      {thing(t, "<allowCreate>true", "<allowCreate>yes"), "permissionsets/Things.permissionset", "'yes' is not a valid value for the type xsd:boolean"},
		"a permission on a field that is not there": {
			thing(t, "Thing__c.Note__c", "Thing__c.Gone__c"), "permissionsets/Things.permissionset", "no CustomField named Thing__c.Gone__c found",
		},
		"a permission on a required field": {
			thing(t, "Thing__c.Note__c", "Thing__c.Must__c"), "permissionsets/Things.permissionset", "You cannot deploy to a required field: Thing__c.Must__c",
		},
		"an object without a label": {thing(t, "<label>Thing</label>", ""), "objects/Thing__c.object", "non-empty label"},
		"a text without a length":   {thing(t, "<length>40</length>", ""), "objects/Thing__c.object", "needs a length"},
		"broken XML":                {thing(t, "</CustomObject>", ""), "objects/Thing__c.object", "Error parsing file"},
		"a file that nobody listed": {thing(t, "", "", "tabs/Thing__c.tab", head+`<CustomTab`+spaced+`<customObject>true</customObject></CustomTab>`), "tabs/Thing__c.tab", "Not in package.xml"},
		"a file of an unknown kind": {thing(t, "", "", "classes/A.cls", "class A {}"), "classes/A.cls", "no metadata that this emulated org knows"},
		"something that is not there": {
			thing(t, "", "", "package.xml", manifest("CustomObject Thing__c", "PermissionSet Things", "CustomTab Thing__c")), "package.xml",
			"An object 'Thing__c' of type CustomTab was named in package.xml, but was not found in zipped directory",
		},
		"no package.xml":  {zipped(t, map[string]string{"objects/Contact.object": head + `<CustomObject` + spaced + `</CustomObject>`}), "package.xml", "No package.xml found"},
		"an unknown type": {thing(t, "", "", "package.xml", manifest("CustomObject Thing__c", "PermissionSet Things", "Nonsense X")), "package.xml", "Unknown type name 'Nonsense'"},
		"a field of an object that is nowhere": {
			thing(t, "", "", "package.xml", manifest("CustomField Thing__c.Note__c", "CustomField Thing__c.Of__c", "CustomField Thing__c.Must__c", "PermissionSet Things")),
			"objects/Thing__c.object", "Must specify a non-empty label for the CustomObject",
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := emptyOrg(t, salesforcetest.Options{})
			p := u.progress(u.begin(plainOptions, c.zip))
			require.Equal(t, "Failed", p.Status)
			require.Equal(t, len(p.Details.ComponentFailures), p.NumberComponentErrors)
			at := slices.IndexFunc(p.Details.ComponentFailures, func(f deployedPart) bool { return strings.Contains(f.Problem, c.says) })
			require.GreaterOrEqual(t, at, 0, "%+v", p.Details.ComponentFailures)
			require.Equal(t, c.file, p.Details.ComponentFailures[at].FileName)
			require.Equal(t, "Error", p.Details.ComponentFailures[at].ProblemType)
			require.Empty(t, u.definitions("Thing__c"))
			require.Empty(t, u.found("SELECT Id FROM PermissionSet", "Id"))
		})
	}
	u := emptyOrg(t, salesforcetest.Options{})
	require.Equal(t, "Succeeded", u.progress(u.begin(plainOptions, thing(t, "", ""))).Status, "the package itself is right")
}

func TestARequestThatIsNoDeploymentIsRefusedAtOnce(t *testing.T) {
	u := emptyOrg(t, salesforcetest.Options{})
	good := thing(t, "", "")
	for name, c := range map[string]struct {
		options string
		zip     []byte
		says    string
	}{
		"no zip":                    {plainOptions, []byte("PK?"), "no zip file"},
		"an option nobody knows":    {plainOptions + `,"dryRun":true`, good, "dryRun"},
		"half a deployment":         {`"rollbackOnError":false,"singlePackage":true`, good, "rollbackOnError must be true"},
		"half a deployment, unsaid": {`"singlePackage":true`, good, "rollbackOnError must be true"},
		"purging":                   {plainOptions + `,"purgeOnDelete":true`, good, "purgeOnDelete must be false"},
		"a deletion":                {plainOptions, thing(t, "", "", "destructiveChanges.xml", manifest("CustomObject Old__c")), "Nothing is ever deleted"},
	} {
		status, body := u.deploy(c.options, c.zip)
		require.Equal(t, 400, status, name)
		require.Contains(t, body, c.says, name)
	}
	status, _ := u.call("POST", deploying, `{"deployOptions":{}}`)
	require.Equal(t, 415, status)
	status, _ = u.call("GET", deploying+"/0Af000000000009AAA", "")
	require.Equal(t, 404, status)
	require.Zero(t, u.org.Deployments())
}

func TestDeployingTakesAPermission(t *testing.T) {
	u := emptyOrg(t, salesforcetest.Options{NoModifyMetadata: true, NoViewSetup: true})
	status, body := u.deploy(plainOptions, bundle(t))
	require.Equal(t, 403, status)
	require.Contains(t, body, `INSUFFICIENT_ACCESS`)
	require.Contains(t, body, "ModifyMetadata")
	status, body = u.call("GET", data+"/tooling/query?q=SELECT+QualifiedApiName+FROM+FieldDefinition+WHERE+EntityDefinition.QualifiedApiName+=+'Contact'", "")
	require.Equal(t, 400, status)
	require.Contains(t, body, "INVALID_TYPE")
}

func TestAFieldThatIsThereChangesWithoutLosingAnything(t *testing.T) {
	u := emptyOrg(t, salesforcetest.Options{})
	first := u.progress(u.begin(plainOptions, thing(t, "", "")))
	require.Equal(t, "Succeeded", first.Status, first.Details.ComponentFailures)
	for _, note := range []string{"same", "same"} {
		_, err := u.org.Insert("Thing__c", map[string]any{"Note__c": note, "Must__c": "x"})
		require.NoError(t, err)
	}
	for name, c := range map[string]struct{ fresh, says string }{
		"shorter":      {"<length>39</length>", "shorter"},
		"unique":       {"<length>40</length><unique>true</unique>", "duplicate value found"},
		"another type": {"<length>500</length><visibleLines>3</visibleLines>", "Cannot change the type"},
	} {
		pack := thing(t, "<length>40</length>", c.fresh)
		if name == "another type" {
			pack = thing(t, "<length>40</length><type>Text</type>", c.fresh+"<type>LongTextArea</type>")
		}
		p := u.progress(u.begin(plainOptions, pack))
		require.Equal(t, "Failed", p.Status, name)
		require.Contains(t, p.Details.ComponentFailures[0].Problem, c.says, name)
	}
	p := u.progress(u.begin(plainOptions, thing(t, "<length>40</length>", "<length>50</length><externalId>true</externalId>")))
	require.Equal(t, "Succeeded", p.Status, p.Details.ComponentFailures)
	p = u.progress(u.begin(plainOptions, thing(t, "<sharingModel>", "<fields><defaultValue>true</defaultValue><fullName>On__c</fullName><label>On</label><type>Checkbox</type></fields><sharingModel>")))
	require.Equal(t, "Failed", p.Status, "the length of 40 is now too short")
	status, body := u.assign("Things")
	require.Equal(t, 201, status, body)
	require.Len(t, u.found("SELECT Note__c FROM Thing__c WHERE Note__c = 'same'", "Note__c"), 2, "found by the new index")
	_, err := u.org.Insert("Thing__c", map[string]any{"Note__c": strings.Repeat("n", 50), "Must__c": "x"})
	require.NoError(t, err)
}

func TestACheckboxThatIsAddedIsNeverEmpty(t *testing.T) {
	u := emptyOrg(t, salesforcetest.Options{})
	u.progress(u.begin(plainOptions, thing(t, "", "")))
	_, err := u.org.Insert("Thing__c", map[string]any{"Must__c": "x"})
	require.NoError(t, err)
	box := "<fields><defaultValue>true</defaultValue><fullName>On__c</fullName><label>On</label><type>Checkbox</type></fields><sharingModel>"
	p := u.progress(u.begin(plainOptions, thing(t, "<sharingModel>", box)))
	require.Equal(t, "Succeeded", p.Status, p.Details.ComponentFailures)
	u.assign("Things")
	status, _ := u.query("SELECT On__c FROM Thing__c")
	require.Equal(t, 400, status, "the set does not name it")
	u.progress(u.begin(plainOptions, thing(t, "Thing__c.Note__c", "Thing__c.On__c", "package.xml", manifest("CustomObject Thing__c", "PermissionSet Things"))))
	require.Equal(t, []string{"true"}, u.found("SELECT On__c FROM Thing__c", "On__c"))
}

func TestTheEmulatedOrgKnowsTheTypesThatTheMetadataIsCheckedBy(t *testing.T) {
	ours, err := os.ReadFile("metadata_types.txt")
	require.NoError(t, err)
	theirs, err := os.ReadFile("../../deploy/salesforce/testdata/types.txt")
	require.NoError(t, err)
	require.Equal(t, string(theirs), string(ours), "copy the file that interop/types.mjs makes")
}

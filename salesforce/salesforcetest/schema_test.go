package salesforcetest_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

const xmlHead = `<?xml version="1.0" encoding="UTF-8"?>`

// miniOrg is a schema of one object with a restricted picklist, a case-sensitive
// key and a master-detail.
func miniOrg(t testing.TB) fs.FS {
	t.Helper()
	object := func(name, sharing string) string {
		return xmlHead + `<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata"><label>` + name + `</label><pluralLabel>` + name +
			`s</pluralLabel><nameField><label>Name</label><type>Text</type></nameField><sharingModel>` + sharing + `</sharingModel></CustomObject>`
	}
	field := func(inside string) string {
		return xmlHead + `<CustomField xmlns="http://soap.sforce.com/2006/04/metadata">` + inside + `</CustomField>`
	}
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	return fstest.MapFS{
		"objects/Thing__c/Thing__c.object-meta.xml":          file(object("Thing", "ReadWrite")),
		"objects/Thing__c/fields/Color__c.field-meta.xml":    file(field(`<fullName>Color__c</fullName><label>Colour</label><type>Picklist</type><valueSet><restricted>true</restricted><valueSetDefinition><value><fullName>Red</fullName><default>false</default></value></valueSetDefinition></valueSet>`)),
		"objects/Thing__c/fields/Key__c.field-meta.xml":      file(field(`<fullName>Key__c</fullName><label>Key</label><type>Text</type><length>20</length><externalId>true</externalId><unique>true</unique><caseSensitive>true</caseSensitive>`)),
		"objects/Part__c/Part__c.object-meta.xml":            file(object("Part", "ControlledByParent")),
		"objects/Part__c/fields/Thing__c.field-meta.xml":     file(field(`<fullName>Thing__c</fullName><label>Thing</label><type>MasterDetail</type><referenceTo>Thing__c</referenceTo><relationshipName>Parts</relationshipName>`)),
		"objects/Contact/fields/Nick_Name__c.field-meta.xml": file(field(`<fullName>Nick_Name__c</fullName><label>Nick</label><type>Text</type><length>10</length>`)),
		"objects/Contact/fields/Texts__c.field-meta.xml":     file(field(`<fullName>Texts__c</fullName><label>Texts</label><type>Number</type><precision>9</precision><scale>0</scale><defaultValue>3</defaultValue>`)),
	}
}

func TestASchemaThatCannotBeReadNamesTheFile(t *testing.T) {
	broken := func(path, text string) fs.FS {
		base := miniOrg(t).(fstest.MapFS)
		base[path] = &fstest.MapFile{Data: []byte(text)}
		return base
	}
	const field = "objects/Thing__c/fields/X__c.field-meta.xml"
	for name, c := range map[string]struct {
		tree fs.FS
		want string
	}{
		"no objects":         {fstest.MapFS{}, "no objects folder"},
		"no XML":             {broken(field, "<CustomField>"), field},
		"other name":         {broken(field, `<CustomField><fullName>Y__c</fullName><label>Y</label><type>Date</type></CustomField>`), "holds the field Y__c"},
		"unknown type":       {broken(field, `<CustomField><fullName>X__c</fullName><label>X</label><type>Location</type></CustomField>`), `field type "Location" is not supported`},
		"no length":          {broken(field, `<CustomField><fullName>X__c</fullName><label>X</label><type>Text</type></CustomField>`), "needs a length"},
		"lost parent":        {broken(field, `<CustomField><fullName>X__c</fullName><label>X</label><type>Lookup</type><referenceTo>Gone__c</referenceTo></CustomField>`), "refers to Gone__c, which does not exist"},
		"formula":            {broken(field, `<CustomField><fullName>X__c</fullName><label>X</label><type>Text</type><formula>1</formula></CustomField>`), "formula fields are not supported"},
		"text default":       {broken(field, `<CustomField><fullName>X__c</fullName><label>X</label><type>Text</type><length>9</length><defaultValue>1</defaultValue></CustomField>`), `default value "1"`},
		"formula as default": {broken(field, `<CustomField><fullName>X__c</fullName><label>X</label><type>Number</type><precision>9</precision><defaultValue>1 + 1</defaultValue></CustomField>`), `default value "1 + 1"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := salesforcetest.New(salesforcetest.Options{Schema: c.tree})
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestCustomFieldsOnStandardObjectsAndCaseSensitiveKeys(t *testing.T) {
	u := login(t, salesforcetest.Options{Schema: miniOrg(t)})
	id := u.create("Contact", `{"LastName":"Ada","FirstName":"Augusta","Nick_Name__c":"A"}`)
	row, _ := u.org.Row("Contact", id)
	require.Equal(t, "A", row["Nick_Name__c"])
	require.Equal(t, "Augusta Ada", row["Name"])
	require.InDelta(t, 3.0, row["Texts__c"], 0)
	id = u.create("Contact", `{"LastName":"Ada","Texts__c":null}`)
	row, _ = u.org.Row("Contact", id)
	require.Nil(t, row["Texts__c"], "what is given counts, if it is nothing")

	u.create("Thing__c", `{"Key__c":"abc"}`)
	u.create("Thing__c", `{"Key__c":"ABC"}`)
	require.Len(t, u.found(`SELECT Id FROM Thing__c WHERE Key__c = 'ABC'`, "Id"), 1)
	status, body := u.call("POST", data+"/sobjects/Part__c", `{}`)
	require.Equal(t, 400, status)
	require.Equal(t, "Required fields are missing: [Thing__c]", faults(t, body)[0].Message)
}

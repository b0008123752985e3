package metadata_test

import (
	"archive/zip"
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
)

func TestAPartHoldsWhatIsWantedAndNothingElse(t *testing.T) {
	wanted := []metadata.Component{
		{Type: "CustomField", Name: "Contact.Last_Message_Status__c"}, {Type: "CustomField", Name: "TwilioSF_Message__c.Body__c"},
		{Type: "PermissionSet", Name: metadata.IntegrationSet},
	}
	data, err := metadata.Part(func(c metadata.Component) bool { return slices.Contains(wanted, c) })
	require.NoError(t, err)
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	files := map[string]string{}
	for _, f := range r.File {
		in, err := f.Open()
		require.NoError(t, err)
		text, err := io.ReadAll(in)
		require.NoError(t, err)
		files[f.Name] = string(text)
	}
	require.Len(t, files, 4)
	require.Contains(t, files, "permissionsets/"+metadata.IntegrationSet+".permissionset")
	object := files["objects/TwilioSF_Message__c.object"]
	require.Equal(t, 1, strings.Count(object, "<fields>"))
	require.Contains(t, object, "<fullName>Body__c</fullName>")
	require.NotContains(t, object, "<pluralLabel>", "the object's own settings stay as they are in the org")
	require.NotContains(t, object, "<listViews>")
	require.Equal(t, 3, strings.Count(files["package.xml"], "<members>"))
}

func TestTheObjectsAreThoseOfTheBundle(t *testing.T) {
	all, err := metadata.Components()
	require.NoError(t, err)
	objects, err := metadata.Objects()
	require.NoError(t, err)
	access, err := metadata.IntegrationAccess()
	require.NoError(t, err)
	fields, ours := 0, 0
	for _, o := range objects {
		require.True(t, access.Objects[o.Name].Read, o.Name)
		require.Equal(t, o.Ours, slices.Contains(all, metadata.Component{Type: "CustomObject", Name: o.Name}))
		if o.Ours {
			ours++
		}
		for _, f := range o.Fields {
			fields++
			require.Contains(t, all, metadata.Component{Type: "CustomField", Name: o.Name + "." + f.Name})
			_, given := access.Fields[o.Name+"."+f.Name]
			// Whoever sees the object sees its required fields and what ties it to its master.
			require.Equal(t, !f.Required && f.Type != "MasterDetail", given, "%s.%s", o.Name, f.Name)
		}
	}
	require.Equal(t, 8, ours)
	require.Len(t, slices.DeleteFunc(all, func(c metadata.Component) bool { return c.Type != "CustomField" }), fields)
	at := slices.IndexFunc(objects, func(o metadata.Object) bool { return o.Name == "TwilioSF_Message__c" })
	find := func(name string) metadata.Field {
		i := slices.IndexFunc(objects[at].Fields, func(f metadata.Field) bool { return f.Name == name })
		require.GreaterOrEqual(t, i, 0, name)
		return objects[at].Fields[i]
	}
	require.Equal(t, metadata.Field{Name: "Message_SID__c", Type: "Text", Length: 34, ExternalID: true, Unique: true}, find("Message_SID__c"))
	require.Contains(t, find("Status__c").Values, "Send")
	require.Equal(t, "Contact", find("Contact__c").ReferenceTo)
	require.Equal(t, "A__c", metadata.Component{Type: "Layout", Name: "A__c-B Layout"}.Object())
	require.Empty(t, metadata.Component{Type: "Report", Name: "TwilioSF/X"}.Object())
}

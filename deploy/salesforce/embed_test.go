package metadata_test

import (
	"encoding/json"
	"encoding/xml"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
)

const objects = "force-app/main/default/objects"

func TestTheProjectFileNamesTheSourceFolder(t *testing.T) {
	data, err := fs.ReadFile(metadata.FS, "sfdx-project.json")
	require.NoError(t, err)
	var project struct {
		PackageDirectories []struct{ Path string }
		SourceAPIVersion   string `json:"sourceApiVersion"`
	}
	require.NoError(t, json.Unmarshal(data, &project))
	require.Equal(t, "64.0", project.SourceAPIVersion)
	_, err = fs.Stat(metadata.FS, project.PackageDirectories[0].Path)
	require.NoError(t, err)
}

// caseMatters are the keys that tell a and A apart: ours, of our own making.
var caseMatters = map[string]bool{"TwilioSF_Bulk_Message__c.Request_Key__c": true}

// TestFieldsKeepTheirLimits holds the lengths that a deploy checks: 40 characters
// for names and labels, 510 for help, 1,000 for descriptions.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customfield.htm
func TestFieldsKeepTheirLimits(t *testing.T) {
	seen, lists := 0, map[string]bool{}
	require.NoError(t, fs.WalkDir(metadata.FS, objects, func(file string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		if d.IsDir() || !strings.HasSuffix(file, ".field-meta.xml") {
			return nil
		}
		seen++
		data, err := fs.ReadFile(metadata.FS, file)
		require.NoError(t, err)
		var f struct {
			XMLName     xml.Name `xml:"http://soap.sforce.com/2006/04/metadata CustomField"`
			FullName    string   `xml:"fullName"`
			Label       string   `xml:"label"`
			Description string   `xml:"description"`
			Help        string   `xml:"inlineHelpText"`
			Type        string   `xml:"type"`
			Deletion    string   `xml:"deleteConstraint"`
			ExternalID  bool     `xml:"externalId"`
			Unique      bool     `xml:"unique"`
			CaseMatters bool     `xml:"caseSensitive"`
			Moves       bool     `xml:"reparentableMasterDetail"`
			Parent      string   `xml:"referenceTo"`
			Children    string   `xml:"relationshipName"`
		}
		require.NoError(t, xml.Unmarshal(data, &f), file)
		require.Equal(t, f.FullName+".field-meta.xml", path.Base(file))
		require.LessOrEqual(t, len(f.FullName), 40+len("__c"), file)
		for _, c := range []struct {
			text  string
			limit int
		}{{f.Label, 40}, {f.Help, 510}, {f.Description, 1000}} {
			require.NotEmpty(t, c.text, file)
			require.LessOrEqual(t, len(c.text), c.limit, file)
		}
		switch f.Type {
		case "Lookup":
			require.Equal(t, "SetNull", f.Deletion, "%s: a parent must stay deletable, and unlocked when children come", file)
		case "MasterDetail":
			require.True(t, f.Moves, "%s: an upsert that names the master of a record that is there would be refused", file)
		}
		if f.Children != "" {
			list := f.Parent + "." + f.Children
			require.NotContains(t, lists, list, "%s: a list of children has one name on its parent", file)
			lists[list] = true
		}
		if f.Unique {
			require.True(t, f.ExternalID, "%s: a key is what records are upserted by", file)
			require.Equal(t, caseMatters[path.Base(path.Dir(path.Dir(file)))+"."+f.FullName], f.CaseMatters, "%s: a key is the same in either case", file)
		}
		return nil
	}))
	require.Equal(t, 97, seen)
}

// TestObjectsKeepTheirLimits holds what a deploy checks of an object, and who
// sees its records: a detail is its master's.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customobject.htm
func TestObjectsKeepTheirLimits(t *testing.T) {
	files, err := fs.Glob(metadata.FS, objects+"/*/*.object-meta.xml")
	require.NoError(t, err)
	for _, file := range files {
		data, err := fs.ReadFile(metadata.FS, file)
		require.NoError(t, err)
		var o struct {
			XMLName     xml.Name `xml:"http://soap.sforce.com/2006/04/metadata CustomObject"`
			Label       string   `xml:"label"`
			Plural      string   `xml:"pluralLabel"`
			Description string   `xml:"description"`
			Name        string   `xml:"nameField>label"`
			Sharing     string   `xml:"sharingModel"`
			External    string   `xml:"externalSharingModel"`
		}
		require.NoError(t, xml.Unmarshal(data, &o), file)
		name := path.Base(path.Dir(file))
		require.Equal(t, name+".object-meta.xml", path.Base(file))
		require.True(t, strings.HasPrefix(name, "TwilioSF_") && strings.HasSuffix(name, "__c"), name)
		for text, limit := range map[string]int{o.Label: 40, o.Plural: 40, o.Name: 40, o.Description: 1000} {
			require.NotEmpty(t, text, file)
			require.LessOrEqual(t, len(text), limit, file)
		}
		if name == "TwilioSF_Media__c" {
			require.Equal(t, "ControlledByParent", o.Sharing)
			require.Equal(t, "ControlledByParent", o.External)
		} else {
			require.Equal(t, "Private", o.External, "%s: nobody outside sees it", file)
		}
	}
	require.Len(t, files, 8)
}

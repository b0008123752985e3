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

// TestFieldsKeepTheirLimits holds the lengths that a deploy checks: 40 characters
// for names and labels, 510 for help, 1,000 for descriptions.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customfield.htm
func TestFieldsKeepTheirLimits(t *testing.T) {
	seen := 0
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
		if f.Type == "Lookup" {
			require.Equal(t, "SetNull", f.Deletion, "%s: a parent must stay deletable, and unlocked when children come", file)
		}
		return nil
	}))
	require.Equal(t, 36, seen)
}

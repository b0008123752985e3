package metadata_test

import (
	"encoding/xml"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
)

// TestFlowsThatAreCopiedFitTheObjects holds docs/flows.md against what is deployed:
// an element that is pasted into a Flow must deploy, and its Status must send.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_visual_workflow.htm
func TestFlowsThatAreCopiedFitTheObjects(t *testing.T) {
	page, err := os.ReadFile("../../docs/flows.md")
	require.NoError(t, err)
	sections := strings.Split(string(page), "\n## ")[1:]
	require.Len(t, sections, 2)
	for _, section := range sections {
		_, code, found := strings.Cut(section, "```xml\n")
		require.True(t, found)
		code, _, found = strings.Cut(code, "```")
		require.True(t, found)
		var element struct {
			XMLName xml.Name `xml:"recordCreates"`
			Name    string   `xml:"name"`
			Object  string   `xml:"object"`
			Inputs  []struct {
				Field string `xml:"field"`
				Text  string `xml:"value>stringValue"`
			} `xml:"inputAssignments"`
		}
		require.NoError(t, xml.Unmarshal([]byte(code), &element))
		require.Regexp(t, `^[A-Za-z]\w*$`, element.Name)
		require.Contains(t, section, "(`"+element.Object+"`)")
		given := map[string]string{}
		for _, input := range element.Inputs {
			given[input.Field] = input.Text
		}
		require.Equal(t, "Send", given["Status__c"])
		values, err := fs.ReadFile(metadata.FS, objects+"/"+element.Object+"/fields/Status__c.field-meta.xml")
		require.NoError(t, err)
		require.Contains(t, string(values), "<fullName>Send</fullName>")
		for _, name := range regexp.MustCompile(`\w+__c`).FindAllString(section, -1) {
			if strings.HasPrefix(name, "TwilioSF_") {
				continue
			}
			_, err := fs.Stat(metadata.FS, objects+"/"+element.Object+"/fields/"+name+".field-meta.xml")
			require.NoError(t, err)
		}
	}
}

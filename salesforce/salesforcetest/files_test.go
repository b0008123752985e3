package salesforcetest_test

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

func TestAFileIsADocumentLinkedToItsFirstLocation(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	at := u.create(message, `{"Message_SID__c":"`+sid(1)+`"}`)
	picture := base64.StdEncoding.EncodeToString([]byte("picture"))
	version := u.create("ContentVersion", `{"Title":"ME1","PathOnClient":"ME1.png","FirstPublishLocationId":"`+at+`","VersionData":"`+picture+`"}`)
	u.create("ContentVersion", `{"Title":"other","PathOnClient":"other","VersionData":"`+picture+`"}`)
	row, found := u.org.Row("ContentVersion", version)
	require.True(t, found)
	require.Equal(t, "png", row["FileExtension"])
	require.EqualValues(t, 7, row["ContentSize"])
	link := `SELECT ContentDocumentId, ContentDocument.Title FROM ContentDocumentLink WHERE LinkedEntityId IN ('` + at + `')`
	require.Equal(t, []string{row["ContentDocumentId"].(string)}, u.found(link, "ContentDocumentId"))
	require.Equal(t, 2, u.org.Count("ContentDocument"))

	status, body := u.query(`SELECT Id FROM ContentDocumentLink`)
	require.Equal(t, 400, status, body)
	require.Contains(t, body, "Implementation restriction")
	require.NoError(t, u.org.Delete(message, at))
	require.Empty(t, u.found(link, "ContentDocumentId"))
	require.Equal(t, 2, u.org.Count("ContentVersion"), "the file outlives what it was linked to")
}

func TestAFileThatCannotBeRead(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	for name, body := range map[string]string{
		"no base64": `{"Title":"x","PathOnClient":"x","VersionData":"%%%"}`,
		"no data":   `{"Title":"x","PathOnClient":"x"}`,
		"no place":  `{"Title":"x","PathOnClient":"x","VersionData":"eA==","FirstPublishLocationId":"a00000000000001"}`,
	} {
		status, answer := u.call("POST", data+"/sobjects/ContentVersion", body)
		require.Equal(t, 400, status, "%s: %s", name, answer)
	}
	require.Zero(t, u.org.Count("ContentVersion"))
	require.Zero(t, u.org.Count("ContentDocument"))
}

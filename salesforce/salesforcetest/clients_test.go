package salesforcetest_test

import (
	"encoding/xml"
	"io"
	"log"
	"strings"
	"testing"

	"github.com/simpleforce/simpleforce"
	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

// quiet keeps simpleforce, which logs user names and bodies, out of the output.
func quiet(t *testing.T) {
	t.Helper()
	was := log.Writer()
	log.SetOutput(io.Discard)
	t.Cleanup(func() { log.SetOutput(was) })
}

func TestSimpleforceLogsInQueriesAndWrites(t *testing.T) {
	quiet(t)
	u := login(t, salesforcetest.Options{})
	for i := range 2100 {
		_, err := u.org.Insert(message, map[string]any{"Message_SID__c": sid(i)})
		require.NoError(t, err)
	}
	c := simpleforce.NewClient(u.org.URL, simpleforce.DefaultClientID, "64.0")
	c.SetHttpClient(u.org.Client())
	require.NoError(t, c.LoginPassword(salesforcetest.DefaultUsername, salesforcetest.DefaultPassword, salesforcetest.DefaultSecurityToken))
	require.Equal(t, u.org.URL, c.GetLoc())

	found, err := c.Query("SELECT Id, Message_SID__c FROM " + message + " ORDER BY Message_SID__c")
	require.NoError(t, err)
	require.Equal(t, 2100, found.TotalSize)
	require.False(t, found.Done)
	require.Equal(t, sid(0), found.Records[0].StringField("Message_SID__c"))
	rest, err := c.Query(found.NextRecordsURL)
	require.NoError(t, err)
	require.True(t, rest.Done)
	require.Len(t, rest.Records, 100)

	answer, err := c.ApexREST("PATCH", strings.TrimPrefix(upsert, "/"), strings.NewReader(records(`"Message_SID__c":"`+sid(1)+`","Body__c":"hi"`)))
	require.NoError(t, err)
	require.True(t, results(t, string(answer))[0].Success)
	contact := c.SObject("Contact").Set("LastName", "Ada").Create()
	require.NotNil(t, contact)
	require.Equal(t, "Ada", contact.Get().StringField("LastName"))
	require.NotNil(t, contact.Set("LastName", "Eve"))
	require.NotNil(t, c.SObject("Contact").Describe())
	require.NoError(t, contact.Delete())
	_, err = c.Query("SELECT Nope FROM Contact")
	require.ErrorContains(t, err, "INVALID_FIELD")
}

func TestWhenSOAPLoginIsRefused(t *testing.T) {
	quiet(t)
	const user, password, token = salesforcetest.DefaultUsername, salesforcetest.DefaultPassword, salesforcetest.DefaultSecurityToken
	for name, c := range map[string]struct {
		opts                  salesforcetest.Options
		version               string
		user, password, token string
		want                  string // "" for success
	}{
		"good":            {version: "64.0", user: user, password: password, token: token},
		"any case":        {version: "31.0", user: strings.ToUpper(user), password: password, token: token},
		"trusted address": {opts: salesforcetest.Options{TrustedIP: true}, version: "64.0", user: user, password: password},
		"wrong password":  {version: "64.0", user: user, password: "x", token: token, want: "INVALID_LOGIN: Invalid username, password, security token; or user locked out."},
		"no token":        {version: "64.0", user: user, password: password, want: "INVALID_LOGIN"},
		"switched off":    {opts: salesforcetest.Options{DisableSOAPLogin: true}, version: "64.0", user: user, password: password, token: token, want: "INVALID_OPERATION: SOAP API login() is disabled by default in this org."},
		"version 65":      {version: "65.0", user: user, password: password, token: token, want: "No operation available for request"},
		"version 30":      {version: "30.0", user: user, password: password, token: token, want: "UNSUPPORTED_API_VERSION"},
	} {
		t.Run(name, func(t *testing.T) {
			u := visit(t, c.opts)
			client := simpleforce.NewClient(u.org.URL, "x", c.version)
			client.SetHttpClient(u.org.Client())
			err := client.LoginPassword(c.user, c.password, c.token)
			if c.want == "" {
				require.NoError(t, err)
				require.NotEmpty(t, client.GetSid())
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestSOAPLogoutEndsTheSession(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	logout := `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:p="urn:partner.soap.sforce.com"><e:Header><p:SessionHeader><p:sessionId>` +
		u.token + `</p:sessionId></p:SessionHeader></e:Header><e:Body><p:logout/></e:Body></e:Envelope>`
	status, body := u.call("POST", "/services/Soap/u/64.0", logout, "Content-Type: text/xml", `SOAPAction: ""`)
	require.Equal(t, 200, status, body)
	require.NoError(t, xml.Unmarshal([]byte(body), new(struct{ XMLName xml.Name })))
	status, _ = u.call("GET", data+"/limits", "")
	require.Equal(t, 401, status)
	status, body = u.call("POST", "/services/Soap/u/64.0", logout, "Content-Type: text/xml", `SOAPAction: ""`)
	require.Equal(t, 500, status)
	require.Contains(t, body, "<faultcode>sf:INVALID_SESSION_ID</faultcode>")
}

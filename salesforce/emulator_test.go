package salesforce_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// noteSchema is one object Note__c with a unique external id and a text.
func noteSchema() fstest.MapFS {
	const dir = "objects/Note__c/"
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	return fstest.MapFS{
		dir + "Note__c.object-meta.xml": file(`<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata"><label>Note</label><pluralLabel>Notes</pluralLabel>` +
			`<nameField><type>AutoNumber</type><label>No</label><displayFormat>N-{0000}</displayFormat></nameField><sharingModel>ReadWrite</sharingModel></CustomObject>`),
		dir + "fields/Key__c.field-meta.xml": file(`<CustomField xmlns="http://soap.sforce.com/2006/04/metadata"><fullName>Key__c</fullName><label>Key</label>` +
			`<type>Text</type><length>34</length><externalId>true</externalId><unique>true</unique><caseSensitive>false</caseSensitive></CustomField>`),
		dir + "fields/Text__c.field-meta.xml": file(`<CustomField xmlns="http://soap.sforce.com/2006/04/metadata"><fullName>Text__c</fullName><label>The Text</label>` +
			`<type>Text</type><length>40</length></CustomField>`),
		dir + "fields/Long__c.field-meta.xml": file(`<CustomField xmlns="http://soap.sforce.com/2006/04/metadata"><fullName>Long__c</fullName><label>The Long Text</label>` +
			`<type>LongTextArea</type><length>131072</length><visibleLines>3</visibleLines></CustomField>`),
	}
}

func newEmulator(change ...func(*salesforcetest.Options)) *salesforcetest.Server {
	o := salesforcetest.Options{Schema: noteSchema()}
	for _, c := range change {
		c(&o)
	}
	return salesforcetest.NewServer(o)
}

// grants are the three ways to log in to an emulated org.
func grants(s *salesforcetest.Server) map[string]salesforce.Grant {
	return map[string]salesforce.Grant{
		"jwt": salesforce.JWT{ClientID: salesforcetest.DefaultConsumerKey, Username: salesforcetest.DefaultUsername, PrivateKey: s.PrivateKeyPEM()},
		"client_credentials": salesforce.ClientCredentials{
			ClientID: salesforcetest.DefaultConsumerKey, ClientSecret: salesforcetest.DefaultConsumerSecret,
		},
		"password": salesforce.Password{
			Username: salesforcetest.DefaultUsername, Password: salesforcetest.DefaultPassword, SecurityToken: salesforcetest.DefaultSecurityToken,
		},
	}
}

func orgAt(t *testing.T, s *salesforcetest.Server, change ...func(*salesforce.Options)) *salesforce.Org {
	t.Helper()
	o := salesforce.Options{LoginURL: s.URL, HTTP: s.Client().Transport, Auth: grants(s)["client_credentials"]}
	for _, c := range change {
		c(&o)
	}
	org, err := salesforce.New(o)
	require.NoError(t, err)
	return org
}

func notes(n int, text string) [][]byte {
	records := make([][]byte, n)
	for i := range records {
		records[i] = fmt.Appendf(nil, `{"attributes":{"type":"Note__c"},"Key__c":"k%d","Text__c":%q}`, i, text)
	}
	return records
}

func write(ctx context.Context, org *salesforce.Org, n int, text string) ([]salesforce.RowResult, error) {
	return org.UpsertCollection(ctx, "Note__c", "Key__c", notes(n, text))
}

func TestAllThreeLoginsWork(t *testing.T) {
	s := newEmulator()
	for name, grant := range grants(s) {
		s.ResetCalls()
		org := orgAt(t, s, func(o *salesforce.Options) { o.Auth = grant })
		who, err := org.Identity(t.Context())
		require.NoError(t, err, name)
		require.Equal(t, salesforcetest.DefaultUsername, who.Username)
		require.Equal(t, s.URL, who.Instance)
		_, err = write(t.Context(), org, 2, name)
		require.NoError(t, err)
		require.Equal(t, 1, s.Calls().Logins, name)
	}
}

func TestWrongCredentialsAreAnOperatorsMatter(t *testing.T) {
	s := newEmulator()
	for what, grant := range map[string]salesforce.Grant{
		"another key":    salesforce.JWT{ClientID: salesforcetest.DefaultConsumerKey, Username: salesforcetest.DefaultUsername, PrivateKey: signingKeyPEM()},
		"another client": salesforce.JWT{ClientID: "nobody", Username: salesforcetest.DefaultUsername, PrivateKey: s.PrivateKeyPEM()},
		"another user":   salesforce.JWT{ClientID: salesforcetest.DefaultConsumerKey, Username: "nobody@x.test", PrivateKey: s.PrivateKeyPEM()},
		"wrong secret":   salesforce.ClientCredentials{ClientID: salesforcetest.DefaultConsumerKey, ClientSecret: "wrong"},
		"wrong password": salesforce.Password{Username: salesforcetest.DefaultUsername, Password: "wrong", SecurityToken: "wrong"},
		"wrong token":    salesforce.Password{Username: salesforcetest.DefaultUsername, Password: salesforcetest.DefaultPassword},
	} {
		org := orgAt(t, s, func(o *salesforce.Options) { o.Auth = grant })
		_, err := org.Limits(t.Context())
		require.Equal(t, fault.Auth, fault.ClassOf(err), "%s: %v", what, err)
		require.NotEmpty(t, fault.Hint(err), what)
	}
	require.Zero(t, s.Calls().Logins)
}

func TestSessionsThatExpireOrAreRevokedCostOneLoginForFiftyCallers(t *testing.T) {
	for name := range grants(newEmulator()) {
		t.Run(name, func(t *testing.T) {
			s := newEmulator(func(o *salesforcetest.Options) {
				o.Latency = func(salesforcetest.Operation) time.Duration { return 200 * time.Millisecond }
			})
			grant := grants(s)[name] // the key pair is made outside virtual time
			synctest.Test(t, func(t *testing.T) {
				org := orgAt(t, s, func(o *salesforce.Options) { o.Auth = grant; o.Concurrency = 50 })
				_, err := write(t.Context(), org, 1, "first")
				require.NoError(t, err)
				for _, end := range []func(){s.RevokeSessions, func() { time.Sleep(3 * time.Hour) }} {
					end()
					s.ResetCalls()
					var wrong atomic.Int32
					var wg sync.WaitGroup
					for i := range 50 {
						wg.Go(func() {
							if _, err := write(t.Context(), org, 1, fmt.Sprint(i)); err != nil {
								wrong.Add(1)
							}
						})
					}
					wg.Wait()
					require.Zero(t, wrong.Load())
					require.Equal(t, 1, s.Calls().Logins)
				}
			})
		})
	}
}

func TestASessionThatIsRefusedForGoodEndsInNoLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEmulator()
		org := orgAt(t, s)
		_, err := org.Limits(t.Context())
		require.NoError(t, err)
		s.RefuseSessions("This session is not valid for use with the REST API")
		for range 20 {
			_, err = org.Limits(t.Context())
			require.Equal(t, fault.Auth, fault.ClassOf(err))
			require.Contains(t, fault.Hint(err), "REST API")
		}
		require.LessOrEqual(t, s.Calls().Logins, 2)
		s.RefuseSessions("")
		time.Sleep(16 * time.Second)
		_, err = org.Limits(t.Context())
		require.NoError(t, err)
	})
}

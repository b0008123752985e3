package salesforce_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/salesforce/soql"
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

func TestTroubleOnTheWayLosesAndDoublesNothing(t *testing.T) {
	for name, trouble := range map[string]salesforcetest.Fault{
		"locked rows":      salesforcetest.Lock(),
		"server busy":      salesforcetest.ServerUnavailable(),
		"maintenance page": salesforcetest.MaintenancePage(),
		"internal error":   salesforcetest.UnknownException(),
		"garbage":          salesforcetest.Garbage(),
		"truncated":        salesforcetest.TruncatedJSON(),
		"reset before":     salesforcetest.ResetBefore(),
		"reset after":      salesforcetest.ResetAfter(),
		"too many at once": salesforcetest.ConcurrentLimit(),
		"sessions revoked": salesforcetest.RevokedSessions(),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newEmulator()
				org := orgAt(t, s)
				s.Script(trouble.Times(2).On(salesforcetest.OpCollectionsUpsert))
				if name == "sessions revoked" {
					s.ClearFaults() // twice in a row is a refusal, see above
					s.Script(trouble.On(salesforcetest.OpCollectionsUpsert))
					_, err := org.Limits(t.Context())
					require.NoError(t, err)
				}
				rows, err := write(t.Context(), org, 200, "x")
				require.NoError(t, err)
				for _, r := range rows {
					require.Nil(t, r.Err)
				}
				require.Equal(t, 200, s.Count("Note__c"))
				require.Zero(t, s.Pending())
			})
		})
	}
}

func TestRowsThatAreRefusedOrLockedFailAlone(t *testing.T) {
	s := newEmulator()
	org := orgAt(t, s)
	s.Script(salesforcetest.Refuse(func(r map[string]any) *salesforcetest.Refusal {
		if r["Key__c"] == "k1" {
			return &salesforcetest.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "Not 'a private text' here", Fields: []string{"Text__c"}}
		}
		return nil
	}).Forever(), salesforcetest.LockRows(func(r map[string]any) bool { return r["Key__c"] == "k2" }))
	rows, err := write(t.Context(), org, 4, "a private text")
	require.NoError(t, err)
	require.Nil(t, rows[0].Err)
	require.True(t, rows[0].Created)
	require.Nil(t, rows[3].Err)
	require.Equal(t, fault.Permanent, rows[1].Err.Class)
	require.Equal(t, []string{"Text__c"}, rows[1].Err.Fields)
	require.NotContains(t, rows[1].Err.Error(), "private")
	require.Equal(t, fault.Transient, rows[2].Err.Class)

	rows, err = write(t.Context(), org, 1, strings.Repeat("private ", 10))
	require.NoError(t, err)
	require.Equal(t, "STRING_TOO_LONG", rows[0].Err.Code)
	require.NotContains(t, rows[0].Err.Error(), "private")
	rows, err = write(t.Context(), org, 1, "again")
	require.NoError(t, err)
	require.False(t, rows[0].Created)
}

func TestAHiddenFieldIsASetUpMatter(t *testing.T) {
	s := newEmulator()
	org := orgAt(t, s)
	require.NoError(t, s.HideField("Note__c", "Text__c", true))
	_, err := write(t.Context(), org, 2, "secret words")
	require.Equal(t, fault.Auth, fault.ClassOf(err))
	require.Equal(t, salesforce.CodeInvalidField, fault.CodeOf(err))
	require.NotContains(t, err.Error(), "secret words")
	object, err := org.Describe(t.Context(), "Note__c")
	require.NoError(t, err)
	_, found := object.Field("Text__c")
	require.False(t, found)
	require.NoError(t, s.ReadOnlyField("Note__c", "Key__c", true))
	_, err = org.Describe(t.Context(), "Nothing__c")
	require.Equal(t, salesforce.CodeNotFound, fault.CodeOf(err))
}

func TestAnOrgWhoseDayIsUsedUpIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEmulator(func(o *salesforcetest.Options) { o.DailyLimit = 100 })
		org := orgAt(t, s, func(o *salesforce.Options) { o.DailyShare = 1 })
		_, err := org.Limits(t.Context())
		require.NoError(t, err)
		require.Equal(t, 100, org.Usage().Max)
		s.UseCalls(99)
		for range 30 {
			_, err = write(t.Context(), org, 1, "x")
			time.Sleep(time.Second)
		}
		require.Equal(t, fault.Throttled, fault.ClassOf(err))
		require.Equal(t, salesforce.CodeRequestLimit, fault.CodeOf(err))
		require.LessOrEqual(t, s.Calls().ByOperation[salesforcetest.OpCollectionsUpsert], 2)
		time.Sleep(25 * time.Hour)
		_, err = write(t.Context(), org, 1, "x")
		require.NoError(t, err)
	})
}

func TestASlowOrgAndACallerWhoGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEmulator()
		org := orgAt(t, s)
		_, err := org.Limits(t.Context())
		require.NoError(t, err)
		s.Script(salesforcetest.Latency(90*time.Second), salesforcetest.Hang(), salesforcetest.Hang())
		began := time.Now()
		_, err = write(t.Context(), org, 1, "x")
		require.NoError(t, err)
		require.Equal(t, 90*time.Second, time.Since(began))

		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began = time.Now()
		_, err = write(ctx, org, 1, "x")
		require.True(t, fault.Stopped(ctx, err))
		require.Equal(t, 3*time.Second, time.Since(began))

		_, err = write(t.Context(), org, 1, "x")
		require.Equal(t, salesforce.CodeTimeout, fault.CodeOf(err))
		require.Equal(t, 2*time.Minute+3*time.Second, time.Since(began))
	})
}

func TestQueriesFindWhatWasStoredWhateverItIs(t *testing.T) {
	s := newEmulator()
	org := orgAt(t, s)
	odd := []string{`O'Reilly`, `back\slash`, "line\nbreak", `50%_`, "שלום", "😀 'n' \\'", "tab\tand\"quote\""}
	for _, name := range odd {
		_, err := s.Insert("Contact", map[string]any{"LastName": name})
		require.NoError(t, err)
	}
	for i := range 4500 {
		_, err := s.Insert("Contact", map[string]any{"LastName": fmt.Sprintf("Person %d", i)})
		require.NoError(t, err)
	}
	find := func(where ...string) []string {
		text, err := soql.Query{Fields: []string{"Id", "LastName"}, From: "Contact", Where: where}.Build()
		require.NoError(t, err)
		var found []string
		require.NoError(t, org.Query(t.Context(), text, func(r map[string]any) error {
			name, _ := r["LastName"].(string)
			found = append(found, name)
			return nil
		}))
		return found
	}
	for _, name := range odd {
		require.Equal(t, []string{name}, find("LastName = "+soql.Quote(name)))
		require.Equal(t, []string{name}, find("LastName LIKE "+soql.Contains(name)))
	}
	require.ElementsMatch(t, odd, find(soql.In("LastName", odd)))
	require.Empty(t, find(soql.In[string]("LastName", nil)))
	require.Len(t, find(), 4500+len(odd))
	require.GreaterOrEqual(t, s.Calls().ByOperation[salesforcetest.OpQueryMore], 2)

	long := append(make([]string, 0, 1001), odd[0])
	for i := range 1000 {
		long = append(long, fmt.Sprintf("Person %d", i))
	}
	require.Len(t, find(soql.In("LastName", long)), 1001)
	require.Equal(t, 1, s.Calls().ByOperation[salesforcetest.OpComposite])
	n, err := org.Count(t.Context(), "SELECT COUNT() FROM Contact")
	require.NoError(t, err)
	require.Equal(t, 4500+len(odd), n)

	err = org.Query(t.Context(), "SELECT Nope__c FROM Contact", nil)
	require.Equal(t, salesforce.CodeInvalidField, fault.CodeOf(err))
	enough := errors.New("enough")
	require.ErrorIs(t, org.Query(t.Context(), "SELECT Id FROM Contact", func(map[string]any) error { return enough }), enough)
}

func TestOverARealConnection(t *testing.T) {
	s := newEmulator(func(o *salesforcetest.Options) { o.Gzip = true })
	grant := grants(s)["jwt"]
	require.NoError(t, s.Listen("127.0.0.1:0"))
	defer s.Close()
	org, err := salesforce.New(salesforce.Options{LoginURL: s.URL, Auth: grant, GzipRequests: true})
	require.NoError(t, err)
	for _, trouble := range []salesforcetest.Fault{
		salesforcetest.ResetBefore(), salesforcetest.ResetAfter(), salesforcetest.TruncatedJSON(), salesforcetest.MaintenancePage(),
	} {
		s.Script(trouble.On(salesforcetest.OpCollectionsUpsert))
		rows, err := write(t.Context(), org, 200, "over TCP")
		require.NoError(t, err)
		require.Len(t, rows, 200)
	}
	require.Equal(t, 200, s.Count("Note__c"))
	versions, err := org.Versions(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, versions)

	kept := org
	// Without connections that are kept, which could break only when written to.
	org, err = salesforce.New(salesforce.Options{LoginURL: s.URL, Auth: grant, HTTP: &http.Transport{DisableKeepAlives: true}})
	require.NoError(t, err)
	_, err = org.Limits(t.Context())
	require.NoError(t, err)
	kept.Close()
	s.Close()
	_, err = org.Do(t.Context(), create)
	require.Equal(t, fault.Transient, fault.ClassOf(err), "a connection that cannot be made has certainly done nothing")
	require.Equal(t, salesforce.CodeConnection, fault.CodeOf(err))
}

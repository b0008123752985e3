package salesforce_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/fault"
)

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
		require.Equal(t, 150*time.Second+3*time.Second, time.Since(began))
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

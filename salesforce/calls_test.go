package salesforce_test

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
)

func TestAQueryGivesEveryRecordOfEveryPage(t *testing.T) {
	f := inTurn(
		ok(`{"totalSize":3,"done":false,"nextRecordsUrl":"/services/data/v64.0/query/01g-2000","records":[{"attributes":{"type":"Contact"},"Id":"1","N":2.5},{"Id":"2"}]}`),
		ok(`{"totalSize":3,"done":true,"records":[{"Id":"3","Account":null}]}`))
	org := newOrg(t, f)
	var got []map[string]any
	require.NoError(t, org.Query(t.Context(), "SELECT Id, N FROM Contact WHERE A = '+1 %'", func(r map[string]any) error {
		got = append(got, r)
		return nil
	}))
	require.Equal(t, []map[string]any{
		{"attributes": map[string]any{"type": "Contact"}, "Id": "1", "N": 2.5}, {"Id": "2"}, {"Id": "3", "Account": nil},
	}, got)
	require.Equal(t, "SELECT Id, N FROM Contact WHERE A = '+1 %'", f.seen()[0].query.Get("q"))
	require.Equal(t, "/services/data/v64.0/query/01g-2000", f.seen()[1].path)

	enough := errors.New("enough")
	f.calls = nil
	require.ErrorIs(t, org.Query(t.Context(), "SELECT Id FROM X", func(map[string]any) error { return enough }), enough)
	require.Len(t, f.seen(), 1, "a callee that has enough stops the paging")
}

func TestAQueryTooLongForAURLTravelsInABody(t *testing.T) {
	soql := "SELECT Id FROM Contact WHERE Phone IN ('" + strings.Repeat("+14155550100','", 2000) + "')"
	f := always(ok(`{"compositeResponse":[{"httpStatusCode":200,"referenceId":"query","body":{"totalSize":1,"done":true,"records":[{"Id":"1"}]}}]}`))
	n := 0
	require.NoError(t, newOrg(t, f).Query(t.Context(), soql, func(r map[string]any) error {
		require.Equal(t, map[string]any{"Id": "1"}, r)
		n++
		return nil
	}))
	require.Equal(t, 1, n)
	c := f.seen()[0]
	require.Equal(t, "/services/data/v64.0/composite", c.path)
	var sent struct {
		CompositeRequest []struct{ Method, URL, ReferenceID string }
	}
	require.NoError(t, json.Unmarshal([]byte(c.body), &sent))
	require.Len(t, sent.CompositeRequest, 1)
	u, err := http.NewRequest(sent.CompositeRequest[0].Method, host+sent.CompositeRequest[0].URL, http.NoBody)
	require.NoError(t, err)
	require.Equal(t, soql, u.URL.Query().Get("q"))
	require.Equal(t, "/services/data/v64.0/query", u.URL.Path)
}

func TestCountAsksForNoRecords(t *testing.T) {
	n, err := newOrg(t, always(ok(`{"totalSize":42,"done":true,"records":[]}`))).Count(t.Context(), "SELECT COUNT() FROM Contact")
	require.NoError(t, err)
	require.Equal(t, 42, n)
}

func TestCollectionsGiveOneResultARecordInOrder(t *testing.T) {
	f := always(ok(`[{"id":"a01","success":true,"errors":[],"created":true},` +
		`{"success":false,"errors":[{"statusCode":"REQUIRED_FIELD_MISSING","message":"Required fields are missing: [X__c]","fields":["X__c"]}]},` +
		`{"id":"a02","success":true,"errors":[],"created":false}]`))
	records := [][]byte{[]byte(`{"K__c":"1"}`), []byte(`{"K__c":"2"}`), []byte(`{"K__c":"3"}`)}
	rows, err := newOrg(t, f).UpsertCollection(t.Context(), "M__c", "K__c", records)
	require.NoError(t, err)
	require.Equal(t, salesforce.RowResult{ID: "a01", Created: true}, rows[0])
	require.Equal(t, salesforce.RowResult{ID: "a02"}, rows[2])
	require.Equal(t, fault.Permanent, rows[1].Err.Class)
	require.Equal(t, "REQUIRED_FIELD_MISSING", rows[1].Err.Code)
	require.Equal(t, []string{"X__c"}, rows[1].Err.Fields)

	c := f.seen()[0]
	require.Equal(t, "PATCH", c.method)
	require.Equal(t, "/services/data/v64.0/composite/sobjects/M__c/K__c", c.path)
	require.JSONEq(t, `{"allOrNone":false,"records":[{"K__c":"1"},{"K__c":"2"},{"K__c":"3"}]}`, c.body)
	require.Equal(t, "client=twiliosf", c.header.Get("Sforce-Call-Options"))
	require.Equal(t, "updateMru=false", c.header.Get("Sforce-Mru"))
}

func TestACollectionAnswerThatDoesNotFitIsNotBelieved(t *testing.T) {
	one := [][]byte{[]byte(`{}`), []byte(`{}`)}
	for what, body := range map[string]string{
		"fewer results":    `[{"id":"a01","success":true,"errors":[]}]`,
		"more results":     `[{"success":true},{"success":true},{"success":true}]`,
		"another form":     `{"results":[]}`,
		"nothing":          ``,
		"failure, no word": `[{"success":false,"errors":[]},{"success":true}]`,
	} {
		rows, err := newOrg(t, always(ok(body))).UpsertCollection(t.Context(), "M__c", "K__c", one)
		if err == nil {
			err = rows[0].Err
		}
		require.Equal(t, fault.Transient, fault.ClassOf(err), what)
		require.Equal(t, salesforce.CodeUnreadable, fault.CodeOf(err), what)
	}
}

func TestACollectionThatCannotBeSentIsRefusedHere(t *testing.T) {
	f := always(ok(`[]`))
	org := newOrg(t, f)
	rows, err := org.UpsertCollection(t.Context(), "M__c", "K__c", nil)
	require.NoError(t, err)
	require.Empty(t, rows)
	_, err = org.UpsertCollection(t.Context(), "M__c", "K__c", make([][]byte, 201))
	require.Error(t, err)
	_, err = org.UpsertCollection(t.Context(), "M__c/../x", "K__c", make([][]byte, 1))
	require.Error(t, err)
	_, err = org.Describe(t.Context(), "M__c/../x")
	require.Error(t, err)
	require.Empty(t, f.seen())
}

func TestDescribeTellsWhatAFieldIs(t *testing.T) {
	f := always(ok(`{"name":"M__c","createable":true,"updateable":true,"urls":{"x":"y"},"fields":[
		{"name":"Sid__c","type":"string","length":34,"externalId":true,"unique":true,"caseSensitive":false,"createable":true,"updateable":true,"filterable":true},
		{"name":"Status__c","type":"picklist","picklistValues":[{"active":true,"value":"sent","label":"Sent"}],"restrictedPicklist":true}]}`))
	o, err := newOrg(t, f).Describe(t.Context(), "M__c")
	require.NoError(t, err)
	require.Equal(t, "/services/data/v64.0/sobjects/M__c/describe", f.seen()[0].path)
	sid, found := o.Field("sid__C")
	require.True(t, found)
	require.True(t, sid.ExternalID && sid.Unique && sid.Filterable)
	require.Equal(t, 34, sid.Length)
	status, _ := o.Field("Status__c")
	require.Equal(t, []salesforce.PicklistValue{{Value: "sent", Active: true}}, status.Picklist)
	_, found = o.Field("Nope__c")
	require.False(t, found)

	_, err = newOrg(t, always(refused(404, "NOT_FOUND", "The requested resource does not exist"))).Describe(t.Context(), "M__c")
	require.Equal(t, fault.Auth, fault.ClassOf(err))
	require.Contains(t, fault.Hint(err), "give the user access")
}

func TestWhatTheOrgIs(t *testing.T) {
	f := &fakeOrg{serve: func(_ int, c call) reply {
		return map[string]reply{
			"/services/data/v64.0/limits": ok(`{"DailyApiRequests":{"Max":15000,"Remaining":14998,"App":{"Max":5,"Remaining":1}}}`),
			"/services/data/":             ok(`[{"label":"Spring '24","url":"/services/data/v60.0","version":"60.0"}]`),
			"/services/oauth2/userinfo":   ok(`{"user_id":"005000000000001AAA","organization_id":"00D000000000001AAA","preferred_username":"integration@acme.test"}`),
		}[c.path]
	}}
	org := newOrg(t, f)
	limits, err := org.Limits(t.Context())
	require.NoError(t, err)
	require.Equal(t, salesforce.Limit{Max: 15000, Remaining: 14998}, limits["DailyApiRequests"])
	versions, err := org.Versions(t.Context())
	require.NoError(t, err)
	require.Equal(t, "60.0", versions[0].Version)
	who, err := org.Identity(t.Context())
	require.NoError(t, err)
	require.Equal(t, salesforce.Identity{
		UserID: "005000000000001AAA", OrganizationID: "00D000000000001AAA", Username: "integration@acme.test", Instance: host,
	}, who)
}

func TestLongBodiesAreCompressedOnlyWhenAsked(t *testing.T) {
	long := []byte(`{"a":"` + strings.Repeat("hello ", 500) + `"}`)
	for _, asked := range []bool{false, true} {
		f := always(ok(`{}`))
		org := newOrg(t, f, func(o *salesforce.Options) { o.GzipRequests = asked })
		_, err := org.Do(t.Context(), salesforce.Call{Op: "x", Method: "POST", Path: "/x", Body: long})
		require.NoError(t, err)
		_, err = org.Do(t.Context(), salesforce.Call{Op: "x", Method: "POST", Path: "/x", Body: []byte(`{}`)})
		require.NoError(t, err)
		c := f.seen()[0]
		require.Equal(t, asked, c.header.Get("Content-Encoding") == "gzip")
		if asked {
			z, err := gzip.NewReader(strings.NewReader(c.body))
			require.NoError(t, err)
			plain, err := io.ReadAll(z)
			require.NoError(t, err)
			require.Equal(t, long, plain)
		}
		require.Empty(t, f.seen()[1].header.Get("Content-Encoding"), "short ones never")
	}
}

func TestEveryExchangeIsMeasuredAndAReloadSharesTheMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	for range 2 {
		org := newOrg(t, inTurn(refused(400, "STRING_TOO_LONG", "x"), ok(`{}`)), func(o *salesforce.Options) { o.Registerer = reg })
		require.Error(t, ping(t.Context(), org))
		require.NoError(t, ping(t.Context(), org))
	}
	families, err := reg.Gather()
	require.NoError(t, err)
	counts := map[string]uint64{}
	for _, m := range families {
		for _, x := range m.GetMetric() {
			if h := x.GetHistogram(); h != nil {
				counts[x.GetLabel()[1].GetValue()+" "+x.GetLabel()[0].GetValue()] = h.GetSampleCount()
			}
		}
	}
	require.Equal(t, map[string]uint64{"login ok": 2, "ping ok": 2, "ping permanent": 2}, counts)
	problems, err := testutil.GatherAndLint(reg)
	require.NoError(t, err)
	require.Empty(t, problems)
}

func TestEachAttemptIsMeasuredAndPaysTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		org := newOrg(t, inTurn(reply{status: 503}, reply{status: 503}, ok(`{}`)), func(o *salesforce.Options) { o.Registerer = reg })
		require.NoError(t, ping(t.Context(), org))
		require.Equal(t, 3, org.Usage().Own)
		n, err := testutil.GatherAndCount(reg, "twiliosf_salesforce_exchange_seconds")
		require.NoError(t, err)
		require.Equal(t, 3, n, "login ok, ping ok, ping transient")
		require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader("# HELP twiliosf_salesforce_retries_total Exchanges that were made again, by operation.\n"+
			"# TYPE twiliosf_salesforce_retries_total counter\ntwiliosf_salesforce_retries_total{operation=\"ping\"} 2\n"), "twiliosf_salesforce_retries_total"))
	})
}

// late is a transport that answers before it has read what it was sent.
type late struct {
	*fakeOrg
	sent []io.Reader
}

func (l *late) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodPatch {
		l.sent = append(l.sent, req.Body)
		req = req.Clone(req.Context())
		req.Body = nil
	}
	return l.fakeOrg.RoundTrip(req)
}

// https://pkg.go.dev/net/http#RoundTripper
func TestWhatTheTransportReadsLateIsWhatWasSent(t *testing.T) {
	l := &late{fakeOrg: always(ok(`[{"id":"a01","success":true,"errors":[]}]`))}
	org := newOrg(t, l.fakeOrg, func(o *salesforce.Options) { o.HTTP = l })
	keys := []string{"1", "2", "3"}
	for _, key := range keys {
		_, err := org.UpsertCollection(t.Context(), "M__c", "K__c", [][]byte{[]byte(`{"K__c":"` + key + `"}`)})
		require.NoError(t, err)
	}
	for i, key := range keys {
		body, err := io.ReadAll(l.sent[i])
		require.NoError(t, err)
		require.JSONEq(t, `{"allOrNone":false,"records":[{"K__c":"`+key+`"}]}`, string(body))
	}
}

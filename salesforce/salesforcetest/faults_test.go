package salesforcetest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

// inBothWays runs a test in process and over TCP.
func inBothWays(t *testing.T, test func(t *testing.T, u *user)) {
	t.Helper()
	t.Run("in process", func(t *testing.T) { test(t, login(t, salesforcetest.Options{})) })
	t.Run("over TCP", func(t *testing.T) {
		u := login(t, salesforcetest.Options{})
		require.NoError(t, u.org.Listen("127.0.0.1:0"))
		transport := &http.Transport{}
		t.Cleanup(transport.CloseIdleConnections)
		u.client = &http.Client{Transport: transport}
		u.relogin()
		test(t, u)
	})
}

func TestAConnectionThatIsCut(t *testing.T) {
	inBothWays(t, func(t *testing.T, u *user) {
		u.org.Script(salesforcetest.ResetBefore(), salesforcetest.ResetAfter(), salesforcetest.TruncatedJSON())
		_, err := u.try("POST", many, records(`"Message_SID__c":"SM1"`))
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.Zero(t, u.org.Count(message), "cut before it was processed")
		_, err = u.try("POST", many, records(`"Message_SID__c":"SM1"`))
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.Equal(t, 1, u.org.Count(message), "cut after it was processed")
		resp, err := u.try("POST", many, records(`"Message_SID__c":"SM2"`))
		require.NoError(t, err)
		half, err := io.ReadAll(resp.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.NoError(t, resp.Body.Close())
		require.NotEmpty(t, half)
		require.Less(t, int64(len(half)), resp.ContentLength)
		require.Equal(t, 2, u.org.Count(message))
		require.Zero(t, u.org.Pending())
		status, _ := u.call("POST", many, records(`"Message_SID__c":"SM3"`))
		require.Equal(t, 200, status)
	})
}

func TestAnswersThatAreNotTheOrgs(t *testing.T) {
	inBothWays(t, func(t *testing.T, u *user) {
		for _, c := range []struct {
			fault       salesforcetest.Fault
			status      int
			kind, holds string
		}{
			{salesforcetest.ServerUnavailable(), 503, "application/json;charset=UTF-8", `"errorCode":"SERVER_UNAVAILABLE"`},
			{salesforcetest.MaintenancePage(), 503, "text/html;charset=UTF-8", "<h1>We are down for maintenance.</h1>"},
			{salesforcetest.UnknownException(), 500, "application/json;charset=UTF-8", `"errorCode":"UNKNOWN_EXCEPTION"`},
			{salesforcetest.Garbage(), 200, "text/html;charset=UTF-8", "<html>"},
			{salesforcetest.DailyLimit(), 403, "application/json;charset=UTF-8", "TotalRequests Limit exceeded."},
			{salesforcetest.ConcurrentLimit(), 403, "application/json;charset=UTF-8", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."},
			{salesforcetest.Lock(), 400, "application/json;charset=UTF-8", `"errorCode":"UNABLE_TO_LOCK_ROW"`},
			{salesforcetest.RevokedSessions(), 401, "application/json;charset=UTF-8", `"errorCode":"INVALID_SESSION_ID"`},
		} {
			u.org.Script(c.fault)
			resp := u.do("POST", many, records(`"Message_SID__c":"SM1"`))
			require.Equal(t, c.kind, resp.Header.Get("Content-Type"))
			status, body := read(t, resp)
			require.Equal(t, c.status, status)
			require.Contains(t, body, c.holds)
		}
		require.Zero(t, u.org.Count(message))
	})
}

func TestRowsThatAreRefusedByRule(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	u.org.Script(salesforcetest.Refuse(func(r map[string]any) *salesforcetest.Refusal {
		if r["Body__c"] != "spam" {
			return nil
		}
		return &salesforcetest.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "No spam, please", Fields: []string{"Body__c"}}
	}).Forever(), salesforcetest.LockRows(func(r map[string]any) bool { return r["Message_SID__c"] == "SM3" }))
	call := func() []result {
		_, body := u.call("PATCH", upsert, records(`"Message_SID__c":"SM1","Body__c":"ham"`, `"Message_SID__c":"SM2","Body__c":"spam"`, `"Message_SID__c":"SM3"`))
		return results(t, body)
	}
	got := call()
	require.True(t, got[0].Success)
	require.Equal(t, "No spam, please", got[1].Errors[0].Message)
	require.Equal(t, []string{"Body__c"}, got[1].Errors[0].Fields)
	require.Equal(t, "UNABLE_TO_LOCK_ROW", got[2].Errors[0].StatusCode)
	got = call()
	require.False(t, got[1].Success, "the rule stands")
	require.True(t, got[2].Success, "the lock has gone")
	u.org.ClearFaults()
	require.True(t, call()[1].Success)
	status, body := u.call("POST", rows, `{"Body__c":"spam"}`)
	require.Equal(t, 201, status, body)
}

func TestFaultsMeetTheRequestsTheyAreMadeFor(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	u.org.Script(
		salesforcetest.UnknownException().On(salesforcetest.OpQuery).Times(2),
		salesforcetest.ServerUnavailable().On(salesforcetest.OpToken),
		salesforcetest.Garbage().When(func(r salesforcetest.Request) bool { return r.Object == "Lead" }),
	)
	status, _ := u.call("GET", data+"/limits", "")
	require.Equal(t, 200, status)
	for _, want := range []int{500, 500, 200} {
		status, _ = u.query("SELECT Id FROM Contact")
		require.Equal(t, want, status)
	}
	_, body := u.call("GET", data+"/sobjects/Lead/describe", "")
	require.Contains(t, body, "<html>")
	status, _ = u.grant(nil)
	require.Equal(t, 503, status)
	require.Zero(t, u.org.Pending())
	require.Equal(t, 3, u.org.Calls().ByOperation[salesforcetest.OpQuery])
}

func TestChanceIsTheSameForTheSameSeed(t *testing.T) {
	run := func(seed uint64) (out []int) {
		u := login(t, salesforcetest.Options{Seed: seed})
		u.org.Chance(0.3, salesforcetest.UnknownException())
		for range 40 {
			status, _ := u.call("GET", data+"/limits", "")
			out = append(out, status)
		}
		return out
	}
	first := run(1)
	require.Contains(t, first, 500)
	require.Contains(t, first, 200)
	require.Equal(t, first, run(1))
	require.NotEqual(t, first, run(2))
}

func TestASlowOrgAndAClientThatGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := login(t, salesforcetest.Options{Latency: func(op salesforcetest.Operation) time.Duration {
			if op == salesforcetest.OpQuery {
				return 600 * time.Millisecond
			}
			return 0
		}})
		start := time.Now()
		status, _ := u.query("SELECT Id FROM Contact")
		require.Equal(t, 200, status)
		require.Equal(t, 600*time.Millisecond, time.Since(start))

		u.org.Script(salesforcetest.Latency(time.Minute), salesforcetest.Hang())
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.org.URL+many, strings.NewReader(records(`"Body__c":"x"`)))
			require.NoError(t, err)
			start = time.Now()
			_, err = u.client.Do(req)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, 5*time.Second, time.Since(start))
			cancel()
		}
		require.Zero(t, u.org.Count(message))
	})
}

func TestTheHookSeesEveryRequest(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	var seen []salesforcetest.Request
	u.org.OnRequest(func(r salesforcetest.Request) { seen = append(seen, r) })
	u.call("PATCH", upsert, records(`"Message_SID__c":"SM1"`))
	u.query("SELECT Id FROM Contact")
	require.Len(t, seen, 2)
	require.Equal(t, salesforcetest.OpCollectionsUpsert, seen[0].Operation)
	require.Equal(t, message, seen[0].Object)
	require.Contains(t, string(seen[0].Body), "SM1")
	require.Equal(t, salesforcetest.OpQuery, seen[1].Operation)
}

func TestManyClientsAtOnceMakeOneRecordAKey(t *testing.T) {
	inBothWays(t, func(t *testing.T, u *user) {
		var clients sync.WaitGroup
		for range 8 {
			clients.Go(func() {
				for i := range 20 {
					resp, err := u.try("PATCH", upsert, records(`"Message_SID__c":"`+sid(i)+`"`, `"Message_SID__c":"`+sid(i+1)+`"`))
					if assert.NoError(t, err) {
						_, _ = io.Copy(io.Discard, resp.Body) // the org's own contents are looked at below
						_ = resp.Body.Close()
					}
				}
			})
		}
		for range u.org.Rows(message) { // reading meanwhile is allowed
			continue
		}
		clients.Wait()
		require.Equal(t, 21, u.org.Count(message))
		seen := 0
		for row := range u.org.Rows(message) {
			seen++
			require.Len(t, u.org.ByKey(message, "Message_SID__c", row["Message_SID__c"].(string)), 1)
		}
		require.Equal(t, 21, seen)
		require.Equal(t, 160, u.org.Calls().ByOperation[salesforcetest.OpCollectionsUpsert])
	})
}

func TestTheOrderOfAnErrorsKeysIsNotFixed(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	orders := map[string]bool{}
	for range 4 {
		_, body := u.query("SELECT Nope FROM Contact")
		orders[body[:8]] = true
	}
	require.Len(t, orders, 2)
}

package salesforce_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
)

var (
	errReset   = &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	errNoRoute = &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
)

// read, upsert and create are the three kinds of calls.
var (
	read   = salesforce.Call{Op: "read", Method: http.MethodGet, Path: "/x"}
	upsert = salesforce.Call{Op: "upsert", Method: http.MethodPatch, Path: "/x", Body: []byte(`{"a":1}`), Repeatable: true}
	create = salesforce.Call{Op: "create", Method: http.MethodPost, Path: "/x", Body: []byte(`{"a":1}`)}
)

func TestWhatPassesWithinSecondsIsRepeatedWhereThatIsSafe(t *testing.T) {
	html := reply{status: 503, header: http.Header{"Content-Type": {"text/html"}}, body: "<html>Down for maintenance</html>"}
	for what, c := range map[string]struct {
		first reply
		// class of a create, which is never repeated
		created fault.Class
	}{
		"maintenance page":      {html, fault.Uncertain},
		"server unavailable":    {refused(503, "SERVER_UNAVAILABLE", "busy"), fault.Transient},
		"unknown exception":     {refused(500, "UNKNOWN_EXCEPTION", "ErrorId 1-2"), fault.Uncertain},
		"locked row":            {refused(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access"), fault.Transient},
		"trigger hides a lock":  {refused(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "T: UNABLE_TO_LOCK_ROW"), fault.Transient},
		"too many at once":      {refused(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."), fault.Throttled},
		"429":                   {reply{status: 429, body: ""}, fault.Throttled},
		"reset":                 {reply{err: errReset}, fault.Uncertain},
		"no connection":         {reply{err: errNoRoute}, fault.Transient},
		"truncated JSON":        {ok(`{"records":[{"Id":"003`), fault.Uncertain},
		"HTML instead of JSON":  {ok(`<html>captive portal</html>`), fault.Uncertain},
		"an error page for 400": {reply{status: 400, body: "<h1>Bad Request</h1>"}, fault.Transient},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, safe := range []salesforce.Call{read, upsert} {
					f := inTurn(c.first, c.first, ok(`{"done":true}`))
					data, err := newOrg(t, f).Do(t.Context(), safe)
					require.NoError(t, err)
					require.JSONEq(t, `{"done":true}`, string(data))
					require.Len(t, f.seen(), 3)
					require.Equal(t, string(safe.Body), f.seen()[2].body, "the body is replayed")
				}
				f := inTurn(c.first, ok(`{}`))
				_, err := newOrg(t, f).Do(t.Context(), create)
				require.Equal(t, c.created, fault.ClassOf(err), "%v", err)
				require.Len(t, f.seen(), 1, "a create is never repeated")
			})
		})
	}
}

func TestWhatWillNotPassSoonIsNotRepeated(t *testing.T) {
	for what, c := range map[string]struct {
		first reply
		class fault.Class
		after time.Duration
	}{
		"a refusal":             {refused(400, "STRING_TOO_LONG", "x"), fault.Permanent, 0},
		"missing rights":        {refused(403, "INSUFFICIENT_ACCESS", "x"), fault.Auth, 0},
		"storage full":          {refused(403, "STORAGE_LIMIT_EXCEEDED", "storage limit exceeded"), fault.Throttled, 5 * time.Minute},
		"daily limit":           {refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), fault.Throttled, 15 * time.Minute},
		"query timeout":         {refused(400, "QUERY_TIMEOUT", "too long"), fault.Transient, time.Minute},
		"dead cursor":           {refused(400, "INVALID_QUERY_LOCATOR", "invalid"), fault.Transient, 0},
		"a Retry-After of 60 s": {reply{status: 503, header: http.Header{"Retry-After": {"60"}}}, fault.Transient, time.Minute},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := always(c.first)
				began := time.Now()
				_, err := newOrg(t, f).Do(t.Context(), read)
				require.Equal(t, c.class, fault.ClassOf(err))
				require.Equal(t, c.after, fault.After(err))
				require.Len(t, f.seen(), 1)
				require.Zero(t, time.Since(began))
			})
		})
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := inTurn(reply{status: 503, header: http.Header{"Retry-After": {"7"}}}, ok(`{}`))
		began := time.Now()
		_, err := newOrg(t, f).Do(t.Context(), read)
		require.NoError(t, err)
		require.Equal(t, 7*time.Second, time.Since(began))
	})
}

func TestAttemptsAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := always(reply{status: 502})
		began := time.Now()
		_, err := newOrg(t, f).Do(t.Context(), read)
		require.Equal(t, fault.Transient, fault.ClassOf(err))
		require.Len(t, f.seen(), 4)
		require.Less(t, time.Since(began), 10*time.Second)
	})
}

func TestTheContextBoundsTheRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("the daemon stops")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(300*time.Millisecond, func() { cancel(why) })
		f := always(reply{status: 503})
		began := time.Now()
		_, err := newOrg(t, f).Do(ctx, read)
		require.Error(t, err)
		require.LessOrEqual(t, time.Since(began), 300*time.Millisecond)
	})
}

func TestACallThatHangsEndsByTheTimeoutOrTheContext(t *testing.T) {
	hang := func(f *fakeOrg) roundTrip {
		return func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/services/oauth2/token" {
				return f.RoundTrip(r)
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
	}
	for what, c := range map[string]struct {
		call  salesforce.Call
		class fault.Class
	}{
		"a read":    {read, fault.Transient},
		"an upsert": {upsert, fault.Transient},
		"a create":  {create, fault.Uncertain},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := always(ok(`{}`))
			org := newOrg(t, f, func(o *salesforce.Options) { o.HTTP = hang(f); o.Timeout = time.Minute })
			began := time.Now()
			_, err := org.Do(t.Context(), c.call)
			require.Equal(t, c.class, fault.ClassOf(err), what)
			require.Equal(t, salesforce.CodeTimeout, fault.CodeOf(err))
			require.Equal(t, time.Minute, time.Since(began), "a timeout is not repeated at once")

			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err = org.Do(ctx, c.call)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.True(t, fault.Stopped(ctx, err))
			require.Equal(t, c.class, fault.ClassOf(err), what)
		})
	}
}

func TestAQueryThatTakesTooLongIsHeardToDoSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := always(refused(400, "QUERY_TIMEOUT", "Your query request was running for too long."))
		org := newOrg(t, f, func(o *salesforce.Options) {
			o.HTTP = roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.URL.Path != "/services/oauth2/token" {
					select {
					case <-r.Context().Done():
						return nil, r.Context().Err()
					case <-time.After(125 * time.Second):
					}
				}
				return f.RoundTrip(r)
			})
		})
		err := org.Query(t.Context(), "SELECT Id FROM Contact ORDER BY SystemModstamp DESC", nil)
		require.Equal(t, "QUERY_TIMEOUT", fault.CodeOf(err))
	})
}

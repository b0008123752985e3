package twilio_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/twilio"
)

var errStopping = errors.New("stopping")

func contextWithCause(t *testing.T) (context.Context, func()) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	return ctx, func() { cancel(errStopping) }
}

func TestAnAccountSaysEverythingThatIsWrongWithItsOptions(t *testing.T) {
	_, err := twilio.New(twilio.Options{
		AccountSID: "AC1", APIKeySID: keySID, APIKeySecret: "has space", BaseURL: "ftp://user:hunter2@x", Concurrency: -1, Timeout: -1,
	})
	for _, part := range []string{"account SID", "API key secret", "base URL", "concurrency", "timeout"} {
		require.ErrorContains(t, err, part)
	}
	require.NotContains(t, err.Error(), "has space")
	require.NotContains(t, err.Error(), "hunter2")

	for name, opts := range map[string]twilio.Options{
		"no credential":       {AccountSID: accountSID},
		"a key without SID":   {AccountSID: accountSID, APIKeySecret: keySecret, AuthToken: authToken},
		"a key that is none":  {AccountSID: accountSID, APIKeySID: accountSID, APIKeySecret: keySecret},
		"a line break":        {AccountSID: accountSID, AuthToken: authToken + "\n"},
		"a base with a query": {AccountSID: accountSID, AuthToken: authToken, BaseURL: "http://x/?a=b"},
		"a base without host": {AccountSID: accountSID, AuthToken: authToken, BaseURL: "http:///x"},
		"a base that is none": {AccountSID: accountSID, AuthToken: authToken, BaseURL: "http://[::1"},
	} {
		_, err := twilio.New(opts)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), authToken)
	}
}

func TestTheAPIKeyGoesBeforeTheToken(t *testing.T) {
	ok := func(int, *http.Request) (*http.Response, error) { return respond(200, page("")), nil }
	for _, c := range []struct {
		name           string
		change         func(*twilio.Options)
		user, password string
	}{
		{"both", func(o *twilio.Options) { o.AuthToken = authToken }, keySID, keySecret},
		{"token", func(o *twilio.Options) { o.AuthToken, o.APIKeySID, o.APIKeySecret = authToken, "", "" }, accountSID, authToken},
	} {
		acc, seen := account(t, ok, c.change)
		_, err := walked(t, acc, mirror.Window{})
		require.NoError(t, err)
		user, password, _ := seen.requests[0].BasicAuth()
		require.Equal(t, c.user+":"+c.password, user+":"+password, c.name)
	}
}

func TestWhereRequestsGo(t *testing.T) {
	base := func(url string) func(*twilio.Options) { return func(o *twilio.Options) { o.BaseURL = url } }
	for _, c := range []struct {
		name, region, edge string
		change             func(*twilio.Options)
		want               string
	}{
		{"Twilio", "", "", base(""), "https://api.twilio.com"},
		{"a region from the environment", "ie1", "", base(""), "https://api.ie1.twilio.com"},
		{"a region and an edge", "ie1", "dublin", base(""), "https://api.dublin.ie1.twilio.com"},
		{"a base", "", "", base("http://127.0.0.1:8080"), "http://127.0.0.1:8080"},
		{"a base is not rewritten by the region", "ie1", "dublin", base("http://127.0.0.1:8080"), "http://127.0.0.1:8080"},
		{"a base by name", "ie1", "", base("https://a.proxy.example.org/"), "https://a.proxy.example.org"},
		{"a base with a path", "", "", base("https://proxy.example/twilio/"), "https://proxy.example/twilio"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("TWILIO_REGION", c.region)
			t.Setenv("TWILIO_EDGE", c.edge)
			links := []string{listPath + "?PageToken=1", c.want + listPath + "?PageToken=2", ""}
			acc, seen := account(t, func(n int, r *http.Request) (*http.Response, error) {
				if strings.Contains(r.URL.Path, sid(1)) {
					return respond(200, row(sid(1))), nil
				}
				return respond(200, page(links[n-1], sid(n))), nil
			}, c.change)
			_, err := walked(t, acc, mirror.Window{})
			require.NoError(t, err)
			_, err = acc.Fetch(t.Context(), message.SID(sid(1)))
			require.NoError(t, err)
			var got []string
			for _, r := range seen.requests {
				got = append(got, r.URL.String())
			}
			require.Equal(t, []string{
				c.want + listPath + "?PageSize=1000", c.want + links[0], links[1],
				c.want + strings.TrimSuffix(listPath, ".json") + "/" + sid(1) + ".json",
			}, got)
		})
	}
}

func TestFetchReadsOneMessage(t *testing.T) {
	acc, seen := account(t, func(int, *http.Request) (*http.Response, error) { return respond(200, row(sid(7))+"\n"), nil })
	m, err := acc.Fetch(t.Context(), message.SID(sid(7)))
	require.NoError(t, err)
	require.Equal(t, message.Message{
		SID: message.SID(sid(7)), Body: "secret", Status: message.Received, Direction: message.Inbound,
		Created: time.Date(2015, 7, 30, 20, 12, 31, 0, time.UTC),
	}, m)
	require.True(t, seen.bodies[0].ended, "or the connection is lost")
	require.True(t, seen.bodies[0].closed)
}

func TestFetchTellsGoneFromEverythingElse(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func() *http.Response
		class  fault.Class
		gone   bool
		tries  int
	}{
		{"Twilio has it no more", func() *http.Response { return refuse(404, 20404) }, fault.Permanent, true, 1},
		{"a proxy has no such page", func() *http.Response { return respond(404, "<html>") }, fault.Transient, false, 5},
		{"JSON without a code", func() *http.Response { return respond(404, `{"message":"no route"}`) }, fault.Permanent, false, 1},
		{"another message", func() *http.Response { return respond(200, row(sid(8))) }, fault.Transient, false, 5},
		{"no message", func() *http.Response { return respond(200, `{}`) }, fault.Transient, false, 5},
		{"half a message", func() *http.Response { return respond(200, row(sid(7))[:50]) }, fault.Transient, false, 5},
		{"a field of a wrong kind", func() *http.Response { return respond(200, `{"body":["secret"]}`) }, fault.Transient, false, 5},
		{"a date that is none", func() *http.Response { return respond(200, `{"sid":"`+sid(7)+`","date_created":"secret"}`) }, fault.Transient, false, 5},
		{"wrong credentials", func() *http.Response { return refuse(401, 20003) }, fault.Auth, false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				acc, seen := account(t, func(int, *http.Request) (*http.Response, error) { return c.answer(), nil })
				_, err := acc.Fetch(t.Context(), message.SID(sid(7)))
				require.Equal(t, c.class.String(), fault.ClassOf(err).String())
				require.Equal(t, c.gone, errors.Is(err, mirror.ErrGone))
				require.Len(t, seen.requests, c.tries)
				require.NotContains(t, err.Error(), "secret")
				for _, b := range seen.bodies {
					require.True(t, b.closed && b.ended)
				}
			})
		})
	}
}

func TestFetchOfWhatIsNoSIDAsksNobody(t *testing.T) {
	acc, seen := account(t, func(int, *http.Request) (*http.Response, error) { return nil, errors.New("asked") })
	for _, bad := range []string{"", "../../x", sid(1) + "/Media", "AC00000000000000000000000000000001", "SM"} {
		_, err := acc.Fetch(t.Context(), message.SID(bad))
		require.Equal(t, fault.Permanent, fault.ClassOf(err), bad)
	}
	require.Empty(t, seen.requests)
}

func TestARequestThatTakesTooLongIsTransient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		acc, _ := account(t, func(_ int, r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, func(o *twilio.Options) { o.Timeout = 3 * time.Second })
		start := time.Now()
		_, err := acc.Fetch(t.Context(), message.SID(sid(1)))
		require.Equal(t, fault.Transient, fault.ClassOf(err))
		require.ErrorContains(t, err, "no answer in time (3s)")
		require.InDelta(t, 16.5, time.Since(start).Seconds(), 0.5, "five tries and 1.5 s of pauses")
	})
}

func TestRetryAfterIsObeyed(t *testing.T) {
	for _, c := range []struct {
		name   string
		header string
		took   time.Duration
		calls  int
	}{
		{"seconds", "7", 7 * time.Second, 2},
		{"more than we are ready to wait", "300", 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				acc, seen := account(t, func(n int, _ *http.Request) (*http.Response, error) {
					if n == 1 {
						return respond(429, `{"code":20429,"message":"x","status":429}`, "Retry-After", c.header), nil
					}
					return respond(200, row(sid(1))), nil
				})
				start := time.Now()
				_, err := acc.Fetch(t.Context(), message.SID(sid(1)))
				require.Equal(t, c.took, time.Since(start))
				require.Len(t, seen.requests, c.calls)
				if c.calls == 1 {
					require.Equal(t, 5*time.Minute, fault.After(err), "the caller learns how long")
				} else {
					require.NoError(t, err)
				}
			})
		})
	}
}

func TestMetricsCountEveryRequestByWhatCameOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewPedanticRegistry()
		with := func(o *twilio.Options) { o.Registerer, o.Concurrency = reg, 6 }
		acc, _ := account(t, func(n int, _ *http.Request) (*http.Response, error) {
			switch n {
			case 1:
				return refuse(429, 20429), nil
			case 2:
				return respond(503, ""), nil
			case 3:
				return respond(200, `{"messages":[{}],"next_page_uri":null}`), nil
			default:
				return refuse(404, 20404), nil
			}
		}, with)
		_, err := walked(t, acc, mirror.Window{})
		require.Error(t, err)
		_, err = acc.Fetch(t.Context(), message.SID(sid(1)))
		require.ErrorIs(t, err, mirror.ErrGone)
		require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP twiliosf_twilio_concurrency_allowed Requests to Twilio allowed at a time; below twilio.concurrency after Twilio answered 429.
# TYPE twiliosf_twilio_concurrency_allowed gauge
twiliosf_twilio_concurrency_allowed 3
# HELP twiliosf_twilio_requests_total Requests to Twilio, repeated ones included, by operation and by what came of them: ok, gone, stopped or the class of the error.
# TYPE twiliosf_twilio_requests_total counter
twiliosf_twilio_requests_total{class="gone",operation="fetch_message"} 1
twiliosf_twilio_requests_total{class="ok",operation="list_messages"} 1
twiliosf_twilio_requests_total{class="throttled",operation="list_messages"} 1
twiliosf_twilio_requests_total{class="transient",operation="list_messages"} 1
# HELP twiliosf_twilio_unreadable_rows_total Rows of Twilio's message list that could not be read, counted each time they are met.
# TYPE twiliosf_twilio_unreadable_rows_total counter
twiliosf_twilio_unreadable_rows_total 1
`), "twiliosf_twilio_concurrency_allowed", "twiliosf_twilio_requests_total", "twiliosf_twilio_unreadable_rows_total"))
		count, err := testutil.GatherAndCount(reg, "twiliosf_twilio_request_duration_seconds")
		require.NoError(t, err)
		require.Equal(t, 2, count)
		require.EqualValues(t, 4, acc.Calls())

		account(t, nil, with) // a reload makes a second one on the same registry
		taken := prometheus.NewRegistry()
		taken.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "twiliosf_twilio_requests_total", Help: "another"}))
		_, err = twilio.New(twilio.Options{AccountSID: accountSID, AuthToken: authToken, Registerer: taken})
		require.Error(t, err, "a name that something else has")
	})
}

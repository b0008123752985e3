package twiliotest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// both runs a test in process and over TCP.
func both(t *testing.T, test func(t *testing.T, a *api)) {
	t.Helper()
	t.Run("in process", func(t *testing.T) { test(t, newAPI(t, still())) })
	t.Run("over TCP", func(t *testing.T) {
		a := newAPI(t, still())
		require.NoError(t, a.srv.Listen("127.0.0.1:0"))
		transport := &http.Transport{DisableKeepAlives: true} // net/http repeats a GET on a reused connection by itself
		t.Cleanup(transport.CloseIdleConnections)
		a.client, a.base = &http.Client{Transport: transport}, a.srv.URL
		test(t, a)
	})
}

// outcome of one request: status 0 without an answer.
func (a *api) try(ctx context.Context, method, path string, form url.Values) (int, http.Header, string, error) {
	resp, err := a.client.Do(a.request(method, path, form).WithContext(ctx))
	if err != nil {
		return 0, nil, "", err
	}
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, string(body), errors.Join(err, resp.Body.Close())
}

func TestAnswersThatGoWrong(t *testing.T) {
	both(t, func(t *testing.T, a *api) {
		a.srv.Receive(twiliotest.Inbound{From: customer, To: ours})
		for _, c := range []struct {
			name         string
			fault        twiliotest.Fault
			status, code int
		}{
			{"throttled", twiliotest.Throttle(1), 429, 20429},
			{"internal error", twiliotest.InternalError(), 500, 20500},
			{"unavailable", twiliotest.Unavailable(), 503, 20503},
			{"a proxy's page", twiliotest.HTML(502), 502, 0},
			{"garbage", twiliotest.Garbage(), 200, 0},
			{"revoked", twiliotest.Revoked(), 401, 20003},
			{"suspended", twiliotest.Suspended(), 401, 20005},
			{"anything", twiliotest.Refuse(403, 20403, "no"), 403, 20403},
			{"half the JSON", twiliotest.TruncatedJSON(), 200, 0},
		} {
			t.Run(c.name, func(t *testing.T) {
				a.srv.Script(c.fault)
				status, _, body, err := a.try(t.Context(), http.MethodGet, a.path("/Messages.json"), nil)
				require.NoError(t, err)
				var o object
				if c.code == 0 {
					require.Equal(t, c.status, status)
					require.Error(t, json.Unmarshal([]byte(body), &o))
				} else {
					require.NoError(t, json.Unmarshal([]byte(body), &o))
					requireRefused(t, c.status, c.code, status, o)
				}
				require.Zero(t, a.srv.Scripted())
				require.Len(t, a.walk(""), 1, "the next request is well")
			})
		}
	})
}

func TestConnectionsThatBreak(t *testing.T) {
	form := url.Values{"To": {customer}, "From": {ours}, "Body": {"x"}}
	both(t, func(t *testing.T, a *api) {
		a.srv.Script(twiliotest.ResetBefore())
		_, _, _, err := a.try(t.Context(), http.MethodPost, a.path("/Messages.json"), form)
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.Equal(t, 0, a.srv.Len(), "not sent")

		a.srv.Script(twiliotest.ResetAfter())
		_, _, _, err = a.try(t.Context(), http.MethodPost, a.path("/Messages.json"), form)
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.Equal(t, 1, a.srv.Len(), "sent, though nobody was told")

		a.srv.Script(twiliotest.CutBody())
		status, _, body, err := a.try(t.Context(), http.MethodGet, a.path("/Messages.json"), nil)
		require.Equal(t, http.StatusOK, status)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.NotEmpty(t, body)

		a.srv.Script(twiliotest.Unavailable().Processed())
		status, _, _, err = a.try(t.Context(), http.MethodPost, a.path("/Messages.json"), form)
		require.NoError(t, err)
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Equal(t, 2, a.srv.Len(), "sent, though the answer denies it")
	})
}

func TestARequestThatHangsEndsWithItsContext(t *testing.T) {
	both(t, func(t *testing.T, a *api) {
		for _, fault := range []twiliotest.Fault{twiliotest.Hang(), twiliotest.Latency(time.Hour)} {
			a.srv.Script(fault)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			_, _, _, err := a.try(ctx, http.MethodGet, a.path("/Messages.json"), nil)
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
	})
}

func TestCloseEndsWhatHangs(t *testing.T) {
	both(t, func(t *testing.T, a *api) {
		a.srv.Script(twiliotest.Hang())
		arrived := make(chan error, 1)
		go func() {
			_, _, _, err := a.try(t.Context(), http.MethodGet, a.path("/Messages.json"), nil)
			arrived <- err
		}()
		require.Eventually(t, func() bool { return a.srv.Calls().Total == 1 }, 5*time.Second, time.Millisecond)
		a.srv.Close()
		require.Error(t, <-arrived)
		_, _, _, err := a.try(t.Context(), http.MethodGet, a.path("/Messages.json"), nil)
		require.Error(t, err)
	})
}

func TestLatencyIsVirtualInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := still()
		o.Latency = 400 * time.Millisecond
		a := newAPI(t, o)
		began := time.Now()
		a.list("")
		require.Equal(t, 400*time.Millisecond, time.Since(began))
		a.srv.Script(twiliotest.Latency(time.Hour))
		a.list("")
		require.Equal(t, time.Hour+800*time.Millisecond, time.Since(began))
		a.srv.SetLatency(0)
		a.list("")
		require.Equal(t, time.Hour+800*time.Millisecond, time.Since(began))
	})
}

func TestTooManyAtOnce(t *testing.T) {
	for _, retryAfter := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			o := still()
			o.Latency, o.Concurrency = time.Second, 3
			o.Switches.RetryAfter = retryAfter
			a := newAPI(t, o)
			var mu sync.Mutex
			count := map[int]int{}
			var all sync.WaitGroup
			for range 5 {
				all.Go(func() {
					status, header, _, err := a.try(t.Context(), http.MethodGet, a.path("/Messages.json"), nil)
					mu.Lock()
					defer mu.Unlock()
					count[status]++
					if err != nil || header.Get("Twilio-Concurrent-Requests") == "" || header.Get("Twilio-Request-Duration") == "" ||
						(header.Get("Retry-After") != "") != (retryAfter && status == 429) {
						count[-1]++
					}
				})
			}
			all.Wait()
			require.Equal(t, map[int]int{200: 3, 429: 2}, count)
			require.Equal(t, map[int]int{200: 3, 429: 2}, a.srv.Calls().ByStatus)
			a.srv.SetConcurrency(0)
			a.list("")
		})
	}
}

func TestFaultsKeepToTheirOperationAndNumber(t *testing.T) {
	a := newAPI(t, still())
	a.srv.Script(twiliotest.InternalError().On(twiliotest.CreateMessage), twiliotest.Throttle(2), twiliotest.Unavailable().Times(1))
	for _, want := range []int{429, 429, 503, 200} {
		status, _ := a.call(http.MethodGet, a.path("/Messages.json"), nil)
		require.Equal(t, want, status)
	}
	status, _ := a.create("To", customer, "From", ours, "Body", "x")
	require.Equal(t, 500, status)
	require.Equal(t, map[twiliotest.Operation]int{twiliotest.ListMessage: 4, twiliotest.CreateMessage: 1}, a.srv.Calls().ByOperation)
	a.srv.ResetCalls()
	require.Zero(t, a.srv.Calls().Total)
}

func TestWeatherStrikesAsOftenAsItShould(t *testing.T) {
	statuses := func(seed uint64) (list []int, bad int) {
		o := still()
		o.Seed, o.Weather = seed, []twiliotest.Chance{{P: 0.3, Fault: twiliotest.Unavailable()}}
		a := newAPI(t, o)
		for range 500 {
			status, _ := a.call(http.MethodGet, a.path("/Balance.json"), nil)
			list = append(list, status)
			if status == 503 {
				bad++
			}
		}
		a.srv.SetWeather()
		a.get(a.path("/Balance.json"))
		return list, bad
	}
	first, bad := statuses(7)
	require.InDelta(t, 150, bad, 40)
	again, _ := statuses(7)
	require.Equal(t, first, again)
}

func TestManyAtOnce(t *testing.T) {
	a := newAPI(t, twiliotest.Options{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				sid := a.srv.Receive(twiliotest.Inbound{From: customer, To: ours, Body: "x"})
				a.srv.Send(twiliotest.Outbound{From: ours, To: customer, Body: "y"})
				_, _, _, _ = a.try(t.Context(), http.MethodGet, a.path("/Messages.json?PageSize=20"), nil)
				a.srv.SetStatus(sid, "received", 0)
			}
		})
	}
	all.Wait()
	require.Equal(t, 800, a.srv.Len())
	seen := map[string]bool{}
	for _, sid := range a.walk("PageSize=1000") {
		require.False(t, seen[sid])
		seen[sid] = true
	}
}

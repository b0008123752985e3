package salesforce_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
)

func ping(ctx context.Context, org *salesforce.Org) error {
	_, err := org.Do(ctx, salesforce.Call{Op: "ping", Method: http.MethodGet, Path: "/limits"})
	return err
}

func TestNothingIsCalledBeforeTheFirstCall(t *testing.T) {
	f := always(ok(`{}`))
	org := newOrg(t, f)
	require.Zero(t, f.loginCount())
	require.NoError(t, ping(t.Context(), org))
	require.Equal(t, 1, f.loginCount())
}

func TestAnEndedSessionCostsOneLoginForAllCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeOrg{}
		// Every call takes a while, so that all are under way at once.
		f.serve = func(int, call) reply { time.Sleep(100 * time.Millisecond); return ok(`{}`) }
		org := newOrg(t, f, func(o *salesforce.Options) { o.Concurrency = 50 })
		require.NoError(t, ping(t.Context(), org))
		for range 3 {
			before := f.loginCount()
			f.revoke()
			var wrong atomic.Int32
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					if ping(t.Context(), org) != nil {
						wrong.Add(1)
					}
				})
			}
			wg.Wait()
			require.Zero(t, wrong.Load())
			require.Equal(t, before+1, f.loginCount())
		}
	})
}

func TestAnOrgThatHasMovedIsFoundByTheNextLogin(t *testing.T) {
	f := always(ok(`{}`))
	org := newOrg(t, f)
	require.NoError(t, ping(t.Context(), org))
	f.revoke()
	f.host = "moved.my.salesforce.test"
	require.NoError(t, ping(t.Context(), org))
	require.Equal(t, 2, f.loginCount())
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestARefusalThatAFreshTokenDoesNotCureIsNoLoginLoop(t *testing.T) {
	for text, hint := range map[string]string{
		"This session is not valid for use with the REST API": "scope api",
		"Connected app is not attached to Agent":              "attach it",
		"Session expired or invalid":                          "session policies",
	} {
		synctest.Test(t, func(t *testing.T) {
			f := always(refused(401, "INVALID_SESSION_ID", text))
			org := newOrg(t, f)
			err := ping(t.Context(), org)
			require.Equal(t, fault.Auth, fault.ClassOf(err))
			require.Contains(t, fault.Hint(err), hint)
			for range 20 {
				require.Equal(t, "INVALID_SESSION_ID", fault.CodeOf(ping(t.Context(), org)))
			}
			require.Equal(t, 1, f.loginCount(), "no second login while the first refusal holds")
			time.Sleep(16 * time.Second)
			require.Error(t, ping(t.Context(), org))
			require.Equal(t, 2, f.loginCount())
			time.Sleep(16 * time.Second)
			require.Error(t, ping(t.Context(), org))
			require.Equal(t, 2, f.loginCount(), "the wait doubles")
			f.mu.Lock()
			f.serve = func(int, call) reply { return ok(`{}`) }
			f.mu.Unlock()
			time.Sleep(15 * time.Second)
			require.NoError(t, ping(t.Context(), org), "it resumes by itself when the cause is gone")
		})
	}
}

func TestARefusedLoginIsRememberedSoThatNobodyHammersTheEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := always(ok(`{}`))
		f.login = func(*http.Request, string) reply {
			return reply{status: 400, body: `{"error":"invalid_client","error_description":"invalid client credentials"}`}
		}
		org := newOrg(t, f)
		began := time.Now()
		var wrong error
		for time.Since(began) < time.Hour {
			wrong = ping(t.Context(), org)
			require.Equal(t, fault.Auth, fault.ClassOf(wrong))
			time.Sleep(time.Second)
		}
		require.Equal(t, "invalid_client", fault.CodeOf(wrong))
		require.Contains(t, fault.Hint(wrong), "client_secret")
		// 15 s, 30 s, 1, 2, 4, 8 min make 15:45; then one each 15 min.
		require.Equal(t, 9, f.loginCount())
		require.Positive(t, fault.After(wrong))

		f.mu.Lock()
		f.login = nil
		f.mu.Unlock()
		time.Sleep(15 * time.Minute)
		require.NoError(t, ping(t.Context(), org))
	})
}

func TestALoginEndpointThatIsDownIsAskedAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := always(ok(`{}`))
		f.login = func(*http.Request, string) reply {
			if f.logins < 3 {
				return reply{status: 503, body: "<html>maintenance</html>"}
			}
			return reply{}
		}
		org := newOrg(t, f)
		require.NoError(t, ping(t.Context(), org))
		require.Equal(t, 3, f.loginCount())
	})
}

func TestACallerWhoGivesUpDoesNotTakeTheLoginFromOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := always(ok(`{}`))
		slow := roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/services/oauth2/token" {
				select {
				case <-time.After(10 * time.Second):
				case <-r.Context().Done():
					return nil, r.Context().Err()
				}
			}
			return f.RoundTrip(r)
		})
		org := newOrg(t, f, func(o *salesforce.Options) { o.HTTP = slow })
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			began := time.Now()
			err := ping(impatient, org)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.True(t, fault.Stopped(impatient, err))
			require.Equal(t, time.Second, time.Since(began))
		})
		synctest.Wait()
		require.NoError(t, ping(t.Context(), org))
		wg.Wait()
		require.Equal(t, 1, f.loginCount())
	})
}

func contextFor(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}

func TestALoginThatHangsEndsWithTheLastCallerWhoWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{})
		o := options(&fakeOrg{})
		o.HTTP = roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			close(ended)
			return nil, r.Context().Err()
		})
		org, err := salesforce.New(o)
		require.NoError(t, err)
		first, stopFirst := context.WithCancel(t.Context())
		second, stopSecond := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		for _, ctx := range []context.Context{first, second} {
			callers.Go(func() { _ = ping(ctx, org) })
		}
		synctest.Wait()
		stopFirst()
		synctest.Wait()
		select {
		case <-ended:
			t.Fatal("the second still waits for it")
		default:
		}
		stopSecond()
		callers.Wait()
		<-ended
	})
}

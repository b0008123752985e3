package twiliotest_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

func TestCallsGetLostComeTwiceAndLateInTheirShares(t *testing.T) {
	const n = 2000
	o := hooked()
	o.Life.Still = true
	o.Webhook.Lost, o.Webhook.Twice, o.Webhook.Late, o.Webhook.Delay = 0.2, 0.1, 0.3, time.Minute
	announced(t, o, func(t *testing.T, a *api, l *listener) {
		for range n {
			a.srv.Receive(hears())
		}
		time.Sleep(2 * time.Minute)
		times, late := map[string]int{}, 0
		tokens := map[string]string{}
		for _, h := range l.heard() {
			sid, token := h.form["MessageSid"], h.header.Get("I-Twilio-Idempotency-Token")
			times[sid]++
			if times[sid] > 1 {
				require.Equal(t, tokens[sid], token)
			}
			tokens[sid] = token
			if h.at > 0 {
				late++
				require.LessOrEqual(t, h.at, time.Minute)
			}
		}
		twice := len(l.heard()) - len(times)
		require.InDelta(t, 0.2*n, n-len(times), 60)
		require.InDelta(t, 0.1*0.8*n, twice, 50)
		require.InDelta(t, 0.3*float64(len(l.heard())), late, 80)
		calls := a.srv.WebhookCalls()
		require.Equal(t, []int{n - len(times), len(l.heard()), len(l.heard())}, []int{calls.Lost, calls.Made, calls.Accepted})
	})
}

func TestLateStatusesAreOvertaken(t *testing.T) {
	o := hooked()
	o.Webhook.Late, o.Webhook.Delay = 0.5, time.Minute
	announced(t, o, func(t *testing.T, a *api, l *listener) {
		var sids []string
		for range 50 {
			sids = append(sids, a.srv.Send(twiliotest.Outbound{From: ours, To: customer, Body: "x"}))
		}
		time.Sleep(time.Hour)
		require.True(t, slices.ContainsFunc(sids, func(sid string) bool {
			return !slices.Equal(l.statuses(sid), []string{"sending", "sent", "delivered"})
		}))
		require.Len(t, l.heard(), 150)
	})
}

func TestAFailedCallIsMadeAgainOnlyWhereItsAddressSaysSo(t *testing.T) {
	refuse := func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	reset := func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	hang := func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	for _, c := range []struct {
		name, fragment string
		answer         func(*http.Request) (*http.Response, error)
		want           twiliotest.WebhookCalls
	}{
		{"no connection", "", refuse, twiliotest.WebhookCalls{Made: 2, Failed: 2}},
		{"a reset", "", reset, twiliotest.WebhookCalls{Made: 1, Failed: 1}},
		{"500", "", always(500, "", ""), twiliotest.WebhookCalls{Made: 1, Refused: 1}},
		{"500 and rp=all", "#rc=3&rp=all", always(500, "", ""), twiliotest.WebhookCalls{Made: 4, Refused: 4}},
		{"500 and rp=4xx", "#rc=3&rp=4xx,ct", always(500, "", ""), twiliotest.WebhookCalls{Made: 1, Refused: 1}},
		{"403 and rp=4xx", "#rc=2&rp=4xx,ct", always(403, "", ""), twiliotest.WebhookCalls{Made: 3, Refused: 3}},
		{"a reset and rp=rt", "#rc=9&rp=rt", reset, twiliotest.WebhookCalls{Made: 6, Failed: 6}},
		{"no connection and rc=0", "#rc=0", refuse, twiliotest.WebhookCalls{Made: 1, Failed: 1}},
		{"15 seconds in all", "#rc=5&rp=all", hang, twiliotest.WebhookCalls{Made: 1, Failed: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := hooked()
			o.Webhook.URL += c.fragment
			announced(t, o, func(t *testing.T, a *api, l *listener) {
				l.answer = c.answer
				a.srv.Receive(hears())
				time.Sleep(15 * time.Second)
				synctest.Wait()
				require.Equal(t, c.want, a.srv.WebhookCalls())
				for _, h := range l.heard() {
					require.Equal(t, hookURL, h.url, "the fragment stays at home")
					requireSigned(t, a.srv.AuthToken, h)
					require.Equal(t, l.heard()[0].header.Get("I-Twilio-Idempotency-Token"), h.header.Get("I-Twilio-Idempotency-Token"))
				}
			})
		})
	}
}

func TestASlowWebhookHoldsUpItsOwnMessageOnly(t *testing.T) {
	announced(t, hooked(), func(t *testing.T, a *api, l *listener) {
		l.answer = func(r *http.Request) (*http.Response, error) {
			if len(l.heard()) == 1 {
				time.Sleep(10 * time.Second)
			}
			return says(http.StatusOK, "text/xml", "<Response/>"), r.Context().Err()
		}
		first := a.srv.Send(twiliotest.Outbound{From: ours, To: customer, Body: "x"})
		time.Sleep(500 * time.Millisecond)
		second := a.srv.Send(twiliotest.Outbound{From: ours, To: customer, Body: "x"})
		time.Sleep(8 * time.Second)
		require.Equal(t, []string{"sending"}, l.statuses(first))
		require.Equal(t, []string{"sending", "sent", "delivered"}, l.statuses(second))
		time.Sleep(time.Minute)
		require.Equal(t, []string{"sending", "sent", "delivered"}, l.statuses(first))
	})
}

func TestWithoutRunTheAccountCallsWhenItIsTold(t *testing.T) {
	now := clock
	l := &listener{}
	o := hooked()
	o.Webhook.Via, o.Life, o.Now = l, exactly(), func() time.Time { return now }
	srv := twiliotest.NewServer(o)
	defer srv.Close()
	sid := srv.Send(twiliotest.Outbound{From: ours, To: customer, Body: "x"})
	next, err := srv.Deliver(t.Context())
	require.NoError(t, err)
	require.Equal(t, clock.Add(time.Second), next)
	require.Empty(t, l.heard())

	now = now.Add(time.Hour)
	ended, end := context.WithCancel(t.Context())
	end()
	_, err = srv.Deliver(ended)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, l.heard(), "what was not made is still to be made")
	next, err = srv.Deliver(t.Context())
	require.NoError(t, err)
	require.True(t, next.IsZero())
	require.Equal(t, []string{"sending", "sent", "delivered"}, l.statuses(sid))
}

func TestAWebhookIsChangedAndTakenAway(t *testing.T) {
	old, young := &listener{}, &listener{}
	o := still()
	o.Webhook = twiliotest.Webhook{URL: hookURL, Via: old}
	srv := twiliotest.NewServer(o)
	defer srv.Close()
	deliver := func() {
		_, err := srv.Deliver(t.Context())
		require.NoError(t, err)
	}
	srv.Receive(hears())
	deliver()
	srv.SetWebhook(twiliotest.Webhook{URL: "https://young.test/", Via: young})
	srv.Receive(hears())
	deliver()
	srv.Receive(hears())
	srv.SetWebhook(twiliotest.Webhook{})
	srv.Receive(hears())
	deliver()
	require.Len(t, old.heard(), 1)
	require.Len(t, young.heard(), 1)
	require.Equal(t, twiliotest.WebhookCalls{Made: 2, Accepted: 2, Lost: 1}, srv.WebhookCalls())
}

func TestRunEndsWithTheServerAndWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &listener{answer: func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, errors.New("the call was given up")
		}}
		o := hooked()
		o.Webhook.Via = l
		srv := twiliotest.NewServer(o)
		over := make(chan struct{})
		go func() {
			defer close(over)
			srv.Run(t.Context())
		}()
		for range 40 {
			srv.Receive(hears())
		}
		synctest.Wait()
		require.Len(t, l.heard(), 16, "no more at one time")
		srv.Close()
		<-over
		srv.Run(t.Context()) // after Close it has nothing to do
		require.Equal(t, 16, srv.WebhookCalls().Failed)
	})
}

package twilio_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/twilio"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest/openapitest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// variety are rows of every kind, newest first.
func variety(now time.Time) []twiliotest.Row {
	at := func(minutes int) time.Time {
		return now.Add(-time.Duration(minutes) * time.Minute).UTC().Truncate(time.Second)
	}
	rows := []twiliotest.Row{
		{From: "+14155550100", To: "+14155550101", Body: "Hi \"Anna\"\n☺ 😀 \u200f\u05e9", Created: at(1), Sent: at(1)},
		{From: "whatsapp:+447700900123", To: "whatsapp:+14155550101", Body: "", Created: at(2), Sent: at(2), Media: []twiliotest.Media{{}}},
		{From: "", ServiceSID: twiliotest.DefaultServiceSID, To: "+14155550102", Body: "x", Direction: "outbound-api", Status: "accepted", Created: at(3), Segments: -1},
		{From: "72345", To: "+14155550102", Body: strings.Repeat("é", 1600), Direction: "outbound-api", Status: "undelivered", ErrorCode: 30003, Created: at(5), Sent: at(4), Price: "-0.00750"},
		{From: "ACME.24", To: "+14155550103", Body: "a\tb", Direction: "outbound-reply", Status: "canceled", Created: at(6)},
	}
	for i := range 20 {
		rows = append(rows, twiliotest.Row{From: "+14155550100", To: "+14155550101", Body: fmt.Sprint("row ", i), Created: at(10 + i), Sent: at(10 + i)})
	}
	return rows
}

// same compares a message with the account's own row.
func same(t *testing.T, want twiliotest.Row, got message.Message) {
	t.Helper()
	expected := message.Message{
		SID: message.SID(want.SID), ServiceSID: want.ServiceSID, From: message.Number(want.From), To: message.Number(want.To),
		Body: want.Body, Direction: message.Direction(want.Direction), Status: message.Status(want.Status),
		Segments: max(0, want.Segments), Media: len(want.Media), Price: want.Price, PriceUnit: got.PriceUnit,
		ErrorCode: want.ErrorCode, ErrorMessage: want.ErrorMessage,
		Created: want.Created, Updated: want.Updated, Sent: want.Sent,
	}
	require.Equal(t, expected, got)
}

func TestListAndFetchGiveWhatTheAccountHolds(t *testing.T) {
	for _, switches := range []twiliotest.Switches{
		{},
		{EmptyLastPage: true, NullsOnTop: true, LostTokens: true, EscapeJSON: true},
	} {
		srv := twiliotest.NewServer(twiliotest.Options{Switches: switches})
		sids := srv.Seed(variety(time.Now())...)
		acc := emulated(t, srv, validated(t))
		found := 0
		require.NoError(t, acc.Walk(t.Context(), mirror.Window{PageSize: 5}, func(rows []message.Message) (bool, error) {
			for _, m := range rows {
				want, there := srv.Message(string(m.SID))
				require.True(t, there)
				same(t, want, m)
				found++
			}
			return true, nil
		}))
		require.Equal(t, len(sids), found)
		for _, sid := range sids {
			m, err := acc.Fetch(t.Context(), message.SID(sid))
			require.NoError(t, err)
			want, _ := srv.Message(sid)
			same(t, want, m)
		}
		srv.Delete(sids[0])
		_, err := acc.Fetch(t.Context(), message.SID(sids[0]))
		require.ErrorIs(t, err, mirror.ErrGone)
		require.EqualValues(t, srv.Calls().Total, acc.Calls())
		require.Empty(t, srv.Unknown())
	}
}

// validated holds every request and answer against Twilio's own OpenAPI
// document, where it is on this machine.
func validated(t *testing.T) func(*twilio.Options) {
	t.Helper()
	file, err := openapitest.Spec("twilio_api_v2010.yaml")
	return func(o *twilio.Options) {
		if errors.Is(err, openapitest.ErrNoDocument) {
			return
		}
		require.NoError(t, err)
		rt, faults := openapitest.Validate(o.HTTP, file)
		o.HTTP = rt
		t.Cleanup(func() { require.Empty(t, faults()) })
	}
}

func TestADayIsAWholeUTCDay(t *testing.T) {
	today := time.Now().UTC().Truncate(24 * time.Hour)
	day := today.AddDate(0, 0, -3)
	for _, days := range []twiliotest.Switches{{}, {DayPrecision: true}, {Exclusive: true}} {
		srv := twiliotest.NewServer(twiliotest.Options{Switches: days})
		sids := srv.Seed(
			twiliotest.Row{From: "+1", To: "+2", Created: day.Add(24 * time.Hour), Sent: day.Add(24 * time.Hour)},
			twiliotest.Row{From: "+1", To: "+2", Created: day, Sent: day.Add(24*time.Hour - time.Second)},
			twiliotest.Row{From: "+1", To: "+2", Created: day, Sent: day},
			twiliotest.Row{From: "+1", To: "+2", Created: day, Sent: day.Add(-time.Second)},
		)
		pages, err := walked(t, emulated(t, srv, validated(t)), mirror.Window{Day: day})
		require.NoError(t, err)
		require.Equal(t, [][]string{sids[1:3]}, pages)
	}
}

func TestAWalkIsNotDisturbedByMessagesThatArrive(t *testing.T) {
	srv := twiliotest.NewServer(twiliotest.Options{})
	old := map[string]bool{}
	for _, sid := range srv.Seed(variety(time.Now().Add(-time.Hour))...) {
		old[sid] = true
	}
	srv.OnRequest(func(*http.Request) {
		for range 7 {
			srv.Receive(twiliotest.Inbound{From: "+14155550100", To: "+14155550101", Body: "new"})
		}
	})
	pages, err := walked(t, emulated(t, srv), mirror.Window{PageSize: 4})
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, page := range pages {
		for _, sid := range page {
			require.False(t, seen[sid], "twice")
			seen[sid] = true
			delete(old, sid)
		}
	}
	require.Empty(t, old, "nothing that was there is missed")
}

func TestAWalkBeginsAgainWhenItsPlaceWasDeleted(t *testing.T) {
	srv := twiliotest.NewServer(twiliotest.Options{Switches: twiliotest.Switches{LostTokens: true}})
	sids := srv.Seed(variety(time.Now())...)
	acc := emulated(t, srv)
	seen := map[message.SID]bool{}
	require.NoError(t, acc.Walk(t.Context(), mirror.Window{PageSize: 10}, func(rows []message.Message) (bool, error) {
		for _, m := range rows {
			seen[m.SID] = true
		}
		srv.Delete(sids[9]) // the last row of the first page is the token
		return true, nil
	}))
	require.Len(t, seen, len(sids))
}

func TestBadWeatherLosesAndDoublesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := twiliotest.NewServer(twiliotest.Options{Seed: 7, Weather: []twiliotest.Chance{
			{P: 0.02, Fault: twiliotest.TruncatedJSON()}, {P: 0.02, Fault: twiliotest.CutBody()}, {P: 0.02, Fault: twiliotest.ResetBefore()},
			{P: 0.02, Fault: twiliotest.ResetAfter()}, {P: 0.02, Fault: twiliotest.HTML(502)}, {P: 0.02, Fault: twiliotest.InternalError()},
			{P: 0.02, Fault: twiliotest.Garbage()}, {P: 0.02, Fault: twiliotest.Throttle(1)}, {P: 0.02, Fault: twiliotest.Hang()},
		}})
		sids := srv.Seed(variety(time.Now())...)
		acc := emulated(t, srv)
		for range 20 {
			pages, err := walked(t, acc, mirror.Window{PageSize: 5})
			require.NoError(t, err)
			var got []string
			for _, page := range pages {
				got = append(got, page...)
			}
			require.ElementsMatch(t, sids, got)
		}
	})
}

func TestAStormOf429IsSatOutWithFewerRequestsAtATime(t *testing.T) {
	for _, retryAfter := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			srv := twiliotest.NewServer(twiliotest.Options{
				Latency: 100 * time.Millisecond, Concurrency: 2, Switches: twiliotest.Switches{RetryAfter: retryAfter},
			})
			sids := srv.Seed(variety(time.Now())...)
			acc := emulated(t, srv, func(o *twilio.Options) { o.Concurrency = 16 })
			var all sync.WaitGroup
			var failed atomic.Int32
			for range 8 {
				for _, sid := range sids {
					all.Go(func() {
						if _, err := acc.Fetch(t.Context(), message.SID(sid)); err != nil {
							failed.Add(1)
						}
					})
				}
			}
			all.Wait()
			require.Zero(t, failed.Load())
			refused := srv.Calls().ByStatus[429]
			require.NotZero(t, refused)
			require.Less(t, refused, 8*len(sids)/2, "it learns")
		})
	}
}

func TestAHangingRequestEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := twiliotest.NewServer(twiliotest.Options{Latency: time.Hour})
		acc := emulated(t, srv, func(o *twilio.Options) { o.Timeout = 2 * time.Hour })
		ctx, cancel := contextWithCause(t)
		time.AfterFunc(time.Minute, cancel)
		_, err := acc.Fetch(ctx, message.SID(sid(1)))
		require.ErrorIs(t, err, errStopping)
		require.True(t, fault.Stopped(ctx, err))
	})
}

// TestFailuresKeepTheirConnection goes over TCP: an error's body that is not
// read and closed costs a connection each time.
func TestFailuresKeepTheirConnection(t *testing.T) {
	connections := atomic.Int32{}
	pad := strings.Repeat(" ", 9<<10)
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateNew {
				connections.Add(1)
			}
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/Messages.json") {
				fmt.Fprint(w, page(""), pad) // and a good answer's tail
				return
			}
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"code":20404,"message":"no","status":404}`, pad)
		}),
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	transport := &http.Transport{}
	acc, err := twilio.New(twilio.Options{
		AccountSID: accountSID, AuthToken: authToken, BaseURL: "http://" + listener.Addr().String(), HTTP: transport,
	})
	require.NoError(t, err)
	for range 100 {
		_, err := acc.Fetch(t.Context(), message.SID(sid(1)))
		require.ErrorIs(t, err, mirror.ErrGone)
		_, err = walked(t, acc, mirror.Window{})
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, connections.Load())
	transport.CloseIdleConnections()
	require.NoError(t, server.Close())
	require.ErrorIs(t, <-served, http.ErrServerClosed)
}

func TestOverARealConnection(t *testing.T) {
	srv := twiliotest.NewServer(twiliotest.Options{})
	require.NoError(t, srv.Listen("127.0.0.1:0"))
	defer srv.Close()
	sids := srv.Seed(variety(time.Now())...)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	acc := emulated(t, srv, func(o *twilio.Options) { o.HTTP = transport })
	srv.Script(twiliotest.ResetBefore(), twiliotest.CutBody(), twiliotest.TruncatedJSON())
	pages, err := walked(t, acc, mirror.Window{})
	require.NoError(t, err)
	require.Len(t, pages, 1)
	require.ElementsMatch(t, sids, pages[0])
	require.EqualValues(t, 4, acc.Calls())

	gone := emulated(t, srv, func(o *twilio.Options) { o.BaseURL = "http://127.0.0.1:1"; o.HTTP = transport })
	_, err = gone.Fetch(t.Context(), message.SID(sids[0]))
	require.Equal(t, fault.Transient, fault.ClassOf(err))
	require.Contains(t, fault.Hint(err), "reaches the host")
	require.NotContains(t, err.Error(), "/2010-04-01/")
}

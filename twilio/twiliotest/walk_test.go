package twiliotest_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

func TestPagesDoNotShiftWhileMessagesArrive(t *testing.T) {
	a := newAPI(t, still())
	want := []string{}
	for range 20 {
		want = append(want, a.srv.Receive(twiliotest.Inbound{From: customer, To: ours}))
	}
	slices.Reverse(want)
	first := true
	a.srv.OnRequest(func(*http.Request) {
		if first { // what arrives before the first page is answered is on it
			first = false
			want = append([]string{a.srv.Receive(twiliotest.Inbound{From: customer, To: ours})}, want...)
			return
		}
		for range 5 {
			a.srv.Receive(twiliotest.Inbound{From: customer, To: ours})
		}
	})
	require.Equal(t, want, a.walk("PageSize=3"))
}

func TestPagingByNumberAloneShifts(t *testing.T) {
	a := newAPI(t, still())
	for range 4 {
		a.srv.Receive(twiliotest.Inbound{From: customer, To: ours})
	}
	first := sidsOf(a.list("PageSize=2&Page=0"))
	a.srv.Receive(twiliotest.Inbound{From: customer, To: ours})
	second := sidsOf(a.list("PageSize=2&Page=1"))
	require.Equal(t, first[1], second[0], "the arrival pushed it to the second page")
}

func TestAMessageThatIsSentDuringAWalkMovesToTheTop(t *testing.T) {
	now := clock
	o := still()
	o.Now = func() time.Time { return now }
	a := newAPI(t, o)
	queued := a.srv.Send(twiliotest.Outbound{From: ours, To: customer, Body: "waiting"})
	now = now.Add(time.Minute)
	for range 4 {
		a.srv.Receive(twiliotest.Inbound{From: customer, To: ours})
	}
	now = now.Add(time.Minute)
	page := a.list("PageSize=2")
	require.True(t, a.srv.SetStatus(queued, "sent", 0))
	rest := []string{}
	for page.text("next_page_uri") != "" {
		page = a.get(page.text("next_page_uri"))
		rest = append(rest, sidsOf(page)...)
	}
	require.NotContains(t, rest, queued, "this walk has missed it")
	require.Equal(t, queued, a.walk("")[0])
}

func TestAWalkIsRightInAMillionMessages(t *testing.T) {
	if testing.Short() {
		t.Skip("holds a million messages")
	}
	const n = 1_000_000
	a := newAPI(t, at(still(), clock))
	begin := clock.Add(-300 * 24 * time.Hour)
	step := 300 * 24 * time.Hour / n
	a.srv.SeedFunc(n, func(i int) twiliotest.Row {
		when := begin.Add(time.Duration(i) * step)
		return twiliotest.Row{From: customer, To: ours, Body: "x", Created: when, Sent: when}
	}, nil)
	require.Equal(t, n, a.srv.Len())
	day := a.walk("DateSent=2025-10-01&PageSize=1000")
	require.Len(t, day, int(24*time.Hour/step))
	require.Len(t, messagesOf(a.list("PageSize=1000")), 1000)
}

package twiliotest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const (
	customer = "+14155550199"
	ours     = "+14155550100"
)

// clock is a day in the middle of nowhere special.
var clock = time.Date(2026, time.March, 10, 15, 0, 0, 0, time.UTC)

func at(o twiliotest.Options, now time.Time) twiliotest.Options {
	o.Now = func() time.Time { return now }
	return o
}

// sentAt seeds one inbound message per moment, named by it.
func sentAt(a *api, moments ...string) map[string]string {
	a.t.Helper()
	names := map[string]string{}
	for _, m := range moments {
		when, err := time.Parse(time.RFC3339, m)
		require.NoError(a.t, err)
		sid := a.srv.Seed(twiliotest.Row{From: customer, To: ours, Body: m, Created: when, Sent: when})[0]
		names[sid] = m
	}
	return names
}

func named(names map[string]string, sids []string) []string {
	list := []string{}
	for _, sid := range sids {
		list = append(list, names[sid])
	}
	return list
}

func TestListIsNewestFirst(t *testing.T) {
	a := newAPI(t, at(still(), clock))
	names := sentAt(a, "2026-03-10T12:00:00Z", "2026-03-09T12:00:00Z", "2026-03-10T14:00:00Z", "2026-03-10T12:00:00Z")
	got := a.walk("")
	require.Equal(t, []string{"2026-03-10T14:00:00Z", "2026-03-10T12:00:00Z", "2026-03-10T12:00:00Z", "2026-03-09T12:00:00Z"}, named(names, got))
	require.Equal(t, got, a.walk("PageSize=1"), "ties keep their order")
}

func TestDateFilters(t *testing.T) {
	moments := []string{"2026-03-08T23:59:59Z", "2026-03-09T00:00:00Z", "2026-03-09T12:30:15Z", "2026-03-09T23:59:59Z", "2026-03-10T00:00:00Z"}
	for _, c := range []struct {
		name, query string
		sw          twiliotest.Switches
		want        []int // of moments, newest first
	}{
		{name: "a day", query: "DateSent=2026-03-09", want: []int{3, 2, 1}},
		{name: "the day of a moment", query: "DateSent=2026-03-09T12:00:00Z", want: []int{3, 2, 1}},
		{name: "a bare date is midnight: from", query: "DateSent>=2026-03-09", want: []int{4, 3, 2, 1}},
		{name: "a bare date is midnight: until", query: "DateSent<=2026-03-09", want: []int{1, 0}},
		{name: "between moments", query: "DateSent>=2026-03-09T12:30:15Z&DateSent<=2026-03-09T23:59:59Z", want: []int{3, 2}},
		{name: "exclusive", query: "DateSent>=2026-03-09T12:30:15Z&DateSent<=2026-03-09T23:59:59Z", sw: twiliotest.Switches{Exclusive: true}, want: []int{}},
		{name: "exclusive until midnight", query: "DateSent<=2026-03-09", sw: twiliotest.Switches{Exclusive: true}, want: []int{0}},
		{name: "day precision: from", query: "DateSent>=2026-03-09T12:30:15Z", sw: twiliotest.Switches{DayPrecision: true}, want: []int{4, 3, 2, 1}},
		{name: "day precision: until", query: "DateSent<=2026-03-09T12:30:15Z", sw: twiliotest.Switches{DayPrecision: true}, want: []int{1, 0}},
		{name: "another time zone", query: "DateSent>=2026-03-09T18:59:59-05:00", want: []int{4, 3}},
		{name: "milliseconds", query: "DateSent>=2026-03-09T23:59:59.500Z", want: []int{4, 3}},
		{name: "a blank between", query: "DateSent>=2026-03-09 12:30:15.000", want: []int{4, 3, 2}},
		{name: "RFC 2822", query: "DateSent>=Mon, 9 Mar 2026 12:30:15 -0000", want: []int{4, 3, 2}},
		{name: "a month", query: "DateSent<=2026-04", want: []int{4, 3, 2, 1, 0}},
		{name: "a year", query: "DateSent<=2026", want: []int{}},
		{name: "an empty window", query: "DateSent>=2026-03-10&DateSent<=2026-03-09", want: []int{}},
		{name: "an empty value is no filter", query: "DateSent>=", want: []int{4, 3, 2, 1, 0}},
		{name: "an unknown filter is ignored", query: "DateCreated>=2026-03-10", want: []int{4, 3, 2, 1, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := at(still(), clock)
			o.Switches = c.sw
			a := newAPI(t, o)
			names := sentAt(a, moments...)
			want := []string{}
			for _, i := range c.want {
				want = append(want, moments[i])
			}
			for _, size := range []string{"&PageSize=1", "&PageSize=2", "&PageSize=1000"} {
				require.Equal(t, want, named(names, a.walk(encode(c.query)+size)))
			}
		})
	}
}

// encode writes "DateSent>=value&..." as Twilio's clients put it on the wire:
// the inequality belongs to the name.
func encode(query string) string {
	var pairs []string
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		pairs = append(pairs, url.QueryEscape(name)+"="+url.QueryEscape(value))
	}
	return strings.Join(pairs, "&")
}

func TestUnknownFiltersAreIgnoredButNamed(t *testing.T) {
	a := newAPI(t, at(still(), clock))
	sentAt(a, "2026-03-10T12:00:00Z")
	require.Len(t, a.walk("Status=sent&DateCreated%3E=2026-01-01"), 1)
	require.Equal(t, []string{"ListMessage DateCreated>", "ListMessage Status"}, a.srv.Unknown())
}

func TestToAndFromMatchExactly(t *testing.T) {
	a := newAPI(t, at(still(), clock))
	in := a.srv.Receive(twiliotest.Inbound{From: customer, To: ours})
	out := a.srv.Send(twiliotest.Outbound{From: ours, To: customer, Body: "x"})
	channel := a.srv.Receive(twiliotest.Inbound{From: "whatsapp:" + customer, To: "whatsapp:" + ours})
	require.Equal(t, []string{in}, a.walk("From="+url.QueryEscape(customer)))
	require.Equal(t, []string{out}, a.walk("To="+url.QueryEscape(customer)))
	require.Equal(t, []string{channel}, a.walk("From="+url.QueryEscape("whatsapp:"+customer)))
	require.Empty(t, a.walk("From="+url.QueryEscape(customer)+"&To="+url.QueryEscape(customer)))
	require.Empty(t, a.walk("To="+customer), "a plus sign that is not encoded is a blank")
}

func TestMessagesPastTheHorizonAreGone(t *testing.T) {
	a := newAPI(t, at(still(), clock))
	day := 24 * time.Hour
	seen := a.srv.Seed(twiliotest.Row{Created: clock.Add(-400 * day), Sent: clock.Add(-400 * day)})[0]
	gone := a.srv.Seed(twiliotest.Row{Created: clock.Add(-400*day - time.Second), Sent: clock.Add(-400*day - time.Second)})[0]
	require.Equal(t, []string{seen}, a.walk(""))
	require.Equal(t, []string{seen}, a.walk("DateSent%3E=2020-01-01"))
	status, o := a.call(http.MethodGet, a.path("/Messages/"+gone+".json"), nil)
	requireRefused(t, 404, 20404, status, o)
	require.Equal(t, 2, a.srv.Len())
}

func TestPagesAreDescribedAsTwilioDoes(t *testing.T) {
	a := newAPI(t, at(still(), clock))
	sids := []string{}
	for range 5 {
		sids = append(sids, a.srv.Receive(twiliotest.Inbound{From: customer, To: ours}))
	}
	slices.Reverse(sids)
	base := a.path("/Messages.json?From=%2B14155550199&PageSize=2&Page=")
	first := a.list("From=%2B14155550199&PageSize=2&Color=red")
	require.Equal(t, sids[:2], sidsOf(first))
	require.Equal(t, base+"0", first["uri"])
	require.Equal(t, base+"0", first["first_page_uri"])
	require.Nil(t, first["previous_page_uri"])
	require.Equal(t, base+"1&PageToken=PA"+sids[1], first["next_page_uri"])
	require.NotContains(t, first, "total")

	second := a.get(first.text("next_page_uri"))
	require.Equal(t, sids[2:4], sidsOf(second))
	require.Equal(t, first["next_page_uri"], second["uri"])
	require.Equal(t, []any{1.0, 2.0, 2.0, 3.0}, []any{second["page"], second["page_size"], second["start"], second["end"]})
	require.Equal(t, sids[:2], sidsOf(a.get(second.text("previous_page_uri"))))

	third := a.get(second.text("next_page_uri"))
	require.Equal(t, sids[4:], sidsOf(third))
	require.Nil(t, third["next_page_uri"])
	require.EqualValues(t, 4, third["end"])
}

func TestPageSizes(t *testing.T) {
	a := newAPI(t, at(still(), clock))
	a.srv.SeedFunc(1100, func(i int) twiliotest.Row { return twiliotest.Row{Sent: clock.Add(-time.Duration(i) * time.Second)} }, nil)
	for query, want := range map[string]int{"": 50, "PageSize=1": 1, "PageSize=1000": 1000, "PageSize=5000": 1000} {
		page := a.list(query)
		require.Len(t, messagesOf(page), want, query)
		require.EqualValues(t, want, page["page_size"], query)
	}
}

func TestAFullLastPage(t *testing.T) {
	for _, empty := range []bool{false, true} {
		t.Run(fmt.Sprintf("leads to an empty page: %v", empty), func(t *testing.T) {
			o := at(still(), clock)
			o.Switches.EmptyLastPage = empty
			a := newAPI(t, o)
			sentAt(a, "2026-03-10T12:00:00Z", "2026-03-10T13:00:00Z")
			page := a.list("PageSize=2")
			require.Len(t, messagesOf(page), 2)
			require.Equal(t, empty, page.text("next_page_uri") != "")
			if empty {
				last := a.get(page.text("next_page_uri"))
				require.Empty(t, messagesOf(last))
				require.Nil(t, last["next_page_uri"])
			}
		})
	}
}

func TestTheTokenOfADeletedMessage(t *testing.T) {
	for _, lost := range []bool{false, true} {
		t.Run(fmt.Sprintf("is lost: %v", lost), func(t *testing.T) {
			o := at(still(), clock)
			o.Switches.LostTokens = lost
			a := newAPI(t, o)
			names := sentAt(a, "2026-03-10T12:00:00Z", "2026-03-10T13:00:00Z", "2026-03-10T14:00:00Z")
			page := a.list("PageSize=1")
			require.True(t, a.srv.Delete(sidsOf(page)[0]))
			status, next := a.call(http.MethodGet, page.text("next_page_uri"), nil)
			if lost {
				requireRefused(t, 400, 21481, status, next)
				return
			}
			require.Equal(t, []string{"2026-03-10T13:00:00Z"}, named(names, sidsOf(next)))
		})
	}
}

func TestMessagesThatWereNeverSent(t *testing.T) {
	const early, late = "2026-03-10T12:00:00Z", "2026-03-10T14:00:00Z"
	for _, c := range []struct {
		name   string
		sw     twiliotest.Switches
		query  string
		unsent int // where it stands among the three; -1 for nowhere
	}{
		{"stand where they were created", twiliotest.Switches{}, "", 1},
		{"stand on top", twiliotest.Switches{NullsOnTop: true}, "", 0},
		{"are hidden by a filter", twiliotest.Switches{}, "DateSent%3E=2026-03-01", -1},
		{"are hidden by a filter, on top", twiliotest.Switches{NullsOnTop: true}, "DateSent%3E=2026-03-01", -1},
		{"pass a filter by creation", twiliotest.Switches{NullDates: twiliotest.NullsByCreated}, "DateSent=2026-03-10", 1},
		{"pass a filter by creation, on top", twiliotest.Switches{NullDates: twiliotest.NullsByCreated, NullsOnTop: true}, "DateSent=2026-03-10", 0},
		{"fail a filter by creation", twiliotest.Switches{NullDates: twiliotest.NullsByCreated, NullsOnTop: true}, "DateSent%3E=2026-03-10T13:30:00Z", -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := at(still(), clock)
			o.Switches = c.sw
			a := newAPI(t, o)
			sentAt(a, early, late)
			unsent := a.srv.Seed(twiliotest.Row{Direction: "outbound-api", Status: "canceled", Created: clock.Add(-2 * time.Hour)})[0]
			for _, size := range []string{"&PageSize=1", "&PageSize=2", ""} {
				require.Equal(t, c.unsent, slices.Index(a.walk(c.query+size), unsent))
			}
			requireBackwardsToo(t, a, c.query)
		})
	}
}

// requireBackwardsToo walks to the last page and back by previous_page_uri.
func requireBackwardsToo(t *testing.T, a *api, query string) {
	t.Helper()
	want := a.walk(query)
	page := a.list(query + "&PageSize=1")
	for page.text("next_page_uri") != "" {
		page = a.get(page.text("next_page_uri"))
	}
	got := sidsOf(page)
	for page.text("previous_page_uri") != "" {
		page = a.get(page.text("previous_page_uri"))
		got = append(sidsOf(page), got...)
	}
	require.Equal(t, want, got)
}

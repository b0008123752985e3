package twiliotest

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	defaultPageSize = 50
	maxPageSize     = 1000
	daySeconds      = 24 * 60 * 60
)

// listQuery is what a request to the list asks for.
type listQuery struct {
	to, from string
	// filtered says that there is a DateSent filter: whole seconds from lo to
	// hi, both in.
	filtered bool
	lo, hi   int64
	size     int
	page     int
	token    string // SID of the page token, "" without one
	back     bool   // the token asks for the page before it
	echo     []pair // the filters as given, for the page's URIs
}

type pair struct{ name, value string }

var listKeys = map[string]bool{
	"To": true, "From": true, "DateSent": true, "DateSent<": true, "DateSent>": true,
	"PageSize": true, "Page": true, "PageToken": true,
}

// parseList reads the query of the list; unknown keys are ignored, as Twilio
// does. It is not ok when the request must be refused.
func (s *Server) parseList(r *http.Request) (q listQuery, rep reply, ok bool) {
	values := r.URL.Query()
	s.ignore(ListMessage, values, listKeys)
	q = listQuery{to: values.Get("To"), from: values.Get("From"), lo: math.MinInt64, hi: math.MaxInt64}
	for _, name := range []string{"To", "From", "DateSent", "DateSent<", "DateSent>"} {
		value := values.Get(name)
		if value == "" {
			continue
		}
		q.echo = append(q.echo, pair{name, value})
		if name != "To" && name != "From" && !q.bound(name, value, s.opts.Switches) {
			return q, badRequest(20001, "Invalid date value: "+value), false
		}
	}
	rep, ok = q.paging(values)
	return q, rep, ok
}

// bound narrows the window by one DateSent filter.
func (q *listQuery) bound(name, value string, sw Switches) bool {
	t, ok := parseDate(value)
	if !ok {
		return false
	}
	q.filtered = true
	at := t.Unix()
	day := at - ((at%daySeconds)+daySeconds)%daySeconds
	if sw.DayPrecision {
		at = day
	}
	var outside int64
	if sw.Exclusive {
		outside = 1
	}
	switch name {
	case "DateSent": // the whole UTC day
		q.lo, q.hi = max(q.lo, day), min(q.hi, day+daySeconds-1)
	case "DateSent<":
		q.hi = min(q.hi, at-outside)
	case "DateSent>":
		q.lo = max(q.lo, at+outside)
	}
	return true
}

// dateLayouts are those that Twilio's documents and users show it to take:
// https://github.com/twilio/twilio-oai/issues/21. A bare date is midnight UTC.
var dateLayouts = []string{
	time.DateOnly, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05",
	time.RFC1123Z, "Mon, 2 Jan 2006 15:04:05 -0700", "01/02/2006 15:04:05 MST", "2006-01", "2006",
}

func parseDate(value string) (time.Time, bool) {
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, value); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func (q *listQuery) paging(values url.Values) (reply, bool) {
	var ok bool
	if q.size, ok = number(values, "PageSize", defaultPageSize); !ok || q.size < 1 {
		return badRequest(20001, "Invalid PageSize"), false
	}
	q.size = min(q.size, maxPageSize)
	if q.page, ok = number(values, "Page", 0); !ok || q.page < 0 {
		return badRequest(20001, "Invalid Page"), false
	}
	token := values.Get("PageToken")
	if token == "" {
		return reply{}, true
	}
	if len(token) != 2+sidLength || token[:2] != "PA" && token[:2] != "PB" {
		return badRequest(21481, ""), false
	}
	q.token, q.back = token[2:], token[:2] == "PB"
	return reply{}, true
}

func number(values url.Values, name string, fallback int) (int, bool) {
	if !values.Has(name) {
		return fallback, true
	}
	n, err := strconv.Atoi(values.Get(name))
	return n, err == nil
}

// uri is the address of a page of this list, relative to the host.
func (q *listQuery) uri(path string, page int, token string) string {
	b := append([]byte(path), '?')
	for _, p := range q.echo {
		b = append(b, url.QueryEscape(p.name)...)
		b = append(b, '=')
		b = append(b, url.QueryEscape(p.value)...)
		b = append(b, '&')
	}
	b = strconv.AppendInt(append(b, "PageSize="...), int64(q.size), 10)
	b = strconv.AppendInt(append(b, "&Page="...), int64(page), 10)
	if token != "" {
		b = append(append(b, "&PageToken="...), token...)
	}
	return string(b)
}

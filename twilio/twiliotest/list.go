package twiliotest

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// listed is one page before it is written.
type listed struct {
	records []record
	more    bool // there is something after it
}

// recordPool keeps the room for a page's records between requests.
var recordPool = sync.Pool{New: func() any { return new([]record) }}

func (s *Server) listMessages(r *http.Request, t target) reply {
	q, rep, ok := s.parseList(r)
	if !ok {
		return rep
	}
	room := recordPool.Get().(*[]record) //nolint:errcheck // nothing else is in it
	defer func() {
		clear(*room)
		*room = (*room)[:0]
		recordPool.Put(room)
	}()
	page, rep, ok := s.page(q, (*room)[:0])
	if !ok {
		return rep
	}
	*room = page.records
	return jsonReply(http.StatusOK, s.encodePage(q, t.path, page))
}

// page copies a page's records out of the ledger.
func (s *Server) page(q listQuery, room []record) (listed, reply, bool) {
	now := s.lock()
	defer s.mu.Unlock()
	w := s.walk(q, now)
	if q.token == "" {
		return w.down(top, q.page*q.size, room), reply{}, true
	}
	from, deleted, ok := s.ledger.standing(q.token)
	if !ok || deleted && s.opts.Switches.LostTokens {
		return listed{}, badRequest(21481, ""), false
	}
	if q.back {
		return w.up(from, room), reply{}, true
	}
	return w.down(from, 0, room), reply{}, true
}

// walk goes through the list under a query's filters. The list has two parts:
// what NullsOnTop lifts above all, and the window of places from floor to
// ceiling, found by binary search.
type walk struct {
	ledger         *ledger
	q              listQuery
	sw             Switches
	oldest         int64 // created or sent before it: past the horizon
	floor, ceiling place // the first in, the last out
}

func (s *Server) walk(q listQuery, now int64) walk {
	w := walk{ledger: s.ledger, q: q, sw: s.opts.Switches, oldest: s.oldest(now)}
	w.floor, w.ceiling = place{at: w.oldest}, place{at: aboveAll}
	if q.filtered {
		if lo := instant(q.lo); lo > w.floor.at {
			w.floor.at = lo
		}
		if hi := instant(q.hi); hi < aboveAll-int64(time.Second) {
			w.ceiling.at = hi + int64(time.Second)
		}
	}
	return w
}

// oldest is the first moment that the account still shows.
func (s *Server) oldest(now int64) int64 {
	if s.opts.Horizon < 0 {
		return math.MinInt64 + 1
	}
	return now - int64(s.opts.Horizon)
}

// instant is a second's beginning in Unix nanoseconds, within what they span.
func instant(second int64) int64 {
	const most = math.MaxInt64 / int64(time.Second)
	return max(-most, min(most, second)) * int64(time.Second)
}

// passes reports whether the record is in the list that the query asks
// for. Places below aboveAll are already within the window.
func (w *walk) passes(r *record) bool {
	if w.q.to != "" && r.to != w.q.to || w.q.from != "" && r.from != w.q.from {
		return false
	}
	if r.sent != null {
		return true
	}
	if r.created < w.oldest {
		return false
	}
	if !w.q.filtered {
		return true
	}
	return w.sw.NullDates == NullsByCreated && r.created >= instant(w.q.lo) && r.created < w.ceiling.at
}

// down reads a page below from, newest first, after leaving out skip messages.
func (w *walk) down(from place, skip int, room []record) listed {
	page := listed{records: room}
	take := func(p place) bool {
		r := w.ledger.at(p.ref)
		switch {
		case !w.passes(r):
		case skip > 0:
			skip--
		case len(page.records) == w.q.size:
			page.more = true
			return false
		default:
			page.records = append(page.records, *r)
		}
		return true
	}
	for p := range w.ledger.order.below(from) {
		if p.at < aboveAll {
			break
		}
		if !take(p) {
			return page
		}
	}
	if w.ceiling.less(from) {
		from = w.ceiling
	}
	for p := range w.ledger.order.below(from) {
		if p.less(w.floor) || !take(p) {
			break
		}
	}
	return page
}

// up reads the page just above from; it is turned to newest first.
func (w *walk) up(from place, room []record) listed {
	page := listed{records: room, more: true}
	take := func(p place) bool {
		if r := w.ledger.at(p.ref); w.passes(r) {
			page.records = append(page.records, *r)
		}
		return len(page.records) < w.q.size
	}
	full := false
	if from.less(w.floor) {
		from = place{at: w.floor.at - 1, ref: math.MaxUint32}
	}
	for p := range w.ledger.order.above(from) {
		if !p.less(w.ceiling) {
			break
		}
		if full = !take(p); full {
			break
		}
	}
	if lifted := (place{at: aboveAll}); from.less(lifted) {
		from = lifted
	}
	if !full {
		for p := range w.ledger.order.above(from) {
			if !take(p) {
				break
			}
		}
	}
	slices.Reverse(page.records)
	return page
}

// encodePage writes a page as Twilio does, the list before its next_page_uri.
func (s *Server) encodePage(q listQuery, path string, page listed) []byte {
	e := s.encoder(len(page.records)*900 + 1024)
	n := len(page.records)
	start := q.page * q.size
	e.text(`{"first_page_uri":`, q.uri(path, 0, ""))
	e.raw(`,"end":`)
	e.raw(strconv.Itoa(max(start, start+n-1)))
	previous, next, own := "", "", ""
	if q.page > 0 && n > 0 {
		previous = q.uri(path, q.page-1, "PB"+page.records[0].sid())
	}
	if n > 0 && (page.more || s.opts.Switches.EmptyLastPage && n == q.size) {
		next = q.uri(path, q.page+1, "PA"+page.records[n-1].sid())
	}
	if q.token != "" {
		if own = "PA" + q.token; q.back {
			own = "PB" + q.token
		}
	}
	e.textOrNull(`,"previous_page_uri":`, previous)
	e.raw(`,"messages":[`)
	for i := range page.records {
		if i > 0 {
			e.raw(",")
		}
		e.message(&page.records[i], true)
	}
	e.text(`],"uri":`, q.uri(path, q.page, own))
	e.raw(`,"page_size":`)
	e.raw(strconv.Itoa(q.size))
	e.raw(`,"start":`)
	e.raw(strconv.Itoa(start))
	e.textOrNull(`,"next_page_uri":`, next)
	e.raw(`,"page":`)
	e.raw(strconv.Itoa(q.page))
	e.raw("}")
	return e.b
}

// encoder has room for size bytes.
func (s *Server) encoder(size int) *encoder {
	e := &encoder{b: make([]byte, 0, size), escape: s.opts.Switches.EscapeJSON, account: s.AccountSID}
	if s.opts.Switches.DefaultService {
		e.def = unassigned
	}
	return e
}

package twiliotest

import (
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// onePixel is the picture that stands in for every file without bytes.
var onePixel = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89" +
	"\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82")

// attachmentAt finds a Media subresource; the lock is held.
func (s *Server) attachmentAt(t target, now int64) (ref uint32, index int, ok bool) {
	ref, ok = s.visible(t.message, now)
	if !ok {
		return 0, 0, false
	}
	prefix, id, ok := parseSID(t.sid)
	index = slices.IndexFunc(s.ledger.at(ref).media(), func(a attachment) bool { return a.id == id })
	return ref, index, ok && prefix == "ME" && index >= 0
}

var mediaKeys = keys("DateCreated", "DateCreated<", "DateCreated>", "PageSize", "Page", "PageToken")

// listMedia answers in pages of the query's size, by page number: a message
// has at most ten.
func (s *Server) listMedia(r *http.Request, t target) reply {
	values := r.URL.Query()
	s.ignore(ListMedia, values, mediaKeys)
	q := listQuery{lo: math.MinInt64, hi: math.MaxInt64}
	for _, name := range []string{"DateCreated", "DateCreated<", "DateCreated>"} {
		if v := values.Get(name); v != "" {
			q.echo = append(q.echo, pair{name, v})
			if !q.bound("DateSent"+strings.TrimPrefix(name, "DateCreated"), v, s.opts.Switches) {
				return badRequest(20001, "Invalid date value: "+v)
			}
		}
	}
	if rep, ok := q.paging(values); !ok {
		return rep
	}
	now := s.lock()
	defer s.mu.Unlock()
	ref, ok := s.visible(t.message, now)
	if !ok {
		return notFound(t.path)
	}
	m := s.ledger.at(ref)
	var list []attachment
	for _, a := range m.media() {
		if a.created >= instant(q.lo) && (q.hi == math.MaxInt64 || a.created < instant(q.hi+1)) {
			list = append(list, a)
		}
	}
	return s.shortList(q, t.path, "media_list", len(list), func(e *encoder, i int) { e.attachment(m, list[i]) })
}

// shortList answers one page of a list that never changes under a walk, by
// page number; write writes the item with the index.
func (s *Server) shortList(q listQuery, path, name string, total int, write func(e *encoder, i int)) reply {
	start := q.page * q.size
	first, last := min(start, total), min(start+q.size, total)
	previous, next := "", ""
	if q.page > 0 {
		previous = q.uri(path, q.page-1, "")
	}
	if last < total {
		next = q.uri(path, q.page+1, "")
	}
	e := s.encoder(4096)
	e.text(`{"first_page_uri":`, q.uri(path, 0, ""))
	e.raw(`,"end":` + strconv.Itoa(max(start, last-1)))
	e.textOrNull(`,"previous_page_uri":`, previous)
	e.raw(`,"` + name + `":[`)
	for i := first; i < last; i++ {
		if i > first {
			e.raw(",")
		}
		write(e, i)
	}
	e.text(`],"uri":`, q.uri(path, q.page, ""))
	e.raw(`,"page_size":` + strconv.Itoa(q.size) + `,"start":` + strconv.Itoa(start))
	e.textOrNull(`,"next_page_uri":`, next)
	e.raw(`,"page":` + strconv.Itoa(q.page) + "}")
	return jsonReply(http.StatusOK, e.b)
}

func (e *encoder) attachment(m *record, a attachment) {
	e.text(`{"sid":`, a.id.sid("ME"))
	e.text(`,"account_sid":`, e.account)
	e.text(`,"parent_sid":`, m.sid())
	e.text(`,"content_type":`, a.mime)
	e.date(`,"date_created":`, a.created)
	e.date(`,"date_updated":`, a.updated)
	e.messageURI(`,"uri":"`, m, "/Media/"+a.id.sid("ME")+`.json"}`)
}

func (s *Server) fetchMedia(_ *http.Request, t target) reply {
	now := s.lock()
	defer s.mu.Unlock()
	ref, i, ok := s.attachmentAt(t, now)
	if !ok {
		return notFound(t.path)
	}
	e := s.encoder(1024)
	e.attachment(s.ledger.at(ref), s.ledger.at(ref).media()[i])
	return jsonReply(http.StatusOK, e.b)
}

func (s *Server) deleteMedia(_ *http.Request, t target) reply {
	now := s.lock()
	defer s.mu.Unlock()
	ref, i, ok := s.attachmentAt(t, now)
	if !ok {
		return notFound(t.path)
	}
	s.ledger.edit(ref, func(r *record) {
		r.more.media = slices.Delete(slices.Clone(r.more.media), i, i+1)
		r.updated = now
	})
	return reply{status: http.StatusNoContent, header: http.Header{}}
}

// redirectMedia sends the client to the file store, on another host, so that
// a client which forwards its credentials there is found out:
// https://www.twilio.com/docs/messaging/api/media-resource
func (s *Server) redirectMedia(r *http.Request, t target) reply {
	now := s.lock()
	defer s.mu.Unlock()
	if _, _, ok := s.attachmentAt(t, now); !ok {
		return notFound(t.path)
	}
	base, distinct := storeHost(r)
	location := base + storePrefix + t.message + "/" + t.sid
	if !distinct {
		location += shared
	}
	header := http.Header{"Location": {location}}
	return reply{status: http.StatusTemporaryRedirect, header: header}
}

// shared marks addresses of the file store under the account's own host name,
// where clients rightly keep their credentials.
const shared = "?host=shared"

// storeHost is a second name for the address the client reached us at, one
// that is no subdomain of the first. Of a name we do not know there is none.
func storeHost(r *http.Request) (base string, distinct bool) {
	name, port, err := net.SplitHostPort(host(r))
	if err != nil {
		name = host(r)
	} else {
		port = ":" + port
	}
	switch {
	case strings.HasSuffix(name, ".twilio.com"):
		return "https://media.twiliocdn.com", true
	case name == "twilio.test":
		return "http://twilio-media.test" + port, true
	case name == "localhost":
		return "http://127.0.0.1" + port, true
	case net.ParseIP(name) != nil:
		return "http://localhost" + port, true
	default:
		return "http://" + host(r), false
	}
}

// mediaContent is the file store. Like an object store with signed addresses
// it refuses a request that brings credentials of another kind.
func (s *Server) mediaContent(r *http.Request, t target) reply {
	if r.Header.Get("Authorization") != "" && "?"+r.URL.RawQuery != shared {
		rep := htmlPage(http.StatusBadRequest)
		rep.body = []byte("Only one auth mechanism allowed: the account's credentials do not belong here\n")
		return rep
	}
	t.message, t.sid, _ = strings.Cut(t.sid, "/")
	now := s.lock()
	defer s.mu.Unlock()
	ref, i, ok := s.attachmentAt(t, now)
	if !ok {
		return htmlPage(http.StatusForbidden)
	}
	a := s.ledger.at(ref).media()[i]
	return reply{status: http.StatusOK, header: http.Header{"Content-Type": {a.mime}}, body: a.data}
}

package twiliotest

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
	"unicode/utf16"
)

func (s *Server) createMessage(r *http.Request, _ target) reply {
	f, rep, ok := form(r)
	if !ok {
		return rep
	}
	s.ignore(CreateMessage, f, createKeys)
	c, object := s.validate(f)
	if object != nil {
		s.keepRefused(f, object)
		return badRequest(object.code, object.message)
	}
	now := s.lock()
	defer s.mu.Unlock()
	e := s.encoder(2048)
	s.accepted[Sent{To: c.to, Body: c.body}]++
	e.message(s.admit(c, now), false)
	return jsonReply(http.StatusCreated, e.b)
}

// admit stores an accepted create and plans its life; the lock is held.
func (s *Server) admit(c creation, now int64) *record {
	r := record{
		from: c.from, to: c.to, body: c.body,
		created: now, updated: now, sent: null, price: noPrice,
		direction: outboundAPI, status: queued, mm: len(c.media) > 0,
	}
	r.id = s.nextDigits()
	r.attach(s.fetched(c.media, now))
	r.extra().service, r.extra().callback = c.service.SID, c.callback
	start := now
	switch {
	case !c.sendAt.IsZero():
		r.status, start = scheduled, c.sendAt.UnixNano()
	case c.service.SID != "" && (c.from == "" || s.opts.Switches.AcceptedWithFrom):
		r.status = accepted
	}
	if c.service.SID == "" {
		r.segments = segmentsOf(Row{Body: c.body, Media: make([]Media, len(c.media))})
	}
	switch {
	case c.blocked && !s.opts.Life.Still:
		r.extra().schedule = []step{{at: start + int64(s.opts.Life.Accepted.Max), status: failed, code: 21610}}
	default:
		s.plan(&r, start, s.choose(c))
	}
	stored, _ := s.ledger.add(r) // its SID is new
	return stored
}

// choose is the sender that a service picks for the recipient, always the same
// one for the same recipient; "" when the create named one.
func (s *Server) choose(c creation) string {
	if c.from != "" || c.service.SID == "" {
		return ""
	}
	name, _ := channel(c.to)
	var fit []string
	for _, sender := range c.service.Senders {
		if n, _ := channel(sender); n == name {
			fit = append(fit, sender)
		}
	}
	if len(fit) == 0 {
		return c.service.Senders[0]
	}
	var sum uint64
	for _, b := range []byte(c.to) {
		sum = mix(sum ^ uint64(b))
	}
	return fit[sum%uint64(len(fit))]
}

// mediaTypes by a URL's ending; what else there is counts as a picture.
var mediaTypes = map[string]string{
	".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".png": "image/png",
	".mp4": "video/mp4", ".pdf": "application/pdf", ".vcf": "text/vcard",
}

// fetched stands in for the files that Twilio would get from the URLs.
func (s *Server) fetched(urls []string, now int64) []attachment {
	var media []Media
	for _, u := range urls {
		name := u
		if parsed, err := url.Parse(u); err == nil {
			name = parsed.Path
		}
		media = append(media, Media{ContentType: or(mediaTypes[strings.ToLower(path.Ext(name))], "image/png")})
	}
	return s.attachments(media, now)
}

// keepRefused records a refused create as a failed message, where there is
// anything to record: https://support.twilio.com/hc/en-us/articles/21923437804315
func (s *Server) keepRefused(f url.Values, o *objection) {
	if s.opts.Switches.HideRefused || f.Get("To") == "" {
		return
	}
	now := s.lock()
	defer s.mu.Unlock()
	row := Row{
		From: f.Get("From"), To: f.Get("To"), Body: cutBody(f.Get("Body")), Direction: "outbound-api", Status: "failed",
		Created: moment(now), ErrorCode: o.code, Segments: -1,
	}
	if sid := f.Get("MessagingServiceSid"); isSID(sid, "MG") {
		row.ServiceSID = sid
	}
	if s.opts.Switches.DateRefused {
		row.Sent = row.Created
	}
	s.ledger.add(s.record(row, time.Time{}))
}

// cutBody keeps the 1,600 UTF-16 units that a message can hold.
func cutBody(body string) string {
	units := 0
	for i, r := range body {
		if units += utf16.RuneLen(r); units > maxBody {
			return body[:i]
		}
	}
	return body
}

package twiliotest

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// productList writes one page of a list of the product APIs, by page number:
// these lists never change while they are read. Their links are absolute.
func (s *Server) productList(r *http.Request, t target, key string, total int, write func(e *encoder, base string, i int)) reply {
	values := r.URL.Query()
	s.ignore(t.op, values, productListKeys)
	q := listQuery{}
	if rep, ok := q.paging(values); !ok {
		return rep
	}
	base := origin(r)
	start := q.page * q.size
	first, last := min(start, total), min(start+q.size, total)
	e := s.encoder(4096)
	e.raw(`{"meta":{"page":` + strconv.Itoa(q.page) + `,"page_size":` + strconv.Itoa(q.size))
	e.text(`,"first_page_url":`, base+q.uri(t.path, 0, ""))
	previous, next := "", ""
	if q.page > 0 {
		previous = base + q.uri(t.path, q.page-1, "")
	}
	if last < total {
		next = base + q.uri(t.path, q.page+1, "")
	}
	e.textOrNull(`,"previous_page_url":`, previous)
	e.text(`,"url":`, base+q.uri(t.path, q.page, ""))
	e.textOrNull(`,"next_page_url":`, next)
	e.raw(`,"key":"` + key + `"},"` + key + `":[`)
	for i := first; i < last; i++ {
		if i > first {
			e.raw(",")
		}
		write(e, base, i)
	}
	e.raw("]}")
	return jsonReply(http.StatusOK, e.b)
}

var productListKeys = keys("PageSize", "Page", "PageToken")

// poolKind is one of the lists that a service keeps its senders in.
type poolKind struct {
	segment, key, field, prefix string
	holds                       func(sender string) bool
}

// poolKinds by https://www.twilio.com/docs/messaging/api/service-resource
var poolKinds = []poolKind{
	{"PhoneNumbers", "phone_numbers", "phone_number", "PN", func(s string) bool { return e164.MatchString(s) }},
	{"ShortCodes", "short_codes", "short_code", "SC", func(s string) bool { return shortCode.MatchString(s) }},
	{"AlphaSenders", "alpha_senders", "alpha_sender", "AI", func(s string) bool { return !strings.Contains(s, ":") && letter.MatchString(s) }},
	{"ChannelSenders", "senders", "sender", "XE", func(s string) bool { return strings.Contains(s, ":") }},
}

// listPool lists the service's senders of one kind.
func (s *Server) listPool(r *http.Request, t target) reply {
	service, ok := s.opts.service(t.parent)
	if !ok {
		return notFound(t.path)
	}
	var kind poolKind
	for _, k := range poolKinds {
		if k.segment == t.sid {
			kind = k
		}
	}
	var list []string
	for _, sender := range service.Senders {
		if kind.holds(sender) {
			list = append(list, sender)
		}
	}
	return s.productList(r, t, kind.key, len(list), func(e *encoder, base string, i int) {
		e.poolSender(base+t.path, service.SID, list[i], kind, s.opts)
	})
}

// poolSender writes one sender of a service's.
func (e *encoder) poolSender(list, service, sender string, kind poolKind, o Options) {
	sid := kind.prefix + numberSID(sender)[2:]
	e.text(`{"sid":`, sid)
	e.text(`,"account_sid":`, e.account)
	e.text(`,"date_created":`, time.Unix(0, opened).UTC().Format(time.RFC3339))
	e.text(`,"date_updated":`, time.Unix(0, opened).UTC().Format(time.RFC3339))
	e.text(`,"`+kind.field+`":`, sender)
	if kind.prefix == "XE" {
		name, _ := channel(sender)
		e.text(`,"messaging_service_sid":`, service)
		e.text(`,"sender_type":`, name)
	} else {
		e.text(`,"service_sid":`, service)
		e.raw(`,"capabilities":` + capabilities(sender, kind, o))
	}
	if kind.prefix != "AI" {
		e.text(`,"country_code":`, country(sender))
	}
	e.text(`,"url":`, list+"/"+sid)
	e.raw("}")
}

func capabilities(sender string, kind poolKind, o Options) string {
	n, _ := o.number(sender)
	switch {
	case kind.prefix == "AI":
		return `["SMS"]`
	case kind.prefix == "SC":
		return `["SMS","MMS"]`
	case n.NoMMS:
		return `["Voice","SMS"]`
	default:
		return `["Voice","SMS","MMS"]`
	}
}

// country is a guess that does for fictitious numbers.
func country(sender string) string {
	if strings.Contains(sender, "+44") {
		return "GB"
	}
	return "US"
}

var shortCodeKeys = keys("FriendlyName", "ShortCode", "PageSize", "Page", "PageToken")

// listShortCodes lists the account's short codes, which Options has among its
// Senders: https://www.twilio.com/docs/messaging/api/short-code-resource
func (s *Server) listShortCodes(r *http.Request, t target) reply {
	values := r.URL.Query()
	s.ignore(ListShortCode, values, shortCodeKeys)
	q := listQuery{}
	if rep, ok := q.paging(values); !ok {
		return rep
	}
	var list []string
	for _, sender := range s.opts.Senders {
		if shortCode.MatchString(sender) {
			list = append(list, sender)
		}
	}
	return s.shortList(q, t.path, "short_codes", len(list), func(e *encoder, i int) { e.shortCode(list[i]) })
}

func (e *encoder) shortCode(code string) {
	sid := "SC" + numberSID(code)[2:]
	e.text(`{"sid":`, sid)
	e.text(`,"account_sid":`, e.account)
	e.text(`,"short_code":`, code)
	e.text(`,"friendly_name":`, code)
	e.date(`,"date_created":`, opened)
	e.date(`,"date_updated":`, opened)
	e.raw(`,"api_version":"2010-04-01","sms_method":"POST","sms_url":null,"sms_fallback_method":"POST","sms_fallback_url":null`)
	e.text(`,"uri":`, corePrefix+e.account+"/SMS/ShortCodes/"+sid+".json")
	e.raw("}")
}

package twiliotest

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

var numberKeys = keys("PhoneNumber", "FriendlyName", "Beta", "Origin", "PageSize", "Page", "PageToken")

// wired is a number with the addresses it has at the moment.
type wired struct {
	Number
	addresses
}

// listNumbers lists the account's numbers in the order of Options. PhoneNumber
// may be a part of one, with * for any digit.
func (s *Server) listNumbers(r *http.Request, t target) reply {
	values := r.URL.Query()
	s.ignore(ListIncomingPhoneNumber, values, numberKeys)
	q := listQuery{}
	if rep, ok := q.paging(values); !ok {
		return rep
	}
	pattern := strings.ReplaceAll(regexp.QuoteMeta(values.Get("PhoneNumber")), `\*`, `[0-9]`)
	like, err := regexp.Compile(pattern)
	if err != nil {
		return badRequest(20001, "Invalid PhoneNumber")
	}
	for _, name := range []string{"FriendlyName", "PhoneNumber"} {
		if v := values.Get(name); v != "" {
			q.echo = append(q.echo, pair{name, v})
		}
	}
	var list []wired
	for _, n := range s.opts.Numbers {
		if want := values.Get("FriendlyName"); like.MatchString(n.Phone) && (want == "" || want == or(n.FriendlyName, n.Phone)) {
			list = append(list, wired{n, s.addressesOf(n.Phone)})
		}
	}
	return s.shortList(q, t.path, "incoming_phone_numbers", len(list), func(e *encoder, i int) { e.number(list[i]) })
}

// addressesOf a number or a service, by its phone number or its SID.
func (s *Server) addressesOf(key string) addresses {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wired[key]
}

func (s *Server) numberBySID(sid string) (Number, bool) {
	for _, n := range s.opts.Numbers {
		if numberSID(n.Phone) == sid {
			return n, true
		}
	}
	return Number{}, false
}

func (s *Server) fetchNumber(_ *http.Request, t target) reply {
	n, ok := s.numberBySID(t.sid)
	if !ok {
		return notFound(t.path)
	}
	e := s.encoder(2048)
	e.number(wired{n, s.addressesOf(n.Phone)})
	return jsonReply(http.StatusOK, e.b)
}

var numberUpdateKeys = keys("SmsUrl", "SmsMethod", "StatusCallback")

// updateNumber changes where the number's messages are announced, and nothing
// else of what Twilio would let it change:
// https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
func (s *Server) updateNumber(r *http.Request, t target) reply {
	n, ok := s.numberBySID(t.sid)
	if !ok {
		return notFound(t.path)
	}
	f, rep, ok := form(r)
	if !ok {
		return rep
	}
	s.ignore(UpdateIncomingPhoneNumber, f, numberUpdateKeys)
	if rep, ok := checkAddresses(f, []string{"SmsUrl", "StatusCallback"}, "SmsMethod"); !ok {
		return rep
	}
	s.rewire(n.Phone, func(a *addresses) {
		assign(f, "SmsUrl", &a.inbound.url)
		assign(f, "SmsMethod", &a.inbound.method)
		assign(f, "StatusCallback", &a.status)
	})
	return s.fetchNumber(r, t)
}

// rewire changes the addresses of a number or a service.
func (s *Server) rewire(key string, change func(*addresses)) {
	now := s.lock() // what has happened until now goes where it went
	defer s.mu.Unlock()
	a := s.wired[key]
	change(&a)
	a.updated = now
	s.wired[key] = a
}

// assign takes a parameter that is there; an empty one clears.
func assign(f url.Values, name string, to *string) {
	if f.Has(name) {
		*to = f.Get(name)
	}
}

// checkAddresses holds the URLs and the method of an update to their form.
func checkAddresses(f url.Values, urls []string, method string) (reply, bool) {
	for _, name := range urls {
		if v := f.Get(name); v != "" && !isCallback(v) {
			return badRequest(20001, "Invalid "+name), false
		}
	}
	if v := f.Get(method); f.Has(method) && v != http.MethodGet && v != http.MethodPost {
		return badRequest(20001, "Invalid "+method), false
	}
	return reply{}, true
}

// numberSID follows from the number.
func numberSID(phone string) string {
	var sum uint64
	for _, b := range []byte(phone) {
		sum = mix(sum ^ uint64(b))
	}
	return maker{sum}.digits(0).sid("PN")
}

// number writes one IncomingPhoneNumber.
func (e *encoder) number(n wired) {
	sid := numberSID(n.Phone)
	e.text(`{"sid":`, sid)
	e.text(`,"account_sid":`, e.account)
	e.text(`,"phone_number":`, n.Phone)
	e.text(`,"friendly_name":`, or(n.FriendlyName, n.Phone))
	e.text(`,"type":`, or(n.Type, "local"))
	e.raw(`,"capabilities":{"voice":true,"sms":true,"mms":`)
	if n.NoMMS {
		e.raw("false")
	} else {
		e.raw("true")
	}
	e.raw(`,"fax":false},"address_requirements":"none","address_sid":null,"api_version":"2010-04-01","beta":false`)
	e.date(`,"date_created":`, opened)
	e.date(`,"date_updated":`, n.updated)
	e.text(`,"sms_method":`, n.inbound.method)
	e.text(`,"sms_url":`, n.inbound.url)
	e.text(`,"status_callback":`, n.status)
	e.raw(`,"emergency_status":"Inactive","emergency_address_sid":null,"emergency_address_status":"unregistered"` +
		`,"identity_sid":null,"origin":"twilio","sms_application_sid":null,"sms_fallback_method":"POST","sms_fallback_url":""` +
		`,"status_callback_method":"POST","trunk_sid":null` +
		`,"voice_application_sid":null,"voice_caller_id_lookup":false,"voice_fallback_method":"POST","voice_fallback_url":null` +
		`,"voice_method":"POST","voice_url":null,"bundle_sid":null,"voice_receive_mode":"voice","status":"in-use"`)
	e.text(`,"uri":`, corePrefix+e.account+"/IncomingPhoneNumbers/"+sid+".json")
	e.raw("}")
}

package twiliotest

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// opened is when the account and its numbers came to be.
var opened = time.Date(2020, time.January, 15, 12, 0, 0, 0, time.UTC).UnixNano()

var accountLinks = []string{
	"balance Balance", "incoming_phone_numbers IncomingPhoneNumbers", "messages Messages",
}

// fetchAccount shows the auth token in clear, as Twilio does.
func (s *Server) fetchAccount(_ *http.Request, t target) reply {
	e := s.encoder(1024)
	base := corePrefix + s.AccountSID
	e.text(`{"sid":`, s.AccountSID)
	e.text(`,"owner_account_sid":`, s.AccountSID)
	e.text(`,"auth_token":`, s.AuthToken)
	e.raw(`,"friendly_name":"Emulated account","status":"active","type":"Full"`)
	e.date(`,"date_created":`, opened)
	e.date(`,"date_updated":`, opened)
	e.text(`,"uri":`, t.path)
	e.raw(`,"subresource_uris":{`)
	for i, link := range accountLinks {
		if i > 0 {
			e.raw(",")
		}
		name, file, _ := strings.Cut(link, " ")
		e.text(`"`+name+`":`, base+"/"+file+".json")
	}
	e.raw("}}")
	return jsonReply(http.StatusOK, e.b)
}

func (s *Server) fetchBalance(*http.Request, target) reply {
	e := s.encoder(256)
	e.text(`{"account_sid":`, s.AccountSID)
	e.raw(`,"balance":"1234.56","currency":"USD"}`)
	return jsonReply(http.StatusOK, e.b)
}

var numberKeys = keys("PhoneNumber", "FriendlyName", "Beta", "Origin", "PageSize", "Page", "PageToken")

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
	var list []Number
	for _, n := range s.opts.Numbers {
		if want := values.Get("FriendlyName"); like.MatchString(n.Phone) && (want == "" || want == or(n.FriendlyName, n.Phone)) {
			list = append(list, n)
		}
	}
	return s.shortList(q, t.path, "incoming_phone_numbers", len(list), func(e *encoder, i int) { e.number(list[i]) })
}

// number writes one IncomingPhoneNumber. Its SID follows from the number.
func (e *encoder) number(n Number) {
	var sum uint64
	for _, b := range []byte(n.Phone) {
		sum = mix(sum ^ uint64(b))
	}
	sid := maker{sum}.digits(0).sid("PN")
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
	e.date(`,"date_updated":`, opened)
	e.raw(`,"emergency_status":"Inactive","emergency_address_sid":null,"emergency_address_status":"unregistered"` +
		`,"identity_sid":null,"origin":"twilio","sms_application_sid":null,"sms_fallback_method":"POST","sms_fallback_url":""` +
		`,"sms_method":"POST","sms_url":"","status_callback":"","status_callback_method":"POST","trunk_sid":null` +
		`,"voice_application_sid":null,"voice_caller_id_lookup":false,"voice_fallback_method":"POST","voice_fallback_url":null` +
		`,"voice_method":"POST","voice_url":null,"bundle_sid":null,"voice_receive_mode":"voice","status":"in-use"`)
	e.text(`,"uri":`, corePrefix+e.account+"/IncomingPhoneNumbers/"+sid+".json")
	e.raw("}")
}

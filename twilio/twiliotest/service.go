package twiliotest

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// listServices lists the account's Messaging Services in the order of Options.
// https://www.twilio.com/docs/messaging/api/service-resource
func (s *Server) listServices(r *http.Request, t target) reply {
	return s.productList(r, t, "services", len(s.opts.Services), func(e *encoder, base string, i int) {
		sid := s.opts.Services[i].SID
		e.serviceResource(base, sid, s.addressesOf(sid))
	})
}

// origin is the address that the client reached us at: the product APIs' links
// are absolute.
func origin(r *http.Request) string {
	name := hostname(r)
	if r.TLS != nil || r.URL.Scheme == "https" || strings.HasSuffix(name, ".twilio.com") {
		return "https://" + host(r)
	}
	return "http://" + host(r)
}

func (s *Server) fetchService(r *http.Request, t target) reply {
	if _, ok := s.opts.service(t.sid); !ok {
		return notFound(t.path)
	}
	e := s.encoder(2048)
	e.serviceResource(origin(r), t.sid, s.addressesOf(t.sid))
	return jsonReply(http.StatusOK, e.b)
}

var serviceKeys = keys("FriendlyName", "InboundRequestUrl", "InboundMethod", "StatusCallback", "UseInboundWebhookOnNumber")

// updateService changes where the service's messages are announced, and its
// name.
func (s *Server) updateService(r *http.Request, t target) reply {
	if _, ok := s.opts.service(t.sid); !ok {
		return notFound(t.path)
	}
	f, rep, ok := form(r)
	if !ok {
		return rep
	}
	s.ignore(UpdateService, f, serviceKeys)
	if rep, ok := checkAddresses(f, []string{"InboundRequestUrl", "StatusCallback"}, "InboundMethod"); !ok {
		return rep
	}
	onNumber, rep, ok := flag(f, "UseInboundWebhookOnNumber")
	if !ok {
		return rep
	}
	s.rewire(t.sid, func(a *addresses) {
		assign(f, "FriendlyName", &a.name)
		assign(f, "InboundRequestUrl", &a.inbound.url)
		assign(f, "InboundMethod", &a.inbound.method)
		assign(f, "StatusCallback", &a.status)
		if f.Has("UseInboundWebhookOnNumber") {
			a.onNumber = onNumber
		}
	})
	return s.fetchService(r, t)
}

func flag(f url.Values, name string) (bool, reply, bool) {
	switch strings.ToLower(f.Get(name)) {
	case "true":
		return true, reply{}, true
	case "false", "":
		return false, reply{}, true
	default:
		return false, badRequest(20001, "Invalid "+name), false
	}
}

// serviceLinks are the subresources that a service names; the lists of its senders
// are built.
var serviceLinks = []string{
	"phone_numbers PhoneNumbers", "short_codes ShortCodes", "alpha_senders AlphaSenders", "messages Messages",
	"us_app_to_person Compliance/Usa2p", "us_app_to_person_usecases Compliance/Usa2p/Usecases",
	"channel_senders ChannelSenders", "destination_alpha_senders DestinationAlphaSenders",
}

// serviceResource writes one Service. Unlike the core API it dates in ISO 8601.
func (e *encoder) serviceResource(base, sid string, a addresses) {
	self := base + servicePrefix + "/" + sid
	e.text(`{"sid":`, sid)
	e.text(`,"account_sid":`, e.account)
	e.text(`,"friendly_name":`, a.name)
	e.text(`,"date_created":`, time.Unix(0, opened).UTC().Format(time.RFC3339))
	e.text(`,"date_updated":`, time.Unix(0, a.updated).UTC().Format(time.RFC3339))
	e.textOrNull(`,"inbound_request_url":`, a.inbound.url)
	e.text(`,"inbound_method":`, a.inbound.method)
	e.textOrNull(`,"status_callback":`, a.status)
	e.raw(`,"use_inbound_webhook_on_number":` + strconv.FormatBool(a.onNumber))
	e.raw(`,"fallback_url":null,"fallback_method":"POST","sticky_sender":true,"mms_converter":true,"smart_encoding":true` +
		`,"scan_message_content":"inherit","fallback_to_long_code":true,"area_code_geomatch":true,"validity_period":36000` +
		`,"synchronous_validation":false,"usecase":"undeclared","us_app_to_person_registered":false`)
	for i, link := range serviceLinks {
		before := ","
		if i == 0 {
			before = `,"links":{`
		}
		name, rest, _ := strings.Cut(link, " ")
		e.text(before+`"`+name+`":`, self+"/"+rest)
	}
	e.text(`},"url":`, self)
	e.raw("}")
}

package twiliotest

import (
	"net/http"
	"net/url"
	"strconv"
)

// addresses are where a number's or a service's messages are announced. They
// change while the account is in use.
type addresses struct {
	name     string // a service's friendly_name
	inbound  address
	status   string
	onNumber bool // a service leaves what comes in to its numbers' addresses
	updated  int64
}

// wire lists the addresses that the options give, by number and by service.
func wire(o Options) map[string]addresses {
	wired := map[string]addresses{}
	for _, n := range o.Numbers {
		wired[n.Phone] = addresses{
			inbound: address{n.SMSURL, or(n.SMSMethod, http.MethodPost)}, status: n.StatusCallback, updated: opened,
		}
	}
	for _, v := range o.Services {
		wired[v.SID] = addresses{
			name: or(v.FriendlyName, "Emulated service"), inbound: address{v.InboundURL, or(v.InboundMethod, http.MethodPost)},
			status: v.StatusCallback, onNumber: v.UseInboundWebhookOnNumber, updated: opened,
		}
	}
	return wired
}

// changed is told by the ledger of every new status; the lock is held.
func (s *Server) changed(r *record) {
	at := min(r.updated, s.opts.Now().UnixNano()) // a test may say that it changes in the future
	switch {
	case r.direction != inbound:
		s.announceStatus(r, at)
	case r.status == received:
		s.announceInbound(r, at)
	}
}

// announceInbound owes the call about a message that has come in:
// https://www.twilio.com/docs/messaging/guides/webhook-request
func (s *Server) announceInbound(r *record, at int64) {
	service := s.serviceOf(r.to)
	to := s.inboundAddress(r.to, service)
	if s.calls.hook.off() || to.url == "" {
		return
	}
	sid := r.sid()
	form := url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "SmsMessageSid": {sid}, "AccountSid": {s.AccountSID},
		"From": {r.from}, "To": {r.to}, "Body": {r.body}, "NumMedia": {strconv.Itoa(len(r.media()))},
		"NumSegments": {strconv.Itoa(int(r.segments))}, "SmsStatus": {"received"}, "ApiVersion": {"2010-04-01"},
	}
	if service != "" {
		form.Set("MessagingServiceSid", service)
	}
	for i, a := range r.media() {
		form.Set("MediaUrl"+strconv.Itoa(i), s.URL+corePrefix+s.AccountSID+"/Messages/"+sid+"/Media/"+a.id.sid("ME"))
		form.Set("MediaContentType"+strconv.Itoa(i), a.mime)
	}
	s.owe(r, at, to, form)
}

// announceStatus owes the call about an outbound message's new status:
// https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
func (s *Server) announceStatus(r *record, at int64) {
	to := s.statusAddress(r)
	if s.calls.hook.off() || to.url == "" {
		return
	}
	sid, name := r.sid(), r.status.String()
	form := url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "MessageStatus": {name}, "SmsStatus": {name},
		"AccountSid": {s.AccountSID}, "From": {r.from}, "To": {r.to}, "ApiVersion": {"2010-04-01"},
	}
	if r.more != nil && r.more.service != "" {
		form.Set("MessagingServiceSid", r.more.service)
	}
	if r.code != 0 && (r.status == failed || r.status == undelivered) {
		form.Set("ErrorCode", strconv.Itoa(int(r.code)))
	}
	s.owe(r, at, to, form)
}

// serviceOf finds the service whose pool a number is in, "" without one.
func (s *Server) serviceOf(number string) string {
	for _, v := range s.opts.Services {
		if contains(v.Senders, number) {
			return v.SID
		}
	}
	return ""
}

// inboundAddress: a service's address comes before the number's own.
func (s *Server) inboundAddress(number, service string) address {
	if w := s.wired[service]; w.inbound.url != "" && !w.onNumber {
		return w.inbound
	}
	if w := s.wired[number]; w.inbound.url != "" {
		return w.inbound
	}
	return address{s.calls.hook.URL, http.MethodPost}
}

// statusAddress: a create's StatusCallback comes before its service's. A
// number's status_callback is for phone calls and none of ours.
func (s *Server) statusAddress(r *record) address {
	var own, service string
	if r.more != nil {
		own, service = r.more.callback, s.wired[r.more.service].status
	}
	return address{or(own, or(service, s.calls.hook.URL)), http.MethodPost}
}

package twiliotest

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits of a create:
// https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
const (
	maxBody      = 1600
	maxMedia     = 10
	maxValidity  = 36000
	minScheduled = 300 * time.Second
	maxScheduled = 35 * 24 * time.Hour
)

// creation is a create that Twilio would accept.
type creation struct {
	to, from, body string
	service        Service // zero without one
	media          []string
	sendAt         time.Time // zero for now
	callback       string
	blocked        bool
}

// objection is why a create is refused: the code and, where it says more than the
// code's usual text, a message.
type objection struct {
	code    int
	message string
}

func objectTo(code int) *objection { return &objection{code: code} }

// validate checks a create's parameters in the order in which the account
// complains about them.
func (s *Server) validate(f url.Values) (creation, *objection) {
	c := creation{to: f.Get("To"), from: f.Get("From"), body: f.Get("Body"), media: f["MediaUrl"], callback: f.Get("StatusCallback")}
	for _, check := range []func(url.Values, *creation) *objection{
		s.checkTo, s.checkSender, s.checkPair, s.checkContent, s.checkSettings, s.checkSchedule, s.checkRecipient,
	} {
		if o := check(f, &c); o != nil {
			return c, o
		}
	}
	return c, nil
}

func (s *Server) checkTo(_ url.Values, c *creation) *objection {
	switch {
	case c.to == "":
		return objectTo(21604)
	case !isRecipient(c.to):
		return &objection{21211, "Invalid 'To' Phone Number: " + mask(c.to)}
	default:
		return nil
	}
}

// checkSender finds the service and the sender; From may itself name a service.
func (s *Server) checkSender(f url.Values, c *creation) *objection {
	sid := f.Get("MessagingServiceSid")
	if sid == "" && isSID(c.from, "MG") {
		sid, c.from = c.from, ""
	}
	if sid == "" && c.from == "" {
		return objectTo(21603)
	}
	if sid != "" {
		var ok bool
		if c.service, ok = s.opts.service(sid); !ok {
			return objectTo(21705)
		}
		if len(c.service.Senders) == 0 {
			return objectTo(21704)
		}
	}
	if c.from == "" {
		return nil
	}
	name, _ := channel(c.from)
	switch {
	case magicFrom[c.from] != 0:
		return objectTo(magicFrom[c.from])
	case !isSender(c.from):
		return &objection{21212, "Invalid 'From' Number: " + mask(c.from)}
	case name != "" && !s.opts.owns(c.from):
		return objectTo(63007)
	case !s.opts.owns(c.from), sid != "" && !contains(c.service.Senders, c.from):
		return objectTo(21606)
	default:
		return nil
	}
}

func (s *Server) checkPair(_ url.Values, c *creation) *objection {
	if c.from == "" {
		return nil
	}
	if c.from == c.to {
		return &objection{21211, "'To' and 'From' number cannot be the same"}
	}
	from, _ := channel(c.from)
	if to, _ := channel(c.to); to != from {
		return objectTo(21910)
	}
	return nil
}

func (s *Server) checkContent(f url.Values, c *creation) *objection {
	content := f.Get("ContentSid")
	switch {
	case f.Get("ContentVariables") != "" && content == "":
		return objectTo(21654)
	case content != "" && !isSID(content, "HX"):
		return objectTo(21655)
	case f.Get("ContentVariables") != "" && !isObject(f.Get("ContentVariables")):
		return objectTo(21656)
	case c.body == "" && len(c.media) == 0 && content == "":
		return objectTo(21602)
	case s.bodyLength(c.body) > maxBody:
		return objectTo(21617)
	case len(c.media) > maxMedia:
		return objectTo(21623)
	}
	for _, m := range c.media {
		if !isWebURL(m) {
			return objectTo(21620)
		}
	}
	if n, ok := s.opts.number(c.from); ok && n.NoMMS && len(c.media) > 0 {
		return objectTo(21621)
	}
	return nil
}

func (s *Server) bodyLength(body string) int {
	if s.opts.Switches.CodePoints {
		return utf8.RuneCountInString(body)
	}
	n := 0
	for _, r := range body {
		n += utf16.RuneLen(r)
	}
	return n
}

// choices are the parameters with a closed set of values.
var choices = map[string]string{
	"ContentRetention": "retain discard", "AddressRetention": "retain obfuscate", "RiskCheck": "enable disable",
	"TrafficType": "free", "ScheduleType": "fixed", "ShortenUrls": "true false", "SmartEncoded": "true false",
	"SendAsMms": "true false", "ProvideFeedback": "true false", "ForceDelivery": "true false",
}

func (s *Server) checkSettings(f url.Values, _ *creation) *objection {
	if callback := f.Get("StatusCallback"); callback != "" && !isCallback(callback) {
		return objectTo(21609)
	}
	if v := f.Get("ValidityPeriod"); v != "" {
		if n, err := strconv.Atoi(v); err != nil || n < 1 || n > maxValidity {
			return objectTo(21624)
		}
	}
	if app := f.Get("ApplicationSid"); app != "" && !isSID(app, "AP") {
		return &objection{20001, "Invalid ApplicationSid"}
	}
	for name, values := range choices {
		if v := f.Get(name); v != "" && !contains(strings.Fields(values), v) {
			return &objection{20001, "Invalid " + name}
		}
	}
	return nil
}

// checkSchedule holds SendAt to its window, 300 seconds to 35 days ahead:
// https://www.twilio.com/docs/api/errors/35115
func (s *Server) checkSchedule(f url.Values, c *creation) *objection {
	sendAt := f.Get("SendAt")
	if f.Get("ScheduleType") == "" && sendAt == "" {
		return nil
	}
	if c.service.SID == "" {
		if s.opts.Switches.SendUnserviced {
			return nil
		}
		return objectTo(35118)
	}
	if sendAt == "" {
		return objectTo(35111)
	}
	if f.Get("ScheduleType") == "" {
		return &objection{20001, "SendAt needs ScheduleType"}
	}
	at, err := time.Parse(time.RFC3339, sendAt)
	ahead := at.Sub(s.opts.Now())
	if err != nil || ahead < minScheduled || ahead > maxScheduled {
		return objectTo(35114)
	}
	c.sendAt = at
	return nil
}

// checkRecipient asks who the number belongs to. A blocked number is an error
// with a From and fails later with a service.
func (s *Server) checkRecipient(_ url.Values, c *creation) *objection {
	code, blocked := s.recipient(c.to)
	if code != 0 {
		return objectTo(code)
	}
	if c.blocked = blocked; blocked && c.service.SID == "" {
		return objectTo(21610)
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, item := range list {
		if strings.EqualFold(item, s) {
			return true
		}
	}
	return false
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

// isCallback: underscores are not allowed in the host name.
func isCallback(s string) bool {
	u, err := url.Parse(s)
	return isWebURL(s) && err == nil && !strings.Contains(u.Hostname(), "_")
}

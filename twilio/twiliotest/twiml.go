package twiliotest

import (
	"encoding/xml"
	"net/url"
	"strings"
)

// twiml is the part of Twilio's markup that sends messages:
// https://www.twilio.com/docs/messaging/twiml
type twiml struct {
	XMLName  xml.Name `xml:"Response"`
	Messages []struct {
		To             string   `xml:"to,attr"`
		From           string   `xml:"from,attr"`
		StatusCallback string   `xml:"statusCallback,attr"`
		Text           string   `xml:",chardata"`
		Body           []string `xml:"Body"`
		Media          []string `xml:"Media"`
	} `xml:"Message"`
}

// reply sends what the webhook's answer to a message says. Plain text is a
// message too: a handler that answers a bare OK texts it to the customer.
func (s *Server) reply(c call, a answered) {
	switch a.kind {
	case "text/plain":
		s.send(c, url.Values{"Body": {strings.TrimSpace(a.body)}})
	case "text/xml", "application/xml", "text/html":
		var said twiml
		if xml.Unmarshal([]byte(a.body), &said) != nil {
			return // an alert in Twilio's console, and no message
		}
		for _, m := range said.Messages {
			body := strings.TrimSpace(m.Text + strings.Join(m.Body, ""))
			s.send(c, url.Values{
				"From": {m.From}, "To": {m.To}, "Body": {body}, "MediaUrl": trimmed(m.Media), "StatusCallback": {m.StatusCallback},
			})
		}
	}
}

func trimmed(list []string) []string {
	for i, item := range list {
		list[i] = strings.TrimSpace(item)
	}
	return list
}

// send makes a reply, by default from the number that was written to and to
// whoever wrote. One that is not allowed is an alert in Twilio's console, and
// no message: https://www.twilio.com/docs/api/errors/14103
func (s *Server) send(in call, f url.Values) {
	f.Set("From", or(f.Get("From"), in.form.Get("To")))
	f.Set("To", or(f.Get("To"), in.form.Get("From")))
	c, object := s.validate(f)
	if object != nil {
		return
	}
	now := s.lock()
	defer s.mu.Unlock()
	s.admit(c, now).direction = outboundReply
	s.calls.counts.Replies++
}

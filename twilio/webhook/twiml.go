package webhook

import (
	"bytes"
	"encoding/xml"
	"net/http"
)

// writeTwiML answers an inbound message. The type is always said: Twilio sends
// an answer that is text/plain to the one who wrote, as a message.
// https://www.twilio.com/docs/messaging/twiml
func writeTwiML(w http.ResponseWriter, reply Reply) {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>`)
	if reply.Text == "" {
		b.WriteString(`<Response/>`)
	} else {
		b.WriteString(`<Response><Message>`)
		_ = xml.EscapeText(&b, []byte(reply.Text)) //nolint:errcheck // a buffer takes everything
		b.WriteString(`</Message></Response>`)
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = w.Write(b.Bytes()) //nolint:errcheck // Twilio is gone; the event is durable all the same
}

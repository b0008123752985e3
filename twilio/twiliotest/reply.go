package twiliotest

import (
	"net/http"
	"strconv"
)

// cut says where an answer breaks off.
type cut uint8

const (
	whole     cut = iota
	noAnswer      // the connection is reset before a byte of the answer
	halfAway      // the connection ends in the middle of the body
	abandoned     // nobody waits for the answer any more
)

// reply is an answer before it takes the form of a connection or of a value.
type reply struct {
	status int
	header http.Header
	body   []byte
	cut    cut
	err    error // why it was abandoned
}

const jsonType = "application/json;charset=utf-8"

func jsonReply(status int, body []byte) reply {
	return reply{status: status, header: http.Header{"Content-Type": {jsonType}}, body: body}
}

// refusal is Twilio's error body; message "" means the code's usual text:
// https://www.twilio.com/docs/usage/twilios-response
func refusal(status, code int, message string) reply {
	e := encoder{}
	e.raw(`{"code":`)
	e.raw(strconv.Itoa(code))
	e.text(`,"message":`, or(message, codeText(code)))
	e.raw(`,"more_info":"https://www.twilio.com/docs/errors/`)
	e.raw(strconv.Itoa(code))
	e.raw(`","status":`)
	e.raw(strconv.Itoa(status))
	e.raw("}")
	return jsonReply(status, e.b)
}

func notFound(path string) reply {
	return refusal(http.StatusNotFound, 20404, "The requested resource "+path+" was not found")
}

func unauthorized() reply {
	r := refusal(http.StatusUnauthorized, 20003, "")
	r.header.Set("WWW-Authenticate", `Basic realm="Twilio API"`)
	return r
}

func badRequest(code int, message string) reply {
	return refusal(http.StatusBadRequest, code, message)
}

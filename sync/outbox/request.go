package outbox

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
)

// RequestState is where a request of a flow is.
type RequestState string

// The states of a request.
const (
	Asked    RequestState = "asked"    // to be started
	Starting RequestState = "starting" // Twilio is being called
	Running  RequestState = "running"  // it is followed
	Over     RequestState = "over"     // nothing more happens
)

// Request is one attempt to start a flow.
type Request struct {
	N         int64
	Version   int64
	Request   message.StudioRequest
	State     RequestState
	Due       time.Time // when something is to be done; zero with Over and nothing to write: never
	Tries     int
	Result    message.StudioResult
	Unwritten bool
	Refused   bool // the org refuses Result, which waits to be written again
	Unshown   bool // its record was deleted before it showed Result
	// Seen is when the record asked again after it was over, as one reading says. A
	// second one proves that it was made after our write-back.
	Seen    time.Time
	Started time.Time
}

// The statuses of a request's record that we write beside Twilio's.
const (
	flowActive = "active"
	flowEnded  = "ended"
	flowFailed = "failed"
)

// MeetRequest is Meet for requests of flows.
func MeetRequest(last *Request, r *message.StudioRequest, now time.Time) (Request, Action) {
	asks := r.Ask == message.AskSend && !r.Deleted
	switch {
	case last == nil && asks:
		return Request{Request: *r, State: Asked, Due: now}, Start
	case last == nil || r.Modified.Before(last.Request.Modified):
		return Request{}, Ignore
	}
	next := *last
	switch {
	case last.State == Asked && !asks:
		next.Request, next.State, next.Due = *r, Over, time.Time{}
		return next, Replace
	case last.State == Asked && !sameRequest(&last.Request, r):
		next.Request = *r
		return next, Replace
	case asks && r.Modified.After(last.Request.Modified):
		return anew(next, r, now)
	}
	return Request{}, Ignore
}

// anew is for a record that asks although its flow was started, or could not be.
func anew(next Request, r *message.StudioRequest, now time.Time) (Request, Action) {
	switch {
	case next.Unshown: // it was in the recycle bin: it is told once more
		next.Request.Modified, next.Unwritten, next.Due = r.Modified, true, now
		return next, Replace
	case next.State == Over && !next.Unwritten:
		return again(next, r, now)
	default:
		return Request{}, Ignore
	}
}

// again starts anew what is over. The first reading may have been made before our
// write-back; one that was begun after it was not.
func again(next Request, r *message.StudioRequest, now time.Time) (Request, Action) {
	if next.Seen.IsZero() {
		next.Seen = now
		return next, Replace
	}
	return Request{N: next.N, Version: next.Version, Request: *r, State: Asked, Due: now}, Replace
}

func sameRequest(a, b *message.StudioRequest) bool {
	x, y := *a, *b
	x.Modified, y.Modified = time.Time{}, time.Time{}
	return x == y && a.Modified.Equal(b.Modified)
}

// end is the last that happens to a request.
func (r *Request) end(status, problem string, now time.Time) {
	r.Result.ID, r.Result.Status, r.Result.ErrorMessage = r.Request.ID, status, problem
	r.State, r.Unwritten, r.Due = Over, true, now
}

// Lost is a request whose start was cut short by ours: nothing can tell whether
// it happened.
func Lost(r Request, now time.Time) Request {
	r.end(message.Uncertain, "Twilio's answer was lost, and nothing shows whether the flow was started. Look at its log in the Twilio console; set Status to Send to start it again.", now)
	return r
}

var flowSID = regexp.MustCompile(`^FW[0-9a-fA-F]{32}$`)

// maxAddress is how long the two addresses of an execution may be together.
// https://www.twilio.com/docs/api/errors/81023
const maxAddress = 300

// checkedRequest is a request with its numbers as Twilio reads them, or why it is
// not started.
func checkedRequest(r *message.StudioRequest, country string) (to, from string, f *Refusal) {
	if !flowSID.MatchString(strings.TrimSpace(r.Flow)) {
		return "", "", refuse(0, "Flow SID: it must be FW and 32 hexadecimal digits, as the Twilio console shows it.")
	}
	n, err := phone.Parse(r.To, country)
	if err != nil {
		return "", "", refuse(0, "To number: %s. Correct it and set Status to Send again.", err)
	}
	s, ok := ReadSender(r.From, country)
	if !ok {
		return "", "", refuse(0, "From: it is neither a number nor a Messaging Service's SID (MG and 32 hexadecimal digits).")
	}
	var object map[string]any
	if p := strings.TrimSpace(r.Parameters); p != "" && (json.Unmarshal([]byte(p), &object) != nil || object == nil) {
		return "", "", refuse(0, `Parameters: they must be a JSON object, for example {"name": "Ada"}.`)
	}
	to, from = string(n), s.Lane()
	if len(to)+len(from) > maxAddress {
		return "", "", refuse(0, "To number and From: they are longer than %d characters together.", maxAddress)
	}
	return to, from, nil
}

package twiliotest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// DefaultFlowSID is the one Studio flow of the default account.
const DefaultFlowSID = "FW0a1b2c3d4e5f60718293a4b5c6d7e8f9"

// DefaultExecution is how long an execution is active unless told otherwise.
const DefaultExecution = 30 * time.Second

// maxAddresses is what To and From may have together, in bytes:
// https://www.twilio.com/docs/api/errors/81023
const maxAddresses = 300

// Execution is one run of a Studio flow.
type Execution struct {
	SID, Flow, To, From string
	// Parameters is the JSON object as it came, "" for none.
	Parameters string
	// Status is active or ended.
	Status  string
	Created time.Time

	ends, updated time.Time
}

func (x *Execution) advance(now time.Time) {
	if x.Status == "active" && !now.Before(x.ends) {
		x.Status, x.updated = "ended", x.ends
	}
}

// Executions are all executions in the order in which they were started.
func (s *Server) Executions() []Execution {
	now := s.opts.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Execution, len(s.runs))
	for i, x := range s.runs {
		x.advance(now)
		all[i] = *x
	}
	return all
}

// EndExecution ends an execution before its time. It reports whether there is
// such a one.
func (s *Server) EndExecution(sid string) bool {
	now := s.opts.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.runs {
		if x.SID == sid {
			x.ends = now
			x.advance(now)
			return true
		}
	}
	return false
}

var executionKeys = keys("To", "From", "Parameters")

// createExecution starts a flow:
// https://www.twilio.com/docs/studio/rest-api/v2/execution
func (s *Server) createExecution(r *http.Request, t target) reply {
	if !slices.Contains(s.opts.Flows, t.parent) {
		return notFound(t.path)
	}
	f, rep, ok := form(r)
	if !ok {
		return rep
	}
	s.ignore(CreateExecution, f, executionKeys)
	x := &Execution{Flow: t.parent, To: f.Get("To"), From: f.Get("From"), Parameters: f.Get("Parameters"), Status: "active"}
	switch {
	case x.To == "":
		return badRequest(20001, "Missing required parameter To in the post body")
	case x.From == "":
		return badRequest(20001, "Missing required parameter From in the post body")
	case len(x.To)+len(x.From) > maxAddresses:
		return badRequest(81023, "")
	case x.Parameters != "" && !isObject(x.Parameters):
		return badRequest(20001, "Invalid Parameters")
	}
	now := s.opts.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.runs {
		other.advance(now)
		if other.Status == "active" && other.To == x.To && other.From == x.From && !s.opts.Switches.ManyExecutions {
			return refusal(http.StatusConflict, 20409, "An execution is already active for this contact")
		}
	}
	x.SID = s.nextDigits().sid("FN")
	x.Created, x.updated, x.ends = now, now, now.Add(s.opts.Execution)
	s.runs = append(s.runs, x)
	e := s.encoder(1024)
	e.execution(origin(r), x)
	return jsonReply(http.StatusCreated, e.b)
}

// isObject: Parameters is a JSON object written as text.
func isObject(text string) bool {
	return json.Valid([]byte(text)) && strings.HasPrefix(strings.TrimSpace(text), "{")
}

func (s *Server) fetchExecution(r *http.Request, t target) reply {
	now := s.opts.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.runs {
		if x.SID != t.sid || x.Flow != t.parent {
			continue
		}
		x.advance(now)
		e := s.encoder(1024)
		e.execution(origin(r), x)
		return jsonReply(http.StatusOK, e.b)
	}
	return notFound(t.path)
}

// execution writes one Execution. Its context is empty here: Twilio keeps what
// the widgets saved in a resource of its own.
func (e *encoder) execution(base string, x *Execution) {
	self := base + flowPrefix + "/" + x.Flow + "/Executions/" + x.SID
	e.text(`{"sid":`, x.SID)
	e.text(`,"account_sid":`, e.account)
	e.text(`,"flow_sid":`, x.Flow)
	e.text(`,"contact_channel_address":`, x.To)
	e.text(`,"contact_sid":`, "FC"+numberSID(x.To)[2:])
	e.raw(`,"flow_version":1,"context":{}`)
	e.text(`,"status":`, x.Status)
	e.text(`,"date_created":`, x.Created.UTC().Format(time.RFC3339))
	e.text(`,"date_updated":`, x.updated.UTC().Format(time.RFC3339))
	e.text(`,"initiated_by":`, "RQ"+x.SID[2:])
	e.text(`,"url":`, self)
	e.text(`,"links":{"steps":`, self+"/Steps")
	e.text(`,"execution_context":`, self+"/Context")
	e.raw("}}")
}

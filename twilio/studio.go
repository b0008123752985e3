package twilio

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	studio "github.com/twilio/twilio-go/rest/studio/v2"

	"github.com/twiliosf/twiliosf/sync/fault"
)

var (
	opExecute   = operation{name: "twilio start execution", label: "create_execution", first: true}
	opExecution = operation{name: "twilio fetch execution", label: "fetch_execution"}
)

// maxAddresses is what To and From may have together, in bytes.
// https://www.twilio.com/docs/api/errors/81023
const maxAddresses = 300

// Execute starts an execution of a Studio flow with one request, which is never
// sent twice; its errors are as Create's. parameters is a JSON object or "". What
// cannot be right is refused here and asks nobody. The status is active or ended.
// https://www.twilio.com/docs/studio/rest-api/v2/execution
func (a *Account) Execute(ctx context.Context, flow, to, from, parameters string) (sid, status string, err error) {
	params := &studio.CreateExecutionParams{To: &to, From: &from}
	if parameters != "" {
		var data any = json.RawMessage(parameters) // as it is: numbers keep their digits
		params.Parameters = &data
	}
	if err := checkExecution(flow, to, from, parameters); err != nil {
		return "", "", err
	}
	err = a.attempt(ctx, opExecute, func(c *call) error {
		model, err := studio.NewApiServiceWithClient(c).CreateExecution(flow, params)
		if err != nil {
			return asFlow(err)
		}
		sid, status, err = c.execution(model)
		return err
	})
	return sid, status, err
}

// Execution reads the status of an execution, active or ended; it may be
// repeated. One that Twilio has no more is Permanent, 20404.
func (a *Account) Execution(ctx context.Context, flow, sid string) (status string, err error) {
	if !validID(flow, "FW") || !validID(sid, "FN") {
		return "", fault.New(fault.Permanent, opExecution.name, errors.New("a flow is FW, an execution FN, and 32 hex digits"))
	}
	err = a.repeat(ctx, opExecution, func(c *call) error {
		model, err := studio.NewApiServiceWithClient(c).FetchExecution(flow, sid)
		if err != nil {
			return asFlow(err)
		}
		_, status, err = c.execution(model)
		return err
	})
	return status, err
}

var errExecution = errors.New("no execution with a SID and a status")

func (c *call) execution(model *studio.StudioV2Execution) (sid, status string, err error) {
	if sid, status = text(model.Sid), text(model.Status); !validID(sid, "FN") || status == "" {
		return "", "", c.garbled(errExecution)
	}
	return sid, status, nil
}

func checkExecution(flow, to, from, parameters string) error {
	refuse := func(code, words, hint string) error {
		f := fault.New(fault.Permanent, opExecute.name, errors.New(words))
		f.Code, f.Hint = code, hint
		return f
	}
	switch {
	case !validID(flow, "FW"):
		return refuse("", "the flow is not FW and 32 hex digits", "Copy the flow's SID from Studio in the Twilio Console.")
	case to == "" || from == "":
		return refuse("", "an execution needs a recipient and a sender", "Fill in both numbers.")
	case len(to)+len(from) > maxAddresses:
		return refuse("81023", codes[81023].meaning, codes[81023].hint)
	case parameters != "" && !isObject(parameters):
		return refuse("", "the parameters are no JSON object", `Write them as {"name":"value"}.`)
	}
	return nil
}

func isObject(text string) bool {
	return json.Valid([]byte(text)) && strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{")
}

// asFlow says what is missing: a flow, or an execution of it.
func asFlow(err error) error {
	if f := fault.Of(err); f != nil && f.Status == 404 && f.Code == "20404" {
		f.Err, f.Hint = errors.New("there is no such flow or execution"), "Check the flow's SID in Studio in the Twilio Console."
	}
	return err
}

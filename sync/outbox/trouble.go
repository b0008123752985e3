package outbox

import (
	"context"
	"fmt"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
)

func (o *Outbox) storeTrouble(ctx context.Context, err error) {
	if fault.Stopped(ctx, err) {
		return
	}
	o.Health.Raise(health.StoreFailed(err))
}

// Names of the outbox's own conditions.
const (
	condHeld    = "outbox-held"
	condRefused = "outbox-write-back"
	condList    = "outbox-list"
)

// tooLong is why a list that is read to its end in vain is not.
func tooLong() error {
	return &fault.Error{
		Class: fault.Transient, Op: "twilio list messages", Condition: condList,
		Err:  fmt.Errorf("more than %d messages were sent while it was not known whether one was", newest),
		Hint: "Nothing is sent twice: what cannot be found in the list is left to you (twiliosf outbox list --state held).",
	}
}

func held() health.Condition {
	return health.Condition{
		Name: condHeld, Severity: health.Notice,
		Cause:  "Some messages may or may not have been sent: Twilio's answer was lost, and its list does not decide it.",
		Remedy: "twiliosf outbox list --state held shows them; look the number up in Twilio's log, then twiliosf outbox settle RECORD --sent SID, --again or --failed.",
	}
}

// notTaken is the condition of a refusal, nil for one of before the start.
func notTaken(err error) health.Condition {
	c := health.Condition{
		Name: condRefused, Severity: health.Degraded,
		Cause:  "Salesforce refuses what became of some messages.",
		Remedy: fault.Hint(err),
	}
	if err != nil {
		c.Cause = "Salesforce refuses what became of some messages: " + err.Error()
	}
	if c.Remedy == "" {
		c.Remedy = "Put right what refuses it (a validation rule, a Flow, a permission). It is tried again every hour, and nothing is sent twice."
	}
	return c
}

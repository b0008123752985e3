package campaign

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
)

func (e *Engine) storeTrouble(ctx context.Context, err error) {
	if ctx.Err() == nil {
		e.Health.Raise(health.StoreFailed(err))
	}
}

// Names of campaigns' own conditions: what the org refuses.
const (
	condRecord    = "campaign-record"
	condRecipient = "campaign-recipient-records"
	condMember    = "campaign-members"
	condForecast  = "campaign-deliverability"
)

// refused is the condition that the org refuses something for good.
func refused(name, what string, err error) health.Condition {
	return health.Condition{
		Name: name, Severity: health.Degraded,
		Cause:  fmt.Sprintf("Salesforce refuses %s: %s", what, err),
		Remedy: cmp.Or(fault.Hint(err), "Put right what refuses it (a validation rule, a Flow, a permission). No message hangs on it, and none is sent twice."),
	}
}

// counted says that an adapter has answered another number of outcomes than it was
// asked for.
func counted(outcomes, asked int) error {
	if outcomes == asked {
		return nil
	}
	return fault.New(fault.Transient, "salesforce campaigns", fmt.Errorf("%d outcomes of %d", outcomes, asked))
}

// inWords is a fault for the author of a campaign, on whose record alone it is shown.
func inWords(err error) string {
	text := strings.TrimSpace(fault.Hint(err) + " " + fault.Words(err))
	return cmp.Or(text, err.Error())
}

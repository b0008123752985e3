package mirror

import (
	"strconv"

	"github.com/twiliosf/twiliosf/sync/health"
)

// Names of the mirror's own conditions. Those of the vendors come with their
// faults (fault.Error.Condition).
const (
	condQuarantine = "quarantine"
	condStuck      = "records-put-off"
)

// The two vendors, as health names them.
const (
	sideTwilio     = "twilio"
	sideSalesforce = "salesforce"
)

// quarantined raises the condition that tells of refused records.
func quarantined(h *health.Registry, r *Refusal, n int) {
	h.Raise(health.Condition{
		Name:     condQuarantine,
		Severity: health.Notice,
		Cause:    "Salesforce refuses " + strconv.Itoa(n) + " or more messages for good, the last one with " + r.Code + ".",
		Remedy:   "twiliosf quarantine list shows them with the reason; put it right in the org, then twiliosf quarantine retry --all.",
	})
}

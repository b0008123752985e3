package mirror

import (
	"github.com/twiliosf/twiliosf/sync/health"
)

// Names of the mirror's own conditions. Those of the vendors come with their
// faults (fault.Error.Condition).
const (
	condQuarantine = "quarantine"
	condStuck      = "records-put-off"
	condBulk       = "salesforce-bulk"
)

// The two vendors, as health names them.
const (
	sideTwilio     = "twilio"
	sideSalesforce = "salesforce"
)

// Quarantined is the condition that tells of refused records. How many there are
// and why is the quarantine's to say.
func Quarantined() health.Condition {
	return health.Condition{
		Name:     condQuarantine,
		Severity: health.Notice,
		Cause:    "Salesforce refuses some messages for good; the others go on.",
		Remedy:   "twiliosf quarantine list shows them with the reason; put it right in the org, then twiliosf quarantine retry --all.",
	}
}

package salesforce

import (
	"context"
	"errors"
	"time"
)

// Organization is what the org says of itself.
type Organization struct {
	Edition string // as Salesforce writes it: "Enterprise Edition"
	Sandbox bool
	// TrialEnds is when the org expires; zero: it does not.
	TrialEnds time.Time
}

// Organization reads what kind of org this is. A sandbox with an end is a scratch org.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_organization.htm
func (o *Org) Organization(ctx context.Context) (Organization, error) {
	var out Organization
	found := false
	err := o.Query(ctx, "SELECT OrganizationType, IsSandbox, TrialExpirationDate FROM Organization", func(row map[string]any) error {
		found = true
		out.Edition, _ = row["OrganizationType"].(string) //nolint:errcheck // unknown is the empty text
		out.Sandbox, _ = row["IsSandbox"].(bool)          //nolint:errcheck // unknown is no
		if ends, given := row["TrialExpirationDate"].(string); given {
			at, err := time.Parse("2006-01-02T15:04:05.000-0700", ends)
			if err != nil {
				return unreadable("organization", errors.New("the trial's end is no time"))
			}
			out.TrialEnds = at
		}
		return nil
	})
	if err == nil && !found {
		err = unreadable("organization", errors.New("the org shows no record of itself"))
	}
	return out, err
}

package records

import (
	"context"
	"time"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/followup"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Members adds people to the campaigns of keywords.
type Members struct {
	org Inserter
	who WhoIs
}

// Inserter makes records; *salesforce.Org is one.
type Inserter interface {
	InsertCollection(ctx context.Context, records [][]byte) ([]salesforce.RowResult, error)
}

var _ followup.Doer = (*Members)(nil)

// NewMembers calls nobody.
func NewMembers(org Inserter, who WhoIs) *Members { return &Members{org: org, who: who} }

const memberHint = "Make the integration user a Marketing User and give it edit access to Campaigns, Contacts and Leads. " +
	"Who is to be added is kept meanwhile; messages go on."

// retryWho is when a number is looked up again whose person is not known yet.
const retryWho = time.Minute

// Do implements followup.Doer. Nobody is added whose number is not that of exactly
// one Contact or Lead. Who is a member already, stays one: Salesforce makes no
// second, so an insert whose outcome is not known is made again.
func (m *Members) Do(ctx context.Context, batch []message.FollowUp) ([]error, error) {
	outcomes := make([]error, len(batch))
	var rows [][]byte
	var of []int
	for i := range batch {
		member := batch[i].Member
		person, err := m.who(ctx, member.Number)
		if err != nil {
			f := fault.New(fault.Transient, "find a campaign member", err)
			f.After = retryWho
			outcomes[i] = f
			continue
		}
		name := personField(person, "Id")
		if name == "" {
			continue
		}
		row := appendText([]byte(`{"attributes":{"type":"CampaignMember"},"CampaignId":`), member.Campaign)
		row = append(appendText(append(row, `,"`+name+`":`...), person.ID), '}')
		rows, of = append(rows, row), append(of, i)
	}
	results, err := m.org.InsertCollection(ctx, rows)
	if err != nil {
		return nil, lacking(err, memberHint)
	}
	for i, r := range results {
		if r.Err != nil && r.Err.Code != salesforce.CodeDuplicateValue {
			outcomes[of[i]] = lacking(r.Err, memberHint)
		}
	}
	return outcomes, nil
}

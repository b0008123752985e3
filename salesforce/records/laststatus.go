package records

import (
	"context"
	"errors"
	"fmt"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/followup"
	"github.com/twiliosf/twiliosf/sync/message"
)

// LastStatusNames are the API names of the fields on Contact and Lead. An empty
// one takes the name that deploy/salesforce ships.
type LastStatusNames struct {
	Status string // Last_Message_Status__c
	At     string // Last_Message_Status_Date__c
}

// PeopleOrg is what is needed of an org to write to people.
type PeopleOrg interface {
	describer
	Updater
}

// LastStatus keeps what became of the newest message to a person on the person's
// record.
type LastStatus struct {
	org      PeopleOrg
	names    LastStatusNames
	planners map[string]*planner // by object
}

var _ followup.Doer = (*LastStatus)(nil)

// The objects that have a last status.
const (
	contact = "Contact"
	lead    = "Lead"
)

// NewLastStatus calls nobody.
func NewLastStatus(org PeopleOrg, n LastStatusNames) (*LastStatus, error) {
	if n.Status == "" {
		n.Status = lastStatusField
	}
	if n.At == "" {
		n.At = "Last_Message_Status_Date__c"
	}
	for _, name := range []string{n.Status, n.At} {
		if !apiName.MatchString(name) {
			return nil, fmt.Errorf("records: the last status's field name %q is no API name", name)
		}
	}
	s := &LastStatus{org: org, names: n, planners: map[string]*planner{}}
	for _, object := range []string{contact, lead} {
		s.planners[object] = plannerOf(org, object, shapeOf(object, false, []wanted{
			{name: n.Status, types: textTypes, required: true},
			{name: n.At, types: []string{"datetime", "date"}, required: true},
		}))
	}
	return s, nil
}

var errNoPerson = errors.New("not a Contact or a Lead")

// Do implements followup.Doer. What concerns one object puts off the follow-ups of
// that object and no others.
func (s *LastStatus) Do(ctx context.Context, batch []message.FollowUp) ([]error, error) {
	outcomes := make([]error, len(batch))
	places := map[string][]int{}
	for i := range batch {
		if f := batch[i].Status; f == nil || s.planners[f.Person.Object] == nil {
			outcomes[i] = fault.New(fault.Permanent, "salesforce update", errNoPerson)
			continue
		}
		object := batch[i].Status.Person.Object
		places[object] = append(places[object], i)
	}
	failed := 0
	var first error
	for object, at := range places {
		if err := s.write(ctx, object, batch, at, outcomes); err != nil {
			if fault.Stopped(ctx, err) {
				return nil, err
			}
			failed++
			first = err
			for _, i := range at {
				outcomes[i] = err
			}
		}
	}
	if failed > 0 && failed == len(places) {
		return nil, first
	}
	return outcomes, nil
}

// write updates the records of one object.
func (s *LastStatus) write(ctx context.Context, object string, batch []message.FollowUp, at []int, outcomes []error) error {
	planner := s.planners[object]
	plan, err := planner.current(ctx)
	if err != nil {
		return err
	}
	rows := make([][]byte, len(at))
	for n, i := range at {
		rows[n] = s.row(plan, batch[i].Status)
	}
	results, err := updateAll(ctx, s.org, rows)
	if err != nil {
		planner.doubt(err)
		return err
	}
	for n, i := range at {
		if f := results[n].Err; f != nil {
			planner.doubt(f)
			outcomes[i] = explainedUpdate(object, f)
		}
	}
	return nil
}

func (s *LastStatus) row(p *plan, l *message.LastStatus) []byte {
	form := datetimeForm
	if p.columns[s.names.At].Type == "date" {
		form = "2006-01-02"
	}
	dst := with(p.record(nil), "id", func(dst []byte) []byte { return appendString(dst, l.Person.ID) })
	dst = with(dst, s.names.Status, func(dst []byte) []byte { return appendText(dst, l.Status) })
	dst = with(dst, s.names.At, func(dst []byte) []byte { return appendInstant(dst, l.At, form) })
	return append(dst, '}')
}

// explainedUpdate puts a refused update in our words. A record that is not there
// any more refuses for good, and nobody needs to do anything about it.
func explainedUpdate(object string, f *fault.Error) error {
	with := *f
	with.Hint = hintFor(object, f)
	switch f.Code {
	case salesforce.CodeEntityIsDeleted, "INVALID_CROSS_REFERENCE_KEY", salesforce.CodeNotFound:
		with.Class, with.Hint, with.Err = fault.Permanent, "", followup.ErrGone
	}
	return &with
}

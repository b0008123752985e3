package records

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// Org is what is needed of a Salesforce org; *salesforce.Org is one.
type Org interface {
	Describe(ctx context.Context, object string) (salesforce.Object, error)
	UpsertCollection(ctx context.Context, object, keyField string, records [][]byte) ([]salesforce.RowResult, error)
	Query(ctx context.Context, soql string, row func(map[string]any) error) error
}

// Options say how the org names things.
type Options struct {
	Names Names
	// Lookups are the message object's lookups to further objects: field by object.
	Lookups map[string]string
	// Unlinked hears of records that the org takes only without their owner or
	// links, by the fault it refused them with. It may be nil.
	Unlinked func(*fault.Error)
}

// Messages writes messages as records of the message object.
type Messages struct {
	org      Org
	names    Names
	planner  *planner
	unlinked func(*fault.Error)
}

var (
	_ mirror.Sink = (*Messages)(nil)
	_ Org         = (*salesforce.Org)(nil)

	apiName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)
)

// New calls nobody. Its errors are names that are no API names, all at once.
func New(org Org, opts Options) (*Messages, error) {
	n := opts.Names.withDefaults()
	var faults []error
	if !apiName.MatchString(n.Object) {
		faults = append(faults, fmt.Errorf("records: the object's name %q is no API name", n.Object))
	}
	for _, c := range columns {
		name := *c.name(&n)
		if name == NoField && !c.required {
			continue
		}
		if !apiName.MatchString(name) {
			faults = append(faults, fmt.Errorf("records: the field name %q (standard: %s) is no API name", name, c.standard))
		}
	}
	for _, m := range marks {
		if name := *m.name(&n); name != NoField && !apiName.MatchString(name) {
			faults = append(faults, fmt.Errorf("records: the field name %q (standard: %s) is no API name", name, m.standard))
		}
	}
	for object, name := range opts.Lookups {
		if !apiName.MatchString(name) {
			faults = append(faults, fmt.Errorf("records: the field name %q (the lookup to %s) is no API name", name, object))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if opts.Unlinked == nil {
		opts.Unlinked = func(*fault.Error) {}
	}
	return &Messages{org: org, names: n, planner: newPlanner(org, n, opts.Lookups), unlinked: opts.Unlinked}, nil
}

// Check describes the object now and tells whether messages can be written. Its
// fault of code CodeSchema names every field that is missing.
func (s *Messages) Check(ctx context.Context) error {
	_, err := s.planner.renew(ctx, true)
	return err
}

// Missing names the optional fields that the org lacks or hides. They are left
// out of what is written. It is empty before the first write or Check.
func (s *Messages) Missing() []string { return s.planner.missing() }

// Upsert writes messages as mirror.Sink says. All of Twilio's fields travel each
// time, empty ones as null, so that a record is always the whole present state: a
// body that Twilio has redacted is cleared.
func (s *Messages) Upsert(ctx context.Context, batch []mirror.Record) ([]error, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	if len(batch) > mirror.BatchSize {
		return nil, fault.New(fault.Permanent, "salesforce upsert", fmt.Errorf("%d messages in one batch, %d are allowed", len(batch), mirror.BatchSize))
	}
	p, err := s.planner.current(ctx)
	if err != nil {
		return nil, err
	}
	w := &write{org: s.org, plan: p, doubt: s.planner.doubt, unlinked: s.unlinked, splits: mostSplits}
	return w.all(ctx, encode(p, batch))
}

// row is one record on its way.
type row struct {
	source *mirror.Record
	extent extent
	record []byte
	// without are the refusals for which links were left out. They are told of when
	// the org takes the rest, for else they were not the reason.
	without []*fault.Error
}

// encode makes one record a message, all in one buffer.
func encode(p *plan, batch []mirror.Record) []row {
	const typical = 800 // bytes of a record with a body of 100 characters
	buf := make([]byte, 0, typical*len(batch))
	ends := make([]int, len(batch))
	for i := range batch {
		buf = p.append(buf, &batch[i], linked)
		ends[i] = len(buf)
	}
	rows := make([]row, len(batch))
	from := 0
	for i, end := range ends {
		rows[i] = row{source: &batch[i], record: buf[from:end:end]}
		from = end
	}
	return rows
}

package records

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// Org is what is needed of a Salesforce org; *salesforce.Org is one.
type Org interface {
	Describe(ctx context.Context, object string) (salesforce.Object, error)
	Query(ctx context.Context, soql string, row func(map[string]any) error) error
	Collections
}

// Collections write many records in one call.
type Collections interface {
	UpsertCollection(ctx context.Context, object, keyField string, records [][]byte) ([]salesforce.RowResult, error)
	UpdateCollection(ctx context.Context, records [][]byte) ([]salesforce.RowResult, error)
	DeleteCollection(ctx context.Context, ids []string) ([]salesforce.RowResult, error)
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
	orphans  orphans
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
	eachName(&n, func(name *string, standard string, required bool) {
		if (*name != NoField || required) && !apiName.MatchString(*name) {
			faults = append(faults, fmt.Errorf("records: the field name %q (standard: %s) is no API name", *name, standard))
		}
	})
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
// body that Twilio has redacted is cleared. It takes a call for those with an ID,
// and one for the others and for those whose record is gone.
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
	outcomes := make([]error, len(batch))
	rest, err := s.bound(ctx, p, batch, outcomes)
	if err != nil || len(rest) == 0 {
		return outcomes, err
	}
	room := rooms.Get().(*[]byte) //nolint:errcheck // it holds nothing else
	defer rooms.Put(room)
	got, err := s.upserting(p).all(ctx, encode(p, rest, room))
	if err != nil {
		return nil, err
	}
	at := 0
	for i := range outcomes {
		if errors.Is(outcomes[i], errUnbound) {
			outcomes[i] = got[at]
			at++
		}
	}
	return outcomes, nil
}

// upserting writes records by their SID.
func (s *Messages) upserting(p *plan) *write {
	return &write{
		op: "salesforce upsert", object: p.object, plan: p, raced: raced, doubt: s.planner.doubt, unlinked: s.unlinked, splits: mostSplits,
		send: func(ctx context.Context, records [][]byte) ([]salesforce.RowResult, error) {
			return s.org.UpsertCollection(ctx, p.object, p.key, records)
		},
	}
}

// row is one record on its way.
type row struct {
	source *mirror.Record // whose links may be left out, or nil
	extent extent
	record []byte

	id  string      // of the record that is written by it
	sid message.SID // that it is given

	// without are the refusals for which links were left out. They are told of when
	// the org takes the rest, for else they were not the reason.
	without []*fault.Error
}

// rooms are what batches are encoded in, one after another: whoever is given a
// record keeps none of it.
var rooms = sync.Pool{New: func() any { return new([]byte) }}

// encode makes one record a message, all in one room.
func encode(p *plan, batch []*mirror.Record, room *[]byte) []row {
	const typical = 800 // bytes of a record with a body of 100 characters
	buf := slices.Grow((*room)[:0], typical*len(batch))
	ends := make([]int, len(batch))
	for i := range batch {
		buf = p.append(buf, batch[i], linked)
		ends[i] = len(buf)
	}
	*room = buf
	rows := make([]row, len(batch))
	from := 0
	for i, end := range ends {
		rows[i] = row{source: batch[i], record: buf[from:end:end]}
		from = end
	}
	return rows
}

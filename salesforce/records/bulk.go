package records

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// Ingester writes many records by jobs; *salesforce.Org is one.
type Ingester interface {
	RunIngest(ctx context.Context, book salesforce.IngestBook, in *salesforce.Ingest, told func([]salesforce.BulkOutcome) error) error
	EndIngest(ctx context.Context, book salesforce.IngestBook, key string) error
}

// BulkBook remembers jobs durably.
type BulkBook interface {
	salesforce.IngestBook
	// Under are the keys that continue one after a slash, each before those that
	// continue it.
	Under(ctx context.Context, key string) ([]string, error)
}

// Bulk writes messages by jobs of Bulk API 2.0.
type Bulk struct {
	messages *Messages
	org      Ingester
	book     BulkBook
}

var (
	_ mirror.BulkSink = (*Bulk)(nil)
	_ Ingester        = (*salesforce.Org)(nil)
)

// Bulk makes another way for the same records.
func (s *Messages) Bulk(org Ingester, book BulkBook) *Bulk {
	return &Bulk{messages: s, org: org, book: book}
}

// bulkKey is under what the mirror's jobs are kept.
const bulkKey = "mirror"

// errElsewhere is why a record is left to the collections.
var errElsewhere = errors.New("not written by the job")

// UpsertMany implements mirror.BulkSink. What is written of a message is what a
// call would write; what the org refuses it says there as well, where links and an
// owner can be left out.
func (b *Bulk) UpsertMany(ctx context.Context, all []mirror.Record) ([]error, error) {
	if err := b.Settle(ctx); err != nil {
		return nil, err
	}
	p, err := b.messages.planner.current(ctx)
	if err != nil {
		return nil, err
	}
	outcomes := make([]error, len(all))
	at := make(map[string]int, len(all))
	for i := range all {
		outcomes[i] = errElsewhere
		if inBulk(&all[i]) && !b.messages.orphans.has(all[i].Message.SID) {
			at[string(all[i].Message.SID)] = i
		}
	}
	if len(at) == 0 {
		return outcomes, nil
	}
	in := &salesforce.Ingest{
		Key: bulkKey, Columns: p.columnNames(),
		Job:  salesforce.BulkJob{Object: p.object, Operation: salesforce.BulkUpsert, KeyField: p.names[sidColumn]},
		Rows: p.rows(all, at),
	}
	err = b.org.RunIngest(ctx, b.book, in, func(told []salesforce.BulkOutcome) error {
		for _, o := range told {
			if i, ours := at[o.Key]; ours {
				outcomes[i] = nil
				if o.Err != nil {
					b.messages.planner.doubt(o.Err)
					outcomes[i] = o.Err
				}
			}
		}
		return nil
	})
	if fault.ClassOf(err) == fault.Auth {
		// The job's own words for a field that is missing; the object is looked at again.
		b.messages.planner.doubt(&fault.Error{Code: salesforce.CodeInvalidField})
	}
	return outcomes, err
}

// Settle implements mirror.BulkSink.
func (b *Bulk) Settle(ctx context.Context) error {
	return endIngests(ctx, b.org, b.book, bulkKey)
}

// endIngests lets what is kept under a key write no more.
func endIngests(ctx context.Context, org Ingester, book BulkBook, under string) error {
	keys, err := book.Under(ctx, under)
	if err != nil {
		return err
	}
	for _, key := range slices.Backward(keys) { // what continues a key before the key
		if err := org.EndIngest(ctx, book, key); err != nil {
			return err
		}
	}
	return nil
}

const sidColumn = "Message_SID__c"

// columnNames are the columns of every record that may be made.
func (p *plan) columnNames() []string {
	var names []string
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for i := range p.fields {
		add(p.names[p.fields[i].standard])
	}
	add(p.made.unread)
	add(p.made.owner)
	var lookups []string
	for _, name := range p.made.lookups {
		lookups = append(lookups, name)
	}
	slices.Sort(lookups) // the same each time
	for _, name := range append(lookups, p.made.parent) {
		add(name)
	}
	return names
}

// rows are the records as a job takes them, made of what a call would send.
func (p *plan) rows(all []mirror.Record, at map[string]int) func(func([]salesforce.BulkValue, error) bool) {
	places := map[string]int{}
	for i, name := range p.columnNames() {
		places[name] = i
	}
	return func(yield func([]salesforce.BulkValue, error) bool) {
		var record []byte
		values := make([]salesforce.BulkValue, len(places))
		for i := range all {
			if place, in := at[string(all[i].Message.SID)]; !in || place != i {
				continue
			}
			clear(values)
			record = p.append(record[:0], &all[i], linked)
			err := bulkValues(record, places, values)
			if !yield(values, err) || err != nil {
				return
			}
		}
	}
}

func inBulk(r *mirror.Record) bool { return r.ID == "" && !r.Rejected && r.Message.SID != "" }

// bulkValues reads a record's JSON into the places of its columns. A field that is
// not there is left as it is in the org.
func bulkValues(record []byte, places map[string]int, values []salesforce.BulkValue) error {
	return eachField(record, func(field string, value jsontext.Token) error {
		place, known := places[field]
		switch {
		case !known:
			return fmt.Errorf("the field %s has no column", field)
		case value.Kind() == jsontext.KindNull:
			values[place] = salesforce.BulkNull()
		default:
			values[place] = salesforce.BulkText(value.String())
		}
		return nil
	})
}

// eachField goes through a record's fields, which are plain values.
func eachField(record []byte, field func(name string, value jsontext.Token) error) error {
	d := jsontext.NewDecoder(bytes.NewReader(record))
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != jsontext.KindEndObject {
		token, err := d.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		if name == "attributes" {
			if err := d.SkipValue(); err != nil {
				return err
			}
			continue
		}
		if token, err = d.ReadToken(); err != nil {
			return err
		}
		if err := field(name, token); err != nil {
			return err
		}
	}
	return nil
}

package records

import (
	"context"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// BulkMass is Mass by jobs of Bulk API 2.0, one call's records at a time.
type BulkMass struct {
	org  Ingester
	book BulkBook
	turn chan struct{}
}

var _ Mass = (*BulkMass)(nil)

// NewBulkMass calls nobody.
func NewBulkMass(org Ingester, book BulkBook) *BulkMass {
	return &BulkMass{org: org, book: book, turn: make(chan struct{}, 1)}
}

// massKey is under what these jobs are kept.
const massKey = "campaigns"

// UpsertMany implements Mass. What no job has written has an error: CodeNotBulk where
// the org takes none, or the job's own. An error of all means that nothing is known
// yet; what a former call, or a process that died, has left running is awaited first.
func (b *BulkMass) UpsertMany(ctx context.Context, object, key string, all [][]byte) ([]salesforce.RowResult, error) {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fault.New(fault.Transient, "salesforce bulk", context.Cause(ctx))
	}
	defer func() { <-b.turn }()
	if err := endIngests(ctx, b.org, b.book, massKey); err != nil {
		return nil, err
	}
	results := make([]salesforce.RowResult, len(all))
	for i := range results {
		results[i].Err = &fault.Error{Class: fault.Permanent, Op: "salesforce bulk", Code: salesforce.CodeNotBulk, Err: errElsewhere}
	}
	columns, at, err := columnsOf(all, key)
	if err != nil {
		return nil, fault.New(fault.Permanent, "salesforce bulk", err)
	}
	in := &salesforce.Ingest{
		Key: massKey, Columns: columns, Job: salesforce.BulkJob{Object: object, Operation: salesforce.BulkUpsert, KeyField: key},
		Rows: rowsOf(all, columns),
	}
	err = b.org.RunIngest(ctx, b.book, in, func(told []salesforce.BulkOutcome) error {
		for _, o := range told {
			if i, ours := at[o.Key]; ours {
				results[i] = salesforce.RowResult{ID: o.ID, Created: o.Created, Err: o.Err}
			}
		}
		return nil
	})
	switch fault.ClassOf(err) {
	case fault.Permanent, fault.Auth: // this org, or this user, has no such jobs
		err = nil
	default:
	}
	return results, err
}

// columnsOf are the fields that any of the records has, and the places of the records
// by their keys.
func columnsOf(all [][]byte, key string) (columns []string, at map[string]int, err error) {
	at = make(map[string]int, len(all))
	known := map[string]bool{}
	for i, record := range all {
		err := eachField(record, func(name string, value jsontext.Token) error {
			if !known[name] {
				known[name] = true
				columns = append(columns, name)
			}
			if name == key {
				at[value.String()] = i
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
	}
	slices.Sort(columns) // the same each time
	return columns, at, nil
}

// rowsOf are records as a job takes them.
func rowsOf(all [][]byte, columns []string) func(func([]salesforce.BulkValue, error) bool) {
	places := make(map[string]int, len(columns))
	for i, name := range columns {
		places[name] = i
	}
	return func(yield func([]salesforce.BulkValue, error) bool) {
		values := make([]salesforce.BulkValue, len(columns))
		for _, record := range all {
			clear(values)
			err := bulkValues(record, places, values)
			if !yield(values, err) || err != nil {
				return
			}
		}
	}
}

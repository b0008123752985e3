package salesforce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// MaxCollection is the most records one collections call carries.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
const MaxCollection = 200

// RowResult is what came of one record.
type RowResult struct {
	ID      string // the record's id, "" if it was refused
	Created bool
	Err     *fault.Error // nil if it was written
}

var (
	collectionHead = []byte(`{"allOrNone":false,"records":[`)
	collectionTail = []byte(`]}`)
	// allowDuplicates lets records pass the org's duplicate rules that only
	// alert. It lifts neither blocking rules nor unique fields.
	// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_duplicaterules.htm
	allowDuplicates = http.Header{"Sforce-Duplicate-Rule-Header": {"allowSave=true"}}
)

// UpsertCollection writes up to 200 records of one object by an external id
// field, each independently of the others. A record is one JSON object that
// holds its "attributes" and the key field; keys in one call must differ. The
// results come in the records' order. The error is for the call as a whole: then
// nothing is known of any record, and the call may be made again.
//
// A row that is refused with CodeDuplicateValue may have lost a race against
// another writer; upsert it once more before believing it.
func (o *Org) UpsertCollection(ctx context.Context, object, keyField string, records [][]byte) ([]RowResult, error) {
	const op = "upsert"
	if !plainName(object) || !plainName(keyField) {
		return nil, fault.New(fault.Permanent, opName(op), errors.New("the object's or the key's name is no API name"))
	}
	return o.collect(ctx, Call{
		Op: op, Method: http.MethodPatch, Path: "/composite/sobjects/" + object + "/" + keyField, Repeatable: true,
	}, records)
}

// InsertCollection makes up to 200 records, whose "attributes" name their
// objects, each independently of the others. It is like UpsertCollection, but
// making it twice makes the records twice: a call that may have happened is
// Uncertain.
func (o *Org) InsertCollection(ctx context.Context, records [][]byte) ([]RowResult, error) {
	rows, err := o.collect(ctx, Call{Op: "insert", Method: http.MethodPost, Path: "/composite/sobjects"}, records)
	for i := range rows {
		rows[i].Created = rows[i].Err == nil
	}
	return rows, err
}

// UpdateCollection changes up to 200 records by their "id", which they hold
// beside their "attributes", each independently of the others. It is like
// UpsertCollection, but creates nothing.
func (o *Org) UpdateCollection(ctx context.Context, records [][]byte) ([]RowResult, error) {
	return o.collect(ctx, Call{Op: "update", Method: http.MethodPatch, Path: "/composite/sobjects", Repeatable: true}, records)
}

// DeleteCollection puts up to 200 records, by their ids and of whatever objects,
// into the recycle bin, each independently of the others. A record that is there
// already is refused with CodeEntityIsDeleted. It is like UpsertCollection.
func (o *Org) DeleteCollection(ctx context.Context, ids []string) ([]RowResult, error) {
	const op = "delete"
	switch {
	case len(ids) == 0:
		return nil, nil
	case len(ids) > MaxCollection:
		return nil, tooManyRecords(op, len(ids))
	case slices.ContainsFunc(ids, func(id string) bool { return !plainName(id) }):
		return nil, fault.New(fault.Permanent, opName(op), errors.New("something that is no record id is to be deleted"))
	}
	data, err := o.Do(ctx, Call{
		Op: op, Method: http.MethodDelete, Repeatable: true,
		Path: "/composite/sobjects?allOrNone=false&ids=" + strings.Join(ids, ","),
	})
	if err != nil {
		return nil, err
	}
	return readRows(op, data, make([][]byte, len(ids)))
}

func tooManyRecords(op string, n int) error {
	return fault.New(fault.Permanent, opName(op), fmt.Errorf("%d records in one call, %d are allowed", n, MaxCollection))
}

func (o *Org) collect(ctx context.Context, c Call, records [][]byte) ([]RowResult, error) {
	switch {
	case len(records) == 0:
		return nil, nil
	case len(records) > MaxCollection:
		return nil, tooManyRecords(c.Op, len(records))
	}
	room := rooms.Get().(*[]byte) //nolint:errcheck // it holds nothing else
	defer rooms.Put(room)
	*room = collection((*room)[:0], records)
	c.Body = *room
	data, err := o.send(ctx, c, allowDuplicates)
	if err != nil {
		return nil, err
	}
	rows, err := readRows(c.Op, data, records)
	if f := fault.Of(err); f != nil && !c.Repeatable {
		f.Class = fault.Uncertain
	}
	return rows, err
}

// rooms are what collections are put together in, one after another. The carrier
// copies what the library is given (drain), for a transport may read a body even
// after its call has failed.
var rooms = sync.Pool{New: func() any { return new([]byte) }}

func collection(room []byte, records [][]byte) []byte {
	size := len(collectionHead) + len(collectionTail) + len(records)
	for _, r := range records {
		size += len(r)
	}
	body := append(slices.Grow(room, size), collectionHead...)
	for i, r := range records {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, r...)
	}
	return append(body, collectionTail...)
}

// rowAnswer is one row of a collections answer.
type rowAnswer struct {
	ID      string     `json:"id"`
	Success bool       `json:"success"`
	Created bool       `json:"created"`
	Errors  []rowError `json:"errors"`
}

type rowError struct {
	StatusCode string   `json:"statusCode"`
	Message    string   `json:"message"`
	Fields     []string `json:"fields"`
}

func readRows(op string, data []byte, records [][]byte) ([]RowResult, error) {
	rows := make([]rowAnswer, 0, len(records))
	if err := json.Unmarshal(data, &rows); err != nil {
		return nil, unreadable(op, errors.New("the answer is JSON of another form"))
	}
	if len(rows) != len(records) {
		return nil, unreadable(op, fmt.Errorf("%d results for %d records", len(rows), len(records)))
	}
	results := make([]RowResult, len(rows))
	for i, row := range rows {
		results[i] = RowResult{ID: row.ID, Created: row.Created}
		if !row.Success {
			results[i] = RowResult{Err: rowFault(op, row, records[i])}
		}
	}
	return results, nil
}

func rowFault(op string, row rowAnswer, record []byte) *fault.Error {
	if len(row.Errors) == 0 {
		return unreadable(op, errors.New("a record was refused without a reason"))
	}
	first := row.Errors[0]
	return faultFrom(op, 0, vendorError{Code: first.StatusCode, Message: first.Message, Fields: first.Fields},
		func() []string { return stringsIn(record, nil) })
}

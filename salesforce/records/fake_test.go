package records_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// fakeOrg keeps records by their SID in memory.
type fakeOrg struct {
	mu        sync.Mutex
	object    salesforce.Object
	rows      map[string]map[string]any
	describes int
	calls     [][]map[string]any
	describe  func() error                      // nil or what a describe fails with
	whole     func([]map[string]any) error      // nil or what a whole call fails with
	row       func(map[string]any) *fault.Error // nil or what a record is refused with
	slow      time.Duration
	answers   []map[string]any // to every query, in place of the SIDs
}

func field(name, kind string) salesforce.Field {
	return salesforce.Field{Name: name, Type: kind, Createable: true, Updateable: true, Nillable: true}
}

// shipped is the object with the fields that deploy/salesforce ships.
func shipped() salesforce.Object {
	sid := field("Message_SID__c", "string")
	sid.ExternalID, sid.Unique, sid.Length = true, true, 34
	explanation := field("Error_Message__c", "string")
	explanation.Length = 20
	return salesforce.Object{Name: "TwilioSF_Message__c", Createable: true, Updateable: true, Fields: []salesforce.Field{
		field("Id", "id"), sid, field("Body__c", "textarea"), field("From_Number__c", "string"), field("To_Number__c", "string"),
		field("Their_Number__c", "string"), field("Direction__c", "picklist"), field("Status__c", "picklist"),
		field("Error_Code__c", "string"), explanation, field("Date_Created__c", "datetime"), field("Date_Sent__c", "datetime"),
		field("Date_Updated__c", "datetime"), field("Messaging_Service_Sid__c", "string"), field("Num_Segments__c", "double"),
		field("Num_Media__c", "double"), field("Price__c", "double"), field("Price_Unit__c", "string"),
		field("OwnerId", "reference"), field("Unread__c", "boolean"), field("Parent_Record_Id__c", "string"),
		field("Contact__c", "reference"), field("Lead__c", "reference"), field("Account__c", "reference"), field("Case__c", "reference"), field("Bulk_Message__c", "reference"),
		field("Send_At__c", "datetime"), field("Media_Url__c", "textarea"), field("Content_Sid__c", "string"),
		field("Content_Variables__c", "textarea"), field("Request_Key__c", "string"), field("Rejected_SID__c", "string"),
	}}
}

// change replaces one field by what f makes of it.
func change(o salesforce.Object, name string, f func(*salesforce.Field)) salesforce.Object {
	fields := append([]salesforce.Field(nil), o.Fields...)
	for i := range fields {
		if fields[i].Name == name {
			f(&fields[i])
		}
	}
	o.Fields = fields
	return o
}

// without takes fields away.
func without(o salesforce.Object, names ...string) salesforce.Object {
	for _, name := range names {
		o = change(o, name, func(f *salesforce.Field) { f.Name = "Other" + f.Name })
	}
	return o
}

func newFake() *fakeOrg { return &fakeOrg{object: shipped(), rows: map[string]map[string]any{}} }

func (f *fakeOrg) Describe(context.Context, string) (salesforce.Object, error) {
	time.Sleep(f.slow)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.describes++
	if f.describe != nil {
		if err := f.describe(); err != nil {
			return salesforce.Object{}, err
		}
	}
	return f.object, nil
}

func (f *fakeOrg) UpsertCollection(_ context.Context, object, key string, raw [][]byte) ([]salesforce.RowResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	batch := make([]map[string]any, len(raw))
	for i, r := range raw {
		if err := json.Unmarshal(r, &batch[i]); err != nil {
			return nil, fmt.Errorf("not JSON: %w: %s", err, r)
		}
	}
	f.calls = append(f.calls, batch)
	if f.whole != nil {
		if err := f.whole(batch); err != nil {
			return nil, err
		}
	}
	results := make([]salesforce.RowResult, len(batch))
	for i, r := range batch {
		if f.row != nil {
			if err := f.row(r); err != nil {
				results[i].Err = err
				continue
			}
		}
		sid, _ := r[key].(string)
		_, before := f.rows[sid]
		r["object"] = object
		f.rows[sid] = r
		results[i] = salesforce.RowResult{ID: "a00" + sid, Created: !before}
	}
	return results, nil
}

func (f *fakeOrg) UpdateCollection(context.Context, [][]byte) ([]salesforce.RowResult, error) {
	return nil, errors.New("the fake has no records with ids")
}

func (f *fakeOrg) DeleteCollection(context.Context, []string) ([]salesforce.RowResult, error) {
	return nil, errors.New("the fake has no records with ids")
}

// Query answers the SIDs of all records.
func (f *fakeOrg) Query(_ context.Context, _ string, row func(map[string]any) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.answers {
		if err := row(r); err != nil {
			return err
		}
	}
	for sid := range f.rows {
		if err := row(map[string]any{"Message_SID__c": sid}); err != nil {
			return err
		}
	}
	return nil
}

// plain are the records of messages that the org may hold already.
func plain(batch []message.Message) []mirror.Record {
	all := make([]mirror.Record, len(batch))
	for i := range batch {
		all[i].Message = &batch[i]
	}
	return all
}

func refuse(class fault.Class, code string, fields ...string) *fault.Error {
	return &fault.Error{Class: class, Op: "salesforce upsert", Code: code, Fields: fields, Hint: "the client's words"}
}

func newMessages(t *testing.T, f records.Org) *records.Messages {
	t.Helper()
	m, err := records.New(f, records.Options{})
	require.NoError(t, err)
	return m
}

// numbered makes n messages of different SIDs.
func numbered(n int) []message.Message {
	batch := make([]message.Message, n)
	for i := range batch {
		batch[i] = message.Message{
			SID: message.SID(fmt.Sprintf("SM%032x", i)), From: "+14155550100", To: "+14155550101", Body: fmt.Sprint("hello ", i),
			Direction: message.OutboundAPI, Status: message.Delivered, Segments: 1,
			Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Updated: time.Date(2026, 1, 2, 3, 4, 7, 0, time.UTC),
		}
	}
	return batch
}

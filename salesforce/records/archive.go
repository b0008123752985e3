package records

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/archive"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// ArchiveOptions say which records the archive may take, beside what
// archive.Criteria says, and how the org names things.
type ArchiveOptions struct {
	Names Names
	Media MediaNames // its Parent and Key are those of Names
	// Where is a SOQL condition that messages must meet as well, "" for none.
	Where string
	// Hold is a checkbox of the message object that keeps a record in the org, "" for none.
	Hold string
	// Directions and Statuses are those that may leave; empty means all.
	Directions, Statuses []string
	// Eraser, when there is one, deletes for good, past the recycle bin.
	Eraser Eraser
}

// Eraser deletes records of an object so that they are not in the recycle bin
// either, and answers one result each, in order (Bulk API's hardDelete).
type Eraser interface {
	Erase(ctx context.Context, object string, ids []string) ([]salesforce.RowResult, error)
}

// Archive reads messages with all that they hold, takes them out of the org and
// brings them back.
type Archive struct {
	org      Org
	names    Names
	media    MediaNames
	o        ArchiveOptions
	messages *planner
	medium   *planner
}

var (
	_ archive.Source   = (*Archive)(nil)
	_ archive.Leaver   = (*Archive)(nil)
	_ archive.Returner = (*Archive)(nil)
)

// NewArchive calls nobody. Its errors are names that are no API names, and a
// condition that is not one whole condition.
func NewArchive(org Org, o ArchiveOptions) (*Archive, error) {
	o.Names = o.Names.withDefaults()
	o.Media.Parent, o.Media.Key = o.Names.Object, o.Names.SID
	o.Media = o.Media.withDefaults()
	var faults []error
	for _, name := range []string{o.Names.Object, o.Names.SID, o.Media.Object, o.Media.SID, o.Media.Message} {
		if !apiName.MatchString(name) {
			faults = append(faults, fmt.Errorf("records: the archive's name %q is no API name", name))
		}
	}
	if o.Hold != "" && !apiName.MatchString(o.Hold) {
		faults = append(faults, fmt.Errorf("records: the archive's hold field %q is no API name", o.Hold))
	}
	if err := soql.Whole(o.Where); o.Where != "" && err != nil {
		faults = append(faults, fmt.Errorf("records: the archive's condition: %w", err))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	a := &Archive{org: org, names: o.Names, media: o.Media, o: o}
	a.messages = plannerOf(org, o.Names.Object, a.fitMessages)
	a.medium = plannerOf(org, o.Media.Object, a.fitMedia)
	return a, nil
}

// extraField begins the key of a field that has no column of its own.
const extraField = "+"

// unkept are types of fields that hold nothing by themselves, or no value.
var unkept = []string{"address", "location", "base64", "complexvalue", "anyType"}

// everything plans for all that can be written on an object: standard says how the
// archive calls a field.
func everything(o *salesforce.Object, t archive.Table, standard map[string]string) *plan {
	p := &plan{object: o.Name, columns: map[string]salesforce.Field{}}
	for _, c := range archive.Columns(t) {
		if key := strings.ToLower(c.Name); standard[key] == "" {
			standard[key] = c.Name
		}
	}
	for _, f := range o.Fields {
		column := standard[strings.ToLower(f.Name)]
		fixed := column == archive.ColID || column == archive.ColMade || column == archive.ColModified
		switch _, taken := p.columns[column]; {
		case slices.Contains(unkept, f.Type), !fixed && !f.Createable && !f.Updateable:
		case column == "" || taken || column == archive.ColExtra:
			p.columns[extraField+f.Name] = f
		default:
			p.columns[column] = f
		}
	}
	return p
}

func (a *Archive) fitMessages(o *salesforce.Object) (*plan, *fault.Error) {
	standard, n := map[string]string{}, a.names
	eachName(&n, func(name *string, column string, _ bool) {
		if *name != NoField {
			standard[strings.ToLower(*name)] = column
		}
	})
	p := everything(o, archive.Messages, standard)
	p.key = a.names.SID
	wrong := schemaProblems{}
	for _, column := range []string{archive.ColSID, archive.ColStatus, archive.ColModified} {
		if !p.has(column) {
			wrong.add(column, "is missing or hidden, and the archive needs it")
		}
	}
	if f, found := o.Field(a.o.Hold); a.o.Hold != "" && (!found || f.Type != "boolean") {
		wrong.add(a.o.Hold, "is missing, hidden or no checkbox, and archive.hold_field names it")
	}
	for _, c := range o.Children {
		// What a deletion takes along and nobody has copied would be lost. Of Salesforce's
		// own children (feeds, shares, history) that is what a deletion means.
		if c.CascadeDelete && strings.HasSuffix(c.Object, "__c") && !strings.EqualFold(c.Object, a.media.Object) {
			wrong.add(c.Object+"."+c.Field, "would be deleted together with messages, and the archive keeps no copy of it")
		}
	}
	if len(wrong.fields) > 0 {
		return nil, wrong.fault(o.Name)
	}
	return p, nil
}

func (a *Archive) fitMedia(o *salesforce.Object) (*plan, *fault.Error) {
	m := a.media
	p := everything(o, archive.Media, map[string]string{
		strings.ToLower(m.SID): archive.ColMedium, strings.ToLower(m.Message): archive.ColMessage,
		strings.ToLower(m.Type): "Content_Type__c", strings.ToLower(m.URL): "Url__c", strings.ToLower(m.File): "File_Id__c",
	})
	p.key = m.SID
	wrong := schemaProblems{}
	for _, column := range []string{archive.ColMedium, archive.ColMessage} {
		if !p.has(column) {
			wrong.add(column, "is missing or hidden, and the archive needs it")
		}
	}
	if len(wrong.fields) > 0 {
		return nil, wrong.fault(o.Name)
	}
	return p, nil
}

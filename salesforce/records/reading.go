package records

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/people"
)

// phones say where an object keeps numbers, and which of its records are people.
type phones struct {
	fields []string
	// optional are fields that many orgs do not have.
	optional []string
	// only are fields whose value a record must have; those that the org does not
	// have hold for every record.
	only map[string]bool
	// refill is how often the object is read as a whole, 0 for the usual.
	refill time.Duration
}

// standardPhones are the objects that Salesforce comes with. An assistant's phone
// and a fax are not the person's.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/
var standardPhones = map[string]*phones{
	// The Contact that stands behind a Person Account is the same person once more,
	// and its fields are changed through the Account: the Account is the one found.
	// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_guidelines_personaccounts.htm
	people.Contact: {fields: []string{"Phone", "MobilePhone", "HomePhone", "OtherPhone"}, only: map[string]bool{"IsPersonAccount": false}},
	people.Lead:    {fields: []string{"Phone", "MobilePhone"}, only: map[string]bool{"IsConverted": false}},
	// A business's Phone counts as well: it is an object of its own, so it takes no
	// Contact's place, and who writes from there is linked to the business at least.
	people.Account: {fields: []string{"Phone"}, optional: []string{"PersonMobilePhone", "PersonHomePhone", "PersonOtherPhone"}},
	// ContactPhone and ContactMobile are the Contact's: that they change is no change
	// of the Case, so open Cases are read anew once a day.
	people.Case: {
		fields: []string{"SuppliedPhone", "ContactPhone", "ContactMobile"}, only: map[string]bool{"IsClosed": false},
		refill: 24 * time.Hour,
	},
}

// reading is how the records of an object are read in this org.
type reading struct {
	object string
	phones []string
	owner  bool // records have an owner
	only   []string
	want   map[string]bool
}

// shape compares what is wanted of an object with what the org has.
func (o *PhoneObject) shape(d *salesforce.Object) (people.Shape, *reading) {
	known := standardPhones[o.Object]
	if known == nil {
		known = &phones{}
	}
	s := people.Shape{Object: o.Object, Refill: known.refill}
	r := &reading{object: o.Object, want: map[string]bool{}}
	fields, optional := o.Fields, []string(nil)
	if len(fields) == 0 {
		fields, optional = known.fields, known.optional
	}
	for _, name := range append(slices.Clone(fields), optional...) {
		if f, found := d.Field(name); found {
			r.phones = append(r.phones, f.Name)
		} else if slices.Contains(fields, name) {
			s.Missing = append(s.Missing, name)
		}
	}
	_, r.owner = d.Field("OwnerId")
	for _, name := range slices.Sorted(maps.Keys(known.only)) {
		if f, found := d.Field(name); found {
			r.only, r.want[f.Name] = append(r.only, f.Name), known.only[name]
		}
	}
	switch {
	case !d.Queryable:
		s.Err = errors.New("the integration user may not query it")
	case len(r.phones) == 0:
		s.Err, s.Missing = errors.New("none of its phone fields can be read"), nil
	}
	if s.Err != nil {
		return s, nil
	}
	s.Definition = o.Object + ": " + strings.Join(r.phones, ", ")
	if len(r.only) > 0 {
		s.Definition += " where " + strings.Join(r.conditions(), " and ")
	}
	return s, r
}

// conditions are met by the records that are people.
func (r *reading) conditions() []string {
	all := make([]string, len(r.only))
	for i, name := range r.only {
		all[i] = name + " = false"
		if r.want[name] {
			all[i] = name + " = true"
		}
	}
	return all
}

// query makes the statement. Unless it asks for people only, it asks for every
// record, so that one that is none any more is seen to be so.
func (r *reading) query(onlyPeople bool, where, order []string, limit int) (string, error) {
	q := soql.Query{Fields: []string{"Id"}, From: r.object, Where: where, OrderBy: order, Limit: limit}
	if r.owner {
		q.Fields = append(q.Fields, "OwnerId")
	}
	q.Fields = append(q.Fields, r.phones...)
	if len(order) > 0 {
		q.Fields = append(q.Fields, "SystemModstamp")
	}
	if onlyPeople {
		q.Where = append(q.Where, r.conditions()...)
	} else {
		q.Fields = append(append(q.Fields, "IsDeleted"), r.only...)
	}
	return q.Build()
}

// record reads a row of a query.
func (r *reading) record(row map[string]any) people.Record {
	text := func(name string) string {
		s, _ := row[name].(string) //nolint:errcheck // null is nothing
		return s
	}
	out := people.Record{ID: text("Id"), Owner: text("OwnerId"), Gone: row["IsDeleted"] == true}
	for _, name := range r.phones {
		out.Phones = append(out.Phones, text(name))
	}
	for _, name := range r.only {
		if is, told := row[name].(bool); told && is != r.want[name] {
			out.Gone = true
		}
	}
	out.Modified = modified(text("SystemModstamp"))
	return out
}

// exported reads a row of a job's results.
func (r *reading) exported(row map[string]string) people.Record {
	out := people.Record{ID: row["Id"], Owner: row["OwnerId"]}
	for _, name := range r.phones {
		out.Phones = append(out.Phones, row[name])
	}
	return out
}

// modified reads a time as the REST API writes it.
func modified(text string) time.Time {
	at, err := time.Parse("2006-01-02T15:04:05.000Z0700", text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

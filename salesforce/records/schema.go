package records

import (
	"fmt"
	"strings"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// CodeSchema is the code of the fault that the org lacks what the mirror needs.
const CodeSchema = "SCHEMA"

const schemaHint = "Run twiliosf org diff to see all that is missing and twiliosf org deploy to bring it, or give the integration user " +
	"access to the object and its fields; if the org has other names, map them under salesforce.objects."

// plan says how a message becomes a record in this org.
type plan struct {
	object  string
	key     string
	head    []byte // the record up to its first field
	fields  []planned
	names   map[string]string // the message's columns in the org, by their standard names
	made    making            // what only a new record is given
	draft   draftFields       // what a draft may say beside that
	missing []string          // optional fields that are left out
	// columns are what the org has of other objects than the message, by our name.
	columns map[string]salesforce.Field
}

type planned struct {
	standard string
	prefix   []byte // `,"Body__c":`
	write    writer
}

// planFor compares what the org has with what is needed, and names everything
// that is wrong at once.
func planFor(n Names, lookups map[string]string, o *salesforce.Object) (*plan, *fault.Error) {
	p := &plan{object: n.Object, key: n.SID, head: []byte(`{"attributes":{"type":"` + n.Object + `"}`), names: map[string]string{}}
	wrong := schemaProblems{}
	if !o.Createable || !o.Updateable {
		wrong.add(n.Object, "the integration user may not create and edit it")
	}
	for _, c := range columns {
		name := *c.name(&n)
		if name == NoField && !c.required {
			continue
		}
		required := c.required || name == n.SIDCopy
		f, found := o.Field(name)
		write := c.fit(f)
		if c.standard == statusColumn && n.Fold && write != nil {
			write = folding(f)
		}
		problem := problemOf(f, found)
		if problem == "" {
			problem = misfit(f, write != nil, name == n.SID)
		}
		switch {
		case problem == "":
			p.fields = append(p.fields, planned{c.standard, []byte(`,"` + f.Name + `":`), write})
			p.names[c.standard] = f.Name
		case required:
			wrong.add(name, problem)
		default:
			p.missing = append(p.missing, name)
		}
	}
	if len(wrong.fields) > 0 {
		return nil, wrong.fault(n.Object)
	}
	p.made = p.makingFor(n, lookups, o)
	p.draft = p.draftFor(n, o)
	return p, nil
}

// problemOf tells missing from read-only. Salesforce does not tell missing from
// hidden.
func problemOf(f salesforce.Field, found bool) string {
	switch {
	case !found:
		return "is missing or hidden"
	case !f.Createable || !f.Updateable:
		return "is read-only for the integration user"
	default:
		return ""
	}
}

// misfit tells why a field that is there cannot hold a column; it fits if its
// type can hold the value.
func misfit(f salesforce.Field, fits, isKey bool) string {
	switch {
	case !fits:
		return "has the type " + f.Type + ", which cannot hold the value"
	case isKey && !(f.ExternalID && f.Unique):
		return "must be an external id and unique"
	default:
		return ""
	}
}

// schemaProblems gathers what is wrong with the org.
type schemaProblems struct {
	fields []string
	texts  []string
}

func (s *schemaProblems) add(name, problem string) {
	s.fields = append(s.fields, name)
	s.texts = append(s.texts, name+" "+problem)
}

func (s *schemaProblems) fault(object string) *fault.Error {
	return &fault.Error{
		Class: fault.Auth, Op: "salesforce check " + object, Code: CodeSchema, Fields: s.fields, Hint: schemaHint,
		Err: fmt.Errorf("%s", strings.Join(s.texts, "; ")),
	}
}

// objectMissing is the fault of an object that cannot be described.
func objectMissing(object string, cause error) *fault.Error {
	return &fault.Error{
		Class: fault.Auth, Op: "salesforce check " + object, Code: CodeSchema, Fields: []string{object}, Hint: schemaHint,
		Err: fmt.Errorf("the object is missing or hidden: %w", cause),
	}
}

// append appends the record of r as it is upserted, with as much of its links as is wanted.
func (p *plan) append(dst []byte, r *mirror.Record, which extent) []byte {
	dst = append(dst, p.head...)
	for i := range p.fields {
		dst = p.fields[i].write(append(dst, p.fields[i].prefix...), r.Message)
	}
	if r.Links != nil && which != nothing {
		dst = p.made.append(dst, r, which)
	}
	return append(dst, '}')
}

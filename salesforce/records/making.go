package records

import (
	"slices"
	"strings"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// mark is a field that only a new record is given: it is the users' own from
// then on.
type mark struct {
	name     func(*Names) *string
	standard string
	types    []string // of the field
	object   string   // that it looks up, "" if it is no lookup
}

var marks = []mark{
	{func(n *Names) *string { return &n.Unread }, "Unread__c", []string{"boolean"}, ""},
	{func(n *Names) *string { return &n.Contact }, "Contact__c", []string{"reference"}, "Contact"},
	{func(n *Names) *string { return &n.Lead }, "Lead__c", []string{"reference"}, "Lead"},
	{func(n *Names) *string { return &n.Account }, "Account__c", []string{"reference"}, "Account"},
	{func(n *Names) *string { return &n.Case }, "Case__c", []string{"reference"}, "Case"},
	{func(n *Names) *string { return &n.Bulk }, "Bulk_Message__c", []string{"reference"}, bulkObject},
	{func(n *Names) *string { return &n.Parent }, "Parent_Record_Id__c", append([]string{"reference", "id"}, textTypes...), ""},
}

// ownerField is on every object that is no detail of another one.
const ownerField = "OwnerId"

// making says how the fields of a new record are called; those that the org
// lacks are empty.
type making struct {
	unread, parent, owner string
	lookups               map[string]string // by the object they look up
}

// extent is how much of a record's links is written.
type extent uint8

const (
	linked  extent = iota
	unowned        // its owner is left out
	bare           // all of them are
	nothing        // and the marks too, for the record is not new
)

func (p *plan) makingFor(n Names, lookups map[string]string, o *salesforce.Object) making {
	m := making{lookups: map[string]string{}}
	usable := func(name string, types []string) string {
		if name == NoField {
			return ""
		}
		f, found := o.Field(name)
		if !found || !f.Createable || !slices.Contains(types, f.Type) {
			p.missing = append(p.missing, name)
			return ""
		}
		return f.Name
	}
	for i := range marks {
		switch name := usable(*marks[i].name(&n), marks[i].types); {
		case name == "":
		case marks[i].object != "":
			m.lookups[marks[i].object] = name
		case marks[i].standard == "Unread__c":
			m.unread = name
		default:
			m.parent = name
		}
	}
	for object, field := range lookups {
		if name := usable(field, []string{"reference"}); name != "" {
			m.lookups[object] = name
		}
	}
	if f, found := o.Field(ownerField); found && f.Createable {
		m.owner = f.Name
	}
	return m
}

// append appends the fields of a new record. The record of a person that the
// object has no lookup for goes to the parent's field.
func (m *making) append(dst []byte, r *mirror.Record, which extent) []byte {
	if m.unread != "" && r.Message.Direction == message.Inbound {
		dst = append(dst, `,"`+m.unread+`":true`...)
	}
	if which == bare {
		return dst
	}
	if m.owner != "" && r.Links.Owner != "" && which == linked {
		dst = appendField(dst, m.owner, r.Links.Owner)
	}
	return m.appendLinks(dst, r.Links.People, r.Bulk)
}

// appendLinks appends the look-ups to people, and to the bulk message that a record
// is one message of.
func (m *making) appendLinks(dst []byte, people []message.Link, bulk string) []byte {
	parent := m.parent
	for _, l := range people {
		if field := m.lookups[l.Object]; field != "" {
			dst = appendField(dst, field, l.ID)
		} else if parent != "" {
			dst, parent = appendField(dst, parent, l.ID), ""
		}
	}
	if field := m.lookups[bulkObject]; field != "" && bulk != "" {
		dst = appendField(dst, field, bulk)
	}
	return dst
}

// mayBeBulk is true for refusals that the look-up to a record's bulk message may be
// the cause of: one that is deleted while it is sent costs nobody their other links.
// Salesforce does not always name the field.
func (m *making) mayBeBulk(r *mirror.Record, f *fault.Error) bool {
	name := m.lookups[bulkObject]
	if r.Bulk == "" || name == "" || aboutOwner(f) {
		return false
	}
	return len(f.Fields) == 0 || slices.ContainsFunc(f.Fields, func(field string) bool { return strings.EqualFold(field, name) })
}

func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, `,"`+name+`":`...)
	return appendText(dst, value)
}

// has tells whether a record carries anything that the next lesser extent leaves
// out.
func (m *making) has(r *mirror.Record, which extent) bool {
	if r.Links == nil {
		return false
	}
	switch which {
	case linked:
		return m.owner != "" && r.Links.Owner != "" || len(r.Links.People) > 0 || r.Bulk != ""
	case unowned:
		return len(r.Links.People) > 0 || r.Bulk != ""
	default:
		return false
	}
}

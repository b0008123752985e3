package salesforcetest

import (
	"strings"
)

// What came by a deployment is open to nobody before a permission set that
// names it is assigned; what the org had from its start is open to the
// integration user.

// secured is why an object or a field is closed to the integration user.
type secured struct {
	deployed bool // open by permission sets alone
	denied   Deny // by Restrict, HideField and ReadOnlyField
	lacks    Deny // no permission set gives it
}

// shut is what may not be done.
func (s *secured) shut() Deny {
	return Deny{
		Read: s.denied.Read || s.lacks.Read, Create: s.denied.Create || s.lacks.Create,
		Edit: s.denied.Edit || s.lacks.Edit, Delete: s.denied.Delete || s.lacks.Delete,
	}
}

func (o *object) secure() {
	shut := o.secured.shut()
	o.hidden, o.noCreate, o.noEdit, o.noDelete = shut.Read, shut.Create, shut.Edit, shut.Delete
}

func (f *field) secure() {
	shut := f.secured.shut()
	f.hidden, f.readOnly = shut.Read, shut.Edit
}

// permissions are what a permission set gives, by object and by object.field in
// lower case.
type permissions struct{ objects, fields map[string]Deny }

// readPermissions reads a deployed permission set.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_permissionset.htm
func readPermissions(n *xmlNode) *permissions {
	p := &permissions{objects: map[string]Deny{}, fields: map[string]Deny{}}
	n.each("objectPermissions", func(one *xmlNode) {
		lacks := func(name string) bool { return one.text(name) != "true" }
		p.objects[strings.ToLower(one.text("object"))] = Deny{
			Read: lacks("allowRead"), Create: lacks("allowCreate"), Edit: lacks("allowEdit"), Delete: lacks("allowDelete"),
		}
	})
	n.each("fieldPermissions", func(one *xmlNode) {
		p.fields[strings.ToLower(one.text("field"))] = Deny{Read: one.text("readable") != "true", Edit: one.text("editable") != "true"}
	})
	return p
}

// given are the deployed permission sets that the integration user has.
func (s *Server) given() []*permissions {
	assignments, sets := s.schema.object("PermissionSetAssignment"), s.schema.object("PermissionSet")
	t := s.table(assignments)
	var all []*permissions
	who, what := assignments.field("AssigneeId"), assignments.field("PermissionSetId")
	for _, seq := range t.indexes[who.slot].find(refValue(s.schema.object("User"), s.user)) {
		_, set := t.at(seq).get(what.slot).target()
		name := s.table(sets).at(set).get(sets.field("Name").slot).s
		if p := s.deploys.sets[strings.ToLower(name)]; p != nil {
			all = append(all, p)
		}
	}
	return all
}

// regrant opens what was deployed as far as the assigned permission sets say.
func (s *Server) regrant() {
	sets := s.given()
	changed := false
	for _, o := range s.schema.objects {
		if o.secured.deployed {
			lacks := lacking(sets, func(p *permissions) map[string]Deny { return p.objects }, o.name)
			changed = changed || o.secured.lacks != lacks
			o.secured.lacks = lacks
			o.secure()
		}
		for _, f := range o.fields {
			if !f.secured.deployed {
				continue
			}
			name := o.name + "." + f.name
			if f.src == fromParent { // a contact's field on its person account
				name = "Contact." + f.viaField
			}
			lacks := lacking(sets, func(p *permissions) map[string]Deny { return p.fields }, name)
			changed = changed || f.secured.lacks != lacks
			f.secured.lacks = lacks
			f.secure()
		}
	}
	if changed {
		s.schemaChanged()
	}
}

// lacking is what none of the sets gives.
func lacking(sets []*permissions, of func(*permissions) map[string]Deny, name string) Deny {
	lacks := Deny{Read: true, Create: true, Edit: true, Delete: true}
	for _, p := range sets {
		if one, known := of(p)[strings.ToLower(name)]; known {
			lacks = Deny{lacks.Read && one.Read, lacks.Create && one.Create, lacks.Edit && one.Edit, lacks.Delete && one.Delete}
		}
	}
	return lacks
}

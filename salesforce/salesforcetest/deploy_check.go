package salesforcetest

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// incoming is a deployment that is held against the org before anything changes.
type incoming struct {
	s        *Server
	pack     *zipPackage
	has      map[string]bool        // the keys of all pieces
	objects  map[*piece]*sfdxObject // understood
	fields   map[*piece]*sfdxField
	required map[string]bool // fields that need no permission, "object.field" in lower case
	failures []deployMessage
}

// examine finds everything that the org refuses of a package. References are
// looked up for fields, permission sets, tabs and layouts; other components are
// held against their type alone.
func (s *Server) examine(pack *zipPackage) *incoming {
	in := &incoming{
		s: s, pack: pack, has: map[string]bool{}, required: map[string]bool{}, failures: slices.Clone(pack.failures),
		objects: map[*piece]*sfdxObject{}, fields: map[*piece]*sfdxField{},
	}
	for _, p := range pack.pieces {
		in.has[p.key()] = true
	}
	for _, p := range pack.pieces { // in an order in which each finds what it needs
		for _, problem := range in.problems(p) {
			in.failures = append(in.failures, deployMessage{component: p.component, line: p.node.line, column: p.node.column, problem: problem})
		}
	}
	return in
}

func (in *incoming) problems(p *piece) []string {
	one := func(problem string) []string {
		if problem == "" {
			return nil
		}
		return []string{problem}
	}
	switch p.typ {
	case "CustomObject":
		return one(in.objectProblem(p))
	case "CustomField":
		return one(in.fieldProblem(p))
	case "PermissionSet":
		return in.permissionProblems(p)
	case "CustomTab", "Layout", "ListView", "CompactLayout", "ValidationRule":
		if !in.hasObject(p.object()) {
			return one("Entity of type 'CustomObject' named '" + p.object() + "' cannot be found")
		}
	default:
	}
	return nil
}

// hasObject tells whether an object is there, or will be.
func (in *incoming) hasObject(name string) bool {
	c := component{typ: "CustomObject", name: name}
	return in.s.schema.object(name) != nil || in.has[c.key()]
}

func (in *incoming) hasField(object, name string) bool {
	c := component{typ: "CustomField", name: object + "." + name}
	o := in.s.schema.object(object)
	return in.has[c.key()] || o != nil && o.field(name) != nil
}

// wrapped reads what is inside of an element as if it were a file.
func wrapped(inner []byte, name string, into any) error {
	return xml.Unmarshal(slices.Concat([]byte(`<`+name+` xmlns="`+metadataSpace+`">`), bytes.TrimSpace(inner), []byte(`</`+name+`>`)), into)
}

func (in *incoming) objectProblem(p *piece) string {
	if !strings.HasSuffix(p.name, "__c") {
		return "Standard objects are changed by their parts alone in this emulated org"
	}
	var x sfdxObject
	if err := wrapped(p.inner, "CustomObject", &x); err != nil {
		return err.Error()
	}
	switch {
	case x.Label == "":
		return "Must specify a non-empty label for the CustomObject"
	case x.PluralLabel == "":
		return "Must specify a non-empty pluralLabel for the CustomObject"
	}
	if _, err := in.s.schema.newSourceObject(p.name, &x); err != nil {
		return err.Error()
	}
	in.objects[p] = &x
	return ""
}

// fieldProblem is why a field cannot be made or changed.
func (in *incoming) fieldProblem(p *piece) string {
	object, name, _ := strings.Cut(p.name, ".")
	if !in.hasObject(object) {
		return "Must specify a non-empty label for the CustomObject" // what an org says of an object that it does not have
	}
	var x sfdxField
	if err := wrapped(p.inner, "CustomField", &x); err != nil {
		return err.Error()
	}
	f, err := x.field()
	if err != nil {
		return err.Error()
	}
	if f.typ == typeReference && !in.hasObject(x.ReferenceTo) {
		return "referenceTo value of '" + x.ReferenceTo + "' does not resolve to a valid sObject type"
	}
	if o := in.s.schema.object(object); o != nil {
		if was := o.field(name); was != nil {
			if problem := in.changeProblem(o, was, f); problem != "" {
				return problem
			}
		} else if len(o.fields) > 255 {
			return "This object has no room for more fields"
		}
	}
	if x.Required || x.Type == "MasterDetail" {
		in.required[strings.ToLower(p.name)] = true
	}
	in.fields[p] = &x
	return ""
}

// changeProblem is why a field that is there cannot become another. A real org
// converts some types and shortens some texts; this one wants that done by hand.
func (in *incoming) changeProblem(o *object, was, f *field) string {
	switch {
	case was.typ != f.typ || was.longText() != f.longText():
		return fmt.Sprintf("Cannot change the type of field %s from %s to %s", f.name, was.typ, f.typ)
	case !slices.Equal(was.refTo, f.refTo):
		return "Cannot change the object that field " + f.name + " refers to"
	case f.textual() && f.length < was.length, f.numeric() && f.precision-f.scale < was.precision-was.scale, f.numeric() && f.scale < was.scale:
		return "Cannot make field " + f.name + " shorter"
	}
	if f.unique && !was.unique {
		ix := newIndex(f)
		t := in.s.table(o)
		for seq := range t.from(1) {
			r := t.at(seq)
			if v := r.get(was.slot); r.state == rowLive && v.k != kNull {
				if ix.find(v) != nil {
					return "duplicate value found: " + f.name + " has the same value in several records"
				}
				ix.add(ix.key(v), seq)
			}
		}
	}
	return ""
}

// permissionProblems are what a permission set names that is not there, and the
// fields whose access is no matter of permission sets.
func (in *incoming) permissionProblems(p *piece) (all []string) {
	p.node.each("objectPermissions", func(n *xmlNode) {
		if name := n.text("object"); !in.hasObject(name) {
			all = append(all, "In field: field - no CustomObject named "+name+" found")
		}
	})
	p.node.each("fieldPermissions", func(n *xmlNode) {
		full := n.text("field")
		object, name, _ := strings.Cut(full, ".")
		switch {
		case !in.hasField(object, name):
			all = append(all, "In field: field - no CustomField named "+full+" found")
		case in.isRequired(object, name):
			all = append(all, "You cannot deploy to a required field: "+full)
		}
	})
	for _, ref := range []struct{ element, key, typ string }{
		{"tabSettings", "tab", "CustomTab"}, {"customPermissions", "name", "CustomPermission"}, {"applicationVisibilities", "application", "CustomApplication"},
	} {
		p.node.each(ref.element, func(n *xmlNode) {
			c := component{typ: ref.typ, name: n.text(ref.key)}
			if strings.HasPrefix(c.name, "standard-") {
				return
			}
			if _, there := in.s.deploys.content[c.key()]; !there && !in.has[c.key()] && !in.s.fromSource(&c) {
				all = append(all, "In field: "+ref.key+" - no "+ref.typ+" named "+c.name+" found")
			}
		})
	}
	return all
}

func (in *incoming) isRequired(object, name string) bool {
	if in.required[strings.ToLower(object+"."+name)] {
		return true
	}
	o := in.s.schema.object(object)
	f := (*field)(nil)
	if o != nil {
		f = o.field(name)
	}
	return f != nil && f.custom && f.required && f.typ != typeBoolean
}

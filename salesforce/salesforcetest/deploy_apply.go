package salesforcetest

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// carryOut ends a deployment: all of it, or nothing.
func (s *Server) carryOut(d *deployment) {
	in := s.examine(d.pack)
	if d.failures = in.failures; len(d.failures) > 0 {
		return
	}
	for _, p := range d.pack.pieces {
		m := deployMessage{component: p.component}
		m.created, m.changed = in.news(p)
		d.successes = append(d.successes, m)
	}
	if d.options.checkOnly {
		return
	}
	in.makeObjects()
	for _, p := range d.pack.pieces {
		switch p.typ {
		case "CustomField":
			in.makeField(p)
		case "PermissionSet":
			in.makePermissionSet(p)
		default:
		}
		s.deploys.content[p.key()] = string(p.inner)
	}
	s.schemaChanged()
}

// news tells what is new to the org, and what is not what it was.
func (in *incoming) news(p *piece) (created, changed bool) {
	was, deployed := in.s.deploys.content[p.key()]
	if deployed {
		return false, was != string(p.inner)
	}
	object, name, _ := strings.Cut(p.name, ".")
	o := in.s.schema.object(object)
	there := in.s.fromSource(&p.component)
	switch p.typ {
	case "CustomObject":
		there = o != nil
	case "CustomField":
		there = o != nil && o.field(name) != nil
	default:
	}
	return !there, true
}

// fromSource tells whether the org has had a component from its start.
func (s *Server) fromSource(c *component) bool {
	if s.opts.Schema == nil {
		return false
	}
	file := ""
	for dir, kind := range deployDirs {
		if kind.typ == c.typ {
			file = path.Join(dir, c.name+kind.suffix)
		}
	}
	for dir, typ := range objectParts {
		if typ == c.typ {
			_, name, _ := strings.Cut(c.name, ".")
			file = path.Join("objects", c.object(), dir, name+"."+strings.TrimSuffix(dir, "s"))
		}
	}
	if folder, isFolder := strings.CutSuffix(c.name, "/"); isFolder {
		file = path.Join("reports", folder+".reportFolder")
	}
	for _, root := range []string{".", "force-app/main/default"} {
		if _, err := fs.Stat(s.opts.Schema, path.Join(root, file+"-meta.xml")); err == nil {
			return true
		}
	}
	return false
}

// makeObjects makes the new objects, masters before their details.
func (in *incoming) makeObjects() {
	masters := map[string]bool{}
	for _, x := range in.fields {
		masters[x.ReferenceTo] = masters[x.ReferenceTo] || x.Type == "MasterDetail"
	}
	var fresh []*piece
	for _, p := range in.pack.pieces {
		if p.typ == "CustomObject" && in.s.schema.object(p.name) == nil {
			fresh = append(fresh, p)
		}
	}
	slices.SortStableFunc(fresh, func(a, b *piece) int {
		switch {
		case masters[a.name] == masters[b.name]:
			return strings.Compare(a.name, b.name)
		case masters[a.name]:
			return -1
		default:
			return 1
		}
	})
	s := in.s
	for _, p := range fresh {
		if s.schema.object(p.name) != nil { // in two files, whose names differ by case
			continue
		}
		o, err := s.schema.newSourceObject(p.name, in.objects[p])
		if err == nil {
			err = s.schema.add(o)
		}
		if err != nil {
			panic(err) // it was examined
		}
		o.secured.deployed, o.secured.lacks = true, Deny{Read: true, Create: true, Edit: true, Delete: true}
		o.secure()
		s.tables = append(s.tables, newTable(o))
		for _, other := range s.schema.objects {
			for _, f := range other.fields {
				if f.anything {
					f.refTo = append(slices.Clone(f.refTo), o.name)
				}
			}
		}
	}
}

// makeField adds a field, or changes the one that is there. Values of a picklist
// that are not named become inactive, which here is that they go.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_field_types.htm
func (in *incoming) makeField(p *piece) {
	object, name, _ := strings.Cut(p.name, ".")
	o := in.s.schema.object(object)
	f, err := in.fields[p].field()
	if err != nil {
		panic(err) // it was examined
	}
	if was := o.field(name); was != nil {
		in.s.changeField(o, was, f)
		return
	}
	if !in.required[strings.ToLower(p.name)] {
		f.secured.deployed, f.secured.lacks = true, Deny{Read: true, Edit: true}
		f.secure()
	}
	in.s.addField(o, f)
	if in.s.opts.PersonAccounts && o.name == "Contact" && f.typ != typeReference {
		in.s.addField(in.s.schema.object("Account"), onPerson(f))
	}
}

// addField adds a field to an object that may have rows.
func (s *Server) addField(o *object, f *field) {
	if err := o.add(f); err != nil {
		panic(err) // it was examined
	}
	t := s.table(o)
	t.indexes = append(t.indexes, nil)
	if f.indexed() {
		t.indexes[f.slot] = newIndex(f)
	}
	if f.typ != typeBoolean || f.src != fromBlob {
		return
	}
	for seq := range t.from(1) { // a checkbox is never empty
		s.refill(t, seq, f, f.initial)
	}
}

// refill puts a value into a row as nobody's write.
func (s *Server) refill(t *table, seq uint32, f *field, v value) {
	vals := s.scratch(t.obj)
	now := *t.at(seq)
	unpack(now.blob, vals)
	vals[f.slot] = v
	s.packing = pack(s.packing, vals)
	now.blob = string(s.packing)
	t.put(seq, now)
}

// changeField gives a field what the new one says, and keeps its content.
func (s *Server) changeField(o *object, was, f *field) {
	was.label, was.help, was.length, was.precision, was.scale = f.label, f.help, f.length, f.precision, f.scale
	was.unique, was.externalID, was.idLookup, was.caseSens = f.unique, f.externalID, f.idLookup, f.caseSens
	was.required, was.initial, was.values, was.restricted = f.required, f.initial, f.values, f.restricted
	t := s.table(o)
	t.indexes[was.slot] = nil
	if !was.indexed() {
		return
	}
	ix := newIndex(was)
	for seq := range t.from(1) {
		ix.move(seq, row{}, *t.at(seq))
	}
	t.indexes[was.slot] = ix
}

// makePermissionSet makes or changes a permission set with what it gives.
func (in *incoming) makePermissionSet(p *piece) {
	s := in.s
	s.deploys.sets[strings.ToLower(p.name)] = readPermissions(p.node)
	sets := s.schema.object("PermissionSet")
	name, label := sets.field("Name"), sets.field("Label")
	t := s.table(sets)
	set := []binding{{label, textValue(p.node.text("label"))}}
	for seq := range t.from(1) {
		if r := t.at(seq); r.state == rowLive && strings.EqualFold(r.get(name.slot).s, p.name) {
			s.update(&tx{s: s}, &record{obj: sets, set: set}, seq, true)
			return
		}
	}
	s.insert(&tx{s: s}, &record{obj: sets, set: append(set, binding{name, textValue(p.name)})}, true)
}

package metadata_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
)

const root = "force-app/main/default"

// node is an element of a file.
type node struct {
	name  xml.Name
	attrs []xml.Attr
	text  string
	kids  []*node
}

// one is the text of the first element at the end of a way, "" if there is none.
func (n *node) one(way ...string) string {
	for _, step := range way {
		found := n.all(step)
		if len(found) == 0 {
			return ""
		}
		n = found[0]
	}
	return n.text
}

func (n *node) all(name string) (found []*node) {
	for _, kid := range n.kids {
		if kid.name.Local == name {
			found = append(found, kid)
		}
	}
	return found
}

func (n *node) texts(name string) (found []string) {
	for _, kid := range n.all(name) {
		found = append(found, kid.text)
	}
	return found
}

// deep visits an element and everything in it.
func (n *node) deep(visit func(*node)) {
	visit(n)
	for _, kid := range n.kids {
		kid.deep(visit)
	}
}

// parse reads a whole file, which is one element.
func parse(data []byte) (*node, error) {
	if !bytes.HasPrefix(data, []byte(`<?xml version="1.0" encoding="UTF-8"?>`)) {
		return nil, errors.New("the declaration is missing")
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	open := []*node{{}}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		last := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			n := &node{name: t.Name, attrs: slices.Clone(t.Attr)}
			last.kids = append(last.kids, n)
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			last.text += string(t)
		default:
		}
	}
	top := open[0]
	if len(top.kids) != 1 || strings.TrimSpace(top.text) != "" {
		return nil, errors.New("there is more or less than one element")
	}
	stray := ""
	top.kids[0].deep(func(n *node) {
		if text := strings.TrimSpace(n.text); text != "" && len(n.kids) > 0 {
			stray = text
		}
	})
	if stray != "" {
		return nil, fmt.Errorf("text %q between elements", stray)
	}
	return top.kids[0], nil
}

// source is the metadata, read: what is checked, and the faults that were found.
type source struct {
	files  map[string]*node // by path below root
	faults []string
}

func (s *source) faultf(file, format string, args ...any) {
	s.faults = append(s.faults, file+": "+fmt.Sprintf(format, args...))
}

// in visits the files of a folder that end so, in order, with their names.
func (s *source) in(pattern, suffix string, visit func(file, name string, n *node)) {
	for _, file := range slices.Sorted(maps.Keys(s.files)) {
		if ok, err := path.Match(pattern, path.Dir(file)); err != nil || !ok {
			continue
		}
		if name, ok := strings.CutSuffix(path.Base(file), "."+suffix+"-meta.xml"); ok {
			visit(file, name, s.files[file])
		}
	}
}

// object is the object in whose folder a file is.
func object(file string) string { return strings.Split(file, "/")[1] }

// ours are the objects that we ship.
func (s *source) ours() (names []string) {
	s.in("objects/*", "object", func(_, name string, _ *node) { names = append(names, name) })
	return names
}

// custom are the fields that we ship on an object, in order.
func (s *source) custom(object string) (names []string) {
	s.in("objects/"+object+"/fields", "field", func(_, name string, _ *node) { names = append(names, name) })
	return names
}

// field is one of them, nil if there is none.
func (s *source) field(object, name string) *node {
	return s.files["objects/"+object+"/fields/"+name+".field-meta.xml"]
}

// has says whether an object has a field: one of ours, or one of the standard
// ones that are used.
func (s *source) has(object, name string) bool {
	if s.field(object, name) != nil {
		return true
	}
	if s.files["objects/"+object+"/"+object+".object-meta.xml"] != nil {
		return slices.Contains([]string{"Id", "Name", "OwnerId", "CreatedById", "LastModifiedById", "Owner", "CreatedDate", "LastModifiedDate"}, name) &&
			(object != "TwilioSF_Media__c" || !strings.HasPrefix(name, "Owner"))
	}
	return slices.Contains(standard[object], name)
}

// standard are the fields of standard objects that the source speaks of, as the
// object reference has them.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/
var standard = map[string][]string{
	"Account":                {"Phone"},
	"Campaign":               {"Name", "Status", "StartDate", "EndDate", "IsActive", "Type"},
	"Case":                   {"SuppliedPhone"},
	"Contact":                {"Id", "Phone", "MobilePhone", "HomePhone", "OtherPhone"},
	"CustomNotificationType": {"Id", "DeveloperName"},
	"Lead":                   {"Id", "Phone", "MobilePhone"},
}

// values are those of a picklist, and what a filter writes for a checkbox.
func (s *source) values(object, field string) (values []string) {
	f := s.field(object, field)
	if f == nil {
		return nil
	}
	if f.one("type") == "Checkbox" {
		return []string{"0", "1"}
	}
	for _, set := range f.all("valueSet") {
		for _, def := range set.all("valueSetDefinition") {
			for _, v := range def.all("value") {
				values = append(values, v.one("fullName"))
			}
		}
	}
	return values
}

// check runs every check on a tree, and remembers in read what it has parsed.
func check(t testing.TB, tree fs.FS, types map[string]*metaType, read map[string]*node) []string {
	t.Helper()
	s := &source{files: map[string]*node{}}
	require.NoError(t, fs.WalkDir(tree, root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(tree, file)
		if err != nil {
			return err
		}
		file = strings.TrimPrefix(file, root+"/")
		n := read[string(data)]
		if n == nil {
			if n, err = parse(data); err != nil {
				s.faultf(file, "%v", err)
				return nil
			}
			read[string(data)] = n
		}
		s.files[file] = n
		return nil
	}))
	s.checkTypes(types)
	s.checkListViews()
	s.checkCompactLayouts()
	s.checkLayouts()
	s.checkTabs()
	s.checkRules()
	s.checkPermissionSets()
	s.checkReports()
	s.checkFlows()
	if _, err := metadata.BundleOf(tree); err != nil {
		s.faultf("bundle", "%v", err)
	}
	return s.faults
}

func TestTheSourceIsSound(t *testing.T) {
	require.Empty(t, check(t, metadata.FS, metaTypes(t), map[string]*node{}))
}

// copyOf is the source in memory, where a test may spoil it.
func copyOf(t testing.TB) fstest.MapFS {
	t.Helper()
	tree := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(metadata.FS, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(metadata.FS, file)
		tree[file] = &fstest.MapFile{Data: data}
		return err
	}))
	return tree
}

package metadata_test

import (
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const namespace = "http://soap.sforce.com/2006/04/metadata"

// metaType is a type of the Metadata API: its elements, or its values.
type metaType struct {
	elements map[string]metaElement
	values   []string
}

type metaElement struct{ typ, how string }

// metaTypes reads the table that interop/types.mjs makes of Salesforce's own types.
func metaTypes(t testing.TB) map[string]*metaType {
	t.Helper()
	table, err := os.ReadFile("testdata/types.txt")
	require.NoError(t, err)
	types := map[string]*metaType{}
	var last *metaType
	for line := range strings.Lines(string(table)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		if words := strings.Fields(line); strings.HasPrefix(line, "  ") {
			require.Len(t, words, 3, line)
			last.elements[words[0]] = metaElement{typ: words[1], how: words[2]}
			continue
		}
		name, values, _ := strings.Cut(line, " = ")
		last = &metaType{elements: map[string]metaElement{}, values: strings.Fields(values)}
		types[strings.TrimSpace(name)] = last
	}
	require.Greater(t, len(types), 80)
	return types
}

// roots are the folders' types, "*" for the folder of any object.
var roots = map[string]string{
	"applications": "CustomApplication", "customPermissions": "CustomPermission", "flows": "Flow", "layouts": "Layout",
	"notificationtypes": "CustomNotificationType", "permissionsets": "PermissionSet", "reportTypes": "ReportType",
	"reports": "ReportFolder", "reports/*": "Report", "tabs": "CustomTab",
	"objects/*": "CustomObject", "objects/*/fields": "CustomField", "objects/*/listViews": "ListView",
	"objects/*/compactLayouts": "CompactLayout", "objects/*/validationRules": "ValidationRule",
}

// checkTypes holds every file against the elements of its type: a deploy refuses
// an element that it does not know, and Salesforce's own converter does not look.
func (s *source) checkTypes(types map[string]*metaType) {
	for _, file := range slices.Sorted(maps.Keys(s.files)) {
		n, typ := s.files[file], ""
		for pattern, name := range roots {
			if ok, err := path.Match(pattern, path.Dir(file)); err == nil && ok {
				typ = name
			}
		}
		if n.name.Local != typ {
			s.faultf(file, "holds a %s, not a %s", n.name.Local, typ)
			continue
		}
		n.deep(func(n *node) {
			if n.name.Space != namespace {
				s.faultf(file, "%s is in the namespace %q", n.name.Local, n.name.Space)
			}
			for _, a := range n.attrs {
				if a.Name.Local != "xmlns" {
					s.faultf(file, "%s has the attribute %s", n.name.Local, a.Name.Local)
				}
			}
		})
		s.checkType(file, types, typ, n)
		if name := n.one("fullName"); name != "" && !strings.HasPrefix(path.Base(file), name+".") {
			s.faultf(file, "holds %s", name)
		}
	}
}

// checkType holds an element against its type.
func (s *source) checkType(file string, types map[string]*metaType, typ string, n *node) {
	known := types[typ]
	switch {
	case typ == "string":
	case typ == "boolean":
		if n.text != "true" && n.text != "false" {
			s.faultf(file, "%s is %q, neither true nor false", n.name.Local, n.text)
		}
	case typ == "number":
		if _, err := strconv.ParseFloat(n.text, 64); err != nil {
			s.faultf(file, "%s is %q, no number", n.name.Local, n.text)
		}
	case known == nil:
		s.faultf(file, "%s is of type %s, which testdata/types.txt lacks", n.name.Local, typ)
	case len(known.values) > 0:
		if !slices.Contains(known.values, n.text) {
			s.faultf(file, "%s is %q, no %s", n.name.Local, n.text, typ)
		}
		return
	default:
		s.checkElements(file, types, typ, n)
		return
	}
	if len(n.kids) > 0 {
		s.faultf(file, "%s has elements in it", n.name.Local)
	}
}

func (s *source) checkElements(file string, types map[string]*metaType, typ string, n *node) {
	known, count := types[typ].elements, map[string]int{}
	for _, kid := range n.kids {
		e, ok := known[kid.name.Local]
		if !ok {
			s.faultf(file, "a %s has no %s", typ, kid.name.Local)
			continue
		}
		count[kid.name.Local]++
		if count[kid.name.Local] == 2 && e.how != "*" {
			s.faultf(file, "a %s has one %s only", typ, kid.name.Local)
		}
		s.checkType(file, types, e.typ, kid)
	}
	for name, e := range known {
		if e.how == "1" && count[name] == 0 {
			s.faultf(file, "a %s needs a %s", typ, name)
		}
	}
}

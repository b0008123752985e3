package metadata_test

import (
	"slices"
	"strings"
)

// columns are what a list calls the fields that every object has.
var columns = []string{"NAME", "OWNER.ALIAS", "CREATED_DATE", "LAST_UPDATE"}

// checkColumns holds the columns of a list against its object.
func (s *source) checkColumns(file, object string, names []string) {
	for i, name := range names {
		if !slices.Contains(columns, name) && s.field(object, name) == nil {
			s.faultf(file, "%s has no column %s", object, name)
		}
		if slices.Contains(names[:i], name) {
			s.faultf(file, "the column %s is there twice", name)
		}
	}
	if len(names) > 15 {
		s.faultf(file, "has more than 15 columns")
	}
}

func (s *source) checkListViews() {
	labels := map[string]bool{}
	s.in("objects/*/listViews", "listView", func(file, _ string, n *node) {
		object := object(file)
		s.checkColumns(file, object, n.texts("columns"))
		if len(n.all("columns")) == 0 {
			s.faultf(file, "shows nothing")
		}
		for _, f := range n.all("filters") {
			s.checkFilter(file, object, f.one("field"), f.one("operation"), f.one("value"))
		}
		label := n.one("label")
		if len(label) > 40 || labels[object+label] {
			s.faultf(file, "the label %q is longer than 40 characters, or there twice", label)
		}
		labels[object+label] = true
	})
	for _, name := range s.ours() {
		if !s.isDetail(name) && s.files["objects/"+name+"/listViews/All.listView-meta.xml"] == nil {
			s.faultf(name, "has no list view of all")
		}
	}
}

// isDetail says whether an object has a master.
func (s *source) isDetail(object string) bool {
	return slices.ContainsFunc(s.custom(object), func(f string) bool { return s.field(object, f).one("type") == "MasterDetail" })
}

// checkFilter holds a condition against the field it asks about.
func (s *source) checkFilter(file, object, field, operation, value string) {
	f := s.field(object, field)
	if f == nil {
		s.faultf(file, "%s has no %s to filter by", object, field)
		return
	}
	if f.one("type") == "LongTextArea" {
		s.faultf(file, "%s is too long to filter by", field)
	}
	known := s.values(object, field)
	for one := range strings.SplitSeq(value, ",") {
		if value != "" && len(known) > 0 && !slices.Contains(known, one) {
			s.faultf(file, "%s is never %q", field, one)
		}
	}
	if value == "" && operation != "equals" && operation != "notEqual" {
		s.faultf(file, "%s %s nothing", field, operation)
	}
}

func (s *source) checkCompactLayouts() {
	s.in("objects/*/compactLayouts", "compactLayout", func(file, _ string, n *node) {
		fields := n.texts("fields")
		if len(fields) == 0 || len(fields) > 10 || fields[0] != "Name" {
			s.faultf(file, "a compact layout has one to ten fields, the name first")
		}
		for _, name := range fields {
			if !s.has(object(file), name) {
				s.faultf(file, "%s has no %s", object(file), name)
			} else if f := s.field(object(file), name); f != nil && strings.HasSuffix(f.one("type"), "TextArea") {
				s.faultf(file, "%s is too long for a compact layout", name)
			}
		}
		if len(n.one("label")) > 40 {
			s.faultf(file, "the label is longer than 40 characters")
		}
	})
	s.in("objects/*", "object", func(file, name string, n *node) {
		used := n.one("compactLayoutAssignment")
		if s.files["objects/"+name+"/compactLayouts/"+used+".compactLayout-meta.xml"] == nil {
			s.faultf(file, "there is no compact layout %s", used)
		}
		for _, lists := range n.all("searchLayouts") {
			for _, field := range lists.kids {
				if !s.has(name, field.text) {
					s.faultf(file, "%s has no %s to show in searches", name, field.text)
				}
			}
		}
	})
}

// checkLayouts holds the layouts against their objects. A new object gets a layout
// with this name, which everybody uses; one of another name would be used by nobody.
func (s *source) checkLayouts() {
	for _, name := range s.ours() {
		label := s.files["objects/"+name+"/"+name+".object-meta.xml"].one("label")
		file := "layouts/" + name + "-" + label + " Layout.layout-meta.xml"
		n := s.files[file]
		if n == nil {
			s.faultf(file, "is missing")
			continue
		}
		seen := map[string]bool{}
		n.deep(func(item *node) {
			if item.name.Local != "layoutItems" {
				return
			}
			field, behavior := item.one("field"), item.one("behavior")
			switch f := s.field(name, field); {
			case seen[field]:
				s.faultf(file, "%s is there twice", field)
			case !s.has(name, field):
				s.faultf(file, "%s has no %s", name, field)
			case f != nil && f.one("type") == "MasterDetail" && behavior != "Required":
				s.faultf(file, "%s is required", field)
			}
			seen[field] = true
		})
		for _, field := range append(s.custom(name), "Name") {
			if !seen[field] {
				s.faultf(file, "%s is not shown", field)
			}
		}
		s.checkRelatedLists(file, name, n)
	}
	s.in("layouts", "layout", func(file, name string, _ *node) {
		if object, _, _ := strings.Cut(name, "-"); !slices.Contains(s.ours(), object) {
			s.faultf(file, "would take the place of the org's own layout")
		}
	})
}

func (s *source) checkRelatedLists(file, object string, layout *node) {
	for _, list := range layout.all("relatedLists") {
		name := list.one("relatedList")
		if name == "RelatedFileList" {
			continue
		}
		child, lookup, _ := strings.Cut(name, ".")
		if f := s.field(child, lookup); f == nil || f.one("referenceTo") != object {
			s.faultf(file, "%s is no list of records that refer to %s", name, object)
			continue
		}
		s.checkColumns(file, child, list.texts("fields"))
	}
}

func (s *source) checkTabs() {
	s.in("tabs", "tab", func(file, name string, n *node) {
		if !slices.Contains(s.ours(), name) || n.one("customObject") != "true" {
			s.faultf(file, "%s is no object of ours", name)
		}
	})
	for _, name := range s.ours() {
		if !s.isDetail(name) && s.files["tabs/"+name+".tab-meta.xml"] == nil {
			s.faultf(name, "has no tab")
		}
	}
	s.in("applications", "app", func(file, _ string, n *node) {
		for _, tab := range n.texts("tabs") {
			if !slices.Contains([]string{"standard-Contact", "standard-Lead", "standard-Campaign", "standard-report"}, tab) && s.files["tabs/"+tab+".tab-meta.xml"] == nil {
				s.faultf(file, "there is no tab %s", tab)
			}
		}
		if len(n.one("label")) > 40 {
			s.faultf(file, "the label is longer than 40 characters")
		}
	})
}

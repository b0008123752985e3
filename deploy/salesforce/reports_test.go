package metadata_test

import (
	"slices"
	"strings"
)

// checkReports holds report types against the objects, and reports against them.
func (s *source) checkReports() {
	types := map[string]map[string]string{} // columns, and the objects that have them
	s.in("reportTypes", "reportType", func(file, name string, n *node) {
		types[name] = s.reportColumns(file, n)
		if len(n.one("label")) > 50 || len(n.one("description")) > 255 {
			s.faultf(file, "label or description are too long")
		}
	})
	s.in("reports/*", "report", func(file, _ string, n *node) {
		if s.files["reports/"+object(file)+".reportFolder-meta.xml"] == nil {
			s.faultf(file, "its folder is not described")
		}
		typ, ok := strings.CutSuffix(n.one("reportType"), "__c")
		if !ok || types[typ] == nil {
			s.faultf(file, "there is no report type %s", n.one("reportType"))
			return
		}
		s.checkReport(file, n, types[typ])
	})
}

// reportColumns are the columns that reports of a type may have, as they name them.
func (s *source) reportColumns(file string, n *node) map[string]string {
	tables := map[string]string{n.one("baseObject"): n.one("baseObject")}
	if s.files["objects/"+n.one("baseObject")+"/"+n.one("baseObject")+".object-meta.xml"] == nil && standard[n.one("baseObject")] == nil {
		s.faultf(file, "there is no object %s", n.one("baseObject"))
	}
	for _, join := range n.all("join") {
		found := false
		s.in("objects/*/fields", "field", func(path, _ string, f *node) {
			if f.one("referenceTo") == n.one("baseObject") && f.one("relationshipName")+"__r" == join.one("relationship") {
				tables[n.one("baseObject")+"."+join.one("relationship")] = object(path)
				found = true
			}
		})
		if !found {
			s.faultf(file, "%s has no %s", n.one("baseObject"), join.one("relationship"))
		}
	}
	columns := map[string]string{}
	for _, section := range n.all("sections") {
		for _, c := range section.all("columns") {
			name := c.one("table") + "$" + c.one("field")
			if object := tables[c.one("table")]; object == "" || !s.has(object, c.one("field")) {
				s.faultf(file, "there is no %s", name)
			}
			if columns[name] != "" {
				s.faultf(file, "%s is there twice", name)
			}
			columns[name] = tables[c.one("table")]
		}
	}
	return columns
}

func (s *source) checkReport(file string, n *node, columns map[string]string) {
	must := func(name string) (object, field string) {
		if columns[name] == "" {
			s.faultf(file, "its report type has no %s", name)
			return "", ""
		}
		_, field, _ = strings.Cut(name, "$")
		return columns[name], field
	}
	grouped := []string{}
	for _, g := range n.all("groupingsDown") {
		must(g.one("field"))
		grouped = append(grouped, g.one("field"))
	}
	for _, c := range n.all("columns") {
		object, field := must(c.one("field"))
		if slices.Contains(grouped, c.one("field")) {
			s.faultf(file, "%s groups and cannot be a column", c.one("field"))
		}
		if f := s.field(object, field); len(c.all("aggregateTypes")) > 0 && (f == nil || f.one("type") != "Number") {
			s.faultf(file, "%s cannot be summed up", c.one("field"))
		}
	}
	for _, f := range n.all("filter") {
		for _, c := range f.all("criteriaItems") {
			if object, field := must(c.one("column")); s.field(object, field) != nil {
				s.checkFilter(file, object, field, c.one("operator"), c.one("value"))
			}
		}
	}
	for _, f := range n.all("timeFrameFilter") {
		if object, field := must(f.one("dateColumn")); s.field(object, field) == nil || s.field(object, field).one("type") != "DateTime" {
			s.faultf(file, "%s is no time", f.one("dateColumn"))
		}
	}
	if (len(grouped) > 0) != (n.one("format") == "Summary") {
		s.faultf(file, "a summary has groups, a table has none")
	}
	if len(n.one("name")) > 40 || len(n.one("description")) > 255 {
		s.faultf(file, "name or description are too long")
	}
}

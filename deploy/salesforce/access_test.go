package metadata_test

import (
	"regexp"
	"slices"
	"strings"
)

// The sets that have every field, and the one that only reads what we write.
const (
	administrator = "TwilioSF_Administrator"
	user          = "TwilioSF_User"
	integration   = "TwilioSF_Integration"
)

var (
	quoted     = regexp.MustCompile(`"[^"]*"`)
	fieldNames = regexp.MustCompile(`(?:^|[^\w.$])(\w+__c)\b`)
	pickValues = regexp.MustCompile(`ISPICKVAL\((?:PRIORVALUE\()?(\w+)\)?, "([^"]*)"\)`)
)

// checkRules holds validation rules: they are for people, and the daemon, which
// writes past times and keys, passes by a permission that only its user has.
func (s *source) checkRules() {
	s.in("objects/*/validationRules", "validationRule", func(file, _ string, n *node) {
		formula, object := n.one("errorConditionFormula"), object(file)
		if !strings.HasPrefix(formula, "AND(\n  NOT($Permission."+integration+"),") {
			s.faultf(file, "would hold the integration user up")
		}
		if bare := quoted.ReplaceAllString(formula, ""); strings.Count(bare, "(") != strings.Count(bare, ")") || strings.Contains(bare, `"`) {
			s.faultf(file, "parentheses or quotes are not in pairs")
		}
		for _, m := range fieldNames.FindAllStringSubmatch(formula, -1) {
			if s.field(object, m[1]) == nil {
				s.faultf(file, "%s has no %s", object, m[1])
			}
		}
		for _, m := range pickValues.FindAllStringSubmatch(formula, -1) {
			if !slices.Contains(s.values(object, m[1]), m[2]) {
				s.faultf(file, "%s is never %q", m[1], m[2])
			}
		}
		if !s.has(object, n.one("errorDisplayField")) {
			s.faultf(file, "there is no %s to show the error at", n.one("errorDisplayField"))
		}
		if len(n.one("errorMessage")) > 255 || len(n.one("description")) > 255 {
			s.faultf(file, "message or description are longer than 255 characters")
		}
	})
}

// listable says whether a permission set may name a field. A required or a
// master's is everybody's who sees the record, and a deploy refuses it.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_permissionset.htm
func (s *source) listable(object, field string) bool {
	if f := s.field(object, field); f != nil {
		return f.one("type") != "MasterDetail" && f.one("required") != "true"
	}
	return slices.Contains(standard[object], field) && field != "Id" && field != "Name"
}

func (s *source) checkPermissionSets() {
	names := []string{}
	s.in("permissionsets", "permissionset", func(file, name string, n *node) {
		names = append(names, name)
		s.checkFieldPermissions(file, name, n)
		s.checkObjectPermissions(file, n)
		for _, p := range n.all("customPermissions") {
			if s.files["customPermissions/"+p.one("name")+".customPermission-meta.xml"] == nil || name != integration {
				s.faultf(file, "%s is not there, or not for people", p.one("name"))
			}
		}
		for _, tab := range n.all("tabSettings") {
			if s.files["tabs/"+tab.one("tab")+".tab-meta.xml"] == nil {
				s.faultf(file, "there is no tab %s", tab.one("tab"))
			}
		}
		for _, app := range n.all("applicationVisibilities") {
			if s.files["applications/"+app.one("application")+".app-meta.xml"] == nil {
				s.faultf(file, "there is no app %s", app.one("application"))
			}
		}
		if len(n.one("label")) > 80 || len(n.one("description")) > 255 {
			s.faultf(file, "label or description are too long")
		}
	})
	if !slices.Equal(names, []string{administrator, integration, user}) {
		s.faultf("permissionsets", "there are %v", names)
	}
	if n := s.files["permissionsets/"+integration+".permissionset-meta.xml"]; n == nil || len(n.all("customPermissions")) != 1 {
		s.faultf("permissionsets", "the integration user does not pass validation rules")
	}
}

func (s *source) checkFieldPermissions(file, set string, n *node) {
	listed := map[string]bool{}
	for _, p := range n.all("fieldPermissions") {
		object, field, _ := strings.Cut(p.one("field"), ".")
		f := s.field(object, field)
		switch {
		case listed[p.one("field")]:
			s.faultf(file, "%s is there twice", p.one("field"))
		case !s.listable(object, field):
			s.faultf(file, "%s is not there, or cannot be listed", p.one("field"))
		case p.one("readable") != "true":
			s.faultf(file, "%s cannot be read", p.one("field"))
		case f == nil && p.one("editable") != "false":
			s.faultf(file, "%s is not ours to write", p.one("field"))
		case set == user && p.one("editable") == "true" && strings.Contains(f.one("inlineHelpText"), "Do not change it"):
			s.faultf(file, "%s is ours", p.one("field"))
		}
		listed[p.one("field")] = true
	}
	s.in("objects/*/fields", "field", func(path, name string, _ *node) {
		if full := object(path) + "." + name; s.listable(object(path), name) && !listed[full] {
			s.faultf(file, "%s is hidden", full)
		}
	})
}

// needs are the permissions that another one needs beside it.
var needs = map[string][]string{
	"allowCreate": {"allowRead"}, "allowEdit": {"allowRead"}, "allowDelete": {"allowRead", "allowEdit"},
	"viewAllRecords": {"allowRead"}, "modifyAllRecords": {"allowRead", "allowEdit", "allowDelete", "viewAllRecords"},
}

func (s *source) checkObjectPermissions(file string, n *node) {
	given := map[string]*node{}
	for _, p := range n.all("objectPermissions") {
		name := p.one("object")
		if given[name] != nil || !slices.Contains(s.ours(), name) && standard[name] == nil {
			s.faultf(file, "%s is there twice, or no object", name)
		}
		given[name] = p
		for has, all := range needs {
			for _, need := range all {
				if p.one(has) == "true" && p.one(need) != "true" {
					s.faultf(file, "%s: %s needs %s", name, has, need)
				}
			}
		}
	}
	for _, name := range s.ours() {
		if given[name] == nil {
			s.faultf(file, "%s is hidden", name)
		}
	}
	s.in("objects/*/fields", "field", func(path, _ string, f *node) {
		detail, master := given[object(path)], given[f.one("referenceTo")]
		if f.one("type") != "MasterDetail" || detail == nil {
			return
		}
		for _, p := range []string{"allowRead", "viewAllRecords"} {
			if detail.one(p) == "true" && (master == nil || master.one(p) != "true") {
				s.faultf(file, "%s of %s needs that of its master", p, object(path))
			}
		}
	})
	if given["Contact"] != nil && given["Account"] == nil || given["Case"] != nil && given["Contact"] == nil {
		s.faultf(file, "who reads Contacts or Cases must read what they belong to")
	}
}

package metadata_test

import (
	"regexp"
	"slices"
	"strings"
)

var merged = regexp.MustCompile(`\{!([$\w.]+)\}`)

// flowElements are the elements of a flow that are gone to.
var flowElements = []string{"actionCalls", "assignments", "decisions", "recordCreates", "recordLookups", "screens"}

// checkFlows holds the templates: drafts, that do what they say when somebody
// activates them.
func (s *source) checkFlows() {
	s.in("flows", "flow", func(file, _ string, n *node) {
		if n.one("status") != "Draft" || !strings.HasPrefix(n.one("description"), "Template.") {
			s.faultf(file, "a template is a draft, and says so")
		}
		f := &flowNames{elements: map[string]*node{}, values: map[string]string{}}
		f.read(s, file, n)
		s.checkWays(file, n, f)
		for _, start := range n.all("start") {
			s.checkStart(file, start, f)
		}
		n.deep(func(e *node) { s.checkReferences(file, e, f) })
		for _, e := range append(n.all("recordCreates"), n.all("recordLookups")...) {
			s.checkRecords(file, e)
		}
	})
}

// flowNames are what a flow can refer to.
type flowNames struct {
	elements map[string]*node  // what is gone to
	values   map[string]string // what has a value; for a record, its object
	record   string            // the object of $Record
}

func (f *flowNames) read(s *source, file string, n *node) {
	f.record = n.one("start", "object")
	add := func(name, object string) {
		if _, ok := f.values[name]; ok || !regexp.MustCompile(`^[A-Za-z]\w*$`).MatchString(name) {
			s.faultf(file, "the name %q is there twice, or is none", name)
		}
		f.values[name] = object
	}
	for _, kid := range n.kids {
		switch name := kid.one("name"); {
		case slices.Contains(flowElements, kid.name.Local):
			f.elements[name] = kid
			add(name, kid.one("object"))
			for _, inside := range append(kid.all("fields"), kid.all("rules")...) {
				add(inside.one("name"), "")
			}
		case kid.name.Local == "variables" || kid.name.Local == "formulas":
			add(name, "")
		}
	}
}

// checkWays sees that each way leads somewhere, and that everything is reached.
func (s *source) checkWays(file string, n *node, f *flowNames) {
	reached := map[string]bool{}
	var follow func(e *node)
	follow = func(e *node) {
		e.deep(func(at *node) {
			to := at.text
			if at.name.Local != "targetReference" || reached[to] {
				return
			}
			if reached[to] = true; f.elements[to] == nil {
				s.faultf(file, "a way leads to %s, which is not there", to)
				return
			}
			follow(f.elements[to])
		})
	}
	for _, start := range n.all("start") {
		follow(start)
	}
	for name := range f.elements {
		if !reached[name] {
			s.faultf(file, "%s is never reached", name)
		}
	}
}

// checkStart holds what sets a flow off. One that runs when a record is saved runs
// afterwards, by itself: when it fails in between, the record is not saved.
// https://help.salesforce.com/s/articleView?id=platform.flow_concepts_trigger_record_async.htm&type=5
func (s *source) checkStart(file string, start *node, f *flowNames) {
	if f.record == "" {
		return
	}
	if len(start.all("connector")) > 0 || start.one("scheduledPaths", "pathType") != "AsyncAfterCommit" {
		s.faultf(file, "would hold the record up that sets it off")
	}
	for _, filter := range start.all("filters") {
		s.checkFlowField(file, f.record, filter.one("field"), filter.one("value", "stringValue"))
	}
}

// checkReferences holds what an element refers to.
func (s *source) checkReferences(file string, e *node, f *flowNames) {
	names := []string{}
	switch e.name.Local {
	case "elementReference", "leftValueReference", "assignToReference":
		names = append(names, e.text)
	case "expression", "formulaExpression", "fieldText", "stringValue":
		for _, m := range merged.FindAllStringSubmatch(e.text, -1) {
			names = append(names, m[1])
		}
	}
	for _, name := range names {
		first, field, dotted := strings.Cut(name, ".")
		object, ok := f.values[first]
		switch {
		case first == "$Flow":
			continue
		case first == "$Record":
			object, ok = f.record, f.record != ""
		}
		if !ok || dotted && !s.has(object, field) {
			s.faultf(file, "refers to %s, which is not there", name)
		}
	}
}

// checkRecords holds an element that makes or finds records.
func (s *source) checkRecords(file string, e *node) {
	object := e.one("object")
	given := map[string]string{}
	for _, input := range append(e.all("inputAssignments"), e.all("filters")...) {
		given[input.one("field")] = input.one("value", "stringValue")
		s.checkFlowField(file, object, input.one("field"), input.one("value", "stringValue"))
	}
	if e.name.Local == "recordCreates" && given["Status__c"] != "Send" {
		s.faultf(file, "%s makes a record that nobody sends", e.one("name"))
	}
}

func (s *source) checkFlowField(file, object, field, value string) {
	if !s.has(object, field) {
		s.faultf(file, "%s has no %s", object, field)
	} else if known := s.values(object, field); value != "" && len(known) > 0 && !slices.Contains(known, value) {
		s.faultf(file, "%s is never %q", field, value)
	}
}

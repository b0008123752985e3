package salesforcetest

import (
	"bytes"
	_ "embed"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
)

const metadataSpace = "http://soap.sforce.com/2006/04/metadata"

// xmlNode is an element with its place in the file, from 1.
type xmlNode struct {
	name         xml.Name
	content      string
	kids         []*xmlNode
	line, column int
	from, to     int64 // of what is inside
}

// parseXML reads a file that is one element.
func parseXML(data []byte) (*xmlNode, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	top := &xmlNode{}
	open := []*xmlNode{top}
	for {
		before := d.InputOffset()
		line, column := d.InputPos()
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
			n := &xmlNode{name: t.Name, line: line, column: column, from: d.InputOffset()}
			last.kids = append(last.kids, n)
			open = append(open, n)
		case xml.EndElement:
			last.to = before
			open = open[:len(open)-1]
		case xml.CharData:
			last.content += string(t)
		default:
		}
	}
	if len(top.kids) != 1 {
		return nil, errors.New("the file is not one element")
	}
	return top.kids[0], nil
}

// inner is the text inside of an element, from the file it was read from.
func (n *xmlNode) inner(file []byte) []byte { return file[n.from:max(n.from, n.to)] }

// text is the content of the first element of a name.
func (n *xmlNode) text(name string) string {
	for _, kid := range n.kids {
		if kid.name.Local == name {
			return kid.content
		}
	}
	return ""
}

// each visits the elements of a name.
func (n *xmlNode) each(name string, visit func(*xmlNode)) {
	for _, kid := range n.kids {
		if kid.name.Local == name {
			visit(kid)
		}
	}
}

//go:embed metadata_types.txt
var metadataTypes string

// metadataType is a type of the Metadata API: its elements, or its values.
type metadataType struct {
	elements map[string]struct{ typ, how string }
	values   []string
}

// knownTypes reads the table, whose head says how it is written.
var knownTypes = sync.OnceValue(func() map[string]*metadataType {
	types := map[string]*metadataType{}
	var last *metadataType
	for line := range strings.Lines(metadataTypes) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		if words := strings.Fields(line); strings.HasPrefix(line, "  ") {
			last.elements[words[0]] = struct{ typ, how string }{words[1], words[2]}
			continue
		}
		name, values, _ := strings.Cut(line, " = ")
		last = &metadataType{elements: map[string]struct{ typ, how string }{}, values: strings.Fields(values)}
		types[strings.TrimSpace(name)] = last
	}
	return types
})

// check holds an element against its type, and finds the first thing that a
// deployment refuses.
func (n *xmlNode) check(typ string) *deployMessage {
	known := knownTypes()[typ]
	switch {
	case typ == "string":
	case typ == "boolean" && n.content != "true" && n.content != "false":
		return n.wrong("Error parsing file: '" + n.content + "' is not a valid value for the type xsd:boolean")
	case typ == "boolean":
	case typ == "number":
		if _, err := strconv.ParseFloat(n.content, 64); err != nil {
			return n.wrong("Error parsing file: '" + n.content + "' is not a valid value for a number")
		}
	case known == nil:
		return n.wrong("The type " + typ + " is not known in this emulated org")
	case len(known.values) > 0:
		if !slices.Contains(known.values, n.content) {
			return n.wrong("Error parsing file: '" + n.content + "' is not a valid value for the enum '" + typ + "'")
		}
	default:
		return n.checkElements(typ, known)
	}
	if len(n.kids) > 0 {
		return n.kids[0].misplaced("invalid", typ)
	}
	return nil
}

func (n *xmlNode) checkElements(typ string, known *metadataType) *deployMessage {
	count := map[string]int{}
	for _, kid := range n.kids {
		e, ok := known.elements[kid.name.Local]
		count[kid.name.Local]++
		switch {
		case !ok || kid.name.Space != metadataSpace:
			return kid.misplaced("invalid", typ)
		case count[kid.name.Local] == 2 && e.how != "*":
			return kid.misplaced("is duplicated", typ)
		}
		if wrong := kid.check(e.typ); wrong != nil {
			return wrong
		}
	}
	for name, e := range known.elements {
		if e.how == "1" && count[name] == 0 {
			return n.wrong("Required field is missing: " + name)
		}
	}
	return nil
}

func (n *xmlNode) misplaced(how, typ string) *deployMessage {
	return n.wrong("Error parsing file: Element {" + n.name.Space + "}" + n.name.Local + " " + how + " at this location in type " + typ)
}

func (n *xmlNode) wrong(problem string) *deployMessage {
	return &deployMessage{line: n.line, column: n.column, problem: problem}
}

package salesforcetest

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// nodeKind is the JSON type of a node.
type nodeKind byte

const (
	nodeNull nodeKind = iota
	nodeBool
	nodeNumber
	nodeString
	nodeArray
	nodeObject
)

// node is one JSON value. text is the string, or the literal of a number or
// boolean; kids are the elements, or the members with their key.
type node struct {
	key  string
	text string
	kids []node
	off  int
	kind nodeKind
}

// get returns the member called key, or nil.
func (n *node) get(key string) *node {
	for i := range n.kids {
		if n.kids[i].key == key {
			return &n.kids[i]
		}
	}
	return nil
}

const maxDepth = 100

// jsonParser is a strict JSON reader: it keeps the order of members, refuses a
// member that is given twice and text that is not UTF-8, as the org's does.
type jsonParser struct {
	src string
	pos int
}

// parseJSON reads one whole document.
func parseJSON(src string) (*node, *Error) {
	if !utf8.ValidString(src) {
		return nil, jsonError("Invalid UTF-8 in the request body")
	}
	p := &jsonParser{src: src}
	var n node
	p.space()
	if err := p.value(&n, 0); err != nil {
		return nil, err
	}
	p.space()
	if p.pos != len(p.src) {
		return nil, p.unexpected("the end of the document")
	}
	return &n, nil
}

func (p *jsonParser) space() {
	for p.pos < len(p.src) {
		switch p.src[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

func (p *jsonParser) unexpected(wanted string) *Error {
	line, column := place(p.src, p.pos)
	at := fmt.Sprintf(" at [line:%d, column:%d]", line, column)
	if p.pos >= len(p.src) {
		return jsonError("Unexpected end-of-input: expected " + wanted + at)
	}
	r, _ := utf8.DecodeRuneInString(p.src[p.pos:])
	return jsonError(fmt.Sprintf("Unexpected character ('%c' (code %d)): expected %s%s", r, r, wanted, at))
}

// place turns a byte offset into a line and a column, both from 1.
func place(src string, off int) (line, column int) {
	off = min(off, len(src))
	before := src[:off]
	line = 1 + strings.Count(before, "\n")
	return line, off - strings.LastIndexByte(before, '\n')
}

func (p *jsonParser) value(n *node, depth int) *Error {
	if depth > maxDepth {
		return jsonError("The request body is nested too deeply")
	}
	n.off = p.pos
	if p.pos >= len(p.src) {
		return p.unexpected("a value")
	}
	switch c := p.src[p.pos]; {
	case c == '{':
		n.kind = nodeObject
		return p.members(n, depth)
	case c == '[':
		n.kind = nodeArray
		return p.elements(n, depth)
	case c == '"':
		n.kind = nodeString
		var err *Error
		n.text, err = p.text()
		return err
	case c == '-' || c >= '0' && c <= '9':
		n.kind = nodeNumber
		return p.number(n)
	default:
		return p.word(n)
	}
}

func (p *jsonParser) word(n *node) *Error {
	for _, w := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(p.src[p.pos:], w) {
			p.pos += len(w)
			n.text = w
			if w != "null" {
				n.kind = nodeBool
			}
			return nil
		}
	}
	return p.unexpected("a value")
}

func (p *jsonParser) digits() bool {
	start := p.pos
	for p.pos < len(p.src) && p.src[p.pos] >= '0' && p.src[p.pos] <= '9' {
		p.pos++
	}
	return p.pos > start
}

func (p *jsonParser) peek() byte {
	if p.pos < len(p.src) {
		return p.src[p.pos]
	}
	return 0
}

func (p *jsonParser) number(n *node) *Error {
	start := p.pos
	if p.peek() == '-' {
		p.pos++
	}
	if p.peek() == '0' {
		p.pos++
	} else if !p.digits() {
		return p.unexpected("a digit")
	}
	if p.peek() == '.' {
		p.pos++
		if !p.digits() {
			return p.unexpected("a digit")
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.pos++
		if c := p.peek(); c == '+' || c == '-' {
			p.pos++
		}
		if !p.digits() {
			return p.unexpected("a digit")
		}
	}
	n.text = p.src[start:p.pos]
	return nil
}

func (p *jsonParser) elements(n *node, depth int) *Error {
	p.pos++
	p.space()
	if p.peek() == ']' {
		p.pos++
		return nil
	}
	for {
		n.kids = append(n.kids, node{})
		p.space()
		if err := p.value(&n.kids[len(n.kids)-1], depth+1); err != nil {
			return err
		}
		p.space()
		switch p.peek() {
		case ',':
			p.pos++
		case ']':
			p.pos++
			return nil
		default:
			return p.unexpected("',' or ']'")
		}
	}
}

func (p *jsonParser) members(n *node, depth int) *Error {
	p.pos++
	p.space()
	if p.peek() == '}' {
		p.pos++
		return nil
	}
	n.kids = make([]node, 0, 24)
	for {
		p.space()
		if err := p.member(n, depth); err != nil {
			return err
		}
		p.space()
		switch p.peek() {
		case ',':
			p.pos++
		case '}':
			p.pos++
			return nil
		default:
			return p.unexpected("',' or '}'")
		}
	}
}

func (p *jsonParser) member(n *node, depth int) *Error {
	if p.peek() != '"' {
		return p.unexpected("double-quote to start field name")
	}
	at := p.pos
	key, err := p.text()
	if err != nil {
		return err
	}
	if n.get(key) != nil {
		line, column := place(p.src, at)
		return jsonError(fmt.Sprintf("Duplicate field '%s' at [line:%d, column:%d]", key, line, column))
	}
	p.space()
	if p.peek() != ':' {
		return p.unexpected("a colon to separate field name and value")
	}
	p.pos++
	p.space()
	n.kids = append(n.kids, node{key: key})
	kid := &n.kids[len(n.kids)-1]
	return p.value(kid, depth+1)
}

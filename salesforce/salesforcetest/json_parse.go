package salesforcetest

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
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
	if p.space(); p.peek() == ']' {
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
	if p.space(); p.peek() == '}' {
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

// text reads a string whose opening quote is at pos.
func (p *jsonParser) text() (string, *Error) {
	p.pos++
	start := p.pos
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; {
		case c == '"':
			p.pos++
			return p.src[start : p.pos-1], nil
		case c == '\\':
			return p.escaped(start)
		case c < 0x20:
			return "", p.unexpected("an escaped control character")
		}
		p.pos++
	}
	return "", p.unexpected("closing quote for a string value")
}

// escaped goes on with a string at its first backslash.
func (p *jsonParser) escaped(start int) (string, *Error) {
	b := append(make([]byte, 0, 2*(p.pos-start)+32), p.src[start:p.pos]...)
	for p.pos < len(p.src) {
		c := p.src[p.pos]
		switch {
		case c == '"':
			p.pos++
			return string(b), nil
		case c < 0x20:
			return "", p.unexpected("an escaped control character")
		case c != '\\':
			b = append(b, c)
			p.pos++
		default:
			var err *Error
			if b, err = p.escape(b); err != nil {
				return "", err
			}
		}
	}
	return "", p.unexpected("closing quote for a string value")
}

func (p *jsonParser) escape(b []byte) ([]byte, *Error) {
	p.pos++
	c := p.peek()
	if c == 'u' {
		return p.unicode(b)
	}
	i := strings.IndexByte(`"\/bfnrt`, c)
	if c == 0 || i < 0 {
		return nil, p.unexpected("an escape sequence")
	}
	p.pos++
	return append(b, "\"\\/\b\f\n\r\t"[i]), nil
}

func (p *jsonParser) hex4(at int) (rune, bool) {
	if at+4 > len(p.src) {
		return 0, false
	}
	n, err := strconv.ParseUint(p.src[at:at+4], 16, 32)
	return rune(n), err == nil && p.src[at] != '+' && p.src[at] != '-'
}

func (p *jsonParser) unicode(b []byte) ([]byte, *Error) {
	r, good := p.hex4(p.pos + 1)
	if !good {
		return nil, p.unexpected("a hex digit of a character escape sequence")
	}
	p.pos += 5
	if utf16.IsSurrogate(r) {
		low, good := rune(0), false
		if strings.HasPrefix(p.src[p.pos:], `\u`) {
			low, good = p.hex4(p.pos + 2)
		}
		if pair := utf16.DecodeRune(r, low); good && pair != utf8.RuneError {
			p.pos += 6
			return utf8.AppendRune(b, pair), nil
		}
		r = utf8.RuneError // half a pair has no meaning of its own
	}
	return utf8.AppendRune(b, r), nil
}

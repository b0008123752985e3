package salesforcetest

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

type tokenKind byte

const (
	tokEnd tokenKind = iota
	tokName
	tokString  // text decoded
	tokLiteral // number, date or datetime, as written
	tokSign    // operator or punctuation
)

type token struct {
	kind tokenKind
	text string
	like string // strings: pattern form, where \% and \_ keep their backslash
	pos  int    // byte offset

	likeOnly bool // strings: holds \% or \_, which only LIKE knows
}

// is tells whether the token is a keyword or sign, any case.
func (t token) is(word string) bool {
	return (t.kind == tokName || t.kind == tokSign) && strings.EqualFold(t.text, word)
}

// soqlError draws the caret under the place, as the org does.
func soqlError(src string, pos int, code, message string) *Error {
	line, column := place(src, pos)
	start := pos - (column - 1)
	end := len(src)
	if i := strings.IndexByte(src[start:], '\n'); i >= 0 {
		end = start + i
	}
	from := max(start, pos-60)
	for from > start && !utf8.RuneStart(src[from]) {
		from--
	}
	to := min(end, pos+60)
	for to < end && !utf8.RuneStart(src[to]) {
		to++
	}
	indent := strings.Repeat(" ", utf8.RuneCountInString(src[from:pos]))
	return fail(400, code, fmt.Sprintf("\n%s\n%s^\nERROR at Row:%d:Column:%d\n%s",
		src[from:to], indent, line, column, message))
}

func malformed(src string, pos int, message string) *Error {
	return soqlError(src, pos, "MALFORMED_QUERY", message)
}

func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// lexSOQL splits a statement into tokens; the last is tokEnd.
func lexSOQL(src string) ([]token, *Error) {
	var out []token
	for i := 0; i < len(src); {
		c := src[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case letter(c):
			j := i
			for j < len(src) && (letter(src[j]) || digit(src[j])) {
				j++
			}
			out = append(out, token{kind: tokName, text: src[i:j], pos: i})
			i = j
		case digit(c) || (c == '-' || c == '+' || c == '.') && i+1 < len(src) && (digit(src[i+1]) || src[i+1] == '.'):
			j := i + 1
			for j < len(src) && (letter(src[j]) || digit(src[j]) || strings.IndexByte(".:+-", src[j]) >= 0) {
				j++
			}
			out = append(out, token{kind: tokLiteral, text: src[i:j], pos: i})
			i = j
		case c == '\'':
			t, next, err := lexString(src, i)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
			i = next
		default:
			size := signSize(src[i:])
			if size == 0 {
				r, _ := utf8.DecodeRuneInString(src[i:])
				return nil, malformed(src, i, fmt.Sprintf("unexpected char: '%c'", r))
			}
			out = append(out, token{kind: tokSign, text: src[i : i+size], pos: i})
			i += size
		}
	}
	return append(out, token{kind: tokEnd, text: "<EOF>", pos: len(src)}), nil
}

func signSize(s string) int {
	for _, sign := range [...]string{"!=", "<>", "<=", ">="} {
		if strings.HasPrefix(s, sign) {
			return 2
		}
	}
	if strings.IndexByte("=<>(),.:", s[0]) >= 0 {
		return 1
	}
	return 0
}

// lexString reads a quoted string. Outside the documented escapes a backslash is
// an error. https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
func lexString(src string, start int) (token, int, *Error) {
	t := token{kind: tokString, pos: start}
	var text, like strings.Builder
	for i := start + 1; i < len(src); {
		c := src[i]
		switch {
		case c == '\'':
			t.text, t.like = text.String(), like.String()
			if utf16Len(t.text) > 4000 {
				return t, 0, malformed(src, start, "string literal is longer than 4000 characters")
			}
			return t, i + 1, nil
		case c == '\n' || c == '\r':
			return t, 0, malformed(src, i, "line breaks are not allowed in string literals")
		case c != '\\':
			text.WriteByte(c)
			like.WriteByte(c)
			i++
		default:
			size := lexEscape(src[i:], &text, &like)
			t.likeOnly = t.likeOnly || size > 0 && (src[i+1] == '_' || src[i+1] == '%')
			if size == 0 {
				return t, 0, malformed(src, i, "Illegal character sequence '"+src[i:min(len(src), i+2)]+"' in string literal.")
			}
			i += size
		}
	}
	return t, 0, malformed(src, start, "unexpected end of string literal, closing quote missing")
}

// lexEscape decodes the escape at the start of s and returns its size, 0 when
// there is no such escape.
func lexEscape(s string, text, like *strings.Builder) int {
	if len(s) < 2 {
		return 0
	}
	both := func(c byte) int {
		text.WriteByte(c)
		like.WriteByte(c)
		return 2
	}
	switch s[1] {
	case 'n', 'N':
		return both('\n')
	case 'r', 'R':
		return both('\r')
	case 't', 'T':
		return both('\t')
	case 'b', 'B':
		return both('\b')
	case 'f', 'F':
		return both('\f')
	case '"', '\'':
		return both(s[1])
	case '\\':
		text.WriteByte('\\')
		like.WriteString(`\\`)
		return 2
	case '_', '%':
		text.WriteString(s[:2])
		like.WriteString(s[:2])
		return 2
	case 'u':
		if len(s) < 6 {
			return 0
		}
		n, err := strconv.ParseUint(s[2:6], 16, 16)
		if err != nil {
			return 0
		}
		text.WriteRune(rune(n))
		like.WriteRune(rune(n))
		return 6
	default:
		return 0
	}
}

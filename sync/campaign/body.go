package campaign

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mostParents is how many relationships lead from an object up to a field at most.
// https://developer.salesforce.com/docs/platform/salesforce-soql-sosl/guide/sforce-api-calls-soql-relationships-query-limits.html
const mostParents = 5

// Field is what a merge field names.
type Field struct {
	Object string // API name: "Contact"
	Path   string // from the object: "FirstName", "Account.Owner.Name"
}

// String is the field as it is written: "Contact.FirstName".
func (f Field) String() string { return f.Object + "." + f.Path }

// Key is the same for two spellings of one field: Salesforce compares names
// regardless of case.
func (f Field) Key() string { return strings.ToLower(f.String()) }

// Body is a text with merge fields. It does not change.
type Body struct {
	pieces []piece
	tail   string // behind the last field
	fields []Field
}

// piece is a merge field and the text before it.
type piece struct {
	before   string
	field    int // its index in fields
	fallback string
}

// ParseBody reads a text with merge fields: {!Contact.FirstName},
// {!Contact.Account.Name}, and with a default for those who have no value,
// {!Contact.FirstName|there}. A default is plain text of one line, without }. Text
// that looks like the beginning of a field is written {!! for {!.
//
// An error says at which character of the text the fault is, from 1, and what to
// do. It quotes nothing of the text (P8).
func ParseBody(text string) (*Body, error) {
	b := &Body{}
	known := map[string]int{}
	var plain strings.Builder
	at := 0
	for {
		begin := strings.Index(text[at:], "{!")
		if begin < 0 {
			plain.WriteString(text[at:])
			b.tail = plain.String()
			return b, nil
		}
		plain.WriteString(text[at : at+begin])
		at += begin
		if strings.HasPrefix(text[at:], "{!!") {
			plain.WriteString("{!")
			at += len("{!!")
			continue
		}
		field, fallback, length, err := parseField(text, at)
		if err != nil {
			return nil, err
		}
		index, met := known[field.Key()]
		if !met {
			index = len(b.fields)
			known[field.Key()] = index
			b.fields = append(b.fields, field)
		}
		b.pieces = append(b.pieces, piece{plain.String(), index, fallback})
		plain.Reset()
		at += length
	}
}

// parseField reads the merge field that begins at an offset of text; length is that
// of all of it, in bytes.
func parseField(text string, at int) (f Field, fallback string, length int, err error) {
	inner, _, closed := strings.Cut(text[at+len("{!"):], "}")
	switch {
	case !closed:
		return f, "", 0, misplaced(text, at, "this merge field is not closed: end it with }, or write {!! for a plain {!")
	case strings.Contains(inner, "{!"):
		return f, "", 0, misplaced(text, at, "this merge field is not closed before the next one begins: end it with }; a default is plain text")
	}
	name, fallback, _ := strings.Cut(inner, "|")
	if strings.ContainsAny(fallback, "\r\n") {
		return f, "", 0, misplaced(text, at, "this merge field is not closed in its line: end it with }; a default has no line break")
	}
	f, err = parseName(text, at, name)
	return f, fallback, len("{!") + len(inner) + len("}"), err
}

// parseName reads a merge field's name, which stands behind the {! at an offset.
func parseName(text string, at int, name string) (Field, error) {
	object, path, dotted := strings.Cut(name, ".")
	switch {
	case name == "":
		return Field{}, misplaced(text, at, "this merge field is empty: write an object and a field, as in {!Contact.FirstName}")
	case strings.ContainsFunc(name, unicode.IsSpace):
		blank := strings.IndexFunc(name, unicode.IsSpace)
		return Field{}, misplaced(text, at+len("{!")+blank, "a merge field's name has no blanks: take this one out, or put a | before the default")
	case !dotted:
		return Field{}, misplaced(text, at, "this merge field lacks its object or its field: write both, as in {!Contact.FirstName}")
	}
	begin := at + len("{!")
	steps := strings.Split(name, ".")
	for _, step := range steps {
		if !isName(step) {
			return Field{}, misplaced(text, begin, "this is no API name: one has letters, digits and single underscores (two before a suffix, as in Level__c) and begins with a letter")
		}
		begin += len(step) + len(".")
	}
	if len(steps)-2 > mostParents {
		return Field{}, misplaced(text, at, "this merge field goes over %d relationships, Salesforce follows %d: make a formula field that is nearer", len(steps)-2, mostParents)
	}
	return Field{object, path}, nil
}

// isName says whether s can be the API name of an object, a relationship or a field.
func isName(s string) bool {
	if s == "" || !isLetter(s[0]) || s[len(s)-1] == '_' || strings.Contains(s, "___") {
		return false
	}
	for i := range len(s) {
		if !isLetter(s[i]) && !isDigit(s[i]) && s[i] != '_' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// misplaced is an error about the character at an offset of text.
func misplaced(text string, at int, format string, args ...any) error {
	return fmt.Errorf("character %d: %s", utf8.RuneCountInString(text[:at])+1, fmt.Sprintf(format, args...))
}

// Fields are what the body's merge fields name, in the order of the text, each once
// and as it is first written.
func (b *Body) Fields() []Field { return slices.Clone(b.fields) }

// Fill is the text with a value for each field, which is asked for once and by the
// spelling that Fields has. Of a value the control characters are left out, except
// tabs and line breaks, and the blanks around it; if nothing remains, the default
// stands there. A value is never read for merge fields of its own.
func (b *Body) Fill(values func(Field) string) string {
	filled := make([]string, len(b.fields))
	for i, f := range b.fields {
		filled[i] = tidy(values(f))
	}
	var text strings.Builder
	for _, p := range b.pieces {
		text.WriteString(p.before)
		text.WriteString(cmp.Or(filled[p.field], p.fallback))
	}
	text.WriteString(b.tail)
	return text.String()
}

func tidy(value string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return -1
		}
		return r
	}, value))
}

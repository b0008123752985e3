// Package soql builds SOQL text with correct quoting: the one place where a
// value becomes a part of a query.
//
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
package soql

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Quote makes a string literal. SOQL knows only a few backslash sequences and
// refuses every other, so exactly these are used. Bytes that are no UTF-8 become
// U+FFFD. One literal in a WHERE clause may have up to 4,000 characters.
func Quote(s string) string {
	return quote(s, false)
}

// Contains makes a literal for LIKE that finds s anywhere: its own wildcards
// are escaped. A leading wildcard cannot use an index.
func Contains(s string) string {
	q := quote(s, true)
	return "'%" + q[1:len(q)-1] + "%'"
}

func quote(s string, like bool) string {
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte('\'')
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		switch {
		case r == '\'' || r == '\\' || like && (r == '_' || r == '%'):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case r < ' ' || r == 0x7f:
			const hex = "0123456789ABCDEF"
			b.WriteString(`\u00`)
			b.WriteByte(hex[r>>4])
			b.WriteByte(hex[r&15])
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// DateTime makes a datetime literal in UTC, in whole seconds, which is what
// Salesforce stores. It is written without quotes.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_dateformats.htm
func DateTime(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// Date makes a date literal.
func Date(t time.Time) string {
	return t.UTC().Format(time.DateOnly)
}

// In makes a condition that field holds one of the values. Of no values it makes
// one that no record meets, as an empty list is a syntax error.
func In[S ~string](field string, values []S) string {
	if len(values) == 0 {
		return "Id = null"
	}
	var b strings.Builder
	b.WriteString(field)
	b.WriteString(" IN (")
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(Quote(string(v)))
	}
	b.WriteByte(')')
	return b.String()
}

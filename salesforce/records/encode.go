package records

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// Values are appended to a byte slice: reflection would cost more than all the
// rest of writing a message.

const null = "null"

// datetimeForm is what Salesforce takes for a DateTime; it stores whole seconds.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_valid_date_formats.htm
const datetimeForm = "2006-01-02T15:04:05.000Z"

// appendText appends a normalised JSON string, or null.
func appendText(dst []byte, s string) []byte {
	s, _ = Normalise(s)
	if s == "" {
		return append(dst, null...)
	}
	return appendString(dst, s)
}

// appendString appends a JSON string of valid UTF-8.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if plain[c] {
			continue
		}
		dst = append(dst, s[from:i]...)
		dst = appendEscape(dst, c)
		from = i + 1
	}
	return append(append(dst, s[from:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	default:
		return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
}

// plain are the bytes that stand in a JSON string as they are.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= ' ' && c != '"' && c != '\\' && c != 0x7f || c >= utf8.RuneSelf
	}
	return t
}()

func appendInstant(dst []byte, t time.Time, form string) []byte {
	if t.IsZero() {
		return append(dst, null...)
	}
	dst = append(dst, '"')
	return append(t.UTC().AppendFormat(dst, form), '"')
}

func appendWhole(dst []byte, n int, asText bool) []byte {
	if !asText {
		return strconv.AppendInt(dst, int64(n), 10)
	}
	dst = append(dst, '"')
	return append(strconv.AppendInt(dst, int64(n), 10), '"')
}

// appendDecimal appends a number as it was written, so that no digit is lost on
// the way, or null when it is none.
func appendDecimal(dst []byte, s string) []byte {
	if !plainDecimal(s) {
		return append(dst, null...)
	}
	return append(dst, s...)
}

// plainDecimal is true for what is both a decimal and a JSON number without an
// exponent: "-0.00750".
func plainDecimal(s string) bool {
	if s != "" && s[0] == '-' {
		s = s[1:]
	}
	whole := digits(s)
	if whole == 0 || whole > 1 && s[0] == '0' {
		return false
	}
	if s = s[whole:]; s == "" {
		return true
	}
	return s[0] == '.' && len(s) > 1 && digits(s[1:]) == len(s)-1
}

// digits counts the digits s begins with.
func digits(s string) int {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return i
		}
	}
	return len(s)
}

package records

import (
	"strings"
	"unicode/utf8"
)

// Normalise gives a text as Salesforce stores it, so that what is written and
// what is read back compare equal: blanks and control characters are trimmed at
// both ends, and what cannot be stored becomes U+FFFD: NUL, and bytes that are
// no UTF-8. An empty result is stored as null. nuls counts the NULs.
func Normalise(s string) (out string, nuls int) {
	if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	if strings.IndexByte(s, 0) >= 0 {
		nuls = strings.Count(s, "\x00")
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }), nuls
}

// clipUTF16 shortens s to at most limit UTF-16 code units, which is how
// Salesforce counts, without cutting a character. 0 is no limit.
func clipUTF16(s string, limit int) string {
	if limit <= 0 || len(s) <= limit {
		return s
	}
	units := 0
	for i, r := range s {
		units++
		if r > 0xFFFF {
			units++
		}
		if units > limit {
			return s[:i]
		}
	}
	return s
}

package consent

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// mostGrowth is how much longer in bytes a text may be than what it is folded to.
// Wide letters and letters with marks written apart have three times the bytes.
const mostGrowth = 4

// dotless takes Turkish i's for the i that other keyboards have.
var dotless = strings.NewReplacer("i\u0307", "i", "ı", "i")

// fold makes texts equal that differ in case, in how letters with marks are
// written, or in their width.
// https://www.unicode.org/reports/tr44/#Casemapping
func fold(s string) string {
	return dotless.Replace(norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s))))
}

// foldASCII folds a text that is ASCII onto dst. It gives up, with nothing, on one
// that is longer than longest.
func foldASCII(dst []byte, s string, longest int) (folded []byte, ascii bool) {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return nil, false
		}
	}
	if len(s) > longest {
		return nil, true
	}
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst, true
}

// isBlank is true for what nobody sees.
func isBlank(r rune) bool {
	if r < utf8.RuneSelf {
		return r <= ' ' || r == 0x7f
	}
	return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf)
}

func blanksOff(s string) string { return strings.TrimFunc(s, isBlank) }

func hasBlank(s string) bool { return strings.ContainsFunc(s, isBlank) }

// marks are what people put around a word and do not mean.
const marks = `"'“”„‘’«»` + ".!,;…。！"

// bare is a text without the marks around it.
func bare(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return isBlank(r) || strings.ContainsRune(marks, r) })
}

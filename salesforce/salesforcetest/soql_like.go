package salesforcetest

import "unicode/utf8"

// likePattern is a LIKE pattern: texts of fixed runes, "any one" and "any many".
type likePattern []likePart

type likePart struct {
	r         rune
	one, many bool
}

// compileLike reads a pattern in which \% and \_ stand for themselves.
func compileLike(p string) likePattern {
	var out likePattern
	for i := 0; i < len(p); {
		r, size := utf8.DecodeRuneInString(p[i:])
		i += size
		switch {
		case r == '\\' && i < len(p):
			r, size = utf8.DecodeRuneInString(p[i:])
			i += size
			out = append(out, likePart{r: r})
		case r == '%':
			out = append(out, likePart{many: true})
		case r == '_':
			out = append(out, likePart{one: true})
		default:
			out = append(out, likePart{r: r})
		}
	}
	return out
}

// match is the classic two-pointer walk: on a mismatch it goes back to the last
// % and lets that take one rune more.
func (p likePattern) match(s string) bool {
	at, star, mark := 0, -1, 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case at < len(p) && p[at].many:
			star, mark = at, i
			at++
		case at < len(p) && (p[at].one || p[at].r == r):
			at++
			i += size
		case star >= 0:
			_, skip := utf8.DecodeRuneInString(s[mark:])
			mark += skip
			i, at = mark, star+1
		default:
			return false
		}
	}
	for at < len(p) && p[at].many {
		at++
	}
	return at == len(p)
}

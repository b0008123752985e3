package config

import (
	"regexp"
	"strings"
)

// nearest is the candidate that name was most likely meant to be, "" when none
// is close. Case, hyphens and underscores do not count, so that fullEvery and
// full-every find full_every.
func nearest(name string, candidates []string) string {
	plain := fold(name)
	best, bestAt := "", allowance(plain)+1
	for _, c := range candidates {
		if d := distance(plain, fold(c)); d < bestAt {
			best, bestAt = c, d
		}
	}
	return best
}

// allowance is how many slips a name of that length may have: short names are
// otherwise near to everything.
func allowance(name string) int {
	switch n := len(name); {
	case n <= 3:
		return 1
	case n <= 9:
		return 2
	default:
		return 3
	}
}

var separators = strings.NewReplacer("-", "", "_", "", " ", "")

func fold(name string) string {
	if len(name) > 64 { // nothing of ours is that long, and distance is quadratic
		name = name[:64]
	}
	return separators.Replace(strings.ToLower(name))
}

// distance is the Damerau-Levenshtein distance in its restricted form: one
// insertion, deletion, substitution or swap of neighbours costs one.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

var (
	tameValue  = regexp.MustCompile(`^[A-Za-z0-9_.:+-]{1,16}$`)
	tameKey    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,47}$`)
	manyDigits = regexp.MustCompile(`\d{7}`)
	digit      = regexp.MustCompile(`\d`)
)

// quote shows a value of a key that holds no secret. What is long or looks like
// a token or a phone number, pasted into the wrong line, is not repeated.
func quote(value string) string {
	if !tameValue.MatchString(value) || manyDigits.MatchString(value) {
		return "the value"
	}
	return `"` + value + `"`
}

// quoteKey shows a key that nobody knows, unless it could be a secret that slid
// into a key's place: names have few digits.
func quoteKey(name string) string {
	if !tameKey.MatchString(name) || len(digit.FindAllString(name, 5)) > 4 {
		return "?"
	}
	return name
}

package salesforce

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// cut stands where something was cut out of a vendor's text.
	cut = "[...]"
	// shortest is the length from which a value is cut out: shorter ones are
	// words that say nothing about anybody.
	shortest = 4
	// window is the length from which a part of a value is recognised.
	window = 8
	// longestText is how much of a vendor's text an error keeps.
	longestText = 300
	// scannedText is how much of it is looked at.
	scannedText = 1000
)

var (
	phoneLike = regexp.MustCompile(`\+?\b\d{7,15}\b`)
	// These texts echo the whole value: "Label: data value too large: VALUE
	// (max length=25)", "Label: bad value for restricted picklist field: VALUE".
	tooLarge = regexp.MustCompile(`(?s)(data value too large): .*?( \(max length=\d+\))?\s*$`)
	badValue = regexp.MustCompile(`(?s)(bad value for restricted picklist field): .*$`)
	spaces   = regexp.MustCompile(`[\s\p{Cc}]+`)
)

// scrub makes a vendor's text fit to be shown: what the code is known to echo,
// every value given, parts of long ones and everything like a phone number are
// cut out of it. Record ids stay.
func scrub(e vendorError, values []string) string {
	text := e.Message
	if i := strings.LastIndex(text, "ERROR at Row:"); i >= 0 {
		text = text[i:] // what comes before echoes the query
	}
	switch e.Code {
	case "STRING_TOO_LONG":
		text = tooLarge.ReplaceAllString(text, "$1$2")
	case "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST":
		text = badValue.ReplaceAllString(text, "$1")
	}
	if len(text) > scannedText {
		// The end may be the beginning of a value that is cut off here.
		text = clip(text, scannedText)
		values = append(values, text[len(text)-window:])
	}
	return Scrub(text, values)
}

// Scrub cuts values of at least four bytes out of a text, and of long ones every
// part of eight bytes or more, masks what looks like a phone number, and makes
// it one line of at most 300 bytes.
func Scrub(text string, values []string) string {
	marks := make([]bool, len(text))
	for _, v := range values {
		if len(v) < shortest {
			continue
		}
		for at := 0; ; {
			i := strings.Index(text[at:], v)
			if i < 0 {
				break
			}
			mark(marks, at+i, len(v))
			at += i + len(v)
		}
		for i := 0; len(v) > window && i+window <= len(text); i++ {
			if strings.Contains(v, text[i:i+window]) {
				mark(marks, i, window)
			}
		}
	}
	text = phoneLike.ReplaceAllString(withoutMarked(text, marks), cut)
	return clip(strings.ToValidUTF8(strings.TrimSpace(spaces.ReplaceAllString(text, " ")), "\uFFFD"), longestText)
}

func mark(marks []bool, from, n int) {
	for i := from; i < from+n; i++ {
		marks[i] = true
	}
}

func withoutMarked(text string, marks []bool) string {
	var b strings.Builder
	for i := range len(text) {
		switch {
		case !marks[i]:
			b.WriteByte(text[i])
		case i == 0 || !marks[i-1]:
			b.WriteString(cut)
		}
	}
	return b.String()
}

// clip shortens a text to at most n bytes of whole characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// valuesIn gathers what a request says that its answer might echo.
func valuesIn(r *request) []string {
	values := stringsIn(r.body, nil)
	if u, err := url.Parse(r.path); err == nil {
		for _, vs := range u.Query() {
			for _, v := range vs {
				values = append(values, literals(v)...)
			}
		}
	}
	// A batch says the same things over and over.
	slices.Sort(values)
	return slices.Compact(values)
}

// stringsIn gathers the string values of a JSON text, but for a record's
// attributes, which are the names of objects. SOQL inside a composite call gives
// its literals.
func stringsIn(body []byte, values []string) []string {
	var v any
	if len(body) == 0 || json.Unmarshal(body, &v) != nil {
		return values
	}
	return gather(v, values)
}

func gather(v any, values []string) []string {
	switch v := v.(type) {
	case string:
		if _, soql, ok := strings.Cut(v, "/query?q="); ok {
			if plain, err := url.QueryUnescape(soql); err == nil {
				return append(values, literals(plain)...)
			}
		}
		return append(values, v)
	case []any:
		for _, e := range v {
			values = gather(e, values)
		}
	case map[string]any:
		for k, e := range v {
			soql, isText := e.(string)
			switch {
			case k == "query" && isText: // of a bulk job
				values = append(values, literals(soql)...)
			case k != "attributes":
				values = gather(e, values)
			}
		}
	}
	return values
}

// literals are the string literals of an SOQL text, as written; a backslash
// hides the character after it.
func literals(soql string) []string {
	var found []string
	start := -1
	for i := 0; i < len(soql); i++ {
		switch {
		case soql[i] == '\\':
			i++
		case soql[i] == '\'' && start < 0:
			start = i + 1
		case soql[i] == '\'':
			found = append(found, soql[start:i])
			start = -1
		}
	}
	return found
}

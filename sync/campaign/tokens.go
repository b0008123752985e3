package campaign

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// token is a part of a query that cannot be taken apart.
type token struct {
	text  string
	at    int  // its offset in the query
	apart bool // blanks stand before it
	word  bool // a name, a keyword, a number or a date; else a string or a sign
}

// is says whether a token is a keyword, which may be written in any case.
func (t token) is(keyword string) bool { return t.word && strings.EqualFold(t.text, keyword) }

// tokenize takes a query apart, so that nothing within quotes is taken for a word of
// its own.
func tokenize(text string) ([]token, error) {
	var all []token
	apart := false
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRuneInString(text[at:])
		if unicode.IsSpace(r) {
			apart = true
			at += size
			continue
		}
		var err error
		length := 1
		switch {
		case r == '\'':
			length, err = quoted(text, at)
		case beginsWord(text[at]):
			length, err = wordLength(text, at)
		case !strings.ContainsRune("=<>!(),", r):
			err = misplaced(text, at, "%s", strange(r))
		}
		if err != nil {
			return nil, err
		}
		all = append(all, token{text[at : at+length], at, apart, beginsWord(text[at])})
		apart = false
		at += length
	}
	return all, nil
}

func beginsWord(c byte) bool {
	return isLetter(c) || isDigit(c) || strings.IndexByte("_.+-", c) >= 0
}

// wordLength is that of the word at an offset: "Account.Name", "-1.5", "USD5000",
// "LAST_N_DAYS:30", "2026-01-31T08:00:00+01:00".
func wordLength(text string, at int) (int, error) {
	end := at
	for end < len(text) && (beginsWord(text[end]) || text[end] == ':' && end > at) {
		if strings.HasPrefix(text[end:], "--") {
			return 0, misplaced(text, end, "%s", noComments)
		}
		end++
	}
	return end - at, nil
}

// quoted is the length of the string literal at an offset.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
func quoted(text string, at int) (int, error) {
	for i := at + 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\'':
			return i + 1 - at, nil
		case c == '\\':
			length := escapeLength(text[i:])
			if length == 0 {
				return 0, misplaced(text, i, `SOQL has no such escape: write \\ for a backslash and \' for a quote`)
			}
			i += length - 1
		case c < ' ' && c != '\n' && c != '\r' && c != '\t':
			return 0, misplaced(text, i, "a control character stands in the text: take it out")
		}
	}
	return 0, misplaced(text, at, `the text that begins here is not closed: end it with ', and write \' for a quote within`)
}

// escapeLength is the length of the escape that s begins with, 0 when it is none.
func escapeLength(s string) int {
	switch {
	case len(s) < 2:
		return 0
	case strings.IndexByte(`nNrRtTbBfF"'\_%`, s[1]) >= 0:
		return 2
	case s[1] != 'u' || len(s) < 6:
		return 0
	}
	for i := 2; i < 6; i++ {
		if c := s[i] | 0x20; !isDigit(s[i]) && (c < 'a' || c > 'f') {
			return 0
		}
	}
	return 6
}

const noComments = "SOQL has no comments: take this one out"

// strange says what to do about a character that SOQL does not have.
func strange(r rune) string {
	switch r {
	case ';':
		return "a query is one statement, without a semicolon: take it out, and what follows it"
	case '"', '`', '\u2018', '\u2019', '\u201A', '\u201C', '\u201D', '\u201E':
		return "text stands in straight single quotes: write '"
	case '/':
		return noComments
	case ':':
		return "variables are Apex's: write the value itself"
	case '[', ']':
		return "brackets are Apex's: write the query without them"
	case '{', '}':
		return "a query has no merge fields: write the value itself"
	case '*':
		return "SOQL has no *: write the fields' names; Id will do"
	default:
		return "SOQL has no such character outside of quotes: take it out"
	}
}

// render writes tokens as they were written, with one blank where there were any.
func render(tokens []token) string {
	var b strings.Builder
	for i, t := range tokens {
		if i > 0 && t.apart {
			b.WriteByte(' ')
		}
		b.WriteString(t.text)
	}
	return b.String()
}

package soql_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/soql"
)

func TestQuoteEscapesExactlyWhatSOQLKnows(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", `''`},
		{"+14155550100", `'+14155550100'`},
		{"O'Reilly", `'O\'Reilly'`},
		{`C:\n`, `'C:\\n'`},
		{`\'`, `'\\\''`},
		{"a\nb\rc\td\be\ff", `'a\nb\rc\td\be\ff'`},
		{"nul\x00 bell\x07 del\x7f", `'nul\u0000 bell\u0007 del\u007F'`},
		{`say "hi"`, `'say "hi"'`},
		{"50%_", `'50%_'`},
		{"שלום 🎉\u2028", "'שלום 🎉\u2028'"},
		{"\xff!", "'\uFFFD!'"},
	} {
		require.Equal(t, c.want, soql.Quote(c.in))
	}
}

func TestContainsTakesWildcardsLiterally(t *testing.T) {
	require.Equal(t, `'%50\%\_\'\\%'`, soql.Contains(`50%_'\`))
}

func TestListsAndTimes(t *testing.T) {
	require.Equal(t, `F__c IN ('a','b\'c')`, soql.In("F__c", []string{"a", "b'c"}))
	require.Equal(t, `Id = null`, soql.In[string]("F__c", nil), "an empty list meets no record and is no syntax error")
	at := time.Date(2024, 9, 10, 1, 2, 3, 999, time.FixedZone("", 2*3600))
	require.Equal(t, "2024-09-09T23:02:03Z", soql.DateTime(at))
	require.Equal(t, "2024-09-09", soql.Date(at))
}

func TestBuild(t *testing.T) {
	text, err := soql.Query{
		Fields: []string{"Id", "Owner.Name"}, From: "TwilioSF_Message__c",
		Where:   []string{"A__c = 1 OR B__c = 2", "C__c = " + soql.Quote("x")},
		OrderBy: []string{"SystemModstamp", "Id DESC"}, Limit: 10,
	}.Build()
	require.NoError(t, err)
	require.Equal(t, "SELECT Id, Owner.Name FROM TwilioSF_Message__c WHERE (A__c = 1 OR B__c = 2) AND (C__c = 'x') ORDER BY SystemModstamp, Id DESC LIMIT 10", text)
}

func TestBuildRefusesNamesThatAreNoNames(t *testing.T) {
	good := soql.Query{Fields: []string{"Id"}, From: "Contact"}
	for what, q := range map[string]soql.Query{
		"no fields":         {From: "Contact"},
		"no object":         {Fields: []string{"Id"}},
		"a clause in FROM":  {Fields: []string{"Id"}, From: "Contact WHERE Id != null"},
		"a field of quotes": {Fields: []string{"Id'"}, From: "Contact"},
		"an ordering":       {Fields: []string{"Id"}, From: "Contact", OrderBy: []string{"Id LIMIT 1"}},
		"too long":          {Fields: good.Fields, From: good.From, Where: []string{"Name = " + soql.Quote(strings.Repeat("x", 100_000))}},
	} {
		_, err := q.Build()
		require.Error(t, err, what)
	}
	_, err := good.Build()
	require.NoError(t, err)
}

func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", `'`, `\`, "\x00\x1f\x7f", "%_", "a\u2028b", "\xff", `\\'\'`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		back, ok := unquote(soql.Quote(s))
		require.True(t, ok, "not a literal")
		require.Equal(t, valid(s), back)
	})
}

// valid replaces each byte that is no UTF-8 as ranging over a string does.
func valid(s string) string {
	return string([]rune(s))
}

// unquote reads a literal by the documented rules and refuses anything else.
func unquote(lit string) (string, bool) {
	if len(lit) < 2 || lit[0] != '\'' || lit[len(lit)-1] != '\'' {
		return "", false
	}
	escapes := map[byte]string{
		'n': "\n", 'r': "\r", 't': "\t", 'b': "\b", 'f': "\f", '"': `"`, '\'': `'`, '\\': `\`,
	}
	var out strings.Builder
	for body := lit[1 : len(lit)-1]; body != ""; {
		switch c := body[0]; {
		case c == '\'' || c < ' ':
			return "", false
		case c != '\\':
			out.WriteByte(c)
			body = body[1:]
		case len(body) > 1 && body[1] == 'u':
			if len(body) < 6 {
				return "", false
			}
			n, err := strconv.ParseUint(body[2:6], 16, 16)
			if err != nil {
				return "", false
			}
			out.WriteRune(rune(n))
			body = body[6:]
		case len(body) > 1 && escapes[body[1]] != "":
			out.WriteString(escapes[body[1]])
			body = body[2:]
		default:
			return "", false
		}
	}
	return out.String(), true
}

package salesforcetest

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKnownIDsHaveTheirSuffix(t *testing.T) {
	for id, want := range map[string]string{
		"001D000000IqhSL": "IAZ", // Salesforce's own example
		"a00000000000000": "AAA", "ZZZZZZZZZZZZZZZ": "555",
	} {
		got := idSuffix(id)
		require.Equal(t, want, string(got[:]), id)
	}
	for _, seq := range []uint32{1, 61, 62, 1 << 20, math.MaxUint32} {
		id := formatID("a0Z", seq)
		require.Len(t, id, 18)
		for _, form := range []string{id, id[:15]} {
			prefix, back, good := parseID(form)
			require.True(t, good)
			require.Equal(t, "a0Z", prefix)
			require.Equal(t, seq, back)
		}
	}
	_, _, good := parseID("a0ZHn0000000001aaa")
	require.False(t, good)
}

func TestNumbersAreWrittenAsJavaDoes(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0.0", 3: "3.0", -0.0075: "-0.0075", 0.00079: "7.9E-4", 1234567: "1234567.0", 12345678: "1.2345678E7", 1e10: "1.0E10", -2.5: "-2.5",
	} {
		require.Equal(t, want, string(appendDouble(nil, x)))
	}
}

func TestABlobKeepsEveryKindOfValue(t *testing.T) {
	vals := []value{{}, textValue("a\x00é"), numberValue(-0.5), boolValue(true), timeValue(-1), {k: kDate, n: 20000}, {k: kRef, n: 3<<32 | 7}, textValue(strings.Repeat("x", 40000))}
	blob := string(pack(nil, vals))
	back := make([]value, len(vals))
	unpack(blob, back)
	require.Equal(t, vals, back)
	for i, v := range vals {
		require.Equal(t, v, (&row{blob: blob}).get(i))
	}
}

func TestTheLogOfWritesStaysSmallAndTrue(t *testing.T) {
	s := NewServer(Options{})
	contact := s.schema.object("Contact")
	tb := s.table(contact)
	for i := range 10 {
		_, err := s.Insert("Contact", map[string]any{"LastName": fmt.Sprint(i)})
		require.NoError(t, err)
	}
	for i := range 20_000 {
		require.NoError(t, s.Update("Contact", formatID("003", uint32(i%10+1)), map[string]any{"Title": fmt.Sprint(i)}))
	}
	require.Less(t, len(tb.log), 3000)
	seen := map[uint32]bool{}
	for seq := range tb.since(0) {
		require.False(t, seen[seq], "each row once")
		seen[seq] = true
	}
	require.Len(t, seen, 10)
}

func TestLike(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"%", "", true}, {"a%", "abc", true}, {"%c", "abc", true}, {"%b%", "abc", true}, {"a_c", "aöc", true}, {"a_c", "ac", false},
		{`100\%`, "100%", true}, {`100\%`, "1000", false}, {"%aab", "aaaab", true}, {"a%b%c", "axxbyyc", true}, {"a%b%c", "axxbyy", false}, {"", "", true}, {"", "a", false},
	} {
		require.Equal(t, c.want, compileLike(c.pattern).match(c.text), "%s ~ %s", c.text, c.pattern)
	}
}

// FuzzSOQL: no statement makes the parser or the compiler panic, what it refuses
// has a code and a place, and what it accepts runs.
func FuzzSOQL(f *testing.F) {
	for _, seed := range []string{
		`SELECT Id FROM Contact`, `select count() from Account where Name like 'a\_%' and (NumberOfEmployees > -5 or not Name in ('x','y'))`,
		`SELECT Owner.Name, FIELDS(ALL) FROM Case WHERE CreatedDate = LAST_N_DAYS:3 ORDER BY Id DESC NULLS LAST LIMIT 5 OFFSET 2`,
		`SELECT Id FROM Lead WHERE LastName = '\u00e9\n'`, "SELECT\nId FROM Contact WHERE Id = '003Hn0000000001IAA'", `SELECT Id FROM Contact WHERE Birthdate > 2024-01-01`,
	} {
		f.Add(seed)
	}
	s := NewServer(Options{})
	if _, err := s.Insert("Contact", map[string]any{"LastName": "x"}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, soql string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		p, err := s.compile(soql, false)
		if err != nil {
			require.NotEmpty(t, err.Code)
			require.Equal(t, 400, err.status)
			require.True(t, json.Valid(errorReply(true, err).body) || !json.Valid(appendString(nil, soql)))
			return
		}
		s.run(p)
	})
}

// FuzzJSON: the parser accepts what encoding/json accepts, except for what it is
// meant to refuse, and reads the same texts.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e3,true,null,"x\u00e9\ud83d\udc4b\n"]}`, `{"a":1,"a":2}`, `[01]`, `"\ud83d"`, `{"a":"` + "\x01" + `"}`, ` [ ] `, `{`, `1 2`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parseJSON(text)
		if !json.Valid([]byte(text)) {
			require.NotNil(t, err)
			return
		}
		if err != nil {
			for _, meant := range []string{"Duplicate field", "Invalid UTF-8", "nested too deeply"} {
				if strings.Contains(err.Message, meant) {
					return
				}
			}
			t.Fatalf("refused %q: %s", text, err.Message)
		}
		var want any
		require.NoError(t, json.Unmarshal([]byte(text), &want))
		if s, isText := want.(string); isText {
			require.Equal(t, s, n.text)
		}
	})
}

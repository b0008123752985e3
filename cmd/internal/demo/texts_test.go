package demo

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPeopleSayManyThingsInManyLanguages(t *testing.T) {
	said, languages := map[string]bool{}, map[string]bool{}
	for _, c := range Conversations() {
		languages[c.Language] = true
		require.NotEmpty(t, c.Place, c.Language)
		for _, l := range c.Lines {
			require.False(t, said[l.Text] && len(l.Text) > 30, "said twice: %s", l.Text)
			said[l.Text] = true
		}
	}
	require.GreaterOrEqual(t, len(said), 320)
	require.GreaterOrEqual(t, len(languages), 25)
}

func TestTheTextsTryWhatTextsCanBe(t *testing.T) {
	var all []string
	scripts := map[string]bool{}
	for _, c := range Conversations() {
		for _, l := range c.Lines {
			all = append(all, l.Text)
			for _, r := range l.Text {
				for name, table := range unicode.Scripts {
					if unicode.Is(table, r) {
						scripts[name] = true
					}
				}
			}
		}
	}
	some := func(what string, is func(string) bool) {
		t.Helper()
		require.True(t, slices.ContainsFunc(all, is), "no text with %s", what)
	}
	has := func(chars string) func(string) bool {
		return func(s string) bool { return strings.ContainsAny(s, chars) }
	}
	some("several segments of GSM-7", func(s string) bool {
		return twiliotest.Segments(s) > 1 && !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
	})
	some("several segments of UCS-2", func(s string) bool {
		return twiliotest.Segments(s) > 1 && strings.ContainsFunc(s, func(r rune) bool { return r > 0x3000 })
	})
	for _, extension := range `€[]{}~|^\` {
		some("the GSM-7 extension "+string(extension), has(string(extension)))
	}
	some("a line break", has("\n"))
	some("a joined emoji", has("\u200d"))
	some("a combining mark", func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Mn, r) })
	})
	some("a direction mark", has("\u200f"))
	some("nothing but emoji", func(s string) bool {
		return !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
	})
	for _, script := range []string{"Latin", "Cyrillic", "Greek", "Arabic", "Hebrew", "Han", "Hiragana", "Hangul", "Devanagari", "Thai", "Armenian", "Georgian", "Ethiopic", "Tamil"} {
		require.True(t, scripts[script], script)
	}
}

func TestNoTextHoldsWhatTwilioWouldNotSendOrAPhoneNumber(t *testing.T) {
	number := regexp.MustCompile(`\+?[0-9][0-9 ().-]{6,}[0-9]`)
	for _, c := range Conversations() {
		for _, l := range c.Lines {
			require.True(t, utf8.ValidString(l.Text))
			require.NotEmpty(t, strings.TrimSpace(l.Text))
			require.LessOrEqual(t, len(l.Text), 1600)
			require.NotRegexp(t, number, l.Text)
		}
	}
}

func TestASlipInATextFileIsNamed(t *testing.T) {
	for name, line := range map[string]string{"no mark": "Hello", "a wrong escape": `> back\slash`, "a wrong mark": "? what"} {
		t.Run(name, func(t *testing.T) {
			p := &parser{}
			require.Error(t, p.line(line))
		})
	}
	p := &parser{}
	for _, line := range []string{"@ en shop", "> One\\ntwo", "< Three", "", "", "< Four"} {
		require.NoError(t, p.line(line))
	}
	p.end()
	require.Equal(t, []Conversation{
		{Language: "en", Place: "shop", Lines: []Line{{true, "One\ntwo"}, {false, "Three"}}},
		{Language: "en", Place: "shop", Lines: []Line{{false, "Four"}}},
	}, p.done)
}

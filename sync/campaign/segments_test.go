package campaign_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
)

const (
	family = "👨‍👩‍👧‍👦" // seven characters, eleven units, seen as one
	flag   = "🇩🇪"      // two characters, four units
	thumb  = "👍🏽"      // two characters, four units
)

// The counts are those of Twilio's calculator, sms-segments-calculator 1.3.0.
func TestATextIsCountedAsTwilioBillsIt(t *testing.T) {
	times := strings.Repeat
	for _, c := range []struct {
		name, text string
		encoding   campaign.Encoding
		want       int
	}{
		{"nothing", "", campaign.GSM7, 1},
		{"153 letters", times("a", 153), campaign.GSM7, 1},
		{"154 letters", times("a", 154), campaign.GSM7, 1},
		{"160 letters", times("a", 160), campaign.GSM7, 1},
		{"161 letters", times("a", 161), campaign.GSM7, 2},
		{"306 letters", times("a", 306), campaign.GSM7, 2},
		{"307 letters", times("a", 307), campaign.GSM7, 3},
		{"1,600 letters", times("a", 1600), campaign.GSM7, 11},
		{"a line break is a letter", times("a", 159) + "\n", campaign.GSM7, 1},
		{"and one of Windows' two", times("a", 159) + "\r\n", campaign.GSM7, 2},
		{"letters of the basic set", times("éÇ", 80), campaign.GSM7, 1},
		{"its Greek capitals", times("Ω", 160), campaign.GSM7, 1},

		{"80 euros", times("€", 80), campaign.GSM7, 1},
		{"81 euros", times("€", 81), campaign.GSM7, 2},
		{"153 euros, which no segment ends in", times("€", 153), campaign.GSM7, 3},
		{"80 braces", times("{", 80), campaign.GSM7, 1},
		{"every character of two septets", times("^{}[]~|\\€\f", 8), campaign.GSM7, 1},
		{"and one more septet", times("^{}[]~|\\€\f", 8) + "a", campaign.GSM7, 2},
		{"a euro that ends a segment", times("a", 151) + "€" + times("a", 153), campaign.GSM7, 2},
		{"a euro that would lie across its end", times("a", 152) + "€" + times("a", 152), campaign.GSM7, 3},
		{"which leaves a septet free", times("a", 152) + "€" + times("a", 151), campaign.GSM7, 2},

		{"a small cedilla", "ç", campaign.UCS2, 1},
		{"a small omega", "ω", campaign.UCS2, 1},
		{"a tab", "\t", campaign.UCS2, 1},
		{"a backtick", "`", campaign.UCS2, 1},
		{"a blank that does not break", "\u00a0", campaign.UCS2, 1},
		{"an escape", "\x1b", campaign.UCS2, 1},
		{"70 letters", times("я", 70), campaign.UCS2, 1},
		{"71 letters", times("я", 71), campaign.UCS2, 2},
		{"134 letters", times("я", 134), campaign.UCS2, 2},
		{"135 letters", times("я", 135), campaign.UCS2, 3},
		{"1,600 Cyrillic letters", times("я", 1600), campaign.UCS2, 24},
		{"braces are one unit here", times("{", 69) + "я", campaign.UCS2, 1},
		{"a line break of Windows may be parted", times("я", 66) + "\r\n" + times("я", 66), campaign.UCS2, 2},

		{"35 emoji", times("😀", 35), campaign.UCS2, 1},
		{"36 emoji", times("😀", 36), campaign.UCS2, 2},
		{"66 emoji", times("😀", 66), campaign.UCS2, 2},
		{"67 emoji, which no segment ends in", times("😀", 67), campaign.UCS2, 3},
		{"800 emoji", times("😀", 800), campaign.UCS2, 25},
		{"6 families", times(family, 6), campaign.UCS2, 1},
		{"7 families", times(family, 7), campaign.UCS2, 2},
		{"12 families", times(family, 12), campaign.UCS2, 2},
		{"13 families", times(family, 13), campaign.UCS2, 3},
		{"32 flags", times(flag, 32), campaign.UCS2, 2},
		{"33 flags, which no segment ends in", times(flag, 33), campaign.UCS2, 3},
		{"a skin's tone stays with its thumb", times("b", 66) + thumb + times("b", 66), campaign.UCS2, 3},
		{"the letters of an Indic conjunct may be parted", "яя" + times("क्ष", 44), campaign.UCS2, 2},
		{"those of a Korean syllable may not", "яя" + times("\u1112\u1161\u11ab", 44), campaign.UCS2, 3},
		{"66 letters with an accent", times("e\u0301", 66), campaign.UCS2, 2},
		{"67 letters with an accent", times("e\u0301", 67), campaign.UCS2, 3},
	} {
		n, encoding := campaign.Segments(c.text)
		require.Equal(t, c.encoding, encoding, c.name)
		require.Equal(t, c.want, n, c.name)
	}
	require.Equal(t, "GSM-7", campaign.GSM7.String())
	require.Equal(t, "UCS-2", campaign.UCS2.String())
}

func TestALetterUnderTooManyAccentsIsParted(t *testing.T) {
	n, encoding := campaign.Segments("e" + strings.Repeat("\u0301", 133))
	require.Equal(t, campaign.UCS2, encoding)
	require.Equal(t, 2, n)
}

func TestSmartEncodingWritesWhatGSMHas(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "",
		"plain":                         "plain",
		"“Hi” – it’s 50… €":             `"Hi" - it's 50... €`,
		"a\u00a0b":                      "a  b",
		"a\tb":                          "a       b",
		"1\u200b2\ufeff3":               "123",
		"½ ＡＺ０９":                        "1/2 AZ09",
		"`‹x›`":                         "'<x>'",
		"ç is left as it is, so is 😀 –": "ç is left as it is, so is 😀 -",
		"\xff":                          "\xff",
	} {
		require.Equal(t, want, campaign.SmartEncode(text), "%q", text)
	}
	before, _ := campaign.Segments(strings.Repeat("a", 150) + "…")
	after, encoding := campaign.Segments(campaign.SmartEncode(strings.Repeat("a", 150) + "…"))
	require.Equal(t, 3, before)
	require.Equal(t, 1, after)
	require.Equal(t, campaign.GSM7, encoding)
}

func FuzzSegments(f *testing.F) {
	for _, seed := range []string{"", "a", "€", "я", family, "\r\n", "e\u0301", "\xff\xfe", "“”"} {
		f.Add(seed, uint8(200))
	}
	f.Fuzz(func(t *testing.T, text string, times uint8) {
		text = strings.Repeat(text, int(times))
		if len(text) > 2_000 {
			t.Skip("no message is as long")
		}
		n, encoding := campaign.Segments(text)
		longer, same := campaign.Segments(text + "a")
		require.Equal(t, encoding, same, "a letter of both changes no encoding")
		require.GreaterOrEqual(t, longer, n)
		require.LessOrEqual(t, longer, n+1)
		least, most := utf8.RuneCountInString(text)/160, 1+2*utf8.RuneCountInString(text)/(153-1)
		if encoding == campaign.UCS2 {
			least, most = utf8.RuneCountInString(text)/70, 1+2*utf8.RuneCountInString(text)/34 // half a segment, if none can be parted
		}
		require.GreaterOrEqual(t, n, max(1, least))
		require.LessOrEqual(t, n, most)
		smart := campaign.SmartEncode(text)
		require.Equal(t, smart, campaign.SmartEncode(smart), "once is enough")
	})
}

package twiliotest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// The figures are those of Twilio's own calculator:
// https://github.com/TwilioDevEd/message-segment-calculator
func TestSegments(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       int
	}{
		{"nothing", "", 1},
		{"one full GSM-7 message", strings.Repeat("a", 160), 1},
		{"one more", strings.Repeat("a", 161), 2},
		{"two full parts", strings.Repeat("a", 306), 2},
		{"a third part", strings.Repeat("a", 307), 3},
		{"the longest", strings.Repeat("a", 1600), 11},
		{"two septets each, full", strings.Repeat("€", 80), 1},
		{"two septets each, one more", strings.Repeat("€", 81), 2},
		{"an escape is never split", strings.Repeat("€", 153), 3},
		{"braces cost two", strings.Repeat("{", 81), 2},
		{"letters of GSM-7", strings.Repeat("éÇñΩ", 40), 1},
		{"line breaks are GSM-7", strings.Repeat("\r\n", 80), 1},
		{"c cedilla is not", strings.Repeat("ç", 71), 2},
		{"nor is e circumflex", strings.Repeat("a", 70) + "ê", 2},
		{"nor the grave accent", strings.Repeat("`", 71), 2},
		{"nor a tab", strings.Repeat("a", 70) + "\t", 2},
		{"nor a no-break space", strings.Repeat("a", 70) + "\u00A0", 2},
		{"nor a curly quote", strings.Repeat("a", 70) + "’", 2},
		{"nor an ellipsis", strings.Repeat("a", 70) + "…", 2},
		{"nor a dash", strings.Repeat("a", 70) + "–", 2},
		{"one full UCS-2 message", strings.Repeat("я", 70), 1},
		{"two full UCS-2 parts", strings.Repeat("я", 134), 2},
		{"a third UCS-2 part", strings.Repeat("я", 135), 3},
		{"35 emoji", strings.Repeat("😀", 35), 1},
		{"36 emoji", strings.Repeat("😀", 36), 2},
		{"66 emoji", strings.Repeat("😀", 66), 2},
		{"a surrogate pair is never split", strings.Repeat("😀", 67), 3},
		{"800 emoji", strings.Repeat("😀", 800), 25},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, twiliotest.Segments(c.body)) })
	}
}

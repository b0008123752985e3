package phone_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
)

func TestMaskShowsCountryAreaAndEndOnly(t *testing.T) {
	for _, c := range []struct{ in, want message.Number }{
		{"", ""},
		{"+14155550100", "+1415•••0100"},
		{"whatsapp:+14155550100", "whatsapp:+1415•••0100"},
		{"rcs:+14155550100", "rcs:+1415•••0100"},
		{"+447700900123", "+4477•••0123"},
		{"+4930901820", "+493•••1820"},
		{"+33612345678", "+3361•••5678"},
		{"+85251234567", "+8525•••4567"},
		{"+35312345678", "+3531•••5678"},
		{"+79123456789", "+791•••6789"},
		{"+37112345678", "+3711•••5678"},
		{"+123456789", "•••789"},
		{"+29012345", "•••45"},
		{"+1234567", "•••67"},
		{"4155550100", "•••0100"},
		{"5550100", "•••00"},
		{"72345", "•••45"},
		{"911", "•••11"},
		{"12", "•••"},
		{"+", "•••"},
		{"ACME", "A•••"},
		{"Acme Ltd", "A•••"},
		{"whatsapp:", "whatsapp:"},
		{"messenger:1234567890123", "messenger:•••0123"},
		{"rcs:acme_agent_x1y2", "rcs:•••"},
		{"client:anna@example.com", "•••"},
		{"+1 (415) 555-0100", "•••"},
		{"＋１４１５５５５０１００", "•••"},
		{"24ACME", "•••"},
		{"\x00\xff", "•••"},
	} {
		require.Equal(t, string(c.want), phone.Mask(c.in), "%q", c.in)
	}
}

func TestMaskTextHidesEveryNumberInIt(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"The 'To' number +14155550100 is not valid.", "The 'To' number +1415•••0100 is not valid."},
		{"from +1 (415) 555-0100 to 72345", "from +1415•••0100 to 72345"},
		{"(415) 555-0100", "•••0100"},
		{"To=%2B14155550100&From=whatsapp:+447700900123", "To=%2B•••0100&From=whatsapp:+4477•••0123"},
		{"call 555 0100 now", "call •••00 now"},
		{"+4412 is short, 21211 is a code", "•••12 is short, 21211 is a code"},
		{"＋１４１５５５５０１００", "•••"},
		{"٠٥٠١٢٣٤٥٦٧", "•••"},
		{"message SM00000000000000000000000000000001 of +14155550100", "message SM00000000000000000000000000000001 of +1415•••0100"},
		{"two: 4155550100, 4155550101", "two: •••0100, •••0101"},
		{"+1\u00a0415\u2011555\u20110100", "+1415•••0100"},
		{"HTTP 503 in 3 tries", "HTTP 503 in 3 tries"},
	} {
		require.Equal(t, c.want, phone.MaskText(c.in), "%q", c.in)
	}
}

// sevenDigits is enough of a number to call it.
var sevenDigits = regexp.MustCompile(`\d{7}`)

func FuzzMask(f *testing.F) {
	for _, seed := range []string{"+14155550100", "whatsapp:+447700900123", "72345", "ACME", "", "+", "4155550100"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out := phone.Mask(message.Number(in))
		require.False(t, sevenDigits.MatchString(out), out)
		digits := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, out)
		require.LessOrEqual(t, len(digits), 9, out)
	})
}

func FuzzMaskText(f *testing.F) {
	f.Add("To ", uint64(4155550100), ".")
	f.Add("", uint64(14155550100), "x3")
	f.Add("SM", uint64(447700900123), "ff")
	f.Fuzz(func(t *testing.T, before string, number uint64, after string) {
		if number < 1_000_000 || number > 999_999_999_999_999 {
			t.Skip("no phone number")
		}
		digits := strconv.FormatUint(number, 10)
		text := before + " +" + digits + " " + after
		out := phone.MaskText(text)
		middle := digits[len(digits)-6:]
		if strings.Contains(before+after, middle) {
			t.Skip("the text holds it anyhow")
		}
		require.NotContains(t, out, middle)
	})
}

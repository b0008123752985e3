package phone_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
)

func TestParseReadsWhatPeopleType(t *testing.T) {
	for _, c := range []struct {
		raw, country string
		want         message.Number
	}{
		{"+14155550100", "", "+14155550100"},
		{"(415) 555-0100", "US", "+14155550100"},
		{"415-555-0100", "US", "+14155550100"},
		{"415.555.0100", "us", "+14155550100"},
		{"415 555 0100", " US ", "+14155550100"},
		{"4155550100", "US", "+14155550100"},
		{"1-415-555-0100", "US", "+14155550100"},
		{"14155550100", "US", "+14155550100"},
		{"1 (415) 555-0100", "US", "+14155550100"},
		{"  +1 415 555 0100\t", "DE", "+14155550100"},
		{"(415) 555-0100 x3", "US", "+14155550100"},
		{"415-555-0100 ext. 42", "US", "+14155550100"},
		{"415-555-0100 extension 42", "US", "+14155550100"},
		{"+1 415 555 0100;ext=7", "US", "+14155550100"},
		{"tel:+1-415-555-0100", "US", "+14155550100"},
		{"tel:555-0100;phone-context=+1-415", "US", "+14155550100"},
		{"1-800-FLOWERS", "US", "+18003569377"},
		{"(415) 555-0100 (mobile)", "US", "+14155550100"},
		{"415-555-0100 - cell, Mom", "US", "+14155550100"},
		{"Mobile: (415) 555-0100", "US", "+14155550100"},
		{"011 44 20 7946 0018", "US", "+442079460018"},
		{"＋１ （４１５） ５５５−０１００", "", "+14155550100"},
		{"+1 415\u00a0555\u00a00100", "", "+14155550100"},
		{"+1 415–555–0100", "", "+14155550100"},
		{"\u202a+1 415 555 0100\u202c", "", "+14155550100"},
		{"whatsapp:+14155550100", "", "whatsapp:+14155550100"},
		{"WhatsApp: (415) 555-0100", "US", "whatsapp:+14155550100"},
		{"416 555 0123", "CA", "+14165550123"},
		{"+1 876 555 0123", "US", "+18765550123"},

		{"+44 (0)20 7946 0018", "US", "+442079460018"},
		{"020 7946 0018", "GB", "+442079460018"},
		{"(020) 7946 0018", "GB", "+442079460018"},
		{"07911 123456", "GB", "+447911123456"},
		{"+44 7700 900 123", "", "+447700900123"},
		{"0044 7700 900123", "GB", "+447700900123"},

		{"0151 23456789", "DE", "+4915123456789"},
		{"0151/23456789", "DE", "+4915123456789"},
		{"+49 (0) 30 / 901820", "", "+4930901820"},
		{"030 90 18 20", "DE", "+4930901820"},

		{"06 12 34 56 78", "FR", "+33612345678"},
		{"+33 (0)6.12.34.56.78", "", "+33612345678"},
		{"06.12.34.56.78", "FR", "+33612345678"},

		{"06 698 12345", "IT", "+390669812345"}, // Italy keeps the zero
		{"347 123 4567", "IT", "+393471234567"},

		{"612 34 56 78", "ES", "+34612345678"},
		{"098765 43210", "IN", "+919876543210"},
		{"+91 98765-43210", "", "+919876543210"},
		{"090-1234-5678", "JP", "+819012345678"},
		{"０９０−１２３４−５６７８", "JP", "+819012345678"},
		{"0412 345 678", "AU", "+61412345678"},
		{"(02) 5550 1234", "AU", "+61255501234"},
		{"(11) 91234-5678", "BR", "+5511912345678"},
		{"0 11 91234-5678", "BR", "+5511912345678"},
		{"55 1234 5678", "MX", "+525512345678"},
		{"٠٥٠ ١٢٣ ٤٥٦٧", "SA", "+966501234567"},
		{"8 (912) 345-67-89", "RU", "+79123456789"},
		{"138 0013 8000", "CN", "+8613800138000"},
		{"+852 5123 4567", "", "+85251234567"},
	} {
		t.Run(c.raw, func(t *testing.T) {
			got, err := phone.Parse(c.raw, c.country)
			require.NoError(t, err)
			require.Equal(t, c.want, got)

			again, err := phone.Parse(string(got), "")
			require.NoError(t, err, "what was parsed can be parsed")
			require.Equal(t, got, again)
		})
	}
}

func TestParseNamesWhatIsWrongAndDoesNotRepeatTheNumber(t *testing.T) {
	for _, c := range []struct {
		name, raw, country string
		want               error
	}{
		{"nothing", "", "US", phone.ErrEmpty},
		{"blanks", " \t\u00a0 ", "US", phone.ErrEmpty},
		{"a channel and nothing", "whatsapp: ", "US", phone.ErrEmpty},
		{"a word", "none", "US", phone.ErrNoNumber},
		{"a note", "call reception", "US", phone.ErrNoNumber},
		{"an address", "anna@example.com", "US", phone.ErrNoNumber},
		{"punctuation", "---", "US", phone.ErrNoNumber},
		{"two digits", "12", "US", phone.ErrTooShort},
		{"a short code", "72345", "US", phone.ErrTooShort},
		{"no area, and a note", "555-0100 mom", "US", phone.ErrTooShort},
		{"no area, and a note that would complete it", "415-5550 mom", "US", phone.ErrTooShort},
		{"no area", "555-0100", "US", phone.ErrTooShort},
		{"one digit missing", "+1 415 555 010", "", phone.ErrTooShort},
		{"one digit too many", "+1 415 555 01000", "", phone.ErrTooLong},
		{"a bank account", "GB29 6016 1331 9268 1912 3456 7890", "US", phone.ErrTooLong},
		{"a very long one", "+1" + strings.Repeat("4", 30), "", phone.ErrTooLong},
		{"a very long text", strings.Repeat("call 415 ", 30), "US", phone.ErrTooLong},
		{"no country at all", "415 555 0100", "", phone.ErrNoCountry},
		{"an unknown country", "415 555 0100", "USA", phone.ErrCountry},
		{"an unknown country code", "+999 415 555 0100", "US", phone.ErrCode},
		{"another country's", "06 12 34 56 78", "US", phone.ErrForeign},
		{"an area that does not exist", "123 456 7890", "US", phone.ErrForeign},
		{"two numbers", "415 555 0100 / 415 555 0101", "US", phone.ErrSeveral},
		{"two numbers, or", "415 555 0100 or 415 555 0101", "US", phone.ErrSeveral},
		{"two numbers, comma", "+14155550100,+14155550101", "US", phone.ErrSeveral},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := phone.Parse(c.raw, c.country)
			require.ErrorIs(t, err, c.want)
			require.Empty(t, got)
			for _, word := range strings.FieldsFunc(c.raw, func(r rune) bool { return r == ' ' || r == ':' }) {
				if len(word) > 3 {
					require.NotContains(t, err.Error(), word)
				}
			}
		})
	}
}

func TestParseTakesAnInternationalNumberAtItsWord(t *testing.T) {
	// The Twilio test numbers and the 555 area are in no numbering plan.
	got, err := phone.Parse("+1 555 010 0199", "US")
	require.NoError(t, err)
	require.Equal(t, message.Number("+15550100199"), got)

	_, err = phone.Parse("555 010 0199", "US")
	require.ErrorIs(t, err, phone.ErrForeign)
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"(415) 555-0100 x3", "+44 (0)20 7946 0018", "tel:1;phone-context=+1", "whatsapp:+1", "１２３", "+"} {
		f.Add(seed, "US")
		f.Add(seed, "")
	}
	f.Fuzz(func(t *testing.T, raw, country string) {
		got, err := phone.Parse(raw, country)
		if err != nil {
			require.Empty(t, got)
			return
		}
		again, err := phone.Parse(string(got), country)
		require.NoError(t, err)
		require.Equal(t, got, again, "parsing is idempotent")
	})
}

// Read as keys, the letter would make it a stranger's.
func TestALetterOIsNoSix(t *testing.T) {
	for _, raw := range []string{"415-555-O1OO", "41555501O0", "(415) O55-0100", "+1415-555-01O0", "415-555-01 O0"} {
		_, err := phone.Parse(raw, "US")
		require.ErrorIs(t, err, phone.ErrNoNumber, raw)
		require.Empty(t, phone.All(raw, "US"), raw)
	}
	for _, raw := range []string{"O: 415-555-0100", "415-555-0100 o", "O4155550100", "415-555-0100o"} {
		require.Equal(t, []message.Number{"+14155550100"}, phone.All(raw, "US"), raw)
	}
	require.Equal(t, []message.Number{"+14155550100", "+14155550101"}, phone.All("415-555-0100 o 415-555-0101", "US"))
	require.Equal(t, []message.Number{"+18004626683"}, phone.All("1-800-GO-2-MOVE", "US")[:1])
}

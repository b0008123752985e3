package phone

import (
	"errors"
	"regexp"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

// mend reads what people type against the rules, where there is but one way to
// take it. why is what was wrong with it as it stands, and what is answered when
// nothing helps.
func mend(text, country string, why error) (string, error) {
	for _, m := range mends {
		if other := m(text, country); other != "" && other != text {
			if number, err := read(other, country); err == nil {
				return number, nil
			}
		}
	}
	return "", why
}

var mends = []func(text, country string) string{
	// "514 555-0123 poste 4", "415-555-0100mom": letters that would be keys make
	// it too long, so they are a note.
	func(text, _ string) string {
		first := strings.IndexFunc(text, unicode.IsDigit)
		end := strings.IndexFunc(text[first:], unicode.IsLetter)
		if end < 0 {
			return ""
		}
		if digits, _, _ := pickDigits(text[first+end:]); len(digits) >= tiny {
			return "" // a number of its own
		}
		return text[:first+end]
	},
	// "001 415 555 0100" in a country that dials abroad by another prefix.
	func(text, _ string) string {
		if digits, _, ascii := pickDigits(text); ascii && strings.HasPrefix(digits, "00") {
			return "+" + digits[2:]
		}
		return ""
	},
	// "4155550100.0": a spreadsheet took it for a decimal.
	func(text, _ string) string {
		if decimal.MatchString(text) {
			return strings.TrimSuffix(text, ".0")
		}
		return ""
	},
	// "1 800 FLOWERS": after an area that only vanity numbers have, letters are keys
	// even behind a blank.
	func(text, _ string) string {
		if vanity.MatchString(text) {
			return strings.ReplaceAll(text, " ", "")
		}
		return ""
	},
	newMexican,
	ninthDigit,
}

var (
	decimal = regexp.MustCompile(`^[0-9]{7,15}\.0$`)
	// https://www.fcc.gov/consumers/guides/what-toll-free-number-and-how-does-it-work
	vanity = regexp.MustCompile(`^(\+?1[ .-]*)?\(?8(00|33|44|55|66|77|88)\)? +[A-Za-z][A-Za-z -]{6,}$`)
	// Until August 2019 a mobile number was +52 1, and dialled by 044, 045 or 01;
	// since then every number has ten digits and nothing before them.
	mexican = regexp.MustCompile(`^(?:(?:00)?521|04[45]|01|1)([0-9]{10})$`)
	// Since 2016 every mobile number of Brazil has a 9 in front of its old eight
	// digits, which began with 6 to 9.
	brazilian = regexp.MustCompile(`^0?([1-9][0-9])([6-9][0-9]{7})$`)
)

// newMexican is an old mobile number of Mexico as it is now.
func newMexican(text, country string) string {
	digits, plus, ascii := pickDigits(text)
	m := mexican.FindStringSubmatch(digits)
	abroad := plus || strings.HasPrefix(digits, "00")
	if m == nil || !ascii || (abroad && !strings.HasPrefix(strings.TrimPrefix(digits, "00"), "521")) || (!abroad && country != "MX") {
		return ""
	}
	return "+52" + m[1]
}

// ninthDigit is an old mobile number of Brazil as it is now.
func ninthDigit(text, country string) string {
	digits, plus, ascii := pickDigits(text)
	m := brazilian.FindStringSubmatch(digits)
	if m == nil || plus || !ascii || country != "BR" {
		return ""
	}
	return "+55" + m[1] + "9" + m[2]
}

// withItsCode is the number read with the country code that it was written with
// but without a plus ("49 151 23456789"), where the country's own numbers begin
// with a 0 that this one lacks; nil where it is none. Germany's numbers have so
// many lengths that the digits alone pass for an own one.
func withItsCode(n *phonenumbers.PhoneNumber, country string) *phonenumbers.PhoneNumber {
	national := phonenumbers.GetNationalSignificantNumber(n)
	if n.GetCountryCodeSource() != phonenumbers.PhoneNumber_FROM_DEFAULT_COUNTRY || n.GetItalianLeadingZero() ||
		phonenumbers.GetNddPrefixForRegion(country, true) != "0" {
		return nil
	}
	if typed, _, _ := pickDigits(n.GetRawInput()); strings.HasPrefix(typed, "0") {
		return nil
	}
	other, err := phonenumbers.Parse("+"+national, "")
	if err != nil || other.GetCountryCode() != n.GetCountryCode() || !phonenumbers.IsValidNumber(other) {
		return nil
	}
	return other
}

// ofSeveral are the errors of a text that may hold more than one number.
func ofSeveral(err error) bool {
	return errors.Is(err, ErrSeveral) || errors.Is(err, ErrTooLong) || errors.Is(err, ErrNoNumber)
}

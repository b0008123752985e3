package phone

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"github.com/twiliosf/twiliosf/sync/message"
)

// What can be wrong with a number. Parse's errors wrap exactly one of these
// and never hold the text that was given.
var (
	ErrEmpty     = errors.New("there is no phone number")
	ErrNoNumber  = errors.New("this is not a phone number")
	ErrSeveral   = errors.New("this looks like more than one phone number")
	ErrTooShort  = errors.New("the phone number is too short")
	ErrTooLong   = errors.New("the phone number is too long")
	ErrNoCountry = errors.New("the phone number has no country code, and no country to read it by is set")
	ErrCountry   = errors.New("the country to read phone numbers by is unknown")
	ErrCode      = errors.New("no country has this country code")
	ErrForeign   = errors.New("the phone number is not one of the country it was read by; write it with a plus and its country code")
)

// maxText is the longest text that is read. Nobody writes a number in more, and
// the parser's patterns are slow on long ones.
const maxText = 80

// Parse reads raw, a number as people type it into a form or a CRM field, and
// answers it as E.164, behind "whatsapp:" or "rcs:" if raw was. country is the
// ISO 3166 code ("US") by which a number without a country code is read; with
// "" only numbers with one are.
//
// A number written with its country code is taken at its word when its length
// is possible: numbering plans change faster than tables of them. One written
// without must be valid in country, because otherwise it is most likely from
// elsewhere and would reach a stranger. An extension is dropped (a message
// cannot be sent to one), letters are read as on a keypad, digits may be of
// any script. Short codes and alphanumeric senders are not people's numbers and
// are refused.
func Parse(raw, country string) (message.Number, error) {
	channel, text := splitTyped(raw)
	if text == "" {
		return "", ErrEmpty
	}
	if !hasDigit(text) {
		return "", ErrNoNumber
	}
	country = strings.ToUpper(strings.TrimSpace(country))
	if country != "" && !KnownCountry(country) {
		return "", ErrCountry
	}
	if len(text) > maxText {
		return "", ErrTooLong
	}
	if several(text) {
		return "", ErrSeveral
	}
	if slipped(text) {
		return "", fmt.Errorf("%w: a letter O stands for a zero", ErrNoNumber)
	}
	number, err := read(withoutNote(text), country)
	if err != nil {
		number, err = mend(text, country, err)
	}
	if err != nil {
		return "", err
	}
	// "+84 00..." loses one of its zeros at each reading: it is nobody's number.
	if again, err := read(number, ""); strings.HasPrefix(number, "+") && (err != nil || again != number) {
		return "", ErrNoNumber
	}
	return message.Number(channel + number), nil
}

// slipped reports whether an O stands among digits and there is no other letter: a
// 6 on the keypad, but a zero to whoever typed it.
func slipped(text string) bool {
	return amongDigits.MatchString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsLetter(r) && r != 'O' && r != 'o'
	})
}

var amongDigits = regexp.MustCompile(`[0-9][^0-9\pL]*[Oo]+[^0-9\pL\s]*[0-9]|[0-9][^0-9\pL\s]*[Oo]+[^0-9\pL]*[0-9]`)

// KnownCountry reports whether numbers can be read by a country, given as its two
// letters in ISO 3166.
func KnownCountry(country string) bool { return phonenumbers.GetCountryCodeForRegion(country) != 0 }

// read reads one number without notes and answers it as E.164.
func read(text, country string) (string, error) {
	parsed, err := phonenumbers.ParseAndKeepRawInput(text, country)
	if err != nil {
		return "", parseError(err, text)
	}
	if prefixed := withItsCode(parsed, country); prefixed != nil {
		parsed = prefixed
	}
	if err := check(parsed, country); err != nil {
		return "", err
	}
	return phonenumbers.Format(parsed, phonenumbers.E164), nil
}

// check says what is wrong with a number that could be read.
func check(n *phonenumbers.PhoneNumber, country string) error {
	digits := len(phonenumbers.GetNationalSignificantNumber(n))
	switch phonenumbers.IsPossibleNumberWithReason(n) {
	case phonenumbers.IS_POSSIBLE:
	case phonenumbers.INVALID_COUNTRY_CODE:
		return ErrCode
	case phonenumbers.TOO_LONG:
		return fmt.Errorf("%w: %d digits after the country code +%d", ErrTooLong, digits, n.GetCountryCode())
	case phonenumbers.TOO_SHORT, phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
		return fmt.Errorf("%w: %d digits after the country code +%d", ErrTooShort, digits, n.GetCountryCode())
	case phonenumbers.INVALID_LENGTH:
		return fmt.Errorf("%w: no number of +%d has %d digits after it", ErrNoNumber, n.GetCountryCode(), digits)
	}
	source := n.GetCountryCodeSource()
	international := source == phonenumbers.PhoneNumber_FROM_NUMBER_WITH_PLUS_SIGN || source == phonenumbers.PhoneNumber_FROM_NUMBER_WITH_IDD
	if !international && !phonenumbers.IsValidNumber(n) {
		return fmt.Errorf("%w (%s)", ErrForeign, country)
	}
	return nil
}

// parseError puts the library's refusals into our words.
func parseError(err error, text string) error {
	switch {
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode) && strings.ContainsAny(text, "+＋"):
		return ErrCode
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode):
		return ErrNoCountry
	case errors.Is(err, phonenumbers.ErrNumTooLong):
		return ErrTooLong
	case errors.Is(err, phonenumbers.ErrTooShortNSN), errors.Is(err, phonenumbers.ErrTooShortAfterIDD):
		return ErrTooShort
	default:
		return ErrNoNumber
	}
}

// splitTyped takes the channel off and the blanks and invisible marks (a
// direction mark copied from a contact list) away.
func splitTyped(raw string) (channel, text string) {
	// Spreadsheets leave ="4155550100" and '4155550100 behind.
	text = strings.TrimFunc(raw, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.C, r) || strings.ContainsRune("=\"'`", r)
	})
	for _, c := range []string{"whatsapp:", "rcs:"} {
		if len(text) >= len(c) && strings.EqualFold(text[:len(c)], c) {
			return c, strings.TrimSpace(text[len(c):])
		}
	}
	return "", text
}

// withoutNote takes away a note behind the number ("415-555-0100 (cell, Mom)"),
// whose letters would else be read as keys. Letters that a blank does not part
// from the digits ("1-800-FLOWERS") are keys.
func withoutNote(text string) string {
	end := strings.LastIndexFunc(text, unicode.IsDigit)
	_, size := utf8.DecodeRuneInString(text[end:])
	if note := text[end+size:]; note != "" && (note[0] == ' ' || note[0] == '(') {
		return text[:end+size]
	}
	return text
}

func hasDigit(text string) bool { return strings.IndexFunc(text, unicode.IsDigit) >= 0 }

// several reports whether people would see two numbers in text: a second part
// behind a separator that is long enough to be one. "555-0100/01" is none.
func several(text string) bool {
	parts := strings.FieldsFunc(strings.NewReplacer(" or ", ";", " and ", ";").Replace(text), func(r rune) bool {
		return strings.ContainsRune(";,/|&\n", r)
	})
	long := 0
	for _, p := range parts {
		if strings.Contains(p, "=") { // a parameter of a tel: URI
			continue
		}
		if digits, _, _ := pickDigits(p); len(digits) >= 7 {
			long++
		}
	}
	return long > 1
}

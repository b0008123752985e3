package phone

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/twiliosf/twiliosf/sync/message"
)

// hidden stands for the digits that are not shown. It always stands for a
// number of them that the reader cannot tell.
const hidden = "•••"

const (
	// tellable is the fewest digits of which a country, an area and an end may
	// be shown while at least three digits stay hidden.
	tellable = 10
	// tiny is the most digits of a short code or a local number: the last four
	// of them would be most of it, so only two are shown.
	tiny = 7
	// numberLike is the fewest digits that MaskText takes for a number. Vendors'
	// error codes have five.
	numberLike = 6
)

// channels are the prefixes Twilio puts before a number that is not reached by
// SMS. https://www.twilio.com/docs/messaging/api/message-resource
var channels = []string{"whatsapp:", "rcs:", "messenger:"}

// Mask is n as it may be shown in a log, an error or on a page that needs no
// login (P8): country, area and the last four digits of a full number
// ("+1415•••0100"), the last two of a short one ("•••45"), the first letter of
// an alphanumeric sender ("A•••") and nothing of anything else ("•••"). A
// channel prefix stays. Empty stays empty.
func Mask(n message.Number) string {
	channel, address := splitChannel(string(n))
	if address == "" {
		return channel
	}
	digits, plus, ok := onlyDigits(address)
	switch {
	case !ok && isSenderName(address):
		return channel + address[:1] + hidden
	case !ok:
		return channel + hidden
	default:
		return channel + maskDigits(digits, plus)
	}
}

// sidOrNumber finds what could be a number in a text. Twilio's SIDs (two
// letters and 32 hex digits) come first, so that their digits are not taken
// for one. Between the digits of a number at most three characters stand that
// people put there.
var sidOrNumber = regexp.MustCompile(
	`\b[A-Z]{2}[0-9a-f]{32}\b|[+\x{FF0B}]?[(\x{FF08}]?\p{Nd}(?:[\s().\-/_\x{00A0}\x{2010}-\x{2015}\x{2212}\x{FF08}\x{FF09}\x{FF0D}\x{FF0E}]{0,3}\p{Nd})*`)

// MaskText is text with everything number-like in it masked: six or more
// digits, however they are grouped, or four or more after a plus. It errs on
// the side of hiding; Twilio's SIDs stay readable.
func MaskText(text string) string {
	return sidOrNumber.ReplaceAllStringFunc(text, func(found string) string {
		if found[0] >= 'A' && found[0] <= 'Z' {
			return found
		}
		digits, plus, ascii := pickDigits(found)
		switch {
		case len(digits) < numberLike && (!plus || len(digits) < numberLike-2):
			return found
		case !ascii:
			return hidden
		default:
			return maskDigits(digits, plus)
		}
	})
}

// maskDigits hides the middle of a number. digits are ASCII.
func maskDigits(digits string, plus bool) string {
	n := len(digits)
	switch {
	case n <= 2:
		return hidden
	case n <= tiny:
		return hidden + digits[n-2:]
	case !plus || n < tellable:
		return hidden + digits[n-min(4, n-6):]
	}
	head := countryLength(digits) + 2
	if digits[0] == '1' {
		head = 4 // North America: one digit of country, three of area
	}
	head = min(head, n-4-3)
	return "+" + digits[:head] + hidden + digits[n-4:]
}

// countryLength is the number of digits of the country code that digits begin
// with. The ITU's plan is prefix-free: +1 and +7 have one, those listed have
// two, all others three.
// https://www.itu.int/pub/T-SP-E.164D
func countryLength(digits string) int {
	if digits[0] == '1' || digits[0] == '7' {
		return 1
	}
	const two = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 " +
		"60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98"
	if strings.Contains(two, digits[:2]) {
		return 2
	}
	return 3
}

func splitChannel(s string) (channel, address string) {
	for _, c := range channels {
		if rest, ok := strings.CutPrefix(s, c); ok {
			return c, rest
		}
	}
	return "", s
}

// onlyDigits reports whether s is a number as Twilio writes it: digits, perhaps
// after a plus.
func onlyDigits(s string) (digits string, plus, ok bool) {
	digits, plus = strings.CutPrefix(s, "+")
	if digits == "" {
		return "", plus, false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return "", plus, false
		}
	}
	return digits, plus, true
}

// isSenderName reports whether s is an alphanumeric sender ID: at most eleven
// letters, digits and a few signs, beginning with a letter here so that
// what is shown of it is not a digit.
// https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id
func isSenderName(s string) bool {
	if len(s) > 11 || !isLetter(s[0]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && (c < '0' || c > '9') && !strings.ContainsRune(" +-_&", rune(c)) {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// pickDigits takes the digits out of s. ascii is false when some are of another
// script.
func pickDigits(s string) (digits string, plus, ascii bool) {
	ascii = true
	picked := make([]byte, 0, len(s))
	for _, r := range s {
		switch {
		case r == '+' || r == '＋':
			plus = true
		case unicode.IsDigit(r):
			ascii = ascii && r <= '9'
			picked = append(picked, byte(r&0x7f)) // of use when ascii only
		}
	}
	return string(picked), plus, ascii
}

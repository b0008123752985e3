package twiliotest

import "strings"

// What one SMS holds, alone and as a part of a longer message, in GSM-7
// septets or UTF-16 units:
// https://www.twilio.com/docs/glossary/what-sms-character-limit
const (
	gsmSingle, gsmPart   = 160, 153
	ucs2Single, ucs2Part = 70, 67
)

// gsmExtension costs two septets a character, gsmOther (the characters beyond
// ASCII of the basic table) one. Of ASCII, the basic table lacks the grave
// accent and all controls but line feed and carriage return.
const (
	gsmExtension = "\f^{}\\[~]|€"
	gsmOther     = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà"
)

// Segments is the number of SMS a body takes; an empty body takes one. A pair
// (a GSM-7 escape sequence, a UTF-16 surrogate pair) is never split.
func Segments(body string) int {
	if n, ok := count(body, gsmSingle, gsmPart, gsmCost); ok {
		return n
	}
	n, _ := count(body, ucs2Single, ucs2Part, ucs2Cost)
	return n
}

// count fills parts greedily; it is not ok when a character has no cost.
func count(body string, single, part int, cost func(rune) int) (parts int, ok bool) {
	total, used, parts := 0, 0, 1
	for _, r := range body {
		c := cost(r)
		if c == 0 {
			return 0, false
		}
		total += c
		if used += c; used > part {
			parts++
			used = c
		}
	}
	if total <= single {
		return 1, true
	}
	return parts, true
}

func ucs2Cost(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

func gsmCost(r rune) int {
	switch {
	case r == '\n' || r == '\r':
		return 1
	case strings.ContainsRune(gsmExtension, r):
		return 2
	case r >= ' ' && r < 0x7F && r != '`', strings.ContainsRune(gsmOther, r):
		return 1
	default:
		return 0
	}
}

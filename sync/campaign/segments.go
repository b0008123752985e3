package campaign

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// Encoding is how a text travels.
type Encoding uint8

// The encodings. One character that GSM-7 lacks makes the whole text UCS-2.
const (
	GSM7 Encoding = iota
	UCS2
)

// String is the encoding's name as Twilio writes it.
func (e Encoding) String() string {
	if e == UCS2 {
		return "UCS-2"
	}
	return "GSM-7"
}

// What fits into a text of one segment, and into each segment of a longer one, where
// a header takes its place: septets of GSM-7, UTF-16 units of UCS-2.
// https://www.twilio.com/docs/glossary/what-sms-character-limit
const (
	oneGSM7, eachGSM7 = 160, 153
	oneUCS2, eachUCS2 = 70, 67
)

// basic and extended are the GSM 7 bit default alphabet and its extension table, of
// which a character takes two septets. Without the escape, which stands for nothing.
// https://www.etsi.org/deliver/etsi_ts/123000_123099/123038/16.00.00_60/ts_123038v160000p.pdf, 6.2.1
const (
	basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	extended = "\f^{}\\[~]|€"
)

// septets is what a character takes in GSM-7, missing for those that it lacks.
var septets = func() map[rune]int {
	all := map[rune]int{}
	for _, r := range basic {
		all[r] = 1
	}
	for _, r := range extended {
		all[r] = 2
	}
	return all
}()

// Segments says in how many segments Twilio sends and bills a text, and encoded how,
// as its own calculator does. No segment ends within a character of two septets, and
// none within what is seen as one character, an emoji of several or a letter with
// its accent. An empty text is one segment.
// https://twiliodeved.github.io/message-segment-calculator/
func Segments(text string) (n int, e Encoding) {
	total := 0
	for _, r := range text {
		size := septets[r]
		if size == 0 {
			return segmentsUCS2(text), UCS2
		}
		total += size
	}
	if total <= oneGSM7 {
		return 1, GSM7
	}
	p := packer{each: eachGSM7}
	for _, r := range text {
		p.add(septets[r])
	}
	return p.segments, GSM7
}

func segmentsUCS2(text string) int {
	if len(text) <= oneUCS2 || units(text) <= oneUCS2 { // a unit is a byte or more
		return 1
	}
	p := packer{each: eachUCS2}
	for seen := graphemes.FromString(text); seen.Next(); {
		p.addSeen(seen.Value())
	}
	return p.segments
}

// packer puts characters into segments, none of them into two.
type packer struct{ each, segments, free int }

func (p *packer) add(size int) {
	if p.free < size {
		p.segments++
		p.free = p.each
	}
	p.free -= size
}

// addSeen adds what is seen as one character. A line break of Windows is parted where
// it must be, and so is what no segment could hold. The letters of an Indic conjunct
// became one character in Unicode 15.1, which Twilio's calculator is older than.
func (p *packer) addSeen(seen string) {
	loose := seen == "\r\n" || units(seen) > p.each
	size := 0
	for _, r := range seen {
		if size > 0 && (loose || unicode.Is(unicode.Lo, r) && !unicode.Is(unicode.Hangul, r)) {
			p.add(size)
			size = 0
		}
		size += utf16.RuneLen(r)
	}
	p.add(size)
}

// units is the number of UTF-16 units of a text. Bytes that are no UTF-8 are one each.
func units(text string) int {
	n := utf8.RuneCountInString(text)
	for _, r := range text {
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// SmartEncode is a text as Twilio sends it through a Messaging Service that has Smart
// Encoding on: characters that look like one of GSM-7 are replaced by it.
//
// All of Twilio's list are replaced, even where another character keeps the text from
// being GSM-7, which is how Twilio's calculator counts.
// https://www.twilio.com/docs/messaging/services/smart-encoding-char-list
func SmartEncode(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { _, ok := lookalikes[r]; return ok }) < 0 {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range text {
		if plain, ok := lookalikes[r]; ok {
			b.WriteString(plain)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

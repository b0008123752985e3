package twiliotest

import (
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// encoder writes Twilio's JSON by hand: a page of 1,000 messages must cost its
// test little. Fields stand in the order the real API writes them in, the list
// before its next_page_uri.
type encoder struct {
	b       []byte
	escape  bool   // \uXXXX for all beyond ASCII
	account string // AccountSID
	def     string // service of messages sent without one, "" for null
}

// raw writes text that needs no escaping.
func (e *encoder) raw(s string) { e.b = append(e.b, s...) }

func (e *encoder) text(name, s string) {
	e.raw(name)
	e.b = appendString(e.b, s, e.escape)
}

// textOrNull writes null for "".
func (e *encoder) textOrNull(name, s string) {
	if s == "" {
		e.raw(name)
		e.raw("null")
		return
	}
	e.text(name, s)
}

// date writes RFC 2822 in GMT.
func (e *encoder) date(name string, n int64) {
	e.raw(name)
	if n == null {
		e.raw("null")
		return
	}
	e.b = append(e.b, '"')
	e.b = time.Unix(0, n).UTC().AppendFormat(e.b, time.RFC1123Z)
	e.b = append(e.b, '"')
}

// message writes one message; listed ones also name their feedback.
func (e *encoder) message(r *record, feedback bool) {
	e.text(`{"body":`, r.body)
	e.raw(`,"num_segments":"`)
	e.b = strconv.AppendUint(e.b, uint64(r.segments), 10)
	e.raw(`","direction":"`)
	e.raw(r.direction.String())
	e.textOrNull(`","from":`, r.from)
	e.date(`,"date_updated":`, r.updated)
	e.price(r.price)
	e.textOrNull(`,"error_message":`, r.errorMessage())
	e.messageURI(`,"uri":"`, r, `.json"`)
	e.text(`,"account_sid":`, e.account)
	e.raw(`,"num_media":"`)
	e.b = strconv.AppendInt(e.b, int64(len(r.media())), 10)
	e.textOrNull(`","to":`, r.to)
	e.date(`,"date_created":`, r.created)
	e.raw(`,"status":"`)
	e.raw(r.status.String())
	e.text(`","sid":`, r.sid())
	e.date(`,"date_sent":`, r.sent)
	e.textOrNull(`,"messaging_service_sid":`, e.service(r))
	e.raw(`,"error_code":`)
	if r.code == 0 {
		e.raw("null")
	} else {
		e.b = strconv.AppendInt(e.b, int64(r.code), 10)
	}
	e.raw(`,"price_unit":"USD","api_version":"2010-04-01","subresource_uris":{`)
	e.messageURI(`"media":"`, r, `/Media.json"`)
	if feedback {
		e.messageURI(`,"feedback":"`, r, `/Feedback.json"`)
	}
	e.raw("}}")
}

func (e *encoder) price(p int32) {
	if p == noPrice {
		e.raw(`,"price":null`)
		return
	}
	e.raw(`,"price":"`)
	e.b = appendPrice(e.b, p)
	e.raw(`"`)
}

func (e *encoder) messageURI(before string, r *record, after string) {
	e.raw(before)
	e.raw("/2010-04-01/Accounts/")
	e.raw(e.account)
	e.raw("/Messages/")
	e.raw(r.sid())
	e.raw(after)
}

func (e *encoder) service(r *record) string {
	switch {
	case r.more != nil && r.more.service != "":
		return r.more.service
	case r.direction == inbound:
		return ""
	default:
		return e.def
	}
}

const hexDigits = "0123456789abcdef"

// appendString writes s as a JSON string; bytes that are no UTF-8 become U+FFFD.
func appendString(b []byte, s string, escape bool) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			b = appendControl(append(b, s[start:i]...), c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if escape || r == utf8.RuneError {
			b = appendUnicode(append(b, s[start:i]...), r)
			start = i + size
		}
		i += size
	}
	return append(append(b, s[start:]...), '"')
}

func appendControl(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	default:
		return appendUnicode(b, rune(c))
	}
}

func appendUnicode(b []byte, r rune) []byte {
	if r > 0xFFFF {
		high, low := utf16.EncodeRune(r)
		return appendUnicode(appendUnicode(b, high), low)
	}
	return append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

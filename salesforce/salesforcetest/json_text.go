package salesforcetest

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads a string whose opening quote is at pos.
func (p *jsonParser) text() (string, *Error) {
	p.pos++
	start := p.pos
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; {
		case c == '"':
			p.pos++
			return p.src[start : p.pos-1], nil
		case c == '\\':
			return p.escaped(start)
		case c < 0x20:
			return "", p.unexpected("an escaped control character")
		}
		p.pos++
	}
	return "", p.unexpected("closing quote for a string value")
}

// escaped goes on with a string at its first backslash.
func (p *jsonParser) escaped(start int) (string, *Error) {
	b := append(make([]byte, 0, 2*(p.pos-start)+32), p.src[start:p.pos]...)
	for p.pos < len(p.src) {
		c := p.src[p.pos]
		switch {
		case c == '"':
			p.pos++
			return string(b), nil
		case c < 0x20:
			return "", p.unexpected("an escaped control character")
		case c != '\\':
			b = append(b, c)
			p.pos++
		default:
			var err *Error
			if b, err = p.escape(b); err != nil {
				return "", err
			}
		}
	}
	return "", p.unexpected("closing quote for a string value")
}

func (p *jsonParser) escape(b []byte) ([]byte, *Error) {
	p.pos++
	c := p.peek()
	if c == 'u' {
		return p.unicode(b)
	}
	i := strings.IndexByte(`"\/bfnrt`, c)
	if c == 0 || i < 0 {
		return nil, p.unexpected("an escape sequence")
	}
	p.pos++
	return append(b, "\"\\/\b\f\n\r\t"[i]), nil
}

func (p *jsonParser) hex4(at int) (rune, bool) {
	if at+4 > len(p.src) {
		return 0, false
	}
	n, err := strconv.ParseUint(p.src[at:at+4], 16, 32)
	return rune(n), err == nil && p.src[at] != '+' && p.src[at] != '-'
}

func (p *jsonParser) unicode(b []byte) ([]byte, *Error) {
	r, good := p.hex4(p.pos + 1)
	if !good {
		return nil, p.unexpected("a hex digit of a character escape sequence")
	}
	p.pos += 5
	if utf16.IsSurrogate(r) {
		low, good := rune(0), false
		if strings.HasPrefix(p.src[p.pos:], `\u`) {
			low, good = p.hex4(p.pos + 2)
		}
		if pair := utf16.DecodeRune(r, low); good && pair != utf8.RuneError {
			p.pos += 6
			return utf8.AppendRune(b, pair), nil
		}
		r = utf8.RuneError // half a pair has no meaning of its own
	}
	return utf8.AppendRune(b, r), nil
}

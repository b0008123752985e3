package twilio

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/twiliosf/twiliosf/sync/message"
)

// pageReader decodes pages of the message list, one row at a time, straight
// into messages. The pages of one walk share it, and with it the slice and the
// buffers; it is not safe for concurrent use.
//
// The list does not go through the generated model of twilio-go: that holds
// the whole page and makes a pointer of every value, 9 to 16 us and 40
// allocations a message, and as much again to turn the page to JSON and back for
// its next link. This takes 2 us and 3 allocations (BenchmarkPage).
type pageReader struct {
	dec     *jsontext.Decoder
	text    []byte // an unquoted value
	strings sharedStrings

	// What the page held.
	rows    []message.Message
	next    string // next_page_uri, "" on the last page
	bad     int    // rows that could not be read
	firstAt int    // position of the first of them, from 1
	first   error  // what was wrong with it
}

// errNoList says that an answer is JSON but no page of messages.
var errNoList = errors.New("the answer holds no list of messages")

// pageOptions let through what Twilio may send and we do not mind: half of an
// emoji that was cut in two becomes U+FFFD as everywhere else, and looking for
// duplicate names costs more than the rest.
var pageOptions = []jsontext.Options{jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)}

func newPageReader() *pageReader {
	return &pageReader{dec: jsontext.NewDecoder(eofReader{}, pageOptions...)}
}

// read decodes one page. Whatever was there before is forgotten, also when it
// fails.
func (p *pageReader) read(body io.Reader) error {
	p.dec.Reset(body, pageOptions...)
	p.rows, p.next, p.bad, p.first = p.rows[:0], "", 0, nil
	if p.dec.PeekKind() != '{' {
		if err := p.dec.SkipValue(); err != nil {
			return err
		}
		return errNoList
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return err
	}
	listed := false
	for p.dec.PeekKind() == '"' {
		name, err := p.dec.ReadValue()
		if err != nil {
			return err
		}
		switch {
		case string(name) == `"messages"` && p.dec.PeekKind() == '[':
			listed = true
			err = p.readRows()
		case string(name) == `"next_page_uri"`:
			err = p.readNext()
		default:
			err = p.dec.SkipValue()
		}
		if err != nil {
			return err
		}
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return err
	}
	if !listed {
		return errNoList
	}
	return nil
}

func (p *pageReader) readNext() error {
	text, err := p.readText()
	p.next = string(text)
	if errors.Is(err, errKind) {
		return fmt.Errorf("next_page_uri: %w", err)
	}
	return err
}

func (p *pageReader) readRows() error {
	if _, err := p.dec.ReadToken(); err != nil {
		return err
	}
	for position := 1; p.dec.PeekKind() != ']'; position++ {
		p.rows = append(p.rows, message.Message{})
		problem, err := p.readRow(&p.rows[len(p.rows)-1])
		if err != nil {
			return err
		}
		if problem == nil {
			continue
		}
		p.rows = p.rows[:len(p.rows)-1]
		p.bad++
		if p.first == nil {
			p.firstAt, p.first = position, problem
		}
	}
	_, err := p.dec.ReadToken()
	return err
}

// readRow reads one message. problem is what is wrong with this row alone; err
// is the end of the page.
func (p *pageReader) readRow(m *message.Message) (problem, err error) {
	if p.dec.PeekKind() != '{' {
		return errors.New("not an object"), p.dec.SkipValue()
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, err
	}
	for p.dec.PeekKind() == '"' {
		name, err := p.dec.ReadValue()
		if err != nil {
			return nil, err
		}
		f := p.fieldOf(name)
		if f == fieldOther {
			if err := p.dec.SkipValue(); err != nil {
				return nil, err
			}
			continue
		}
		text, err := p.readText()
		switch {
		case errors.Is(err, errKind):
			err = fmt.Errorf("%s: %w", fieldNames[f], err)
		case err != nil:
			return nil, err
		case text != nil:
			err = set(m, f, text, p.strings.share)
		}
		if problem == nil {
			problem = err
		}
	}
	if problem == nil {
		problem = whole(m)
	}
	_, err = p.dec.ReadToken()
	return problem, err
}

// fieldOf finds a property by its quoted name.
func (p *pageReader) fieldOf(name []byte) field {
	if bytes.IndexByte(name, '\\') >= 0 {
		p.text, _ = jsontext.AppendUnquote(p.text[:0], name) //nolint:errcheck // it tells of invalid UTF-8, which it has replaced
		return fieldOf(p.text)
	}
	return fieldOf(name[1 : len(name)-1])
}

// errKind says that a value is neither text nor a number nor null.
var errKind = errors.New("neither text nor a number")

// readText reads a string or a number as text, valid until the next call, and
// null as nil. Anything else is skipped and answered with errKind.
func (p *pageReader) readText() ([]byte, error) {
	switch p.dec.PeekKind() {
	case '"':
		value, err := p.dec.ReadValue()
		if err != nil {
			return nil, err
		}
		p.text, _ = jsontext.AppendUnquote(p.text[:0], value) //nolint:errcheck // as in fieldOf
		if p.text == nil {
			p.text = []byte{}
		}
		return p.text, nil
	case '0':
		return p.dec.ReadValue()
	case 'n':
		return nil, p.dec.SkipValue()
	default:
		if err := p.dec.SkipValue(); err != nil {
			return nil, err
		}
		return nil, errKind
	}
}

// sharedStrings makes one string of equal texts that come often: numbers,
// statuses, prices. A newer text pushes an older one out.
type sharedStrings [512]string

var shareSeed = maphash.MakeSeed()

func (s *sharedStrings) share(text []byte) string {
	const long = 64
	if len(text) == 0 {
		return ""
	}
	if len(text) > long {
		return string(text)
	}
	place := &s[maphash.Bytes(shareSeed, text)%uint64(len(s))]
	if *place != string(text) {
		*place = string(text)
	}
	return *place
}

// eofReader is what a decoder reads before it has a page.
type eofReader struct{}

func (eofReader) Read([]byte) (int, error) { return 0, io.EOF }

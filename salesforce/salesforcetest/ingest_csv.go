package salesforcetest

import (
	"strings"
	"unicode/utf8"
)

// csvTable is an uploaded file, read.
type csvTable struct {
	columns []string
	rows    [][]string
}

// How long parts of a file may be, in characters.
// https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_bulkapi.htm
const (
	headerMost = 32_000
	fieldMost  = 131_072
	recordMost = 400_000
	fieldsMost = 5_000
)

// readCSV reads a file as RFC 4180 has it, and nothing else: what stands beside a
// quoted value, another line ending than the job's, a record of another length, and
// what is no UTF-8 is a problem of the whole file.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_prepare_csv.htm
func readCSV(text, delimiter, lineEnding string) (t *csvTable, problem string) {
	switch {
	case !utf8.ValidString(text):
		return nil, "InvalidBatch : Failed to parse CSV: the data is not UTF-8"
	case strings.IndexByte(text, 0) >= 0:
		return nil, "InvalidBatch : Failed to parse CSV: the data contains U+0000"
	case text == "":
		return nil, "InvalidBatch : Failed to parse CSV header: the data is empty"
	}
	p := &csvParser{text: text, delimiter: delimiter[0], end: "\n"}
	if lineEnding == "CRLF" {
		p.end = "\r\n"
	}
	t = &csvTable{}
	for p.at < len(text) {
		from := p.at
		record, problem := p.record()
		size := utf8.RuneCountInString(text[from:p.at])
		switch {
		case problem != "":
			return nil, problem
		case t.columns == nil && size > headerMost, size > recordMost, len(record) > fieldsMost:
			return nil, "InvalidBatch : Failed to parse CSV: a record is too long"
		case t.columns == nil:
			t.columns = record
		case len(record) != len(t.columns):
			return nil, "InvalidBatch : Failed to parse CSV: a record has another number of fields than the header"
		default:
			t.rows = append(t.rows, record)
		}
	}
	return t, ""
}

type csvParser struct {
	text      string
	delimiter byte
	end       string
	at        int
}

const wrongEnding = "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is "

// record reads up to the end of a line.
func (p *csvParser) record() (values []string, problem string) {
	for {
		value, problem := p.value()
		if problem != "" {
			return nil, problem
		}
		if utf8.RuneCountInString(value) > fieldMost {
			return nil, "InvalidBatch : Failed to parse CSV: a field is longer than 131072 characters"
		}
		values = append(values, value)
		rest := p.text[p.at:]
		switch {
		case rest == "":
			return values, ""
		case rest[0] == p.delimiter:
			p.at++
		case strings.HasPrefix(rest, p.end):
			p.at += len(p.end)
			return values, ""
		case rest[0] == '\r' || rest[0] == '\n':
			return nil, wrongEnding + map[string]string{"\n": "LF", "\r\n": "CRLF"}[p.end]
		default:
			return nil, "InvalidBatch : Failed to parse CSV: something stands beside a quoted value"
		}
	}
}

// value reads one value and stops at what follows it.
func (p *csvParser) value() (value, problem string) {
	rest := p.text[p.at:]
	if !strings.HasPrefix(rest, `"`) {
		n := strings.IndexAny(rest, string(p.delimiter)+"\r\n\"")
		if n < 0 {
			n = len(rest)
		}
		if n < len(rest) && rest[n] == '"' {
			return "", "InvalidBatch : Failed to parse CSV: a quote within a value that is not quoted"
		}
		p.at += n
		return rest[:n], ""
	}
	var b strings.Builder
	for rest = rest[1:]; ; {
		before, after, found := strings.Cut(rest, `"`)
		if !found {
			return "", "InvalidBatch : Failed to parse CSV: a quoted value has no end"
		}
		b.WriteString(before)
		if !strings.HasPrefix(after, `"`) {
			p.at = len(p.text) - len(after)
			return b.String(), ""
		}
		b.WriteByte('"')
		rest = after[1:]
	}
}

package salesforce

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const csvType = "text/csv"

// MaxBulkData is how many bytes of CSV one job takes: Salesforce allows 150 MB of
// what it becomes in base64.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/upload_job_data.htm
const MaxBulkData = 100_000_000

// How long a header, a value and a record may be, in characters.
// https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_bulkapi.htm
const (
	maxBulkHeader = 32_000
	maxBulkValue  = 131_072
	maxBulkRecord = 400_000
	maxBulkFields = 5_000
)

// bulkNull is how CSV says null.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_csv_valid_record_rows.htm
const bulkNull = "#N/A"

// BulkValue is one field of a record of a job. The zero value leaves the field as
// it is in the org.
type BulkValue struct {
	text string
	kind bulkKind
}

type bulkKind uint8

const (
	bulkLeft bulkKind = iota
	bulkEmpty
	bulkText
)

// BulkNull empties a field.
func BulkNull() BulkValue { return BulkValue{kind: bulkEmpty} }

// BulkText is a field's content, as the API writes it: also a number, a date,
// true, false or an id. An empty text is null, as it is in every field of an org.
func BulkText(s string) BulkValue {
	if s == "" {
		return BulkNull()
	}
	return BulkValue{text: s, kind: bulkText}
}

// Why a record cannot be written by a job. Other APIs take both.
var (
	// ErrNullText: one of its texts reads #N/A. Nothing in CSV tells that from
	// null, quotes do not.
	ErrNullText = errors.New("a text reads " + bulkNull + ", which is null in a bulk job")
	// ErrBulkLength: a value or the record is longer than a job takes.
	ErrBulkLength = errors.New("a value or the record is longer than a bulk job takes")
)

// BulkCSV is the data of a job. Every text stands in quotes, because there a
// comma, a quote, a line break of any kind and blanks at the ends are content. What
// no text in Salesforce can hold becomes U+FFFD: NUL, and bytes that are no UTF-8.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_prepare_csv.htm
type BulkCSV struct {
	columns int
	rows    int
	data    []byte
}

// NewBulkCSV begins a file with its header: API names of fields, or
// Parent__r.Key__c.
func NewBulkCSV(columns []string) (*BulkCSV, error) {
	f := &BulkCSV{columns: len(columns)}
	seen := make(map[string]bool, len(columns))
	for _, name := range columns {
		parent, key, nested := strings.Cut(name, ".")
		lower := strings.ToLower(name)
		if seen[lower] || !plainName(parent) || nested && !plainName(key) {
			return nil, fmt.Errorf("the column %q is no API name, or is there twice", name)
		}
		seen[lower] = true
		f.data = append(f.value(f.data, name), ',')
	}
	if len(columns) == 0 || len(columns) > maxBulkFields || len(f.data) > maxBulkHeader {
		return nil, fmt.Errorf("%d columns in a header of %d bytes", len(columns), len(f.data))
	}
	f.data[len(f.data)-1] = '\n'
	return f, nil
}

// Add adds a record, one value a column. A record that it refuses (ErrNullText,
// ErrBulkLength) leaves the file as it was.
func (f *BulkCSV) Add(values []BulkValue) error {
	if len(values) != f.columns {
		return fmt.Errorf("%d values in a record of %d columns", len(values), f.columns)
	}
	data, length := f.data, 0
	for _, v := range values {
		switch v.kind {
		case bulkEmpty:
			data = append(data, bulkNull...)
		case bulkText:
			// Salesforce may trim before it compares.
			if strings.EqualFold(strings.TrimSpace(v.text), bulkNull) {
				return ErrNullText
			}
			n := utf8.RuneCountInString(v.text)
			if length += n; n > maxBulkValue || length > maxBulkRecord {
				return ErrBulkLength
			}
			data = f.value(data, v.text)
		default:
		}
		data = append(data, ',')
	}
	data[len(data)-1] = '\n'
	f.data = data
	f.rows++
	return nil
}

func (f *BulkCSV) value(data []byte, text string) []byte {
	data = append(data, '"')
	text = bulkClean(text)
	for {
		before, after, found := strings.Cut(text, `"`)
		data = append(data, before...)
		if !found {
			return append(data, '"')
		}
		data, text = append(data, `""`...), after
	}
}

// bulkClean is a text as a job carries it.
func bulkClean(text string) string {
	if !utf8.ValidString(text) {
		text = string([]rune(text))
	}
	return strings.ReplaceAll(text, "\x00", "\uFFFD")
}

// Rows is how many records there are.
func (f *BulkCSV) Rows() int { return f.rows }

// Bytes is the file. It is valid until the next Add.
func (f *BulkCSV) Bytes() []byte { return f.data }

// hiddenCR stands for a carriage return within quotes while encoding/csv reads,
// which drops those before a line feed. UTF-8 has no such byte.
const hiddenCR = 0xff

// readCSV reads a file of results. Its values are to be taken through shown.
func readCSV(r io.Reader) *csv.Reader {
	table := csv.NewReader(&hiding{r: r})
	table.ReuseRecord = true
	return table
}

// hiding hides the carriage returns within quotes.
type hiding struct {
	r      io.Reader
	quoted bool
}

func (h *hiding) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	for i, c := range p[:n] {
		switch {
		case c == hiddenCR:
			return 0, fmt.Errorf("%w: it is not UTF-8", errForm)
		case c == '"': // a doubled one leaves and enters
			h.quoted = !h.quoted
		case c == '\r' && h.quoted:
			p[i] = hiddenCR
		}
	}
	return n, err
}

// shown is a value with its carriage returns.
func shown(value string) string {
	return strings.ReplaceAll(value, string([]byte{hiddenCR}), "\r")
}

package salesforce

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// noLocator is what Salesforce writes when no page follows.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_get_job_results.htm
const noLocator = "null"

// BulkQueryRows reads one page of a finished job's results, from the locator
// that the page before gave, "" being the first, and calls row for each record
// with its values by column name; a null is "". The map is the callee's to keep.
// maxRecords bounds the page, 0 leaves that to Salesforce. next is the following
// page's locator, "" after the last.
//
// The page is read as it comes, whatever its length. A page that breaks off is
// asked for again, and row sees each record once. row holds up one of the calls
// that may be under way at once, and must not make any itself.
func (o *Org) BulkQueryRows(
	ctx context.Context, id, locator string, maxRecords int, row func(map[string]string) error,
) (next string, err error) {
	const op = "bulk rows"
	path, err := jobPath(op, queryJobs, id)
	if err != nil {
		return "", err
	}
	query := url.Values{}
	if maxRecords > 0 {
		query.Set("maxRecords", strconv.Itoa(maxRecords))
	}
	if locator != "" {
		query.Set("locator", locator)
	}
	path = o.path(path + "/results")
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	page := &bulkPage{row: row}
	_, err = o.chain.exchange(ctx, &request{
		op: op, method: http.MethodGet, path: path, header: http.Header{"Accept": {"text/csv"}}, repeatable: true,
		stream: &stream{mediaType: "text/csv", read: page.read},
	})
	switch {
	case page.refused != nil:
		return "", page.refused
	case err != nil:
		return "", jobGone(err, hintQueryGone)
	default:
		return page.next, nil
	}
}

// bulkPage hands one page's records out, over as many attempts as it takes.
type bulkPage struct {
	row     func(map[string]string) error
	given   int // records that row has seen
	next    string
	refused error // row's own error, which ends the page
}

// read is one attempt. A locator names a fixed set of results, so an attempt
// after one that broke off finds the same records in the same order.
func (p *bulkPage) read(h http.Header, body io.Reader) error {
	table := readCSV(body)
	columns, err := header(table)
	if err != nil {
		return err
	}
	seen := 0
	for ; ; seen++ {
		values, err := table.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return csvFault(err)
		}
		if seen < p.given {
			continue
		}
		if !p.give(record(columns, values)) {
			return nil
		}
	}
	// A page cut off between two records looks whole but for this figure.
	if n := h.Get("Sforce-NumberOfRecords"); n != strconv.Itoa(seen) || seen < p.given {
		return fmt.Errorf("%w: %d records instead of %s", errForm, seen, number(n))
	}
	if p.next = h.Get("Sforce-Locator"); p.next == "" {
		return fmt.Errorf("%w: it has no locator", errForm)
	}
	if p.next == noLocator {
		p.next = ""
	}
	return nil
}

// give hands a record out, and tells whether the callee wants more.
func (p *bulkPage) give(r map[string]string) bool {
	p.given++
	p.refused = p.row(r)
	return p.refused == nil
}

// number is what a header says if that is a number.
func number(text string) string {
	if _, err := strconv.Atoi(text); err != nil {
		return "no number"
	}
	return text
}

func header(table *csv.Reader) ([]string, error) {
	first, err := table.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil // no records at all
	}
	if err != nil {
		return nil, csvFault(err)
	}
	columns := make([]string, len(first))
	for i, name := range first {
		columns[i] = strings.Clone(shown(name))
	}
	return columns, nil
}

// record copies a row, whose memory the reader uses again.
func record(columns, values []string) map[string]string {
	r := make(map[string]string, len(columns))
	for i, name := range columns {
		r[name] = shown(values[i])
	}
	return r
}

// csvFault tells a body that is no CSV from one that broke off.
func csvFault(err error) error {
	if form, ok := errors.AsType[*csv.ParseError](err); ok {
		return fmt.Errorf("%w: %w", errForm, form.Err)
	}
	return err
}

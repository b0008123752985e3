package salesforce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// BulkRow is one record of a result file. It is valid during the call.
type BulkRow struct {
	columns []string
	values  []string
}

// Value is the record's value in a column, as it was uploaded; "" for a column
// that is not there.
func (r *BulkRow) Value(column string) string {
	if i := slices.IndexFunc(r.columns, func(c string) bool { return strings.EqualFold(c, column) }); i >= 0 {
		return shown(r.values[i])
	}
	return ""
}

// BulkSuccesses reads the records that an ended job has written, in any order,
// with their ids and whether they were created. A file that breaks off is read
// again from the beginning: written may see a record several times. It holds up one of
// the calls that may be under way at once, and must not make any itself.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_successful_results.htm
func (o *Org) BulkSuccesses(ctx context.Context, id string, written func(r *BulkRow, id string, created bool) error) error {
	return o.resultFile(ctx, id, resultFile{"bulk successes", "/successfulResults/", []string{idColumn, createdColumn}}, func(r *BulkRow) error {
		return written(r, r.Value(idColumn), r.Value(createdColumn) == "true")
	})
}

// BulkFailures reads the records that an ended job could not write, each with its
// fault, which holds none of the record's values. It is like BulkSuccesses.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_failed_results.htm
func (o *Org) BulkFailures(ctx context.Context, id string, refused func(r *BulkRow, f *fault.Error) error) error {
	return o.resultFile(ctx, id, resultFile{"bulk failures", "/failedResults/", []string{errorColumn}}, func(r *BulkRow) error {
		return refused(r, bulkRowFault(r))
	})
}

// BulkUnprocessed reads the records that an ended job has not come to. It is like
// BulkSuccesses.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_unprocessed_results.htm
func (o *Org) BulkUnprocessed(ctx context.Context, id string, left func(r *BulkRow) error) error {
	return o.resultFile(ctx, id, resultFile{"bulk unprocessed", "/unprocessedrecords/", nil}, left)
}

// Columns that Salesforce adds.
const (
	idColumn      = "sf__Id"
	createdColumn = "sf__Created"
	errorColumn   = "sf__Error"
)

// resultFile is one of the three, and the columns that it must have.
type resultFile struct {
	op, name string
	need     []string
}

func (o *Org) resultFile(ctx context.Context, id string, file resultFile, row func(*BulkRow) error) error {
	path, err := jobPath(file.op, ingestJobs, id)
	if err != nil {
		return err
	}
	var refused error
	_, err = o.chain.exchange(ctx, &request{
		op: file.op, method: http.MethodGet, path: o.path(path + file.name), header: http.Header{"Accept": {csvType}}, repeatable: true,
		stream: &stream{mediaType: csvType, read: func(_ http.Header, body io.Reader) error {
			var form error
			refused, form = eachResult(body, file.need, row)
			return form
		}},
	})
	if refused != nil {
		return refused
	}
	return jobGone(err, hintIngestGone)
}

// eachResult reads a result file. It tells row's own error, which ends the
// reading, from one of the file.
func eachResult(body io.Reader, need []string, row func(*BulkRow) error) (refused, form error) {
	table := readCSV(body)
	columns, err := header(table)
	if err != nil {
		return nil, err
	}
	for _, name := range need {
		if columns != nil && !slices.Contains(columns, name) {
			return nil, fmt.Errorf("%w: it has no column %s", errForm, name)
		}
	}
	r := &BulkRow{columns: columns}
	for {
		r.values, err = table.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil, nil
		case err != nil:
			return nil, csvFault(err)
		}
		if err := row(r); err != nil {
			return err, nil
		}
	}
}

// bulkRowFault reads "CODE:message:Field__c,Other__c --". The message may hold
// colons, and repeat what the record holds.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_failed_results.htm
func bulkRowFault(r *BulkRow) *fault.Error {
	const op = "bulk record"
	text := strings.TrimSpace(r.Value(errorColumn))
	e := vendorError{Message: text}
	if code, rest, found := strings.Cut(text, ":"); found && plainName(code) {
		e.Code, e.Message = code, rest
	}
	if rest, found := strings.CutSuffix(e.Message, "--"); found {
		rest = strings.TrimSpace(rest)
		if i := strings.LastIndexByte(rest, ':'); i >= 0 {
			e.Message = rest[:i]
			for name := range strings.SplitSeq(rest[i+1:], ",") {
				if name = strings.TrimSpace(name); plainName(name) {
					e.Fields = append(e.Fields, name)
				}
			}
		}
	}
	if e.Code == "" {
		return unreadable(op, errors.New("a record was refused without a code"))
	}
	return faultFrom(op, 0, e, r.content)
}

// content are the record's own values, of which nothing may be shown.
func (r *BulkRow) content() []string {
	var values []string
	for i, name := range r.columns {
		if name != idColumn && name != errorColumn && name != createdColumn {
			values = append(values, shown(r.values[i]))
		}
	}
	return values
}

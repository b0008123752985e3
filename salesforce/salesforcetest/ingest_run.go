package salesforcetest

import (
	"strings"
	"time"
)

// ingestOutcome is what came of one record.
type ingestOutcome struct {
	row     int // in the job's table
	id      string
	created bool
	failure string // "CODE:message:fields --"; "" for a success
}

// chunkRows is how many records of a batch are written together, as triggers see
// them.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/how_requests_are_processed.htm
const chunkRows = 200

// closeIngest lets a job run: half of BulkDelay it waits, over the other half its
// batches follow each other.
func (s *Server) closeIngest(j *ingestJob) {
	if len(s.ingest.fail) > 0 {
		j.fail = &s.ingest.fail[0]
		s.ingest.fail = s.ingest.fail[1:]
	}
	j.move("UploadComplete")
	if s.opts.BulkDelay <= 0 {
		for s.beginIngest(j); !j.over(); {
			s.runBatch(j)
		}
		return
	}
	j.timer = time.AfterFunc(s.opts.BulkDelay/2, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if j.state != "UploadComplete" {
			return
		}
		s.beginIngest(j)
		s.laterBatch(j)
	})
}

// beginIngest reads a job's data. What cannot be read at all fails it.
func (s *Server) beginIngest(j *ingestJob) {
	j.move("InProgress")
	table, problem := readCSV(j.data, delimiters[j.delimiter], j.lineEnding)
	if problem == "" {
		problem = s.checkColumns(j, table)
	}
	if j.data = ""; problem != "" {
		j.failure = problem
		j.end("Failed")
		return
	}
	j.table = table
}

func (s *Server) laterBatch(j *ingestJob) {
	if j.over() {
		return
	}
	batches := max((len(j.table.rows)+s.opts.BulkBatchRows-1)/s.opts.BulkBatchRows, 1)
	j.timer = time.AfterFunc(s.opts.BulkDelay/2/time.Duration(batches), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case j.state == "InProgress":
			s.runBatch(j)
			s.laterBatch(j)
		case j.late:
			s.runRows(j, min(j.next+s.opts.BulkBatchRows, len(j.table.rows)))
		}
	})
}

// runBatch processes the next batch of a job, and ends the job behind the last.
func (s *Server) runBatch(j *ingestJob) {
	now := time.Now()
	if s.ingest.batches.used(now) >= ingestBatchesPerDay {
		j.failure = "ExceededQuota : ApiBatchItems Limit exceeded."
		j.end("Failed")
		return
	}
	s.ingest.batches.add(now, 1)
	last := min(j.next+s.opts.BulkBatchRows, len(j.table.rows))
	if j.fail != nil {
		last = min(last, j.fail.after)
	}
	s.runRows(j, last)
	switch {
	case j.fail != nil && j.next >= min(j.fail.after, len(j.table.rows)):
		j.failure = j.fail.message
		j.end("Failed")
	case j.next == len(j.table.rows):
		j.end("JobComplete")
	}
}

func (s *Server) runRows(j *ingestJob, last int) {
	for j.next < last {
		to := min(j.next+chunkRows, last)
		s.runChunk(j, j.next, to)
		j.next = to
	}
}

// runChunk writes some records, each independently of the others.
func (s *Server) runChunk(j *ingestJob, from, to int) {
	o := s.schema.object(j.object)
	c := &call{s: s, op: OpIngestRun, version: j.version, x: &tx{s: s}}
	s.faultMu.Lock()
	for _, f := range s.faults.take(Request{Operation: OpIngestRun, Object: o.name, At: time.Now()}) {
		c.refuse = append(c.refuse, f.refuse)
	}
	s.faultMu.Unlock()
	records := make([]*record, 0, to-from)
	for _, values := range j.table.rows[from:to] {
		r, bad := s.bind(o, rowNode(j.table.columns, values))
		if bad != nil {
			r = &record{obj: o, errs: []*Error{bad}}
		}
		records = append(records, r)
	}
	for i, got := range c.ingestRows(j, o, records) {
		out := ingestOutcome{row: from + i, id: got.id, created: got.created}
		if got.errs != nil {
			out.failure = failureText(got.errs[0])
		}
		j.done = append(j.done, out)
	}
}

// ingestRows writes records as the job's operation says.
func (c *call) ingestRows(j *ingestJob, o *object, records []*record) []outcome {
	one := c.ingestByID(j)
	switch {
	case j.operation == "insert":
		one = func(r *record) outcome {
			seq, errs := c.insertRow(r)
			if errs != nil {
				return outcome{errs: errs}
			}
			return outcome{id: formatID(o.prefix, seq), created: true}
		}
	case j.operation == "upsert" && !strings.EqualFold(j.key, "Id"):
		f := o.field(j.key)
		twice, seen := c.repeated(records, f), map[string]bool{}
		one = func(r *record) outcome { return c.upsertRecord(r, f, twice, seen) }
	}
	results := make([]outcome, len(records))
	for i, r := range records {
		if r.errs != nil && r.src == nil {
			results[i] = outcome{errs: r.errs}
			continue
		}
		if results[i] = one(r); results[i].errs != nil {
			results[i].id, results[i].created = "", false
		}
	}
	return results
}

// ingestByID finds each record by its Id.
func (c *call) ingestByID(j *ingestJob) func(*record) outcome {
	seen := map[uint32]bool{}
	return func(r *record) outcome {
		if r.id == "" {
			return outcome{errs: []*Error{refuse("MISSING_ARGUMENT", "Id not specified in an "+j.operation+" call")}}
		}
		seq, e := c.rowByID(r.obj, r.id)
		switch {
		case e != nil:
			return outcome{errs: []*Error{e}}
		case seen[seq]:
			return outcome{errs: []*Error{refuse("DUPLICATE_VALUE", "Duplicate id specified: "+r.id)}}
		}
		seen[seq] = true
		id := formatID(r.obj.prefix, seq)
		if j.operation == "update" || j.operation == "upsert" {
			return outcome{id: id, errs: c.changeRow(r, seq)}
		}
		errs := c.removeRow(r.obj, seq)
		if errs == nil && j.operation == "hardDelete" {
			t := c.s.table(r.obj)
			gone := *t.at(seq)
			gone.state, gone.blob = rowAbsent, ""
			c.x.put(t, seq, gone)
		}
		return outcome{id: id, errs: errs}
	}
}

// failureText is how a result file words an error.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_failed_results.htm
func failureText(e *Error) string {
	return e.Code + ":" + e.Message + ":" + strings.Join(e.Fields, ",") + " --"
}

// nullText is what a value says that is to become null; an empty one is left as
// it is in the org.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_csv_valid_record_rows.htm
const nullText = "#N/A"

// rowNode makes of a CSV record what a JSON record would be: Parent__r.Key__c
// becomes a parent with that key.
func rowNode(columns, values []string) *node {
	n := &node{kind: nodeObject, kids: make([]node, 0, len(columns))}
	for i, column := range columns {
		if values[i] == "" {
			continue
		}
		cell := node{key: column, kind: nodeString, text: values[i]}
		if values[i] == nullText {
			cell.kind, cell.text = nodeNull, ""
		}
		rel, key, nested := strings.Cut(column, ".")
		if nested && cell.kind == nodeString {
			cell.key = key
			cell = node{key: rel, kind: nodeObject, kids: []node{cell}}
		} else if nested {
			cell.key = rel
		}
		n.kids = append(n.kids, cell)
	}
	return n
}

// checkColumns says what is wrong with a job's header, "" for nothing.
func (s *Server) checkColumns(j *ingestJob, t *csvTable) string {
	o := s.schema.object(j.object)
	byKey := j.operation == "upsert" && !strings.EqualFold(j.key, "Id")
	need := "Id"
	if byKey {
		need = j.key
	}
	found := j.operation == "insert"
	seen := map[string]bool{}
	for _, column := range t.columns {
		name := strings.ToLower(column)
		if seen[name] {
			return "InvalidBatch : Field name specified twice : " + column
		}
		seen[name] = true
		found = found || strings.EqualFold(name, need)
		rel, key, nested := strings.Cut(column, ".")
		switch {
		case nested:
			f := o.byRel[strings.ToLower(rel)]
			if f == nil || f.hidden || s.schema.object(f.refTo[0]).visible(key) == nil {
				return "InvalidBatch : Field name not found : " + column
			}
		case name != "id" && o.visible(column) == nil:
			return "InvalidBatch : Field name not found : " + column
		}
	}
	switch {
	case !found:
		return "InvalidBatch : Field name not found : " + need
	case strings.HasSuffix(strings.ToLower(j.operation), "delete") && len(t.columns) > 1:
		return "InvalidBatch : the file of a " + j.operation + " job has the column Id only"
	}
	return ""
}

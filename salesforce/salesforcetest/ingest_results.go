package salesforcetest

import (
	"math/rand/v2"
	"strconv"
)

// description is which answer a job is described in: they differ in what they say.
type description int

const (
	describeMade description = iota
	describeChanged
	describeAsked
)

// describe writes a job as its resource does.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_info.htm
func (j *ingestJob) describe(s *Server, as description) []byte {
	b := []byte{'{'}
	pair := func(key, text string) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = appendPair(b, key, text)
	}
	pair("id", j.id)
	pair("operation", j.operation)
	pair("object", j.object)
	pair("createdById", s.userID())
	pair("createdDate", j.created.UTC().Format(timeOut))
	pair("systemModstamp", j.changed.UTC().Format(timeOut))
	pair("state", j.state)
	if j.key != "" {
		pair("externalIdFieldName", j.key)
	}
	pair("concurrencyMode", "Parallel")
	pair("contentType", "CSV")
	b = append(b, `,"apiVersion":`+strconv.Itoa(j.version)+".0"...)
	if as != describeChanged {
		// Without a slash in front, unlike every other path.
		pair("contentUrl", "services/data/v"+strconv.Itoa(j.version)+".0/jobs/ingest/"+j.id+"/batches")
		pair("lineEnding", j.lineEnding)
		pair("columnDelimiter", j.delimiter)
	}
	if as == describeAsked {
		failed := 0
		for i := range j.done {
			if j.done[i].failure != "" {
				failed++
			}
		}
		pair("jobType", "V2Ingest")
		b = append(b, `,"numberRecordsProcessed":`+strconv.Itoa(len(j.done))+`,"numberRecordsFailed":`+strconv.Itoa(failed)...)
		b = append(b, `,"retries":0,"totalProcessingTime":`+strconv.FormatInt(j.changed.Sub(j.created).Milliseconds(), 10)...)
		b = append(b, `,"apiActiveProcessingTime":0,"apexProcessingTime":0`...)
	}
	if j.failure != "" {
		pair("errorMessage", j.failure)
	}
	return append(b, '}')
}

// ingestSuccesses serves GET /jobs/ingest/{id}/successfulResults.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_successful_results.htm
func (c *call) ingestSuccesses() (*reply, *Error) {
	return c.ingestResults([]string{"sf__Id", "sf__Created"}, func(o *ingestOutcome) []string {
		if o.failure != "" {
			return nil
		}
		return []string{o.id, strconv.FormatBool(o.created)}
	})
}

// ingestFailures serves GET /jobs/ingest/{id}/failedResults.
func (c *call) ingestFailures() (*reply, *Error) {
	return c.ingestResults([]string{"sf__Id", "sf__Error"}, func(o *ingestOutcome) []string {
		if o.failure == "" {
			return nil
		}
		return []string{o.id, o.failure}
	})
}

// ingestUnprocessed serves GET /jobs/ingest/{id}/unprocessedrecords.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_unprocessed_results.htm
func (c *call) ingestUnprocessed() (*reply, *Error) {
	j, err := c.endedIngest()
	if err != nil {
		return nil, err
	}
	w := j.writer()
	if j.table != nil {
		w.line(nil, j.table.columns)
		for _, values := range j.table.rows[j.next:] {
			w.line(nil, values)
		}
	}
	return w.reply(), nil
}

func (c *call) endedIngest() (*ingestJob, *Error) {
	if err := c.only(); err != nil {
		return nil, err
	}
	j, err := c.ingestJob()
	if err != nil {
		return nil, err
	}
	if !j.over() {
		return nil, fail(400, "INVALIDJOBSTATE", "The job has no results: it is "+j.state)
	}
	return j, nil
}

// ingestResults writes a result file of the outcomes that cells chooses. Its
// order is not that of the upload.
func (c *call) ingestResults(head []string, cells func(*ingestOutcome) []string) (*reply, *Error) {
	j, err := c.endedIngest()
	if err != nil {
		return nil, err
	}
	w := j.writer()
	if j.table == nil {
		w.line(head, nil)
		return w.reply(), nil
	}
	w.line(head, j.table.columns)
	order := rand.New(rand.NewPCG(c.s.opts.Seed, uint64(len(j.done)))).Perm(len(j.done))
	for _, i := range order {
		o := &j.done[i]
		if own := cells(o); own != nil {
			w.line(own, j.table.rows[o.row])
		}
	}
	return w.reply(), nil
}

// csvWriter writes a file with every value in quotes.
type csvWriter struct {
	b        []byte
	sep, end string
}

func (j *ingestJob) writer() *csvWriter {
	w := &csvWriter{sep: delimiters[j.delimiter], end: "\n"}
	if j.lineEnding == "CRLF" {
		w.end = "\r\n"
	}
	return w
}

func (w *csvWriter) line(first, second []string) {
	from := len(w.b)
	for _, list := range [][]string{first, second} {
		for _, v := range list {
			if len(w.b) > from {
				w.b = append(w.b, w.sep...)
			}
			w.b = appendQuoted(w.b, v)
		}
	}
	w.b = append(w.b, w.end...)
}

func (w *csvWriter) reply() *reply { return ok(w.b).set("Content-Type", "text/csv") }

// listIngests serves GET /jobs/ingest, newest job last.
func (c *call) listIngests() (*reply, *Error) {
	if err := c.only("queryLocator"); err != nil {
		return nil, err
	}
	return c.listed("/jobs/ingest", c.s.ingest.order, func(id string) []byte { return c.s.ingest.byID[id].describe(c.s, describeAsked) })
}

// stopIngests stops the timers of jobs that still run.
func (s *Server) stopIngests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.ingest.byID {
		if j.timer != nil {
			j.timer.Stop()
		}
	}
}

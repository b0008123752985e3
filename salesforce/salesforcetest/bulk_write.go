package salesforcetest

import (
	"strconv"
	"strings"
	"time"
)

// bulkTimeOut is how bulk results write a DateTime: with Z, unlike REST.
const bulkTimeOut = "2006-01-02T15:04:05.000Z"

// fillJob writes a job's results, as of now: every value in quotes, null empty.
func (s *Server) fillJob(j *bulkJob, p *plan) {
	sep, end := delimiters[j.delimiter], "\n"
	if j.lineEnding == "CRLF" {
		end = "\r\n"
	}
	names, ways := flatten(p.columns, "", nil)
	for i, name := range names {
		if i > 0 {
			j.head = append(j.head, sep...)
		}
		j.head = appendQuoted(j.head, name)
	}
	j.head = append(j.head, end...)
	j.object = p.obj.name
	t := s.table(p.obj)
	for _, seq := range s.run(p) {
		r := t.at(seq)
		for i, way := range ways {
			if i > 0 {
				j.body = append(j.body, sep...)
			}
			j.body = appendQuoted(j.body, s.bulkText(way.leaf, s.read(t, seq, r, way)))
		}
		j.body = append(j.body, end...)
		j.ends = append(j.ends, len(j.body))
	}
}

// flatten makes columns of the answer's tree: Account.Name for a parent's field.
func flatten(cols []*column, prefix string, steps []*field) (names []string, ways []*reach) {
	for _, c := range cols {
		if c.parent == nil {
			names, ways = append(names, prefix+c.name), append(ways, &reach{steps: steps, leaf: c.leaf})
			continue
		}
		down := append(append([]*field(nil), steps...), c.parent)
		n, w := flatten(c.kids, prefix+c.name+".", down)
		names, ways = append(names, n...), append(ways, w...)
	}
	return names, ways
}

func appendQuoted(b []byte, text string) []byte {
	b = append(b, '"')
	for {
		before, after, found := strings.Cut(text, `"`)
		b = append(b, before...)
		if !found {
			return append(b, '"')
		}
		b, text = append(b, `""`...), after
	}
}

func (s *Server) bulkText(f *field, v value) string {
	switch v.k {
	case kNull:
		return ""
	case kText:
		return v.s
	case kTime:
		return time.UnixMilli(v.n).UTC().Format(bulkTimeOut)
	case kDate:
		return dateText(v.n)
	case kRef:
		return s.refText(v)
	default:
		return string(s.appendValue(nil, f, v))
	}
}

// page is a header and the records from a place on, and the place after them.
func (j *bulkJob) page(from, size int) (body []byte, to int) {
	to = min(from+size, len(j.ends))
	begin, end := 0, 0
	if from > 0 {
		begin = j.ends[from-1]
	}
	if to > 0 {
		end = j.ends[to-1]
	}
	body = append(make([]byte, 0, len(j.head)+end-begin), j.head...)
	return append(body, j.body[begin:end]...), to
}

// describe writes a job as its resource does. Once asked for, it says more than
// the answer to its creation.
func (j *bulkJob) describe(s *Server, full bool) []byte {
	now := time.Now()
	state := j.state(now)
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
	pair("systemModstamp", j.changed(now).UTC().Format(timeOut))
	pair("state", state)
	pair("concurrencyMode", "Parallel")
	pair("contentType", "CSV")
	b = append(b, `,"apiVersion":`+strconv.Itoa(j.version)+".0"...)
	if full {
		pair("jobType", "V2Query")
	}
	pair("lineEnding", j.lineEnding)
	pair("columnDelimiter", j.delimiter)
	if full {
		n := 0
		if state == "JobComplete" {
			n = len(j.ends)
		}
		b = append(b, `,"numberRecordsProcessed":`+strconv.Itoa(n)+`,"retries":0,"totalProcessingTime":`...)
		b = strconv.AppendInt(b, min(now.Sub(j.created), j.delay).Milliseconds(), 10)
	}
	if state == "Failed" {
		pair("errorMessage", j.failure)
	}
	return append(b, '}')
}

// changed is when the job came into its present state.
func (j *bulkJob) changed(now time.Time) time.Time {
	switch j.state(now) {
	case "Aborted":
		return j.ended
	case "UploadComplete":
		return j.created
	case "InProgress":
		return j.created.Add(j.delay / 2)
	default:
		return j.created.Add(j.delay)
	}
}

// listJobs serves GET /jobs/query, newest job last.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_get_all_jobs.htm
func (c *call) listJobs() (*reply, *Error) {
	if err := c.only("jobType", "queryLocator"); err != nil {
		return nil, err
	}
	if kind := c.query.Get("jobType"); kind != "" && kind != "V2Query" {
		return nil, fail(400, "ILLEGAL_QUERY_PARAMETER_VALUE", "jobType: this emulated org has V2Query jobs only")
	}
	return c.listed("/jobs/query", c.s.bulk.order, func(id string) []byte { return c.s.bulk.byID[id].describe(c.s, true) })
}

// listed is a page of a list of jobs.
func (c *call) listed(path string, order []string, describe func(id string) []byte) (*reply, *Error) {
	from := 0
	if c.query.Has("queryLocator") {
		at, bad := strconv.Atoi(c.query.Get("queryLocator"))
		if bad != nil || at < 0 || at > len(order) {
			return nil, fail(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
		}
		from = at
	}
	to := min(from+jobsPerPage, len(order))
	b := []byte(`{"done":` + strconv.FormatBool(to == len(order)) + `,"records":[`)
	for i, id := range order[from:to] {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, describe(id)...)
	}
	next := "null"
	if to < len(order) {
		next = strconv.Quote(c.base + path + "?queryLocator=" + strconv.Itoa(to))
	}
	return ok([]byte(string(b) + `],"nextRecordsUrl":` + next + "}")), nil
}

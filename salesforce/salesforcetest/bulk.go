package salesforcetest

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bulkJobs are the org's query jobs of Bulk API 2.0.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/queries.htm
type bulkJobs struct {
	byID  map[string]*bulkJob
	order []string // ids, oldest first
	last  uint32
	day   usage // jobs of the last 24 h
	fail  []string
}

// bulkJob is one of them. Its state follows from the clock.
type bulkJob struct {
	id, operation, object string
	delimiter, lineEnding string
	version               int
	created               time.Time
	delay                 time.Duration
	ended                 time.Time // when it was aborted; zero otherwise
	failure               string    // the errorMessage it will end with
	head                  []byte
	body                  []byte
	ends                  []int // where each record ends in body
}

const (
	// jobsPerDay is how many query jobs an org may start in 24 h.
	// https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_bulkapi.htm
	jobsPerDay = 10_000
	// jobLife is how long a job and its results are kept once it has ended.
	jobLife = 7 * 24 * time.Hour
	// jobsPerPage is the length of a page of the list of jobs.
	jobsPerPage = 1000
)

func (j *bulkJob) state(now time.Time) string {
	age := now.Sub(j.created)
	switch {
	case !j.ended.IsZero():
		return "Aborted"
	case age < j.delay/2:
		return "UploadComplete"
	case age < j.delay:
		return "InProgress"
	case j.failure != "":
		return "Failed"
	default:
		return "JobComplete"
	}
}

func (j *bulkJob) running(now time.Time) bool {
	state := j.state(now)
	return state == "UploadComplete" || state == "InProgress"
}

// FailBulkQueries lets the next jobs end as Failed, each with one of these
// messages, such as "InternalServerError : retried 15 times".
func (s *Server) FailBulkQueries(messages ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bulk.fail = append(s.bulk.fail, messages...)
}

// BulkQueries is how many query jobs the org holds.
func (s *Server) BulkQueries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.bulk.order)
}

var delimiters = map[string]string{
	"COMMA": ",", "BACKQUOTE": "`", "CARET": "^", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t",
}

// createJob serves POST /jobs/query.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_create_job.htm
func (c *call) createJob() (*reply, *Error) {
	if err := c.only(); err != nil {
		return nil, err
	}
	if err := c.members("operation", "query", "contentType", "columnDelimiter", "lineEnding"); err != nil {
		return nil, err
	}
	j := &bulkJob{version: c.version, created: time.Now(), delay: c.s.opts.BulkDelay}
	for _, m := range []struct {
		key, initial string
		into         *string
		known        []string
	}{
		{"operation", "", &j.operation, []string{"query", "queryAll"}},
		{"contentType", "CSV", new(string), []string{"CSV"}},
		{"columnDelimiter", "COMMA", &j.delimiter, []string{"COMMA", "BACKQUOTE", "CARET", "PIPE", "SEMICOLON", "TAB"}},
		{"lineEnding", "LF", &j.lineEnding, []string{"LF", "CRLF"}},
	} {
		*m.into = m.initial
		if n := c.body.get(m.key); n != nil {
			*m.into = n.text
		}
		if !slices.Contains(m.known, *m.into) {
			return nil, fail(400, "INVALIDJOB", m.key+" must be one of "+strings.Join(m.known, ", "))
		}
	}
	soql := c.body.get("query")
	if soql == nil || soql.kind != nodeString {
		return nil, fail(400, "INVALIDJOB", "query must be specified")
	}
	if c.s.bulk.day.used(j.created) >= jobsPerDay {
		return nil, fail(400, "EXCEEDEDQUOTA", "ApiBatchItems Limit exceeded.")
	}
	if err := notInBulk(soql.text); err != nil {
		return nil, err
	}
	p, err := c.s.compile(soql.text, j.operation == "queryAll")
	if err != nil {
		return nil, err
	}
	c.s.fillJob(j, p)
	c.s.addJob(j)
	return ok(j.describe(c.s, false)), nil
}

func (s *Server) addJob(j *bulkJob) {
	b := &s.bulk
	if len(b.fail) > 0 {
		j.failure, b.fail = b.fail[0], b.fail[1:]
	}
	b.last++
	j.id = formatID("750", b.last)
	b.byID[j.id] = j
	b.order = append(b.order, j.id)
	b.day.add(j.created, 1)
}

// notInBulk refuses what SOQL knows and a bulk query does not. The messages on
// subqueries and compound fields are Salesforce's; the code is not documented.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/queries.htm
func notInBulk(soql string) *Error {
	toks, err := lexSOQL(soql)
	if err != nil {
		return err
	}
	no := func(what string) *Error { return fail(400, "API_ERROR", what) }
	for i, t := range toks {
		called := i+1 < len(toks) && toks[i+1].is("(")
		switch {
		case t.kind != tokName && !t.is("("):
		case t.is("GROUP") || t.is("OFFSET") || t.is("TYPEOF"):
			return no(strings.ToUpper(t.text) + " is not supported in Bulk Query")
		case called && slices.ContainsFunc([]string{"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"}, t.is):
			return no("Aggregate functions are not supported in Bulk Query")
		case t.is("(") && i > 0 && (toks[i-1].is(",") || toks[i-1].is("SELECT")) && toks[i+1].is("SELECT"):
			return no("Aggregate Relationships not supported in Bulk V2 Query with CSV content type")
		case slices.ContainsFunc([]string{
			"MailingAddress", "OtherAddress", "BillingAddress", "ShippingAddress", "Address", "PersonMailingAddress", "PersonOtherAddress",
		}, t.is):
			return no("Selecting compound data not supported in Bulk Query")
		}
	}
	return nil
}

// job finds the job of the path. Related calls must be of one API version, else
// 409, whose code is not documented.
func (c *call) job() (*bulkJob, *Error) {
	prefix, seq, good := parseID(c.segs[2])
	if !good || prefix != "750" {
		return nil, notFound()
	}
	j := c.s.bulk.byID[formatID("750", seq)]
	if j == nil {
		return nil, notFound()
	}
	if time.Since(j.created) > jobLife+j.delay {
		c.s.dropJob(j)
		return nil, notFound()
	}
	if j.version != c.version {
		return nil, fail(http.StatusConflict, "INVALIDVERSION",
			"The API version of the request does not match the job's: "+strconv.Itoa(j.version)+".0")
	}
	return j, nil
}

func (s *Server) dropJob(j *bulkJob) {
	delete(s.bulk.byID, j.id)
	s.bulk.order = slices.DeleteFunc(s.bulk.order, func(id string) bool { return id == j.id })
}

// jobState serves GET /jobs/query/{id}.
func (c *call) jobState() (*reply, *Error) {
	if err := c.only(); err != nil {
		return nil, err
	}
	j, err := c.job()
	if err != nil {
		return nil, err
	}
	return ok(j.describe(c.s, true)), nil
}

// abortJob serves PATCH /jobs/query/{id}.
func (c *call) abortJob() (*reply, *Error) {
	if err := c.members("state"); err != nil {
		return nil, err
	}
	j, err := c.job()
	if err != nil {
		return nil, err
	}
	if n := c.body.get("state"); n == nil || n.text != "Aborted" {
		return nil, fail(400, "INVALIDJOBSTATE", "A query job can only be set to Aborted")
	}
	now := time.Now()
	if !j.running(now) {
		return nil, fail(400, "INVALIDJOBSTATE", "Aborting an already "+j.state(now)+" job is not allowed")
	}
	j.ended = now
	return ok(j.describe(c.s, true)), nil
}

// deleteJob serves DELETE /jobs/query/{id}.
func (c *call) deleteJob() (*reply, *Error) {
	if err := c.only(); err != nil {
		return nil, err
	}
	j, err := c.job()
	if err != nil {
		return nil, err
	}
	if now := time.Now(); j.running(now) {
		return nil, fail(400, "INVALIDJOBSTATE", "Deleting a job that is "+j.state(now)+" is not allowed")
	}
	c.s.dropJob(j)
	return &reply{status: http.StatusNoContent}, nil
}

// jobResults serves GET /jobs/query/{id}/results.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_get_job_results.htm
func (c *call) jobResults() (*reply, *Error) {
	if err := c.only("maxRecords", "locator"); err != nil {
		return nil, err
	}
	j, err := c.job()
	if err != nil {
		return nil, err
	}
	if state := j.state(time.Now()); state != "JobComplete" {
		return nil, fail(400, "INVALIDJOBSTATE", "The job has no results: it is "+state)
	}
	size := c.s.opts.BulkPageRows
	if c.query.Has("maxRecords") {
		n, bad := strconv.Atoi(c.query.Get("maxRecords"))
		if bad != nil || n < 1 {
			return nil, fail(400, "ILLEGAL_QUERY_PARAMETER_VALUE", "maxRecords must be a positive number")
		}
		size = min(size, n)
	}
	from := 0
	if c.query.Has("locator") {
		text, bad := base64.RawURLEncoding.DecodeString(c.query.Get("locator"))
		at, notNumber := strconv.Atoi(string(text))
		if bad != nil || notNumber != nil || at < 1 || at >= len(j.ends) {
			return nil, fail(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
		}
		from = at
	}
	body, to := j.page(from, size)
	locator := "null" // that very word, when nothing follows
	if to < len(j.ends) {
		locator = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)))
	}
	return ok(body).set("Content-Type", "text/csv").
		set("Sforce-Locator", locator).set("Sforce-NumberOfRecords", strconv.Itoa(to-from)), nil
}

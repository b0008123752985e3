package salesforcetest

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"
)

// ingestJobs are the org's jobs of Bulk API 2.0 that write.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_api_2_0_ingest.htm
type ingestJobs struct {
	byID    map[string]*ingestJob
	order   []string // ids, oldest first
	batches usage    // of the last 24 h
	fail    []ingestFailure
}

// ingestFailure is how a job is to end.
type ingestFailure struct {
	after   int // records are processed before
	message string
}

// ingestJob is one of them. Unlike a query's, its state is moved on by timers,
// because its records are written when it runs, and not before.
type ingestJob struct {
	id, operation, object, key string
	delimiter, lineEnding      string
	version                    int
	created, changed           time.Time
	state                      string
	uploads                    int
	data                       string
	table                      *csvTable
	next                       int // the first record that is not processed yet
	done                       []ingestOutcome
	fail                       *ingestFailure
	failure                    string // its errorMessage
	timer                      *time.Timer
	late                       bool // one more batch is written although the job was aborted
}

const (
	// openFor is how long a job may wait for its data.
	// https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_bulkapi.htm
	openFor = 24 * time.Hour
	// uploadMost is how large a job's data may be once it is in base64.
	uploadMost = 150_000_000
	// ingestBatchesPerDay are the batches that an org may have in 24 h.
	ingestBatchesPerDay = 15_000
)

var ingestOperations = []string{"insert", "update", "upsert", "delete", "hardDelete"}

// FailIngests lets the next jobs that are closed end as Failed, each with one of
// these messages, such as "TooManyLockFailure : Too many lock failure 10", once
// so many of their records have been processed. The others stay unprocessed.
func (s *Server) FailIngests(after int, messages ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range messages {
		s.ingest.fail = append(s.ingest.fail, ingestFailure{after, m})
	}
}

// Ingests is how many ingest jobs the org holds, by their state.
func (s *Server) Ingests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := map[string]int{}
	for _, j := range s.ingest.byID {
		n[j.state]++
	}
	return n
}

// AbortIngests aborts every job that has not ended, as an administrator does in
// Setup.
func (s *Server) AbortIngests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.ingest.byID {
		if !j.over() {
			s.abortIngest(j)
		}
	}
}

func (j *ingestJob) over() bool {
	return j.state == "JobComplete" || j.state == "Failed" || j.state == "Aborted"
}

func (j *ingestJob) move(state string) { j.state, j.changed = state, time.Now() }

func (j *ingestJob) end(state string) {
	if j.timer != nil && !j.late {
		j.timer.Stop()
	}
	if j.table == nil && j.data != "" {
		// Aborted before it ran: what was uploaded is unprocessed, if it can be read.
		j.table, _ = readCSV(j.data, delimiters[j.delimiter], j.lineEnding)
	}
	j.data = ""
	j.move(state)
}

func (s *Server) abortIngest(j *ingestJob) {
	j.late = s.opts.BulkAbortLate && j.state == "InProgress" && j.timer != nil
	j.end("Aborted")
}

// createIngest serves POST /jobs/ingest. Data in the same request (multipart) is
// not supported by this emulated org.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/create_job.htm
func (c *call) createIngest() (*reply, *Error) {
	if err := c.only(); err != nil {
		return nil, err
	}
	if err := c.members("object", "operation", "externalIdFieldName", "contentType", "columnDelimiter", "lineEnding"); err != nil {
		return nil, err
	}
	now := time.Now()
	j := &ingestJob{version: c.version, created: now, changed: now, state: "Open"}
	for _, m := range []struct {
		key, initial string
		into         *string
		known        []string
	}{
		{"operation", "", &j.operation, ingestOperations},
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
	if err := c.ingestTarget(j); err != nil {
		return nil, err
	}
	c.s.bulk.last++
	j.id = formatID("750", c.s.bulk.last)
	c.s.ingest.byID[j.id] = j
	c.s.ingest.order = append(c.s.ingest.order, j.id)
	return ok(j.describe(c.s, describeMade)), nil
}

// ingestTarget checks what a job writes to. hardDelete needs a permission of its
// own, Bulk API Hard Delete.
func (c *call) ingestTarget(j *ingestJob) *Error {
	name := c.body.get("object")
	if name == nil || name.kind != nodeString {
		return fail(400, "INVALIDJOB", "object must be specified")
	}
	o, err := c.object(name.text)
	if err != nil {
		return fail(400, "INVALIDENTITY", "Unable to find object: "+name.text)
	}
	j.object = o.name
	if j.operation == "hardDelete" && !c.s.opts.BulkHardDelete {
		return fail(400, "FEATURENOTENABLED", "hardDelete operation requires special user profile permission, please contact your system administrator")
	}
	key := c.body.get("externalIdFieldName")
	switch {
	case j.operation == "upsert" && key == nil:
		return fail(400, "INVALIDJOB", "External ID was blank for "+o.name+". An External ID must be specified for upsert.")
	case key == nil:
		return nil
	case j.operation != "upsert":
		return fail(400, "INVALIDJOB", "externalIdFieldName is for upsert only")
	}
	if j.key = key.text; strings.EqualFold(j.key, "Id") {
		return nil
	}
	if _, err := c.keyField(o, j.key); err != nil {
		return fail(400, "INVALIDJOB", "Field name provided, "+j.key+" does not match an External ID, Salesforce Id, or indexed field for "+o.name)
	}
	return nil
}

// ingestJob finds the job of the path.
func (c *call) ingestJob() (*ingestJob, *Error) {
	prefix, seq, good := parseID(c.segs[2])
	j := c.s.ingest.byID[formatID("750", seq)]
	if !good || prefix != "750" || j == nil {
		return nil, notFound()
	}
	switch age := time.Since(j.changed); {
	case j.over() && age > jobLife:
		c.s.dropIngest(j)
		return nil, notFound()
	case j.state == "Open" && age > openFor:
		j.end("Aborted") // what becomes of it is not documented
	}
	if j.version != c.version {
		return nil, fail(http.StatusConflict, "INVALIDVERSION", "The API version of the request does not match the job's")
	}
	return j, nil
}

func (s *Server) dropIngest(j *ingestJob) {
	delete(s.ingest.byID, j.id)
	s.ingest.order = slices.DeleteFunc(s.ingest.order, func(id string) bool { return id == j.id })
}

// uploadIngest serves PUT /jobs/ingest/{id}/batches. That only one is allowed
// shows when the job is closed.
// https://life-improver.com/salesforce/salesforce-providing-multiple-batches-to-the-bulk-api-2-0/
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/upload_job_data.htm
func (c *call) uploadIngest() (*reply, *Error) {
	if err := c.only(); err != nil {
		return nil, err
	}
	j, err := c.ingestJob()
	if err != nil {
		return nil, err
	}
	kind, _, _ := strings.Cut(c.header.Get("Content-Type"), ";")
	switch {
	case j.state != "Open":
		return nil, fail(400, "INVALIDJOBSTATE", "Job is not in state Open: it is "+j.state)
	case !strings.EqualFold(strings.TrimSpace(kind), "text/csv"):
		return nil, fail(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "Content type '"+kind+"' is not supported by this resource. Use text/csv")
	case base64.StdEncoding.EncodedLen(len(c.text)) > uploadMost:
		return nil, fail(http.StatusRequestEntityTooLarge, "CLIENTINPUTERROR", "The job data exceeds 150 MB in base64")
	}
	j.uploads++
	j.data = c.text
	return &reply{status: http.StatusCreated}, nil
}

// changeIngest serves PATCH /jobs/ingest/{id}: it closes or aborts a job.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/close_job.htm
func (c *call) changeIngest() (*reply, *Error) {
	if err := c.members("state"); err != nil {
		return nil, err
	}
	j, err := c.ingestJob()
	if err != nil {
		return nil, err
	}
	n := c.body.get("state")
	switch {
	case n != nil && n.text == "Aborted" && !j.over():
		c.s.abortIngest(j)
	case n != nil && n.text == "UploadComplete" && j.state == "Open" && j.uploads > 1:
		return nil, fail(400, "INVALIDJOB", "Found multiple contents for job: <"+j.id[:15]+">, please 'Close' / 'Abort' / 'Delete' the current Job"+
			" then create a new Job and make sure you only do 'PUT' once on a given Job.")
	case n != nil && n.text == "UploadComplete" && j.state == "Open":
		c.s.closeIngest(j)
	case n != nil && (n.text == "Aborted" || n.text == "UploadComplete"):
		return nil, fail(400, "INVALIDJOBSTATE", "Changing a job from "+j.state+" to "+n.text+" is not allowed")
	default:
		return nil, fail(400, "INVALIDJOBSTATE", "A job can only be set to UploadComplete or Aborted")
	}
	return ok(j.describe(c.s, describeChanged)), nil
}

// ingestState serves GET /jobs/ingest/{id}.
func (c *call) ingestState() (*reply, *Error) {
	if err := c.only(); err != nil {
		return nil, err
	}
	j, err := c.ingestJob()
	if err != nil {
		return nil, err
	}
	return ok(j.describe(c.s, describeAsked)), nil
}

// deleteIngest serves DELETE /jobs/ingest/{id}, which must not be at work.
func (c *call) deleteIngest() (*reply, *Error) {
	if err := c.only(); err != nil {
		return nil, err
	}
	j, err := c.ingestJob()
	if err != nil {
		return nil, err
	}
	if j.state == "Open" || j.state == "InProgress" {
		return nil, fail(400, "INVALIDJOBSTATE", "Deleting a job that is "+j.state+" is not allowed")
	}
	if !j.over() {
		j.end("Aborted")
	}
	c.s.dropIngest(j)
	return &reply{status: http.StatusNoContent}, nil
}

package salesforce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/go-json-experiment/json"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// How a job is asked whether it has ended: most take seconds, some an hour.
const (
	firstPoll   = 2 * time.Second
	longestPoll = time.Minute
	pollGrowth  = 1.6
)

// CodeJobAborted says that a bulk job was aborted, by us or in Setup.
const CodeJobAborted = "ABORTED"

// BulkQuery is how far a query job of Bulk API 2.0 is. Either Done or Failed
// says that it has ended.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_get_one_job.htm
type BulkQuery struct {
	ID string
	// State is UploadComplete, InProgress, JobComplete, Aborted or Failed.
	State string
	// Done: the results can be read.
	Done bool
	// Failed: there are no results, and there will be none.
	Failed bool
	// Processed counts the records found so far.
	Processed int64
	// Reason is Salesforce's word on why it failed, without values.
	Reason string
}

// StartBulkQuery makes a job that runs an SOQL query on Salesforce's side; all
// finds deleted records as well. Its results are kept for seven days. GROUP BY,
// OFFSET, aggregates, subqueries and compound fields are not possible there, and
// ORDER BY and LIMIT make it slow. A start that failed half way may have left a
// job behind, which does no harm and goes by itself.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_create_job.htm
func (o *Org) StartBulkQuery(ctx context.Context, soql string, all bool) (id string, err error) {
	const op = "bulk start"
	job := struct {
		Operation  string `json:"operation"`
		Query      string `json:"query"`
		Content    string `json:"contentType"`
		Delimiter  string `json:"columnDelimiter"`
		LineEnding string `json:"lineEnding"`
	}{"query", soql, "CSV", "COMMA", "LF"}
	if all {
		job.Operation = "queryAll"
	}
	body, err := json.Marshal(job)
	if err != nil {
		return "", fault.New(fault.Permanent, opName(op), errors.New("the query is not valid UTF-8"))
	}
	// Repeatable because a second job changes no record.
	data, err := o.Do(ctx, Call{Op: op, Method: http.MethodPost, Path: "/jobs/query", Body: body, Repeatable: true})
	if err != nil {
		return "", err
	}
	var made struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(data, &made); err != nil || !plainName(made.ID) {
		return "", unreadable(op, errors.New("the answer names no job"))
	}
	return made.ID, nil
}

// BulkQueryState asks once how far a job is.
func (o *Org) BulkQueryState(ctx context.Context, id string) (BulkQuery, error) {
	const op = "bulk state"
	path, err := jobPath(op, id)
	if err != nil {
		return BulkQuery{}, err
	}
	var job struct {
		State     string `json:"state"`
		Processed int64  `json:"numberRecordsProcessed"`
		Message   string `json:"errorMessage"`
	}
	if err := o.read(ctx, op, path, &job); err != nil {
		return BulkQuery{}, jobGone(err)
	}
	return BulkQuery{
		ID: id, State: job.State, Done: job.State == "JobComplete",
		Failed: job.State == "Failed" || job.State == "Aborted", Processed: job.Processed, Reason: reason(job.Message),
	}, nil
}

// AwaitBulkQuery asks, less and less often, until the job's results can be read.
// It waits for as long as ctx lets it. A job that failed is a fault with the
// reason, by whose class the caller knows whether the same query can succeed.
func (o *Org) AwaitBulkQuery(ctx context.Context, id string) error {
	var last error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		job, err := o.BulkQueryState(ctx, id)
		switch {
		case err != nil:
			last = err
			return struct{}{}, backoff.Permanent(err)
		case job.Failed:
			last = jobFailed(job)
			return struct{}{}, backoff.Permanent(last)
		case !job.Done:
			last = nil
			return struct{}{}, errRunning
		}
		return struct{}{}, nil
	},
		backoff.WithBackOff(&backoff.ExponentialBackOff{
			InitialInterval: firstPoll, MaxInterval: longestPoll, Multiplier: pollGrowth, RandomizationFactor: 0.2,
		}),
		backoff.WithMaxElapsedTime(0), backoff.WithMaxTries(0),
	)
	switch {
	case last != nil:
		return last
	case err != nil: // only the context ends the waiting
		return fault.New(fault.Transient, opName("bulk wait"), context.Cause(ctx))
	default:
		return nil
	}
}

var errRunning = errors.New("the job is still running")

// DropBulkQuery deletes a job and its results, aborting it if it still runs. A
// job that is gone already is no fault.
func (o *Org) DropBulkQuery(ctx context.Context, id string) error {
	const op = "bulk drop"
	path, err := jobPath(op, id)
	if err != nil {
		return err
	}
	drop := Call{Op: op, Method: http.MethodDelete, Path: path, Repeatable: true}
	_, err = o.Do(ctx, drop)
	if bulkCode(fault.CodeOf(err)) != "INVALIDJOBSTATE" {
		return unlessGone(err)
	}
	_, err = o.Do(ctx, Call{Op: op, Method: http.MethodPatch, Path: path, Body: []byte(`{"state":"Aborted"}`), Repeatable: true})
	if err != nil && bulkCode(fault.CodeOf(err)) != "INVALIDJOBSTATE" { // that is: it ended meanwhile
		return unlessGone(err)
	}
	_, err = o.Do(ctx, drop)
	return unlessGone(err)
}

func jobPath(op, id string) (string, error) {
	if !plainName(id) {
		return "", fault.New(fault.Permanent, opName(op), errors.New("the job's id is no id"))
	}
	return "/jobs/query/" + id, nil
}

func unlessGone(err error) error {
	if fault.CodeOf(err) == CodeNotFound {
		return nil
	}
	return err
}

// jobGone puts right what NOT_FOUND means of a job: not that an object is hidden
// from us, but that the job's seven days are over.
func jobGone(err error) error {
	f := fault.Of(err)
	if f == nil || f.Code != CodeNotFound {
		return err
	}
	gone := *f
	gone.Class, gone.Hint = fault.Transient, "The query job was deleted or is older than seven days; the query starts anew."
	return &gone
}

// bulkCode is the one spelling of Bulk API's codes: they are INVALIDJOBSTATE in
// answers and InvalidJobState within a job.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/asynch_api_reference_errors.htm
func bulkCode(code string) string { return strings.ToUpper(strings.ReplaceAll(code, "_", "")) }

// refusedJobs are the codes of jobs that can never succeed; any other failure
// may have been the moment's.
var refusedJobs = map[string]bool{
	"CLIENTINPUTERROR": true, "INVALIDBATCH": true, "INVALIDENTITY": true, "INVALIDJOB": true, "INVALIDOPERATION": true,
	"FEATURENOTENABLED": true, "INVALIDVERSION": true, "FUNCTIONALITYNOTENABLED": true, "APIDISABLED": true, "INVALIDQUERY": true,
}

// jobFailed classes a job's end by the code before the colon of its reason.
func jobFailed(job BulkQuery) *fault.Error {
	f := &fault.Error{Class: fault.Transient, Op: opName("bulk query"), Err: fmt.Errorf("the job ended as %s: %s", job.State, job.Reason)}
	code, _, _ := strings.Cut(job.Reason, ":")
	if code = strings.TrimSpace(code); plainName(code) {
		f.Code = code
	}
	known, isRule := rules[f.Code]
	switch {
	case job.State == "Aborted":
		f.Class, f.Code, f.Hint = fault.Permanent, CodeJobAborted, "Somebody aborted the job: see Setup, Bulk Data Load Jobs."
	case isRule:
		f.Class, f.Hint, f.After = known.class, known.hint, known.after
	case bulkCode(f.Code) == "EXCEEDEDQUOTA":
		f.Class, f.After, f.Hint = fault.Throttled, dailyWait, "The org has used up its Bulk API query jobs of the last 24 hours."
	case refusedJobs[bulkCode(f.Code)]:
		f.Class, f.Hint = fault.Permanent, hintQuery
	default:
		f.Hint = "Salesforce gave the query up, perhaps because it takes too long; it is run again later."
	}
	return f
}

// reason makes a job's errorMessage fit to be shown. It may echo the query, of
// which we only know here that its values stand in quotes.
func reason(message string) string {
	code, text, found := strings.Cut(message, ":")
	if !found {
		code, text = "", message
	}
	e := vendorError{Message: text}
	var values []string
	if !strings.Contains(text, "ERROR at Row:") {
		values = literals(text)
	}
	text = scrub(e, values)
	if found {
		text = strings.TrimSpace(code) + ": " + text
	}
	return Scrub(text, nil)
}

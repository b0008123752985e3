package salesforce

import (
	"context"
	"errors"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/twiliosf/twiliosf/sync/fault"
)

const hintQueryGone = "The query job was deleted or is older than seven days; the query starts anew."

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
	path, err := jobPath(op, queryJobs, id)
	if err != nil {
		return BulkQuery{}, err
	}
	var job struct {
		State     string `json:"state"`
		Processed int64  `json:"numberRecordsProcessed"`
		Message   string `json:"errorMessage"`
	}
	if err := o.read(ctx, op, path, &job); err != nil {
		return BulkQuery{}, jobGone(err, hintQueryGone)
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
	return await(ctx, func() (ended bool, err error) {
		job, err := o.BulkQueryState(ctx, id)
		if err == nil && job.Failed {
			err = queryFailed(job)
		}
		return job.Done, err
	})
}

// DropBulkQuery deletes a job and its results, aborting it if it still runs. A
// job that is gone already is no fault.
func (o *Org) DropBulkQuery(ctx context.Context, id string) error {
	return o.drop(ctx, "bulk drop", queryJobs, id)
}

// queryFailed classes a job's end.
func queryFailed(job BulkQuery) *fault.Error {
	f := jobFailed("bulk query", job.State, job.Reason)
	switch {
	case f.Code == CodeJobAborted:
		f.Class = fault.Permanent
	case bulkCode(f.Code) == "EXCEEDEDQUOTA":
		f.Hint = "The org has used up its Bulk API query jobs of the last 24 hours."
	case f.Class == fault.Permanent && f.Hint == "":
		f.Hint = hintQuery
	case f.Hint == "":
		f.Hint = "Salesforce gave the query up, perhaps because it takes too long; it is run again later."
	}
	return f
}

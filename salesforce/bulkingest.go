package salesforce

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// BulkOperation is what a job does with its records. There is no insert: what may
// be begun again would make its records twice.
type BulkOperation string

// The operations. BulkHardDelete does without the recycle bin and needs the
// permission Bulk API Hard Delete.
const (
	BulkUpsert     BulkOperation = "upsert"
	BulkUpdate     BulkOperation = "update"
	BulkDelete     BulkOperation = "delete"
	BulkHardDelete BulkOperation = "hardDelete"
)

// BulkJob is what a job is made for.
type BulkJob struct {
	Object    string
	Operation BulkOperation
	// KeyField is the external id that upsert finds records by; the other
	// operations go by Id and leave it empty.
	KeyField string
}

// key is the column that names a record.
func (j BulkJob) key() string {
	if j.Operation == BulkUpsert {
		return j.KeyField
	}
	return "Id"
}

// BulkIngest is how far a job is.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_info.htm
type BulkIngest struct {
	ID string
	// State is Open, UploadComplete, InProgress, JobComplete, Failed or Aborted.
	// JobComplete does not say that all records were written.
	State string
	// Processed counts records, those that failed included.
	Processed, Failed int64
	// Reason is Salesforce's word on why the job failed, without values.
	Reason string
}

// Ended says that nothing more is written. The results can be read for seven days.
func (j BulkIngest) Ended() bool {
	return j.State == "JobComplete" || j.State == "Failed" || j.State == "Aborted"
}

// uploadPatience is how long an upload may take: Salesforce ends every call after
// that time.
// https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_api.htm
const uploadPatience = 10 * time.Minute

const hintIngestGone = "The job was deleted or is older than seven days; its records are written again."

// StartBulkIngest makes a job, which waits for its data. A start that failed half
// way may have left a job behind, in which there is nothing and which does no harm.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/create_job.htm
func (o *Org) StartBulkIngest(ctx context.Context, job BulkJob) (id string, err error) {
	const op = "bulk open"
	if !plainName(job.Object) || !plainName(job.key()) {
		return "", fault.New(fault.Permanent, opName(op), errors.New("the object's or the key's name is no API name"))
	}
	body, err := json.Marshal(struct {
		Object     string `json:"object"`
		Operation  string `json:"operation"`
		Key        string `json:"externalIdFieldName,omitzero"`
		Content    string `json:"contentType"`
		Delimiter  string `json:"columnDelimiter"`
		LineEnding string `json:"lineEnding"`
	}{job.Object, string(job.Operation), job.KeyField, "CSV", "COMMA", "LF"})
	if err != nil {
		return "", fault.New(fault.Permanent, opName(op), err)
	}
	// Repeatable because a job without data changes no record.
	data, err := o.Do(ctx, Call{Op: op, Method: http.MethodPost, Path: ingestJobs, Body: body, Repeatable: true})
	if err != nil {
		return "", ingestRefused(err)
	}
	var made struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(data, &made); err != nil || !plainName(made.ID) {
		return "", unreadable(op, errors.New("the answer names no job"))
	}
	return made.ID, nil
}

// ingestRefused knows what the codes of Bulk API mean when a job is made.
func ingestRefused(err error) error {
	f := fault.Of(err)
	if f == nil {
		return err
	}
	known := *f
	switch bulkCode(f.Code) {
	case "INVALIDENTITY", "FEATURENOTENABLED", "INVALIDJOB":
		known.Class, known.Hint = fault.Auth, hintIngestGrant
	case "EXCEEDEDQUOTA":
		known.Class, known.After, known.Hint = fault.Throttled, dailyWait, hintBatches
	}
	return &known
}

const (
	hintIngestGrant = "Give the integration user access to this object, its external id and its fields; a hardDelete needs the permission Bulk API Hard Delete."
	hintBatches     = "The org has used up its Bulk API batches of the last 24 hours."
)

// UploadBulkIngest gives a job its data, at most MaxBulkData bytes. A job takes
// data once: an upload that may have happened is Uncertain, and then the job is to
// be dropped, which is safe because nothing runs before it is closed.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/upload_job_data.htm
func (o *Org) UploadBulkIngest(ctx context.Context, id string, data []byte) error {
	const op = "bulk upload"
	path, err := jobPath(op, ingestJobs, id)
	switch {
	case err != nil:
		return err
	case len(data) > MaxBulkData:
		return fault.New(fault.Permanent, opName(op), ErrBulkLength)
	}
	_, err = o.chain.exchange(ctx, &request{
		op: op, method: http.MethodPut, path: o.path(path + "/batches"), body: data, contentType: csvType, patience: uploadPatience,
	})
	if f := fault.Of(err); f != nil && f.Status != 0 {
		f.Err = errors.New("the data was not taken") // the text may repeat a part of it
	}
	return err
}

// CloseBulkIngest says that a job has its data: now it runs. Closing it again is
// no fault.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/close_job.htm
func (o *Org) CloseBulkIngest(ctx context.Context, id string) error {
	const op = "bulk close"
	path, err := jobPath(op, ingestJobs, id)
	if err != nil {
		return err
	}
	return jobGone(o.setState(ctx, op, path, "UploadComplete"), hintIngestGone)
}

// BulkIngestState asks once how far a job is.
func (o *Org) BulkIngestState(ctx context.Context, id string) (BulkIngest, error) {
	const op = "bulk progress"
	path, err := jobPath(op, ingestJobs, id)
	if err != nil {
		return BulkIngest{ID: id}, err
	}
	var job struct {
		State     string `json:"state"`
		Processed int64  `json:"numberRecordsProcessed"`
		Failed    int64  `json:"numberRecordsFailed"`
		Message   string `json:"errorMessage"`
	}
	if err := o.read(ctx, op, path, &job); err != nil {
		return BulkIngest{ID: id}, jobGone(err, hintIngestGone)
	}
	return BulkIngest{ID: id, State: job.State, Processed: job.Processed, Failed: job.Failed, Reason: reason(job.Message)}, nil
}

// AwaitBulkIngest asks, less and less often, until the job has ended, well or
// badly. It waits for as long as ctx lets it.
func (o *Org) AwaitBulkIngest(ctx context.Context, id string) (BulkIngest, error) {
	var job BulkIngest
	err := await(ctx, func() (ended bool, err error) {
		job, err = o.BulkIngestState(ctx, id)
		return job.Ended(), err
	})
	return job, err
}

// AbortBulkIngest ends a job. What it has written stays written, and what is
// being written just then may still be. That it has ended already is no fault.
func (o *Org) AbortBulkIngest(ctx context.Context, id string) error {
	const op = "bulk abort"
	path, err := jobPath(op, ingestJobs, id)
	if err != nil {
		return err
	}
	return jobGone(o.setState(ctx, op, path, "Aborted"), hintIngestGone)
}

// DropBulkIngest deletes a job with its data and its results, aborting it if it
// has not ended. A job that is gone already is no fault.
func (o *Org) DropBulkIngest(ctx context.Context, id string) error {
	return o.drop(ctx, "bulk drop", ingestJobs, id)
}

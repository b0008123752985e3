package salesforce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

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

// The two halves of Bulk API 2.0.
const (
	queryJobs  = "/jobs/query"
	ingestJobs = "/jobs/ingest"
)

var errRunning = errors.New("the job is still running")

// await asks, less and less often, until ask answers that it has ended or fails.
// It waits for as long as ctx lets it.
func await(ctx context.Context, ask func() (ended bool, err error)) error {
	var last error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		ended, err := ask()
		switch last = err; {
		case err != nil:
			return struct{}{}, backoff.Permanent(err)
		case !ended:
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

// drop deletes a job and its results, aborting it if it has not ended. A job that
// is gone already is no fault.
func (o *Org) drop(ctx context.Context, op, kind, id string) error {
	path, err := jobPath(op, kind, id)
	if err != nil {
		return err
	}
	drop := Call{Op: op, Method: http.MethodDelete, Path: path, Repeatable: true}
	_, err = o.Do(ctx, drop)
	if bulkCode(fault.CodeOf(err)) != jobState {
		return unlessGone(err)
	}
	if err = o.setState(ctx, op, path, "Aborted"); err != nil {
		return unlessGone(err)
	}
	_, err = o.Do(ctx, drop)
	return unlessGone(err)
}

// jobState is the code of a change that the job's state does not allow.
const jobState = "INVALIDJOBSTATE"

// setState closes or aborts a job. That it has left the state in which this is
// possible is no fault: it was done before, or the job has ended meanwhile.
func (o *Org) setState(ctx context.Context, op, path, state string) error {
	body := []byte(`{"state":"` + state + `"}`)
	_, err := o.Do(ctx, Call{Op: op, Method: http.MethodPatch, Path: path, Body: body, Repeatable: true})
	if bulkCode(fault.CodeOf(err)) == jobState {
		return nil
	}
	return err
}

func jobPath(op, kind, id string) (string, error) {
	if !plainName(id) {
		return "", fault.New(fault.Permanent, opName(op), errors.New("the job's id is no id"))
	}
	return kind + "/" + id, nil
}

func unlessGone(err error) error {
	if fault.CodeOf(err) == CodeNotFound {
		return nil
	}
	return err
}

// jobGone puts right what NOT_FOUND means of a job: not that an object is hidden
// from us, but that the job's seven days are over.
func jobGone(err error, hint string) error {
	f := fault.Of(err)
	if f == nil || f.Code != CodeNotFound {
		return err
	}
	gone := *f
	gone.Class, gone.Hint = fault.Transient, hint
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

// jobFailed classes a job's end by the code before the colon of its reason. One
// that is none of the known kinds has no hint.
func jobFailed(op, state, reason string) *fault.Error {
	f := &fault.Error{Class: fault.Transient, Op: opName(op), Err: fmt.Errorf("the job ended as %s: %s", state, reason)}
	code, _, _ := strings.Cut(reason, ":")
	if code = strings.TrimSpace(code); plainName(code) {
		f.Code = code
	}
	known, isRule := rules[f.Code]
	switch {
	case state == "Aborted":
		f.Code, f.Hint = CodeJobAborted, "Somebody aborted the job: see Setup, Bulk Data Load Jobs."
	case isRule:
		f.Class, f.Hint, f.After = known.class, known.hint, known.after
	case bulkCode(f.Code) == "EXCEEDEDQUOTA":
		f.Class, f.After = fault.Throttled, dailyWait
	case refusedJobs[bulkCode(f.Code)]:
		f.Class = fault.Permanent
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

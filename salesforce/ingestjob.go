package salesforce

import (
	"context"
	"fmt"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// mostLockRounds is how often records that met locks are written again, each time
// in jobs of at most a quarter. Salesforce itself has tried a job's batches several
// times before it reports a lock.
const mostLockRounds = 2

// part brings one job to its end and tells what came of its records.
func (r *ingesting) part(ctx context.Context, key string, p *piece, depth int) error {
	id, stage, err := r.book.Job(ctx, key)
	if err != nil || stage == stageTold {
		return err
	}
	var job BulkIngest
	if stage == stageUploaded {
		job, err = r.org.BulkIngestState(ctx, id)
	} else if job, err = r.begin(ctx, key, id, p); err != nil {
		return err
	}
	p.data = nil
	if err == nil {
		job, err = r.ended(ctx, job)
	}
	if err := r.resolved(ctx, key, job.ID, err); err != nil {
		return err
	}
	locked, err := r.tell(ctx, key, job, p)
	if err != nil {
		return err
	}
	if err := r.unlock(ctx, key, p, locked, depth); err != nil {
		return err
	}
	if err := r.flush(); err != nil {
		return err
	}
	if err := r.book.Keep(ctx, key, job.ID, stageTold); err != nil {
		return err
	}
	_ = r.org.DropBulkIngest(ctx, job.ID) //nolint:errcheck // Salesforce drops it after seven days
	return nil
}

// begin makes a job and gives it the data. What was made before, and may have its
// data or not, is dropped first: it was never closed, so nothing of it has run or
// ever will.
func (r *ingesting) begin(ctx context.Context, key, former string, p *piece) (BulkIngest, error) {
	if former != "" {
		if err := r.org.DropBulkIngest(ctx, former); err != nil {
			return BulkIngest{}, err
		}
	}
	id, err := r.org.StartBulkIngest(ctx, r.in.Job)
	if err != nil {
		return BulkIngest{}, err
	}
	if err := r.book.Keep(ctx, key, id, stageMade); err != nil {
		return BulkIngest{}, err
	}
	if err := r.org.UploadBulkIngest(ctx, id, p.data); err != nil {
		return BulkIngest{}, err
	}
	return BulkIngest{ID: id, State: stateOpen}, r.book.Keep(ctx, key, id, stageUploaded)
}

// ended lets a job run that has its data, if it does not yet, and waits for its
// end.
func (r *ingesting) ended(ctx context.Context, job BulkIngest) (BulkIngest, error) {
	if job.State == stateOpen {
		if err := r.org.CloseBulkIngest(ctx, job.ID); err != nil {
			return job, err
		}
	}
	return r.org.runOut(ctx, job)
}

const stateOpen = "Open"

// abortSettles is how long a job that was aborted while it ran is left alone. Whether
// the batch that was being written just then goes on is not documented; it has this
// long.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_common_limits.htm
const abortSettles = 5 * time.Minute

// runOut awaits the end of a job that runs, until nothing of it can be written any
// more.
func (o *Org) runOut(ctx context.Context, job BulkIngest) (BulkIngest, error) {
	var err error
	if !job.Ended() {
		if job, err = o.AwaitBulkIngest(ctx, job.ID); err != nil {
			return job, err
		}
	}
	if job.State != "Aborted" {
		return job, nil
	}
	settled := time.NewTimer(abortSettles)
	defer settled.Stop()
	select {
	case <-settled.C:
		return job, nil
	case <-ctx.Done():
		return job, fault.New(fault.Transient, opName("bulk wait"), context.Cause(ctx))
	}
}

// resolved lets the next run make another job where this one leads nowhere: when
// it is gone with its outcomes, so that its records are written again, and when it
// cannot be closed, because something on the way has uploaded its data twice.
func (r *ingesting) resolved(ctx context.Context, key, id string, cause error) error {
	switch code := fault.CodeOf(cause); {
	case code == CodeNotFound:
		return r.anew(ctx, key, id, cause)
	case bulkCode(code) == "INVALIDJOB":
		return r.anew(ctx, key, id, fault.New(fault.Transient, opName("bulk close"), cause))
	default:
		return cause
	}
}

// anew drops a job so that the next run makes another.
func (r *ingesting) anew(ctx context.Context, key, id string, cause error) error {
	if err := r.org.DropBulkIngest(ctx, id); err != nil {
		return err
	}
	if err := r.book.Forget(ctx, key); err != nil {
		return err
	}
	return cause
}

// tell tells what came of the records of an ended job, but for those that met
// locks: these it answers.
func (r *ingesting) tell(ctx context.Context, key string, job BulkIngest, p *piece) (locked map[string]*fault.Error, err error) {
	column := r.in.Columns[r.at]
	err = r.org.BulkSuccesses(ctx, job.ID, func(row *BulkRow, id string, created bool) error {
		return r.first(p, BulkOutcome{Key: row.Value(column), ID: id, Created: created})
	})
	if err != nil || len(p.left) == 0 {
		return nil, err // nearly always: then nothing need be asked
	}
	locked = map[string]*fault.Error{}
	err = r.org.BulkFailures(ctx, job.ID, func(row *BulkRow, f *fault.Error) error {
		key := row.Value(column)
		if f.Code != CodeLockedRow && bulkCode(f.Code) != tooManyLocks {
			return r.first(p, BulkOutcome{Key: key, Err: f})
		}
		if p.left[key] {
			delete(p.left, key)
			locked[key] = f
		}
		return nil
	})
	if err != nil || len(p.left) == 0 {
		return locked, err
	}
	return locked, r.rest(ctx, key, job, p, locked)
}

const tooManyLocks = "TOOMANYLOCKFAILURE"

// first tells an outcome, unless an earlier reading of the same job has.
func (r *ingesting) first(p *piece, out BulkOutcome) error {
	if !p.left[out.Key] {
		return nil
	}
	delete(p.left, out.Key)
	return r.one(out)
}

// rest tells of the records that a job has neither written nor refused. If that is
// because no job of these columns can run, it is the whole run's fault, and another
// job is made once somebody has put that right.
func (r *ingesting) rest(ctx context.Context, key string, job BulkIngest, p *piece, locked map[string]*fault.Error) error {
	column := r.in.Columns[r.at]
	why := ingestFailed(job)
	if why.Class == fault.Permanent || why.Class == fault.Auth {
		if err := r.flush(); err != nil {
			return err
		}
		return r.anew(ctx, key, job.ID, why)
	}
	err := r.org.BulkUnprocessed(ctx, job.ID, func(row *BulkRow) error {
		key := row.Value(column)
		if bulkCode(why.Code) != tooManyLocks {
			return r.first(p, BulkOutcome{Key: key, Err: why})
		}
		if p.left[key] {
			delete(p.left, key)
			locked[key] = why
		}
		return nil
	})
	if err != nil {
		return err
	}
	for key := range p.left {
		unknown := *why
		unknown.Err = fmt.Errorf("no result file names the record: %w", why.Err)
		if err := r.first(p, BulkOutcome{Key: key, Err: &unknown}); err != nil {
			return err
		}
	}
	return nil
}

// ingestFailed is why a job has left records out. Permanent and Auth are about
// the whole job; all else may pass.
func ingestFailed(job BulkIngest) *fault.Error {
	f := jobFailed("bulk", job.State, job.Reason)
	switch code := bulkCode(f.Code); {
	case f.Code == CodeJobAborted:
		f.Hint += " Its records are written again."
	case code == "EXCEEDEDQUOTA":
		f.Hint = hintBatches
	case code == "INVALIDBATCH", code == "INVALIDENTITY", code == "FEATURENOTENABLED":
		f.Class, f.Hint = fault.Auth, hintIngestGrant
	case f.Class == fault.Permanent && f.Hint == "":
		f.Hint = hintQuery
	case f.Hint == "":
		f.Hint = "Salesforce gave the job up, perhaps because triggers and Flows of the org are slow; its records are written again."
	}
	return f
}

// unlock writes records that met locks again, in smaller jobs, and tells of those
// that meet them for the last time.
func (r *ingesting) unlock(ctx context.Context, key string, p *piece, locked map[string]*fault.Error, depth int) error {
	if len(locked) == 0 {
		return nil
	}
	if depth < mostLockRounds {
		wanted := func(key string) bool { return locked[key] != nil }
		return r.parts(ctx, key, wanted, max(p.rows/4, 1), depth+1)
	}
	for key, f := range locked {
		if err := r.one(BulkOutcome{Key: key, Err: f}); err != nil {
			return err
		}
	}
	return nil
}

// EndIngest lets what a former RunIngest has begun under one key of the book write
// no more: a job that does not run yet is dropped, and one that runs is awaited,
// for what it is writing just then it would write after it was aborted too. Its
// outcomes are told to nobody. What continues the key after a slash is to be ended
// first.
func (o *Org) EndIngest(ctx context.Context, book IngestBook, key string) error {
	id, stage, err := book.Job(ctx, key)
	if err == nil && stage == stageUploaded {
		var job BulkIngest
		if job, err = o.BulkIngestState(ctx, id); err == nil && job.State != stateOpen {
			_, err = o.runOut(ctx, job)
		}
		err = unlessGone(err)
	}
	if err == nil && id != "" && stage != stageTold {
		err = o.DropBulkIngest(ctx, id)
	}
	if err != nil {
		return err
	}
	return book.Forget(ctx, key)
}

package salesforce

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// Ingest is a set of records to be written by Bulk API 2.0, in as many jobs as it
// takes.
type Ingest struct {
	// Key is the caller's name for it, under which its jobs are kept: unique among
	// those that are not finished, and without a slash at the end.
	Key string
	Job BulkJob
	// Columns are API names of fields. The one that names a record is among them:
	// the key field of an upsert, else Id.
	Columns []string
	// Rows are the records, one value a column. They are gone through several times,
	// also by a later process, and must be the same each time. Keys must differ. An
	// error ends the run.
	Rows iter.Seq2[[]BulkValue, error]
	// MostRows and MostBytes bound one job; 0 is no bound of its own, and
	// MaxBulkData.
	MostRows, MostBytes int
}

// BulkOutcome is what came of one record.
type BulkOutcome struct {
	Key     string // its value in the column that names it
	ID      string // "" if it was not written
	Created bool
	// Err is nil if it was written. CodeNotBulk says that another API must do it.
	Err *fault.Error
}

// IngestBook remembers jobs durably, so that a process that is killed finds its
// jobs again. Stages are ours, and opaque.
type IngestBook interface {
	// Job is the job kept under a key; "" if there is none.
	Job(ctx context.Context, key string) (id, stage string, err error)
	// Keep is durable when it returns nil. It replaces what was kept.
	Keep(ctx context.Context, key, id, stage string) error
	// Forget forgets what is kept under a key, and under every key that continues
	// it after a slash.
	Forget(ctx context.Context, key string) error
}

// Stages of a job, as the book has them.
const (
	stageMade     = "made"     // nothing has run: whether data has arrived is not known
	stageUploaded = "uploaded" // it has its data, and may have run
	stageTold     = "told"     // its outcomes have been told
)

// RunIngest writes records and tells what came of each, whatever a former process
// that died has left of the same Ingest: no record is written by two jobs, but one
// that was locked, and then the first did not write it. Outcomes are told some at a
// time, and by the end of their job all of them; after a kill the last job's may be
// told again. An error of told ends the run; its slice is valid during the call.
//
// Records that met locks are written again in smaller jobs. What a job has not come
// to, because it was aborted or gave up, is told as Transient (CodeJobAborted among
// others): it may be written by a new Ingest. Its own error means that of the others
// nothing is known yet: the same Ingest is to be run again, and goes on where it was.
func (o *Org) RunIngest(ctx context.Context, book IngestBook, in *Ingest, told func([]BulkOutcome) error) error {
	r := &ingesting{org: o, book: book, in: in, told: told}
	if err := r.prepare(); err != nil {
		return fault.New(fault.Permanent, opName("bulk"), err)
	}
	if err := r.parts(ctx, in.Key, func(string) bool { return true }, in.MostRows, 0); err != nil {
		return err
	}
	return book.Forget(ctx, in.Key)
}

// outcomesAtOnce is how many outcomes are told together: what one transaction
// takes well.
const outcomesAtOnce = 500

// ingesting is one run.
type ingesting struct {
	org  *Org
	book IngestBook
	in   *Ingest
	told func([]BulkOutcome) error
	at   int // the key's column

	batch []BulkOutcome // not told yet
}

// one tells an outcome, later.
func (r *ingesting) one(out BulkOutcome) error {
	if r.batch = append(r.batch, out); len(r.batch) < outcomesAtOnce {
		return nil
	}
	return r.flush()
}

func (r *ingesting) flush() error {
	if len(r.batch) == 0 {
		return nil
	}
	err := r.told(r.batch)
	r.batch = r.batch[:0]
	return err
}

func (r *ingesting) prepare() error {
	r.at = -1
	for i, name := range r.in.Columns {
		if name == r.in.Job.key() {
			r.at = i
		}
	}
	if r.at < 0 || r.in.Key == "" {
		return errors.New("the column that names a record is missing, or the key under which jobs are kept")
	}
	_, err := NewBulkCSV(r.in.Columns)
	return err
}

// parts writes the records that are wanted, one job after another. Whatever
// process counts them, the same part has the same records.
func (r *ingesting) parts(ctx context.Context, key string, wanted func(string) bool, most, depth int) error {
	for n, from := 1, 0; ; n++ {
		p, err := r.take(wanted, from, most)
		if err != nil {
			return err
		}
		if p.rows > 0 {
			if err := r.part(ctx, key+"/"+strconv.Itoa(n), p, depth); err != nil {
				return err
			}
		}
		if from = p.next; p.last {
			return r.flush()
		}
	}
}

// piece is what one job writes.
type piece struct {
	data []byte // until it has been uploaded
	rows int
	left map[string]bool // keys of which no outcome has been told
	next int             // the record that the next piece begins with
	last bool            // there is none
}

// take gathers records from a place on. One that no job can carry is told at once.
func (r *ingesting) take(wanted func(string) bool, from, most int) (*piece, error) {
	file, err := NewBulkCSV(r.in.Columns)
	if err != nil {
		return nil, fault.New(fault.Permanent, opName("bulk"), err)
	}
	p := &piece{left: map[string]bool{}}
	at := -1
	for values, err := range r.in.Rows {
		at++
		if err != nil {
			return nil, err
		}
		if at < from {
			continue
		}
		if len(values) != len(r.in.Columns) {
			return nil, fault.New(fault.Permanent, opName("bulk"), fmt.Errorf("a record of %d values for %d columns", len(values), len(r.in.Columns)))
		}
		key := bulkClean(values[r.at].text)
		if !wanted(key) {
			continue
		}
		before := len(file.data)
		refused := file.Add(values)
		switch {
		case key == "" || p.left[key]:
			return nil, fault.New(fault.Permanent, opName("bulk"), errors.New("a record has no key, or that of another"))
		case refused != nil:
			if err := r.one(BulkOutcome{Key: key, Err: notBulk(refused)}); err != nil {
				return nil, err
			}
			continue
		case file.rows > 1 && (len(file.data) > r.mostBytes() || most > 0 && file.rows > most):
			p.data, p.rows, p.next = file.data[:before], file.rows-1, at
			return p, nil
		}
		p.left[key] = true
	}
	p.data, p.rows, p.last = file.data, file.rows, true
	return p, nil
}

func (r *ingesting) mostBytes() int {
	if r.in.MostBytes > 0 {
		return min(r.in.MostBytes, MaxBulkData)
	}
	return MaxBulkData
}

func notBulk(err error) *fault.Error {
	return &fault.Error{Class: fault.Permanent, Op: opName("bulk"), Code: CodeNotBulk, Hint: hintNotBulk, Err: err}
}

package records

import (
	"context"
	"errors"
	"fmt"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// mostSplits bounds the calls that one batch may cost while the records that
// spoil it are looked for. What is left then waits for the next attempt, which
// comes without those that were found.
const mostSplits = 40

// write is one batch on its way.
type write struct {
	org    Org
	plan   *plan
	doubt  func(error)
	splits int
}

// all writes the records and gives one outcome each, or why the whole batch was
// not taken.
func (w *write) all(ctx context.Context, records [][]byte) ([]error, error) {
	outcomes, err := w.call(ctx, records)
	switch {
	case err == nil:
		return outcomes, nil
	case !spoilt(err):
		return nil, err
	}
	outcomes = make([]error, len(records))
	w.split(ctx, records, outcomes, err)
	return outcomes, nil
}

// spoilt is true when one record may be why the whole call was refused.
func spoilt(err error) bool {
	switch fault.CodeOf(err) {
	case "METHOD_NOT_ALLOWED", "EXCEEDED_ID_LIMIT":
		return false // about the call, whatever it carries
	default:
		return fault.ClassOf(err) == fault.Permanent
	}
}

// split writes the halves of a refused call by themselves, down to the single
// records that spoil it.
func (w *write) split(ctx context.Context, records [][]byte, outcomes []error, cause error) {
	if len(records) == 1 {
		outcomes[0] = w.explained(cause)
		return
	}
	half := len(records) / 2
	w.part(ctx, records[:half], outcomes[:half], cause)
	w.part(ctx, records[half:], outcomes[half:], cause)
}

func (w *write) part(ctx context.Context, records [][]byte, outcomes []error, cause error) {
	if w.splits == 0 {
		fill(outcomes, fault.New(fault.Transient, "salesforce upsert", fmt.Errorf("%w: %w", errNotReached, cause)))
		return
	}
	w.splits--
	got, err := w.call(ctx, records)
	switch {
	case err == nil:
		copy(outcomes, got)
	case spoilt(err):
		w.split(ctx, records, outcomes, err)
	default:
		fill(outcomes, err)
	}
}

var errNotReached = errors.New("not written yet: other records spoil the call")

func fill(outcomes []error, err error) {
	for i := range outcomes {
		outcomes[i] = err
	}
}

// call makes one call. Rows that lost a race are written once more: the record
// that was in the way is there now (or is gone now), so the same upsert finds it.
func (w *write) call(ctx context.Context, records [][]byte) ([]error, error) {
	rows, err := w.org.UpsertCollection(ctx, w.plan.object, w.plan.key, records)
	if err != nil {
		w.doubt(err)
		return nil, err
	}
	outcomes := make([]error, len(rows))
	var again []int
	for i := range rows {
		if rows[i].Err == nil {
			continue
		}
		outcomes[i] = w.explained(rows[i].Err)
		if raced(rows[i].Err) {
			again = append(again, i)
		}
	}
	if len(again) > 0 {
		w.repeat(ctx, records, outcomes, again)
	}
	return outcomes, nil
}

// raced is true for faults that another writer's timing explains.
func raced(f *fault.Error) bool {
	return f.Code == salesforce.CodeDuplicateValue || f.Code == salesforce.CodeEntityIsDeleted
}

func (w *write) repeat(ctx context.Context, records [][]byte, outcomes []error, again []int) {
	some := make([][]byte, len(again))
	for i, at := range again {
		some[i] = records[at]
	}
	rows, err := w.org.UpsertCollection(ctx, w.plan.object, w.plan.key, some)
	for i, at := range again {
		switch {
		case err != nil:
			// Not settled: a lost race must not look like a refusal.
			outcomes[at] = fault.New(fault.Transient, "salesforce upsert", err)
		case rows[i].Err != nil:
			outcomes[at] = w.explained(rows[i].Err)
		default:
			outcomes[at] = nil
		}
	}
}

// explained adds our own words to a record's fault.
func (w *write) explained(err error) error {
	w.doubt(err)
	f := fault.Of(err)
	if f == nil {
		return err
	}
	with := *f
	with.Hint = hintFor(w.plan.object, f)
	return &with
}

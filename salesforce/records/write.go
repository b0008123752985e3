package records

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
)

const (
	// mostSplits bounds the calls that one batch may cost while the records that
	// spoil it are looked for. What is left then waits for the next attempt, which
	// comes without those that were found.
	mostSplits = 40
	// mostRepeats is how often rows of one call are written again: after a race,
	// without their owner, without their links.
	mostRepeats = 3
)

// write is one batch on its way.
type write struct {
	op     string
	object string
	send   func(ctx context.Context, records [][]byte) ([]salesforce.RowResult, error)
	plan   *plan // says what can be left out of a row that has a source
	// raced tells that the same row written again may well be taken; nil: never.
	raced    func(*fault.Error) bool
	doubt    func(error)
	unlinked func(*fault.Error)
	splits   int
}

// all writes the rows and gives one outcome each, or why the whole batch was not
// taken.
func (w *write) all(ctx context.Context, rows []row) ([]error, error) {
	outcomes, err := w.call(ctx, rows)
	switch {
	case err == nil:
		return outcomes, nil
	case !spoilt(err):
		return nil, err
	}
	outcomes = make([]error, len(rows))
	w.split(ctx, rows, outcomes, err)
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
func (w *write) split(ctx context.Context, rows []row, outcomes []error, cause error) {
	if len(rows) == 1 {
		if w.lessen(&rows[0], fault.Of(cause)) {
			w.part(ctx, rows, outcomes, cause)
			return
		}
		outcomes[0] = w.explained(cause)
		return
	}
	half := len(rows) / 2
	w.part(ctx, rows[:half], outcomes[:half], cause)
	w.part(ctx, rows[half:], outcomes[half:], cause)
}

func (w *write) part(ctx context.Context, rows []row, outcomes []error, cause error) {
	if w.splits == 0 {
		fill(outcomes, fault.New(fault.Transient, w.op, fmt.Errorf("%w: %w", errNotReached, cause)))
		return
	}
	w.splits--
	got, err := w.call(ctx, rows)
	switch {
	case err == nil:
		copy(outcomes, got)
	case spoilt(err):
		w.split(ctx, rows, outcomes, err)
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

// call makes one call, and further ones for the rows that are to be repeated.
func (w *write) call(ctx context.Context, rows []row) ([]error, error) {
	results, err := w.some(ctx, rows, nil)
	if err != nil {
		w.doubt(err)
		return nil, err
	}
	outcomes := make([]error, len(rows))
	every := make([]int, len(rows))
	for i := range every {
		every[i] = i
	}
	again := w.read(rows, every, results, outcomes, true)
	for n := 0; len(again) > 0 && n < mostRepeats; n++ {
		if results, err = w.some(ctx, rows, again); err != nil {
			// Not settled: a lost race must not look like a refusal.
			for _, at := range again {
				outcomes[at] = fault.New(fault.Transient, w.op, err)
			}
			break
		}
		again = w.read(rows, again, results, outcomes, false)
	}
	return outcomes, nil
}

// some makes one call of all rows, or of some.
func (w *write) some(ctx context.Context, rows []row, some []int) ([]salesforce.RowResult, error) {
	var records [][]byte
	if some == nil {
		records = make([][]byte, 0, len(rows))
		for i := range rows {
			records = append(records, rows[i].record)
		}
	}
	for _, i := range some {
		records = append(records, rows[i].record)
	}
	return w.send(ctx, records)
}

// read takes the results of the rows at the given places and answers those that
// are to be written again: one that lost a race, because the record that was in
// the way is there now (or is gone now), so the same upsert finds it; and one whose
// owner or links the org does not take, for a message is never held up by them.
func (w *write) read(rows []row, places []int, results []salesforce.RowResult, outcomes []error, mayRace bool) (again []int) {
	for i, at := range places {
		refusal := results[i].Err
		if refusal == nil {
			outcomes[at] = nil
			for _, f := range rows[at].without {
				w.unlinked(f)
			}
			continue
		}
		outcomes[at] = w.explained(refusal)
		switch {
		case mayRace && w.raced != nil && w.raced(refusal):
			w.keep(&rows[at], refusal)
			again = append(again, at)
		case w.lessen(&rows[at], refusal):
			again = append(again, at)
		}
	}
	return again
}

// raced is true for faults that another writer's timing explains.
func raced(f *fault.Error) bool {
	return f.Code == salesforce.CodeDuplicateValue || f.Code == salesforce.CodeEntityIsDeleted
}

// lessen leaves out what may be why the row was refused: its owner, if the fault
// speaks of that one, else all its links. It is false when there is nothing left
// to leave out.
func (w *write) lessen(r *row, refusal *fault.Error) bool {
	if r.source == nil || !mayBeLinks(refusal) || !w.plan.made.has(r.source, r.extent) {
		return false
	}
	r.without = append(r.without, refusal)
	if w.plan.made.mayBeBulk(r.source, refusal) {
		source := *r.source
		source.Bulk = ""
		r.source, r.record = &source, w.plan.append(nil, &source, r.extent)
		return true
	}
	r.extent++
	if !aboutOwner(refusal) || !w.plan.made.has(r.source, unowned) {
		r.extent = bare
	}
	r.record = w.plan.append(nil, r.source, r.extent)
	return true
}

// mayBeLinks is true for refusals of a record for good, and for those for want of
// access, which may be to the records that it is linked to.
func mayBeLinks(f *fault.Error) bool {
	return fault.ClassOf(f) == fault.Permanent || strings.HasPrefix(f.Code, "INSUFFICIENT_ACCESS")
}

// keep leaves to a record that was in the way, so that the org holds it after all,
// what is the users' own.
func (w *write) keep(r *row, refusal *fault.Error) {
	if r.source != nil && r.source.Links != nil && refusal.Code == salesforce.CodeDuplicateValue {
		r.extent = nothing
		r.record = w.plan.append(nil, r.source, r.extent)
	}
}

// aboutOwner is true for refusals of a record's owner.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
func aboutOwner(f *fault.Error) bool {
	switch f.Code {
	case "INACTIVE_OWNER_OR_USER", "TRANSFER_REQUIRES_READ", "OP_WITH_INVALID_USER_TYPE_EXCEPTION":
		return true
	default:
		return slices.ContainsFunc(f.Fields, func(name string) bool { return strings.EqualFold(name, ownerField) })
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
	with.Hint = hintFor(w.object, f)
	return &with
}

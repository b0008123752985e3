package records

import (
	"context"
	"fmt"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// Updater changes records by their ids; *salesforce.Org is one.
type Updater interface {
	UpdateCollection(ctx context.Context, records [][]byte) ([]salesforce.RowResult, error)
}

// updateAll updates any number of records, as many in a call as Salesforce takes.
// Of a call that is refused as a whole, the records that spoil it are looked for.
func updateAll(ctx context.Context, org Updater, rows [][]byte) ([]salesforce.RowResult, error) {
	results := make([]salesforce.RowResult, len(rows))
	u := &update{org: org, splits: mostSplits}
	for from := 0; from < len(rows); from += salesforce.MaxCollection {
		to := min(from+salesforce.MaxCollection, len(rows))
		if err := u.some(ctx, rows[from:to], results[from:to]); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// update is one batch of updates on its way.
type update struct {
	org    Updater
	splits int
}

func (u *update) some(ctx context.Context, rows [][]byte, results []salesforce.RowResult) error {
	got, err := u.org.UpdateCollection(ctx, rows)
	switch {
	case err == nil:
		copy(results, got)
		return nil
	case !spoilt(err):
		return aboutTheCall(err)
	case len(rows) == 1:
		results[0].Err = fault.Of(err)
		return nil
	case u.splits == 0:
		for i := range results {
			results[i].Err = fault.New(fault.Transient, "salesforce update", fmt.Errorf("%w: %w", errNotReached, err))
		}
		return nil
	}
	u.splits--
	half := len(rows) / 2
	if err := u.some(ctx, rows[:half], results[:half]); err != nil {
		return err
	}
	return u.some(ctx, rows[half:], results[half:])
}

package records

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// turn is who is asked now: the parts that always are, and of the others those
// that are due and have waited longest, as far as there is room.
func (p *Poll) turn(now time.Time) []*part {
	var always, due []*part
	for _, t := range p.parts {
		switch {
		case t.refused != nil && now.Before(t.until):
		case t.Every == 0:
			always = append(always, t)
		case t.asked.IsZero() || now.Sub(t.asked) >= t.Every:
			due = append(due, t)
		}
	}
	slices.SortStableFunc(due, func(a, b *part) int { return cmp.Compare(a.asked.UnixNano(), b.asked.UnixNano()) })
	return append(always, due[:min(len(due), salesforce.MaxQueries-len(always))]...)
}

func markName(t *part) string { return "poll/" + t.Name }

// recall reads a part's mark from the store, once.
func (p *Poll) recall(ctx context.Context, t *part) error {
	if t.read {
		return nil
	}
	at, err := p.marks.Cursor(ctx, markName(t))
	if err != nil {
		return err
	}
	t.mark, t.kept, t.read = at, at, true
	return nil
}

// newest is where a part's mark belongs after rows. It follows the clock at a
// distance when nothing is shown, or in an org where nobody writes such records
// the query would reach back further each day and be selective no more.
func (t *part) newest(rows []map[string]any, now time.Time) (time.Time, error) {
	if !t.Changes {
		return time.Time{}, nil
	}
	mark := t.mark
	if idle := now.Add(-clockDoubt); idle.After(mark) {
		mark = idle
	}
	for _, row := range rows {
		at, ok := timeOf(row, "SystemModstamp")
		if !ok {
			return mark, &fault.Error{
				Class: fault.Transient, Op: "salesforce query", Code: salesforce.CodeUnreadable,
				Err: fmt.Errorf("poll %s: %w", t.Name, errors.New("a record without a readable SystemModstamp")),
			}
		}
		if at.After(mark) {
			mark = at
		}
	}
	return mark, nil
}

// remember moves a part's mark. The store hears of it only when a restart would
// else read much again, because each write there is a write to the disk.
func (p *Poll) remember(ctx context.Context, t *part, mark time.Time) error {
	t.mark = mark
	if !t.Changes || mark.Sub(t.kept) < overlap {
		return nil
	}
	if err := p.marks.MoveCursor(ctx, markName(t), mark); err != nil {
		return err
	}
	t.kept = mark
	return nil
}

// stampForm is how Salesforce writes a DateTime.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_valid_date_formats.htm
const stampForm = "2006-01-02T15:04:05.000Z0700"

// timeOf reads a DateTime field of a record; false when it is empty or something
// else.
func timeOf(row map[string]any, field string) (time.Time, bool) {
	at, err := time.Parse(stampForm, textOf(row, field))
	return at, err == nil
}

// textOf reads a text field of a record; what is empty or no text is "".
func textOf(row map[string]any, field string) string {
	s, _ := row[field].(string) //nolint:errcheck // see above
	return s
}

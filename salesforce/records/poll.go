package records

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/fault"
)

const (
	// overlap is how far a part reads back past its mark: a record may be
	// committed minutes after the time that is its SystemModstamp.
	overlap = 5 * time.Minute
	// clockDoubt is how far the mark of a part that shows nothing stays behind
	// our clock, for the mark counts in Salesforce's, and ours may be hours wrong.
	clockDoubt = 24 * time.Hour
	// partAgain is when a part that the org refuses is tried again.
	partAgain = 10 * time.Minute
)

// CondLeftOut is the condition of an org that refuses parts of the poll.
const CondLeftOut = "salesforce-poll"

// Part is one query of the poll.
type Part struct {
	// Name is stable: the part's mark is kept under it, and operators read it.
	Name string
	// Query is what to read: object, fields and the part's own conditions.
	Query func(now time.Time) soql.Query
	// Deleted asks for records in the recycle bin too; Query then selects IsDeleted.
	Deleted bool
	// Changes reads only what has changed since the part's mark, oldest first,
	// and everything the first time. Records of the last minutes come again and
	// again. It needs Id and SystemModstamp, which are added to the fields. A
	// part without it reads all that Query says, each time: right for what is
	// small, because a record that is deleted is then missed by itself and
	// nothing need be remembered.
	Changes bool
	// Every is how often a part is read that has no place in each poll: it takes
	// its turn in the places that are left. 0 is each time.
	Every time.Duration
	// Take gets what was read, which may be nothing. When it fails, the part's
	// mark stays where it is.
	Take func(ctx context.Context, rows []map[string]any) error
}

// Marks keep, over restarts, up to which time of Salesforce's parts have read.
type Marks interface {
	// Cursor is the named mark, zero if it was never set.
	Cursor(ctx context.Context, name string) (time.Time, error)
	// MoveCursor sets it. It never moves back.
	MoveCursor(ctx context.Context, name string, to time.Time) error
}

// Asker runs several queries in one call; *salesforce.Org is one. Each query has
// an outcome of its own, and err is for the call as a whole.
type Asker interface {
	Queries(ctx context.Context, queries []salesforce.CompositeQuery, row func(i int, record map[string]any) error) (outcomes []error, err error)
}

var _ Asker = (*salesforce.Org)(nil)

// Poll asks the org, in one call each time it runs, for all that users want of
// us: parts that are read each time, and others that take turns.
type Poll struct {
	org   Asker
	marks Marks
	run   sync.Mutex // one at a time
	parts []*part

	mu      sync.Mutex
	leftOut []LeftOut
}

// part is a Part and how far it has come.
type part struct {
	Part
	mark    time.Time // the newest SystemModstamp seen
	kept    time.Time // the mark in the store
	read    bool      // kept is what the store says
	asked   time.Time // when it was last tried
	refused *fault.Error
	until   time.Time // it is left out until then
}

// LeftOut is a part that the org refuses: its object or a field is missing or
// hidden.
type LeftOut struct {
	Part   string
	Object string
	Err    error
}

// NewPoll calls nobody. An error is a fault of the parts.
func NewPoll(org Asker, marks Marks, parts ...Part) (*Poll, error) {
	p := &Poll{org: org, marks: marks}
	always := 0
	names := map[string]bool{}
	for _, given := range parts {
		if given.Name == "" || given.Query == nil || given.Take == nil || names[given.Name] {
			return nil, fmt.Errorf("records: the part %q of the poll is incomplete or twice there", given.Name)
		}
		names[given.Name] = true
		if given.Every == 0 {
			always++
		}
		p.parts = append(p.parts, &part{Part: given})
	}
	if always > salesforce.MaxQueries || always == salesforce.MaxQueries && len(parts) > always {
		return nil, fmt.Errorf("records: %d of %d parts are read each time, and a call holds %d queries", always, len(parts), salesforce.MaxQueries)
	}
	return p, nil
}

// Run polls once. It makes no call when there is nothing to ask. A part that the
// org refuses for good is no error: it is left out for a while (LeftOut), and the
// others go on.
func (p *Poll) Run(ctx context.Context) error {
	p.run.Lock()
	defer p.run.Unlock()
	now := time.Now()
	turn := p.turn(now)
	if len(turn) == 0 {
		return nil
	}
	queries := make([]salesforce.CompositeQuery, len(turn))
	for i, t := range turn {
		var err error
		if queries[i], err = p.query(ctx, t, now); err != nil {
			return err
		}
	}
	rows := make([][]map[string]any, len(turn))
	outcomes, err := p.org.Queries(ctx, queries, func(i int, record map[string]any) error {
		rows[i] = append(rows[i], record)
		return nil
	})
	if err != nil {
		return err
	}
	var errs []error
	for i, t := range turn {
		t.asked = now
		if err := p.ended(ctx, t, now, rows[i], outcomes[i]); err != nil {
			errs = append(errs, err)
		}
	}
	p.note()
	return errors.Join(errs...)
}

// query is what a part asks now.
func (p *Poll) query(ctx context.Context, t *part, now time.Time) (salesforce.CompositeQuery, error) {
	q := t.Query(now)
	if t.Changes {
		if err := p.recall(ctx, t); err != nil {
			return salesforce.CompositeQuery{}, err
		}
		q.Fields = append([]string{"Id", "SystemModstamp"}, q.Fields...)
		q.OrderBy = []string{"SystemModstamp", "Id"}
		if !t.mark.IsZero() {
			q.Where = append([]string{"SystemModstamp >= " + soql.DateTime(t.mark.Add(-overlap))}, q.Where...)
		}
	}
	text, err := q.Build()
	if err != nil {
		return salesforce.CompositeQuery{}, fmt.Errorf("records: the part %s of the poll: %w", t.Name, err)
	}
	return salesforce.CompositeQuery{SOQL: text, All: t.Deleted}, nil
}

// ended takes what was read, or decides what its failure means.
func (p *Poll) ended(ctx context.Context, t *part, now time.Time, rows []map[string]any, err error) error {
	switch f := fault.Of(err); {
	case err == nil:
		t.refused = nil
	case f != nil && (f.Class == fault.Auth || f.Class == fault.Permanent):
		// The session is good, or the call as a whole had failed: it is about
		// this object and its fields.
		t.refused, t.until = f, now.Add(partAgain)
		return nil
	default:
		return fmt.Errorf("poll %s: %w", t.Name, err)
	}
	mark, err := t.newest(rows, now)
	if err != nil {
		return err
	}
	if err := t.Take(ctx, rows); err != nil {
		return fmt.Errorf("poll %s: %w", t.Name, err)
	}
	return p.remember(ctx, t, mark)
}

// LeftOut are the parts that the org refuses at present, in the parts' order.
func (p *Poll) LeftOut() []LeftOut {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.leftOut
}

func (p *Poll) note() {
	var left []LeftOut
	for _, t := range p.parts {
		if t.refused != nil {
			left = append(left, LeftOut{Part: t.Name, Object: t.Query(time.Now()).From, Err: t.refused})
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leftOut = left
}

package records

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/people"
)

// PhoneOrg is what is needed of an org to read people; *salesforce.Org is one.
type PhoneOrg interface {
	BulkQueries
	BulkQueryState(ctx context.Context, id string) (salesforce.BulkQuery, error)
	Describe(ctx context.Context, object string) (salesforce.Object, error)
	Queries(ctx context.Context, qs []salesforce.CompositeQuery, row func(i int, record map[string]any) error) (outcomes []error, err error)
}

// BulkQueries are the query jobs of Bulk API 2.0.
type BulkQueries interface {
	StartBulkQuery(ctx context.Context, soql string, all bool) (id string, err error)
	AwaitBulkQuery(ctx context.Context, id string) error
	BulkQueryRows(ctx context.Context, id, locator string, maxRecords int, row func(map[string]string) error) (next string, err error)
	DropBulkQuery(ctx context.Context, id string) error
}

var (
	_ PhoneOrg      = (*salesforce.Org)(nil)
	_ people.Source = (*People)(nil)
	_ people.Export = (*People)(nil)
)

const (
	// readAgain is how often the fields of an object are looked at.
	readAgain = 24 * time.Hour
	// readAgainMissing is how often, while one of them cannot be read.
	readAgainMissing = time.Hour
	// pageRows is how many rows one page of a job's results has.
	pageRows = 50_000
)

// PhoneObject is an object with phone fields. Without Fields it is one of the
// standard ones, with theirs.
type PhoneObject struct {
	Object string
	Fields []string
}

// People reads the phone numbers in the org.
type People struct {
	org     PhoneOrg
	objects []PhoneObject
	rows    int                 // of a page
	one     *semaphore.Weighted // guards what follows

	shapes   []people.Shape
	readings map[string]*reading // those that can be read
	until    time.Time           // shapes hold so long
}

// NewPeople calls nobody. Its errors are names that are no API names, and objects
// whose phone fields nobody knows.
func NewPeople(org PhoneOrg, objects []PhoneObject) (*People, error) {
	var faults []error
	for _, o := range objects {
		if len(o.Fields) == 0 && standardPhones[o.Object] == nil {
			faults = append(faults, fmt.Errorf("people: the phone fields of %s are not known: name them", o.Object))
		}
		for _, name := range append([]string{o.Object}, o.Fields...) {
			if !apiName.MatchString(name) {
				faults = append(faults, fmt.Errorf("people: %q is no API name", name))
			}
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return &People{org: org, objects: objects, rows: pageRows, one: semaphore.NewWeighted(1)}, nil
}

// Shapes implements people.Source.
func (p *People) Shapes(ctx context.Context) ([]people.Shape, error) {
	if err := p.one.Acquire(ctx, 1); err != nil {
		return nil, fault.New(fault.Transient, "salesforce people", context.Cause(ctx))
	}
	defer p.one.Release(1)
	if p.shapes != nil && time.Now().Before(p.until) {
		return append([]people.Shape(nil), p.shapes...), nil
	}
	shapes := make([]people.Shape, len(p.objects))
	readings := map[string]*reading{}
	until := time.Now().Add(readAgain)
	described, errs := p.describeAll(ctx)
	for i, o := range p.objects {
		err := errs[i]
		switch code := fault.CodeOf(err); {
		case code == salesforce.CodeNotFound, code == salesforce.CodeInvalidType:
			shapes[i] = people.Shape{Object: o.Object, Err: err}
		case err != nil && p.shapes != nil && fault.ClassOf(err) != fault.Auth:
			// What was known will do until the org answers.
			p.until = time.Now().Add(describeSoon)
			return append([]people.Shape(nil), p.shapes...), nil
		case err != nil:
			return nil, err
		default:
			shapes[i], readings[o.Object] = o.shape(&described[i])
		}
		if shapes[i].Err != nil {
			until = time.Now().Add(readAgainMissing)
		}
	}
	p.shapes, p.readings, p.until = shapes, readings, until
	return append([]people.Shape(nil), shapes...), nil
}

// describeAll asks for all objects side by side: the first messages wait for it.
func (p *People) describeAll(ctx context.Context) ([]salesforce.Object, []error) {
	described, errs := make([]salesforce.Object, len(p.objects)), make([]error, len(p.objects))
	var all sync.WaitGroup
	for i, o := range p.objects {
		all.Go(func() { described[i], errs[i] = p.org.Describe(ctx, o.Object) })
	}
	all.Wait()
	return described, errs
}

// reading gives how an object is read.
func (p *People) reading(ctx context.Context, object string) (*reading, error) {
	if err := p.one.Acquire(ctx, 1); err != nil {
		return nil, fault.New(fault.Transient, "salesforce people", context.Cause(ctx))
	}
	defer p.one.Release(1)
	if r := p.readings[object]; r != nil {
		return r, nil
	}
	return nil, fault.New(fault.Permanent, "salesforce people", fmt.Errorf("%s cannot be read", object))
}

// doubt lets the fields be looked at again when the org no longer has one.
func (p *People) doubt(err error) error {
	switch fault.CodeOf(err) {
	case salesforce.CodeInvalidField, salesforce.CodeInvalidType, salesforce.CodeNotFound:
		if p.one.TryAcquire(1) {
			p.until = time.Time{}
			p.one.Release(1)
		}
	}
	return err
}

// Newest implements people.Source.
func (p *People) Newest(ctx context.Context, object string, row func(people.Record) error) error {
	r, err := p.reading(ctx, object)
	if err != nil {
		return err
	}
	text, err := r.query(true, nil, []string{"SystemModstamp DESC"}, people.SmallObject)
	if err != nil {
		return err
	}
	outcomes, err := p.org.Queries(ctx, []salesforce.CompositeQuery{{SOQL: text}}, func(_ int, record map[string]any) error {
		return row(r.record(record))
	})
	if err == nil {
		err = outcomes[0]
	}
	err = p.doubt(err)
	if codesTooLarge[fault.CodeOf(err)] {
		return fmt.Errorf("%w: %w", people.ErrTooLarge, err)
	}
	return err
}

// codesTooLarge are Salesforce's words for a query of too many records.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
var codesTooLarge = map[string]bool{"QUERY_TIMEOUT": true, "OPERATION_TOO_LARGE": true}

// Changed implements people.Source.
func (p *People) Changed(ctx context.Context, since []people.Since, row func(i int, r people.Record) error) (outcomes []error, err error) {
	readings := make([]*reading, len(since))
	queries := make([]salesforce.CompositeQuery, len(since))
	for i, s := range since {
		r, err := p.reading(ctx, s.Object)
		if err != nil {
			return nil, err
		}
		text, err := r.query(false, []string{"SystemModstamp >= " + soql.DateTime(s.At)}, []string{"SystemModstamp", "Id"}, 0)
		if err != nil {
			return nil, err
		}
		readings[i], queries[i] = r, salesforce.CompositeQuery{SOQL: text, All: true}
	}
	outcomes, err = p.org.Queries(ctx, queries, func(i int, record map[string]any) error {
		return row(i, readings[i].record(record))
	})
	for _, outcome := range outcomes {
		_ = p.doubt(outcome) //nolint:errcheck // it is the argument
	}
	return outcomes, p.doubt(err)
}

// Start implements people.Export.
func (p *People) Start(ctx context.Context, object string) (string, error) {
	r, err := p.reading(ctx, object)
	if err != nil {
		return "", err
	}
	text, err := r.query(true, nil, nil, 0)
	if err != nil {
		return "", err
	}
	job, err := p.org.StartBulkQuery(ctx, text, false)
	return job, p.doubt(err)
}

// Await implements people.Export.
func (p *People) Await(ctx context.Context, job string) error {
	err := p.org.AwaitBulkQuery(ctx, job)
	if err == nil || ctx.Err() != nil {
		return err
	}
	// Has the job failed, or could it not be asked?
	if state, asked := p.org.BulkQueryState(ctx, job); asked == nil && state.Failed {
		return fmt.Errorf("%w: %w", people.ErrNoExport, p.doubt(err))
	}
	return noExport(err)
}

// Page implements people.Export.
func (p *People) Page(ctx context.Context, object, job, locator string, row func(people.Record) error) (string, error) {
	r, err := p.reading(ctx, object)
	if err != nil {
		return "", err
	}
	next, err := p.org.BulkQueryRows(ctx, job, locator, p.rows, func(record map[string]string) error {
		return row(r.exported(record))
	})
	if fault.ClassOf(err) == fault.Permanent {
		return "", fmt.Errorf("%w: %w", people.ErrNoExport, err)
	}
	return next, noExport(err)
}

// Drop implements people.Export.
func (p *People) Drop(ctx context.Context, job string) error { return p.org.DropBulkQuery(ctx, job) }

// noExport names a job that is no more.
func noExport(err error) error {
	if fault.CodeOf(err) == salesforce.CodeNotFound {
		return fmt.Errorf("%w: %w", people.ErrNoExport, err)
	}
	return err
}

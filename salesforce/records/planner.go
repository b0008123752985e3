package records

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
)

const (
	// describeEvery finds a field that an admin has added.
	describeEvery = time.Hour
	// describeDaily is for what is asked for in each poll, used or not.
	describeDaily = 24 * time.Hour
	// describeAfterFault finds what an operator has put right.
	describeAfterFault = 10 * time.Minute
	// describeSoon is how long a describe that failed in passing is left alone.
	describeSoon = time.Minute
)

// planner keeps the plan, and makes it anew when it is old or does not fit.
type planner struct {
	org    describer
	object string
	fit    func(*salesforce.Object) (*plan, *fault.Error)
	every  time.Duration
	hint   string              // what to do about what is missing; "" leaves the fault's own
	one    *semaphore.Weighted // one describe at a time

	mu      sync.Mutex
	plan    *plan
	refusal *fault.Error
	at      time.Time // of the last describe that was answered
	doubted bool      // the org has refused what the plan made
}

// describer is what a planner needs of an org.
type describer interface {
	Describe(ctx context.Context, object string) (salesforce.Object, error)
}

func newPlanner(org describer, n Names, lookups map[string]string) *planner {
	p := plannerOf(org, n.Object, func(o *salesforce.Object) (*plan, *fault.Error) { return planFor(n, lookups, o) })
	if ofPackage(n.Object) {
		p.hint = packageHint
	}
	return p
}

// plannerOf plans for any object; fit makes the plan, or says what the org lacks.
func plannerOf(org describer, object string, fit func(*salesforce.Object) (*plan, *fault.Error)) *planner {
	return &planner{org: org, object: object, fit: fit, every: describeEvery, one: semaphore.NewWeighted(1)}
}

// daily describes the object once a day while nothing is in doubt.
func (p *planner) daily() *planner {
	p.every = describeDaily
	return p
}

// current is the plan to write by, or why nothing can be written.
func (p *planner) current(ctx context.Context) (*plan, error) {
	if plan, err, fresh := p.known(); fresh {
		return plan, err
	}
	return p.renew(ctx, false)
}

// renew describes the object. Callers who come meanwhile wait and take the
// outcome, unless they must see for themselves.
func (p *planner) renew(ctx context.Context, always bool) (*plan, error) {
	if err := p.one.Acquire(ctx, 1); err != nil {
		return nil, fault.New(fault.Transient, "salesforce check "+p.object, context.Cause(ctx))
	}
	defer p.one.Release(1)
	if plan, err, fresh := p.known(); fresh && !always {
		return plan, err
	}
	object, err := p.org.Describe(ctx, p.object)
	return p.learn(&object, err)
}

// known gives the last outcome, and whether it may still be relied on.
func (p *planner) known() (*plan, error, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	age := time.Since(p.at)
	switch {
	case p.refusal != nil && age < describeAfterFault:
		f := *p.refusal
		f.After = describeAfterFault - age
		return nil, &f, true
	case p.plan == nil, age >= p.every, p.doubted && age >= describeAfterFault:
		return nil, nil, false //nolint:nilnil // the third result says that nothing is known
	default:
		return p.plan, nil, true
	}
}

func (p *planner) learn(object *salesforce.Object, err error) (*plan, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var made *plan
	var refusal *fault.Error
	switch code := fault.CodeOf(err); {
	case code == salesforce.CodeNotFound, code == salesforce.CodeInvalidType:
		refusal = objectMissing(p.object, err)
	case err != nil && p.plan != nil && fault.ClassOf(err) != fault.Auth:
		// The old plan has served so far and will do until the org answers.
		p.at = time.Now().Add(describeSoon - p.every)
		return p.plan, nil
	case err != nil:
		return nil, err
	default:
		made, refusal = p.fit(object)
	}
	p.plan, p.refusal, p.at, p.doubted = made, refusal, time.Now(), false
	if refusal != nil {
		refusal.After, refusal.Hint = describeAfterFault, cmp.Or(p.hint, refusal.Hint)
		return nil, refusal
	}
	return made, nil
}

// doubt notes that the org refuses the object or a field: the next write after
// a while looks at the object again.
func (p *planner) doubt(err error) {
	switch fault.CodeOf(err) {
	case salesforce.CodeInvalidField, salesforce.CodeInvalidType, salesforce.CodeNotFound, salesforce.CodeReadOnlyField:
		p.mu.Lock()
		p.doubted = true
		p.mu.Unlock()
	}
}

func (p *planner) missing() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.plan == nil {
		return nil
	}
	return slices.Clone(p.plan.missing)
}

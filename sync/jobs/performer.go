package jobs

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Outcome is what became of one run of a job.
type Outcome string

// The outcomes, which are also the metric's label values.
const (
	Done        Outcome = "done"
	Failed      Outcome = "failed"
	Panicked    Outcome = "panicked"
	Interrupted Outcome = "interrupted" // by the stop: the job is to be run again
)

// abandonAfter is how long after the grace a stop waits for handlers that do
// not listen to their context.
const abandonAfter = 5 * time.Second

// Performer is the part that all engines have in common: it checks jobs, runs
// handlers, reports failures and counts. It is for those who implement Engine.
type Performer struct {
	o       Options
	metrics *metrics

	mu      sync.Mutex
	running map[string]int // by kind
}

// NewPerformer checks o; it starts nothing.
func NewPerformer(o Options) (*Performer, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Poll <= 0 {
		o.Poll = defaultPoll
	}
	o.Poll = max(o.Poll, minPoll)
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, err
	}
	return &Performer{o: o, metrics: m, running: map[string]int{}}, nil
}

// Admit checks jobs and drops all but the first of those that share a key.
func (p *Performer) Admit(jobs []Job) ([]Job, error) {
	seen := map[string]bool{}
	admitted := make([]Job, 0, len(jobs))
	var errs []error
	for _, j := range jobs {
		if err := p.o.check(j); err != nil {
			errs = append(errs, err)
		}
		if j.Key != "" && seen[j.Key] {
			continue
		}
		seen[j.Key] = true
		admitted = append(admitted, j)
	}
	return admitted, errors.Join(errs...)
}

// Queue is the queue of a kind.
func (p *Performer) Queue(kind string) string { return p.o.Handlers[kind].queue() }

// Queues are all queues and their workers.
func (p *Performer) Queues() map[string]int {
	queues := map[string]int{}
	for _, h := range p.o.Handlers {
		queues[h.queue()] = max(1, p.o.Workers[h.queue()])
	}
	return queues
}

// Grace is how long a stop lets running jobs finish.
func (p *Performer) Grace() time.Duration { return p.o.Grace }

// Perform runs one job's handler. ctx is done when the grace is over. Whatever
// the outcome, the job is finished, unless it is Interrupted.
func (p *Performer) Perform(ctx context.Context, kind string, args []byte) Outcome {
	defer p.enter(kind)()
	start := time.Now()
	err := p.call(ctx, kind, args)
	outcome := outcomeOf(ctx, err)
	p.metrics.observe(kind, outcome, time.Since(start))
	if (outcome == Failed || outcome == Panicked) && p.o.OnFailure != nil {
		p.o.OnFailure(kind, err)
	}
	return outcome
}

func outcomeOf(ctx context.Context, err error) Outcome {
	var panicked *PanicError
	switch {
	case err == nil:
		return Done
	case errors.As(err, &panicked):
		return Panicked // again and again, if it were run again
	case ctx.Err() != nil:
		return Interrupted
	default:
		return Failed
	}
}

func (p *Performer) call(ctx context.Context, kind string, args []byte) (err error) {
	h, ok := p.o.Handlers[kind]
	if !ok {
		return &UnknownKindError{Kind: kind} // left by another version
	}
	if h.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, h.Timeout)
		defer cancel()
	}
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	return h.Do(ctx, args)
}

// enter notes that a job of this kind runs until the returned function is called.
func (p *Performer) enter(kind string) (leave func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running[kind]++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.running[kind]--
		if p.running[kind] == 0 {
			delete(p.running, kind)
		}
	}
}

// AwaitStop waits, from the moment a stop began, until stopped is closed, and no
// longer than the grace and a little time for canceled handlers to return.
func (p *Performer) AwaitStop(stopped <-chan struct{}) error {
	patience := time.NewTimer(p.o.Grace + abandonAfter)
	defer patience.Stop()
	select {
	case <-stopped:
		return nil
	case <-patience.C:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	stuck := &StuckError{}
	for kind := range p.running {
		stuck.Kinds = append(stuck.Kinds, kind)
	}
	slices.Sort(stuck.Kinds)
	return stuck
}

// StuckError says that a stop gave up on handlers that ignore their context.
// Their jobs are run again by the next process.
type StuckError struct {
	Kinds []string // whose handlers still run; empty if the engine itself hangs
}

func (e *StuckError) Error() string {
	return "jobs: stopped without waiting any longer for: " + strings.Join(e.Kinds, ", ")
}

// PanicError is a handler's panic. Its text names the kind of value only, for
// the value may hold a customer's data.
type PanicError struct {
	What  string // the runtime's own text, or the type of what was thrown
	Stack string // functions and lines
}

func newPanicError(v any) *PanicError {
	e := &PanicError{What: fmt.Sprintf("a %T", v), Stack: string(debug.Stack())}
	var own runtime.Error
	if err, ok := v.(error); ok && errors.As(err, &own) {
		e.What = own.Error()
	}
	return e
}

func (e *PanicError) Error() string { return "jobs: the handler panicked: " + e.What }

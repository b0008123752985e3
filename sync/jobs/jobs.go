package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Job is one piece of work to be done.
type Job struct {
	// Kind names the handler.
	Kind string
	// Args is what the handler gets, as JSON, or nil. The engine may reformat it.
	Args []byte
	// Key is unique, across all kinds, among the jobs that wait or run. "" means
	// that any number of these may.
	Key string
}

// Handler does a job's work. It returns soon after ctx is done; with an error,
// or the job counts as done. It may be given the same job again after a crash.
type Handler func(ctx context.Context, args []byte) error

// Handling says how the jobs of one kind are run.
type Handling struct {
	Do Handler
	// Queue is the line in which these jobs wait, "" is "default". Each queue has
	// workers of its own, so a long line in one holds up nobody in another.
	Queue string
	// Timeout cancels a handler's context; 0 or less sets no limit.
	Timeout time.Duration
}

// Engine keeps jobs and runs them.
type Engine interface {
	// Enqueue adds jobs in a transaction of its own. It answers how many were
	// added: a job whose Key is waiting or running already is left out. A kind
	// that has no handler is an UnknownKindError, and then none is added.
	Enqueue(ctx context.Context, jobs ...Job) (added int, err error)
	// EnqueueTx is Enqueue in the caller's transaction: the jobs are there when
	// it commits and never were when it does not.
	EnqueueTx(ctx context.Context, tx *sql.Tx, jobs ...Job) (added int, err error)
	// Run works jobs until ctx is done. Running ones then get Options.Grace to
	// finish; after that their contexts are canceled and those that give up are
	// left to the next Run. It is nil after a clean stop, a StuckError when
	// handlers did not even listen to that, and may be called again after nil.
	// At most one Run at a time works the jobs of an SQLite store.
	Run(ctx context.Context) error
}

// Options are an engine's.
type Options struct {
	// Handlers by kind; at least one.
	Handlers map[string]Handling
	// Workers is how many jobs of a queue run side by side; a queue that is not
	// in here has one worker.
	Workers map[string]int
	// Grace is how long a stop lets running jobs finish.
	Grace time.Duration
	// Poll is how often a queue is looked at, and so the longest that a job waits
	// for a free worker; 1 s if 0, never less than 50 ms.
	Poll time.Duration
	// OnFailure, if set, is told of each job that failed (its handler's error, a
	// PanicError, an UnknownKindError). It must return quickly.
	OnFailure func(kind string, err error)
	// Log may be nil.
	Log *zap.Logger
	// Registerer may be nil; two engines may share one.
	Registerer prometheus.Registerer
}

// DefaultQueue is the queue of a Handling that names none.
const DefaultQueue = "default"

const (
	defaultPoll = time.Second
	minPoll     = 50 * time.Millisecond
	maxWorkers  = 1000
)

// validate names every fault at once.
func (o Options) validate() error {
	var errs []error
	if len(o.Handlers) == 0 {
		errs = append(errs, errors.New("there is no handler"))
	}
	queues := map[string]bool{}
	for kind, h := range o.Handlers {
		if kind == "" || h.Do == nil {
			errs = append(errs, fmt.Errorf("the handler of kind %q needs a name and a function", kind))
		}
		queues[h.queue()] = true
	}
	for queue, n := range o.Workers {
		if n < 1 || n > maxWorkers {
			errs = append(errs, fmt.Errorf("queue %q has %d workers: it must have 1 to %d", queue, n, maxWorkers))
		}
		if !queues[queue] {
			errs = append(errs, fmt.Errorf("queue %q has workers but no handler", queue))
		}
	}
	if o.Grace < 0 {
		errs = append(errs, errors.New("the grace is negative"))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	return nil
}

// queue is the name of the line this kind waits in.
func (h Handling) queue() string {
	if h.Queue == "" {
		return DefaultQueue
	}
	return h.Queue
}

// UnknownKindError says that a job has no handler.
type UnknownKindError struct{ Kind string }

func (e *UnknownKindError) Error() string {
	return fmt.Sprintf("jobs: kind %q has no handler", e.Kind)
}

// ArgsError says that a job's arguments are not JSON. It does not repeat them.
type ArgsError struct{ Kind string }

func (e *ArgsError) Error() string {
	return fmt.Sprintf("jobs: the arguments of a job of kind %q are not JSON", e.Kind)
}

// check finds the fault in a job that no engine may take.
func (o Options) check(j Job) error {
	if _, ok := o.Handlers[j.Kind]; !ok {
		return &UnknownKindError{Kind: j.Kind}
	}
	if len(j.Args) > 0 && !json.Valid(j.Args) {
		return &ArgsError{Kind: j.Kind}
	}
	return nil
}

package people

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/semaphore"

	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
)

// RefillEvery is how old a filling becomes: what was deleted for good between two
// refreshes is found by a new one only.
const RefillEvery = 7 * 24 * time.Hour

// patienceAtFirst is how long the first messages wait for the first filling.
const patienceAtFirst = 10 * time.Minute

// Ports are what the engine works with. All are required but Mover.
type Ports struct {
	Source    Source
	Export    Export
	Index     Index
	Directory Directory
	Mover     Mover
	Health    *health.Registry
}

// Options tune the engine.
type Options struct {
	// Country is the ISO 3166 code by which numbers without a country code are read.
	Country string
	// Link gives a link for each object of which exactly one record has the number.
	Link bool
	// Own gives the owner of the matched record, else the personal number's user.
	Own     bool
	Log     *zap.Logger
	Metrics prometheus.Registerer // may be nil
}

// Engine is the index and what is asked of it. Run must run.
type Engine struct {
	Ports
	o       Options
	metrics *metrics
	wake    chan struct{}
	filled  chan struct{}             // closed once every object has been filled
	began   atomic.Pointer[time.Time] // Run
	busy    busy
	exports *semaphore.Weighted // one at a time
	trouble *trouble

	once     sync.Once
	loading  sync.Mutex
	loaded   atomic.Bool
	indexed  atomic.Int64 // people in the index
	personal atomic.Pointer[map[phone.Key]string]
	unnoted  atomic.Bool // the last Note failed
	// definitions are those of the objects as last seen.
	definitions atomic.Pointer[map[string]string]
}

// New makes an engine. It starts nothing and calls nobody.
func New(p Ports, o Options) (*Engine, error) {
	if p.Source == nil || p.Export == nil || p.Index == nil || p.Directory == nil || p.Health == nil {
		return nil, errors.New("people: a port is missing")
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return &Engine{
		Ports: p, o: o, metrics: newMetrics(o.Metrics), wake: make(chan struct{}, 1), filled: make(chan struct{}),
		busy: busy{objects: map[string]bool{}}, exports: semaphore.NewWeighted(1), trouble: newTrouble(p.Health),
	}, nil
}

// load reads once what every Meet needs.
func (e *Engine) load(ctx context.Context) error {
	if e.loaded.Load() {
		return nil
	}
	e.loading.Lock()
	defer e.loading.Unlock()
	if e.loaded.Load() {
		return nil
	}
	states, err := e.Index.States(ctx)
	if err != nil {
		return err
	}
	all, err := e.Directory.Personal(ctx)
	if err != nil {
		return err
	}
	total := int64(0)
	for object, st := range states {
		total += st.People
		e.metrics.indexed.WithLabelValues(object).Set(float64(st.People))
	}
	e.indexed.Store(total)
	e.personal.Store(&all)
	e.loaded.Store(true)
	whole := len(states) > 0
	for _, st := range states {
		whole = whole && st.Held != ""
	}
	if whole {
		e.nowFilled()
	}
	return nil
}

func (e *Engine) nowFilled() { e.once.Do(func() { close(e.filled) }) }

// introduced returns when every object that can be read has been filled once. A
// new store's first messages wait for that, because nobody links them later, but
// only while Run runs, and not for long.
func (e *Engine) introduced(ctx context.Context) error {
	began := e.began.Load()
	select {
	case <-e.filled:
		return nil
	default:
	}
	if began == nil {
		return nil
	}
	timer := time.NewTimer(time.Until(began.Add(patienceAtFirst)))
	defer timer.Stop()
	select {
	case <-e.filled:
		return nil
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// SetPersonal replaces the personal numbers: each with the id of the user who has
// it. One that two users have, in two spellings, is nobody's.
func (e *Engine) SetPersonal(ctx context.Context, users map[message.Number]string) error {
	if err := e.load(ctx); err != nil {
		return err
	}
	all := make(map[phone.Key]string, len(users))
	disputed := map[phone.Key]bool{}
	for number, user := range users {
		if key := phone.KeyOf(number); key != 0 && isUser(user) {
			disputed[key] = disputed[key] || all[key] != "" && all[key] != user
			all[key] = user
		}
	}
	maps.DeleteFunc(all, func(key phone.Key, _ string) bool { return disputed[key] })
	e.loading.Lock()
	defer e.loading.Unlock()
	if maps.Equal(all, *e.personal.Load()) {
		return nil
	}
	if err := e.Directory.SetPersonal(ctx, all); err != nil {
		return err
	}
	e.personal.Store(&all)
	return nil
}

// busy lets one goroutine at a time work on an object.
type busy struct {
	mu      sync.Mutex
	objects map[string]bool
}

// take answers false when somebody else has the object.
func (b *busy) take(object string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.objects[object] {
		return false
	}
	b.objects[object] = true
	return true
}

func (b *busy) give(objects ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, object := range objects {
		delete(b.objects, object)
	}
}

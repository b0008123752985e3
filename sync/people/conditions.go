package people

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
)

// Names of the engine's conditions.
const (
	condIndex   = "people-index"
	condObjects = "people-objects"
	condStatus  = "people-last-status"
)

// patience is how long trouble that passes by itself is kept quiet, and trouble
// with the org as a whole: an org that cannot be reached or lets nobody in has a
// condition of its own.
const patience = 2 * time.Hour

// wholeOrg stands for an object where none of them can be looked at.
const wholeOrg = "the org"

// trouble is one condition for all objects whose index cannot be kept.
type trouble struct {
	registry *health.Registry
	mu       sync.Mutex
	lasting  map[string]*lasting
}

type lasting struct {
	object string
	since  time.Time
	err    error
}

func newTrouble(r *health.Registry) *trouble {
	return &trouble{registry: r, lasting: map[string]*lasting{}}
}

// had notes what came of an object; nil is that it went well.
func (t *trouble) had(object string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch l := t.lasting[object]; {
	case err == nil:
		delete(t.lasting, object)
	case l == nil:
		t.lasting[object] = &lasting{object: object, since: time.Now(), err: err}
	default:
		l.err = err
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(t.lasting)) {
		if t.tell(t.lasting[name]) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		t.registry.Clear(condIndex)
		return
	}
	worst := t.lasting[names[0]].err
	remedy := fault.Hint(worst)
	if remedy == "" {
		remedy = "Nothing to do unless it lasts: it is tried again, and messages arrive meanwhile, linked by what is known."
	}
	t.registry.Raise(health.Condition{
		Name: condIndex, Severity: health.Degraded,
		Cause:  fmt.Sprintf("The phone numbers of %s cannot be read: %s", strings.Join(names, ", "), worst),
		Remedy: remedy,
	})
}

// tell says whether an operator should hear of it from us. What is wrong with the
// login or the whole org, whoever writes messages tells: one outage is one
// condition.
func (t *trouble) tell(l *lasting) bool {
	class := fault.ClassOf(l.err)
	told := func(c health.Condition) bool { return c.Name == health.Of("salesforce", l.err).Name }
	switch f := fault.Of(l.err); {
	case f != nil && f.Condition != "", slices.ContainsFunc(t.registry.Active(), told):
		return false
	case l.object != wholeOrg && (class == fault.Auth || class == fault.Permanent):
		return true
	default:
		return time.Since(l.since) >= patience
	}
}

// noteShapes tells which objects and fields are left out.
func (e *Engine) noteShapes(shapes []Shape) {
	var missing []string
	for _, s := range shapes {
		if s.Err != nil {
			missing = append(missing, s.Object)
		}
		for _, f := range s.Missing {
			missing = append(missing, s.Object+"."+f)
		}
	}
	if len(missing) == 0 {
		e.Health.Clear(condObjects)
		return
	}
	e.Health.Raise(health.Condition{
		Name: condObjects, Severity: health.Notice,
		Cause: fmt.Sprintf("The org lacks these, or hides them from the integration user: %s. Nobody is found by their numbers.",
			strings.Join(missing, ", ")),
		Remedy: "Give the integration user read access to them, or leave them out of people.objects.",
	})
}

// noteStatus tells when last statuses cannot be kept, and when they can again.
func (e *Engine) noteStatus(err error) {
	if err == nil {
		if e.unnoted.CompareAndSwap(true, false) {
			e.Health.Clear(condStatus)
		}
		return
	}
	e.unnoted.Store(true)
	e.Health.Raise(health.Condition{
		Name: condStatus, Severity: health.Degraded,
		Cause:  "What became of the newest messages to people could not be kept: " + err.Error(),
		Remedy: "Look at the disk (full? read-only?) and at the permissions of the store's folder. Messages are not held up.",
	})
}

func className(err error) string {
	if err == nil {
		return "ok"
	}
	return fault.ClassOf(err).String()
}

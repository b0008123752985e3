package people

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
)

// Names of the engine's conditions.
const (
	condIndex   = "people-index"
	condObjects = "people-objects"
	condStatus  = "people-last-status"
)

// trouble is one condition for all objects whose index cannot be kept.
type trouble struct {
	registry *health.Registry
	mu       sync.Mutex
	errs     map[string]error
}

func newTrouble(r *health.Registry) *trouble {
	return &trouble{registry: r, errs: map[string]error{}}
}

// had notes what came of an object; nil is that it went well.
func (t *trouble) had(object string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		delete(t.errs, object)
	} else {
		t.errs[object] = err
	}
	if len(t.errs) == 0 {
		t.registry.Clear(condIndex)
		return
	}
	names := slices.Sorted(maps.Keys(t.errs))
	worst := t.errs[names[0]]
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

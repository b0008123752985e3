package people

import (
	"context"
	"slices"
)

// forget drops objects that are no longer configured.
func (e *Engine) forget(ctx context.Context, shapes []Shape, states map[string]State) error {
	for object, st := range states {
		if slices.ContainsFunc(shapes, func(s Shape) bool { return s.Object == object }) || !e.busy.take(object) {
			continue
		}
		err := e.dropObject(ctx, object, st)
		e.busy.give(object)
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) dropObject(ctx context.Context, object string, st State) error {
	e.drop(ctx, st.Job)
	if _, err := e.begin(object, st).prune(ctx, 0); err != nil {
		return err
	}
	e.metrics.indexed.DeleteLabelValues(object)
	e.trouble.had(object, nil)
	return nil
}

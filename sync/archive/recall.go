package archive

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/twiliosf/twiliosf/sync/message"
)

// recall makes up for a memory that was lost: what the target holds and the org
// does not is archived. It reads the runs that nobody remembers, the newest first,
// whose copy of a message counts.
func (e *Engine) recall(ctx context.Context) error {
	all, err := e.Target.List(ctx, manifests)
	if err != nil || len(all) == 0 {
		return err
	}
	runs, err := e.Journal.Runs(ctx, math.MaxInt32)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for i := range runs {
		known[manifestName(runs[i].ID)] = true
	}
	for _, name := range slices.Backward(all) {
		if known[name] {
			continue
		}
		m, err := e.manifest(ctx, name)
		if err == nil && m.Account == e.o.Account {
			err = e.recallRun(ctx, m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) recallRun(ctx context.Context, m *Manifest) error {
	var batch []Copy
	flush := func() error {
		gone, err := e.gone(ctx, batch)
		batch = batch[:0]
		if err != nil {
			return err
		}
		return e.Absent.Learn(ctx, m.Run, gone)
	}
	for i := range m.Files {
		if m.Files[i].Table != Messages {
			continue
		}
		if err := e.readFile(ctx, &m.Files[i], func(r *Record) error {
			if batch = append(batch, Copy{ID: r.ID(), SID: r.SID(), Created: r.Created()}); len(batch) < BatchSize {
				return nil
			}
			return flush()
		}); err != nil {
			return err
		}
	}
	if err := flush(); err != nil {
		return err
	}
	// Last, so that a recall that was stopped begins anew.
	run := Run{ID: m.Run, State: Done, Began: m.Written, Ended: m.Written, Messages: m.Messages, Media: m.Media}
	return errors.Join(e.Journal.Begin(ctx, run), e.Journal.Update(ctx, run))
}

// gone are the copies whose messages the org does not hold.
func (e *Engine) gone(ctx context.Context, of []Copy) ([]Copy, error) {
	if len(of) == 0 {
		return nil, nil
	}
	sids := make([]message.SID, len(of))
	for i := range of {
		sids[i] = of[i].SID
	}
	held, err := e.Source.Held(ctx, sids)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(of), func(c Copy) bool { return held[c.SID] }), nil
}

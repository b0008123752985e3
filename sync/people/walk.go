package people

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
)

// batchSize is how many records one transaction moves.
const batchSize = 500

// walk brings records into the index, batch by batch.
type walk struct {
	engine *Engine
	object string
	state  State
	moves  bool // a number that is gone means that the person changed it
	// exporting: what this filling has seen already is newer than what comes.
	exporting bool
	seen      int
	newest    time.Time // the latest Modified
	pending   []Record
}

// sameFields fails once the object is read by other fields than this walk is of:
// then a record may seem to have lost a number that it has.
func (w *walk) sameFields() error {
	if all := w.engine.definitions.Load(); (*all)[w.object] != w.state.Definition {
		return fault.New(fault.Transient, "people", errRedefined)
	}
	return nil
}

var errRedefined = errors.New("the fields of the object have changed meanwhile")

// begin makes the walk of an object. What the index holds under another
// definition says nothing about people: then no number was changed by anybody.
func (e *Engine) begin(object string, st State) *walk {
	return &walk{engine: e, object: object, state: st, moves: st.Held == st.Definition}
}

func (w *walk) add(ctx context.Context, r Record) error {
	w.seen++
	if r.Modified.After(w.newest) {
		w.newest = r.Modified
	}
	w.pending = append(w.pending, r)
	if len(w.pending) < batchSize {
		return nil
	}
	return w.flush(ctx)
}

// flush writes what is pending. Whoever has lost a number is told of first, so
// that a stop in between tells of it again.
func (w *walk) flush(ctx context.Context) error {
	if len(w.pending) == 0 {
		return nil
	}
	if err := w.sameFields(); err != nil {
		return err
	}
	latest := make(map[string]Record, len(w.pending))
	var ids []string
	for _, r := range w.pending {
		if _, twice := latest[r.ID]; !twice {
			ids = append(ids, r.ID)
		}
		latest[r.ID] = r
	}
	held, err := w.engine.Index.Holds(ctx, w.object, ids)
	if err != nil {
		return err
	}
	state := w.state
	var changes []Change
	var moves []Move
	for _, id := range ids {
		h, known := held[id]
		c, changed := w.compare(latest[id], h, known)
		if !changed {
			continue
		}
		changes = append(changes, c)
		if len(c.Lost) > 0 {
			moves = append(moves, Move{Person: message.Link{Object: w.object, ID: id}, Old: h.Numbers, New: c.Numbers})
		}
		state.People += more(known, len(c.Numbers) > 0)
	}
	if len(moves) > 0 && w.engine.Mover != nil {
		if err := w.engine.Mover.Moved(ctx, moves); err != nil {
			return err
		}
	}
	if len(changes) > 0 {
		if err := w.save(ctx, state, changes); err != nil {
			return err
		}
	}
	w.pending = w.pending[:0]
	return nil
}

// more is how many records the index has more, or less, after a change.
func more(was, is bool) int64 {
	switch {
	case !was:
		return 1 // what has no numbers and never had is no change
	case !is:
		return -1
	default:
		return 0
	}
}

// compare answers what a record is now, and whether the index holds it otherwise.
func (w *walk) compare(r Record, h Holding, known bool) (Change, bool) {
	c := Change{ID: r.ID, Owner: r.Owner, Was: h.Numbers, Gone: r.Gone}
	if !r.Gone {
		c.Numbers = w.engine.numbers(r.Phones)
	}
	switch {
	case !known && len(c.Numbers) == 0:
		return Change{}, false
	case known && w.exporting && h.Generation == w.state.Generation:
		return Change{}, false
	case known && h.Owner == c.Owner && h.Generation == w.state.Generation && slices.Equal(h.Numbers, c.Numbers):
		return Change{}, false
	}
	if known && w.moves && !r.Gone {
		c.Lost = lost(h.Numbers, c.Numbers)
	}
	return c, true
}

// save writes changes with the state that they lead to.
func (w *walk) save(ctx context.Context, next State, changes []Change) error {
	if err := w.engine.Index.Write(ctx, w.object, next, changes); err != nil {
		return err
	}
	w.engine.indexed.Add(next.People - w.state.People)
	w.engine.metrics.indexed.WithLabelValues(w.object).Set(float64(next.People))
	w.engine.metrics.changes.WithLabelValues(w.object).Add(float64(len(changes)))
	w.state = next
	return nil
}

// numbers reads the phone fields of a record, each number once, in a fixed order.
func (e *Engine) numbers(phones []string) []message.Number {
	var all []message.Number
	for _, raw := range phones {
		if raw != "" {
			all = append(all, phone.All(raw, e.o.Country)...)
		}
	}
	all = slices.DeleteFunc(all, func(n message.Number) bool { return phone.KeyOf(n) == 0 })
	slices.Sort(all)
	return slices.Compact(all)
}

// lost are the numbers of was that are not in is, however they are written.
func lost(was, is []message.Number) []message.Number {
	var gone []message.Number
	for _, old := range was {
		if !slices.ContainsFunc(is, func(n message.Number) bool { return phone.KeyOf(n) == phone.KeyOf(old) }) {
			gone = append(gone, old)
		}
	}
	return gone
}

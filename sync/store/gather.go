package store

import (
	"errors"
	"sync"
)

// errAborted is what is left of work that ended in a panic.
var errAborted = errors.New("store: aborted")

// gather lets callers that wait for the same resource share one use of it (group
// commit). Its zero value is ready.
type gather[T any] struct {
	mu      sync.Mutex
	waiting []*ticket[T]
	turn    sync.Mutex
}

type ticket[T any] struct {
	work T
	done bool
	err  error
}

// join adds work to what is waiting and returns when it is done: by this caller's
// commit or by one that came before it and took it along. do runs with everything
// that waits; its error is everybody's.
func (g *gather[T]) join(work T, do func([]T) error) error {
	mine := &ticket[T]{work: work}
	g.mu.Lock()
	g.waiting = append(g.waiting, mine)
	g.mu.Unlock()

	g.turn.Lock()
	defer g.turn.Unlock()
	if mine.done {
		return mine.err
	}
	g.mu.Lock()
	tickets := g.waiting
	g.waiting = nil
	g.mu.Unlock()
	all := make([]T, len(tickets))
	for i, t := range tickets {
		all[i] = t.work
	}
	// If do panics, what it took along was not done either.
	settle := func(err error) {
		for _, t := range tickets {
			t.done, t.err = true, err
		}
	}
	settle(errAborted)
	settle(do(all))
	return mine.err
}

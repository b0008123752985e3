package store

import "sync"

// gather lets callers that wait for the same resource share one use of it (group
// commit). Its zero value is ready.
type gather struct {
	mu      sync.Mutex
	waiting []*merge
	turn    sync.Mutex
}

// join adds m to what is waiting and returns when it is done: by this caller's
// commit or by one that came before it and took m along. do runs with everything
// that waits; its error is everybody's.
func (g *gather) join(m *merge, do func([]*merge) error) {
	g.mu.Lock()
	g.waiting = append(g.waiting, m)
	g.mu.Unlock()

	g.turn.Lock()
	defer g.turn.Unlock()
	if m.done {
		return
	}
	g.mu.Lock()
	all := g.waiting
	g.waiting = nil
	g.mu.Unlock()
	err := do(all)
	for _, m := range all {
		m.done, m.err = true, err
	}
}

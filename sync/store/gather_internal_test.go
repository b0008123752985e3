package store

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWorkThatAPanicTookAlongIsNotCalledDone(t *testing.T) {
	var g gather[int]
	waiting := func() int {
		g.mu.Lock()
		defer g.mu.Unlock()
		return len(g.waiting)
	}
	inside, ended := make(chan struct{}), make(chan any, 2)
	go func() {
		_ = g.join(0, func([]int) error {
			close(inside)
			for waiting() < 2 { // until both others wait for their turn
				continue
			}
			return nil
		})
	}()
	<-inside
	for n := range 2 {
		go func() {
			defer func() {
				if v := recover(); v != nil {
					ended <- v
				}
			}()
			ended <- g.join(n+1, func(all []int) error {
				if len(all) != 2 {
					return nil // nothing is left to do: what was taken along is lost
				}
				panic("the driver")
			})
		}()
	}
	require.ElementsMatch(t, []any{"the driver", errAborted}, []any{<-ended, <-ended})
}

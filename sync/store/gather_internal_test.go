package store

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWorkThatAPanicTookAlongIsNotCalledDone(t *testing.T) {
	var g gather[int]
	inside, second := make(chan struct{}), make(chan error, 1)
	first := make(chan any, 1)
	go func() {
		defer func() { first <- recover() }()
		_ = g.join(1, func(all []int) error {
			close(inside)
			for len(all) < 2 { // until the second one waits too
				g.mu.Lock()
				waiting := len(g.waiting)
				g.mu.Unlock()
				if waiting == 1 {
					break
				}
			}
			panic("the driver")
		})
	}()
	<-inside
	go func() {
		second <- g.join(2, func(all []int) error {
			if !slices.Equal(all, []int{2}) {
				return fmt.Errorf("done was %v", all)
			}
			return nil
		})
	}()
	require.NotNil(t, <-first)
	require.NoError(t, <-second)
}

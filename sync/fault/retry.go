package fault

import (
	"math/rand/v2"
	"time"
)

// RetryIn is the pause before one thing of many is tried again that was put off n
// times before: doubled from first to last, no shorter than least, with jitter of
// half of it to both sides, so that those which failed together do not meet again.
func RetryIn(n int, first, last, least time.Duration) time.Duration {
	d := first
	for range n {
		if d >= last {
			break
		}
		d *= 2
	}
	d = max(min(d, last), least)
	return d/2 + rand.N(d) //nolint:gosec // jitter
}

package outbox

import (
	"context"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// circuit holds all sends back while Twilio takes none, and lets a single one try
// whether that is over.
type circuit struct {
	mu      sync.Mutex
	broken  bool
	until   time.Time
	probing bool
	doubts  int           // in a row
	changed chan struct{} // closed when anything changes
	pause   *backoff.ExponentialBackOff
}

func newCircuit() *circuit {
	return &circuit{changed: make(chan struct{}), pause: newPause()}
}

// newPause grows from a second to a minute.
func newPause() *backoff.ExponentialBackOff {
	p := backoff.NewExponentialBackOff()
	p.InitialInterval, p.MaxInterval = time.Second, time.Minute
	return p
}

// enter returns when a send may be tried. Whoever entered ends with good, bad or
// leave.
func (c *circuit) enter(ctx context.Context) error {
	for {
		c.mu.Lock()
		rest, changed := time.Until(c.until), c.changed
		switch {
		case !c.broken:
			c.mu.Unlock()
			return nil
		case rest <= 0 && !c.probing:
			c.probing = true
			c.mu.Unlock()
			return nil
		}
		c.mu.Unlock()
		t := time.NewTimer(max(rest, time.Second))
		select {
		case <-t.C:
		case <-changed:
		case <-ctx.Done():
			t.Stop()
			return context.Cause(ctx)
		}
		t.Stop()
	}
}

// good: Twilio answers. It says whether it did not before.
func (c *circuit) good() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.broken
	c.broken, c.probing, c.doubts = false, false, 0
	c.pause.Reset()
	c.tell()
	return was
}

// bad: it does not.
func (c *circuit) bad(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open(err)
}

// doubtsBreak is how many uncertain sends in a row hold the others back: each of
// them would have to be looked up too.
const doubtsBreak = 3

// doubt: whether it happened is not known. It answers whether the others are held
// back now.
func (c *circuit) doubt(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doubts++
	if c.doubts >= doubtsBreak {
		c.open(err)
		return true
	}
	c.probing = false
	c.tell()
	return false
}

func (c *circuit) open(err error) {
	c.probing = false
	if now := time.Now(); !now.Before(c.until) { // else another has said so already
		c.broken, c.until = true, now.Add(max(c.pause.NextBackOff(), fault.After(err)))
	}
	c.tell()
}

// leave: nothing was tried.
func (c *circuit) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.probing = false
	c.tell()
}

func (c *circuit) tell() {
	close(c.changed)
	c.changed = make(chan struct{})
}

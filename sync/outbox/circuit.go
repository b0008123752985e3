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
	probe   ticket        // whose try it is; 0 for nobody's
	tickets ticket        // how many there have been
	doubts  int           // in a row
	changed chan struct{} // closed when anything changes
	pause   *backoff.ExponentialBackOff
}

// ticket is one entrance. Only who tries alone can say that the try is over: others
// that had entered before may still be on their way.
type ticket int64

func newCircuit() *circuit {
	return &circuit{changed: make(chan struct{}), pause: newPause()}
}

// newPause grows from a second to a minute.
func newPause() *backoff.ExponentialBackOff {
	p := backoff.NewExponentialBackOff()
	p.InitialInterval, p.MaxInterval = time.Second, time.Minute
	return p
}

// enter returns when a send may be tried. Whoever entered ends with good, bad,
// doubt or leave, and its ticket.
func (c *circuit) enter(ctx context.Context) (ticket, error) {
	for {
		c.mu.Lock()
		rest, changed := time.Until(c.until), c.changed
		if !c.broken || rest <= 0 && c.probe == 0 {
			c.tickets++
			t := c.tickets
			if c.broken {
				c.probe = t
			}
			c.mu.Unlock()
			return t, nil
		}
		c.mu.Unlock()
		t := time.NewTimer(max(rest, time.Second))
		select {
		case <-t.C:
		case <-changed:
		case <-ctx.Done():
			t.Stop()
			return 0, context.Cause(ctx)
		}
		t.Stop()
	}
}

// good: Twilio answers. It says whether it did not before.
func (c *circuit) good() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.broken
	c.broken, c.probe, c.doubts = false, 0, 0
	c.pause.Reset()
	c.tell()
	return was
}

// bad: it does not.
func (c *circuit) bad(t ticket, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open(t, err)
}

// doubtsBreak is how many uncertain sends in a row hold the others back: each of
// them would have to be looked up too.
const doubtsBreak = 3

// doubt: whether it happened is not known. It answers whether the others are held
// back now.
func (c *circuit) doubt(t ticket, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doubts++
	if c.doubts >= doubtsBreak {
		c.open(t, err)
		return true
	}
	c.over(t)
	c.tell()
	return false
}

func (c *circuit) open(t ticket, err error) {
	c.over(t)
	if now := time.Now(); !now.Before(c.until) { // else another has said so already
		c.broken, c.until = true, now.Add(max(c.pause.NextBackOff(), fault.After(err)))
	}
	c.tell()
}

// leave: nothing was tried.
func (c *circuit) leave(t ticket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over(t)
	c.tell()
}

// over ends a try, if it is this one's.
func (c *circuit) over(t ticket) {
	if c.probe == t {
		c.probe = 0
	}
}

func (c *circuit) tell() {
	close(c.changed)
	c.changed = make(chan struct{})
}

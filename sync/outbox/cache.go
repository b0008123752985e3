package outbox

import (
	"context"
	"sync"
	"time"
)

// sendersFor is how long the account's senders are taken as known.
const sendersFor = 10 * time.Minute

// sendersAgain is how soon they may be asked for once more because one is missing.
const sendersAgain = 30 * time.Second

// cache remembers the account's senders.
type cache struct {
	mu   sync.Mutex
	have *Senders
	at   time.Time
}

// get answers what is known, and asks when that is too old. What was known before
// serves while Twilio does not answer.
func (c *cache) get(ctx context.Context, ask func(context.Context) (Senders, error)) (*Senders, error) {
	s, err := c.within(ctx, sendersFor, ask)
	if err == nil {
		return s, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.have != nil {
		return c.have, nil // they will do; who calls next tells of the trouble
	}
	return nil, err
}

// again asks because something is missing: what was known before is no answer.
func (c *cache) again(ctx context.Context, ask func(context.Context) (Senders, error)) (*Senders, error) {
	return c.within(ctx, sendersAgain, ask)
}

func (c *cache) within(ctx context.Context, age time.Duration, ask func(context.Context) (Senders, error)) (*Senders, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.have != nil && time.Since(c.at) < age {
		return c.have, nil
	}
	s, err := ask(ctx)
	if err != nil {
		return nil, err
	}
	c.have, c.at = &s, time.Now()
	return c.have, nil
}

package mirror

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
)

const (
	// maxWaiting is how far a walk may run ahead of the writer. It keeps the
	// store small; the rows are durable either way.
	maxWaiting = 1_500
	// patience is how long a sweep waits for the writer. Beyond it the sweep
	// ends without moving its cursor: the next one tries again, and meanwhile
	// other messages are discovered.
	patience = time.Minute
	// askAgain is how often the store is asked how much is still waiting.
	askAgain = 5 * time.Second
	// settleTick is the least time between two such questions.
	settleTick = 250 * time.Millisecond
)

// walker is what sweeps and backfills have in common.
type walker struct {
	Ports
	writer  *Writer
	metrics *metrics

	mu      sync.Mutex
	trouble *health.Troubles
}

// tally is what one walk came to.
type tally struct {
	Seen, Changed int
	Newest        time.Time // the latest message.At among what was seen
	unasked       int       // changes since breathe last asked the store
}

// walk reads a window, merges what keep lets through and goes on for as long as
// more says so.
func (k *walker) walk(ctx context.Context, kind string, w Window, page func(context.Context, []message.Message, *tally) (bool, error)) (tally, error) {
	var t tally
	started := time.Now()
	err := k.Source.Walk(ctx, w, func(rows []message.Message) (bool, error) {
		t.Seen += len(rows)
		k.metrics.seen.WithLabelValues(kind).Add(float64(len(rows)))
		for i := range rows {
			if at := rows[i].At(); at.After(t.Newest) {
				t.Newest = at
			}
		}
		return page(ctx, rows, &t)
	})
	k.metrics.duration.WithLabelValues(kind).Observe(time.Since(started).Seconds())
	k.note(ctx, kind, err)
	if err != nil {
		return t, fmt.Errorf("%s: %w", kind, err)
	}
	return t, nil
}

// note keeps Twilio's condition and counts the walk.
func (k *walker) note(ctx context.Context, kind string, err error) {
	if fault.Stopped(ctx, err) {
		return
	}
	class := "ok"
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.trouble == nil {
		k.trouble = health.NewTroubles(sideTwilio, k.Health)
	}
	switch {
	case err == nil:
		k.trouble.Over()
	case fault.Of(err) != nil:
		class = fault.ClassOf(err).String()
		k.trouble.Had(err)
	default:
		class = "store"
	}
	k.metrics.walks.WithLabelValues(kind, class).Inc()
}

// merge keeps a page's news and wakes the writer.
func (k *walker) merge(ctx context.Context, rows []message.Message, t *tally) error {
	n, changes, err := k.Ledger.Merge(ctx, rows)
	if err != nil {
		return err
	}
	t.Changed += n
	t.unasked += n
	if n > 0 {
		k.writer.offer(changes)
	}
	return nil
}

// settled waits until no more than left of the changes up to upTo wait to be
// written, or until atMost is over, and answers whether that is so. atMost 0
// waits for ever.
func (k *walker) settled(ctx context.Context, upTo Seq, left int, atMost time.Duration) (bool, error) {
	var over <-chan time.Time
	if atMost > 0 {
		t := time.NewTimer(atMost)
		defer t.Stop()
		over = t.C
	}
	for {
		next := k.writer.settled.next()
		n, err := k.Ledger.Unsettled(ctx, upTo, left+1)
		if err != nil || n <= left {
			return n <= left, err
		}
		again := time.NewTimer(askAgain)
		select {
		case <-next:
			again.Reset(settleTick) // batches come fast: one question answers for several
			select {
			case <-again.C:
			case <-ctx.Done():
			}
		case <-again.C:
		case <-over:
			again.Stop()
			return false, nil
		case <-ctx.Done():
			again.Stop()
			return false, context.Cause(ctx)
		}
		again.Stop()
	}
}

// breathe holds a walk back while the writer is far behind.
func (k *walker) breathe(ctx context.Context, t *tally, atMost time.Duration) error {
	if t.unasked < maxWaiting/4 {
		return nil
	}
	t.unasked = 0
	upTo, err := k.Ledger.Newest(ctx)
	if err != nil {
		return err
	}
	_, err = k.settled(ctx, upTo, maxWaiting+k.writer.ahead, atMost)
	return err
}

// before reports whether a page, newest first, shows that the walk has passed
// bound: its last message that was sent lies before. Rows without a date_sent
// prove nothing, for where Twilio sorts them is not documented: by their
// creation, then they are in order with the others, or on top, then all of them
// have been seen.
func before(rows []message.Message, bound time.Time) bool {
	for i := len(rows) - 1; i >= 0; i-- { //nolint:modernize // slices.Backward would copy the messages
		if !rows[i].Sent.IsZero() {
			return rows[i].Sent.Before(bound)
		}
	}
	return false
}

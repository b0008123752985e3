package mirrortest

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// Org is a mirror.Sink in memory. Its zero value is ready.
type Org struct {
	// Latency is how long a call takes; in a synctest bubble it costs nothing.
	Latency time.Duration
	// Refuse, if set, decides about one record: nil takes it.
	Refuse func(message.Message) error
	// Fail, if set, decides about a whole batch. taken reports whether its
	// records are stored all the same: the answer was lost, not the request.
	Fail func(n int) (err error, taken bool)

	mu      sync.Mutex
	records map[message.SID]message.Message
	writes  map[message.SID]int
	flying  map[message.SID]bool
	overlap int
	calls   int
}

var _ mirror.Sink = (*Org)(nil)

// Upsert implements mirror.Sink.
func (o *Org) Upsert(ctx context.Context, batch []message.Message) ([]error, error) {
	o.begin(batch)
	defer o.end(batch)
	if o.Latency > 0 {
		t := time.NewTimer(o.Latency)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if o.Fail != nil {
		if err, taken := o.Fail(len(batch)); err != nil {
			if taken {
				o.store(batch)
			}
			return nil, err
		}
	}
	return o.store(batch), nil
}

func (o *Org) begin(batch []message.Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls++
	if o.flying == nil {
		o.records, o.writes, o.flying = map[message.SID]message.Message{}, map[message.SID]int{}, map[message.SID]bool{}
	}
	for _, m := range batch {
		if o.flying[m.SID] {
			o.overlap++
		}
		o.flying[m.SID] = true
	}
}

func (o *Org) end(batch []message.Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range batch {
		delete(o.flying, m.SID)
	}
}

func (o *Org) store(batch []message.Message) []error {
	o.mu.Lock()
	defer o.mu.Unlock()
	outcomes := make([]error, len(batch))
	for i, m := range batch {
		if o.Refuse != nil {
			if outcomes[i] = o.Refuse(m); outcomes[i] != nil {
				continue
			}
		}
		o.records[m.SID] = m
		o.writes[m.SID]++
	}
	return outcomes
}

// All is what the org holds.
func (o *Org) All() map[message.SID]message.Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := make(map[message.SID]message.Message, len(o.records))
	maps.Copy(all, o.records)
	return all
}

// Writes counts how often a record was written.
func (o *Org) Writes(sid message.SID) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.writes[sid]
}

// Overlaps counts writes of a SID that began while another one of it was in
// flight. There must never be one.
func (o *Org) Overlaps() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.overlap
}

// Calls counts batches.
func (o *Org) Calls() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.calls
}

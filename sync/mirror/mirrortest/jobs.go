package mirrortest

import (
	"context"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// Jobs is a mirror.BulkSink in memory. What a job carries is written at its end,
// whoever waits for it. Set Org and Takes; the rest has usable zero values.
type Jobs struct {
	Org   *Org
	Takes time.Duration // from the beginning of a job to its end
	// Fail, if set, decides about a whole job. running reports whether it goes on
	// all the same.
	Fail func() (err error, running bool)

	mu      sync.Mutex
	running chan struct{} // closed at the end of the job that runs; nil: none
	sizes   []int
	carried map[message.SID]bool
}

var _ mirror.BulkSink = (*Jobs)(nil)

// UpsertMany implements mirror.BulkSink.
func (j *Jobs) UpsertMany(ctx context.Context, records []mirror.Record) ([]error, error) {
	if j.Fail != nil {
		if err, running := j.Fail(); err != nil {
			if running {
				j.start(records)
			}
			return nil, err
		}
	}
	outcomes := j.start(records)
	if err := j.Settle(ctx); err != nil {
		return nil, err
	}
	return <-outcomes, nil
}

// start begins a job that ends by itself.
func (j *Jobs) start(records []mirror.Record) <-chan []error {
	batch := make([]message.Message, len(records))
	for i := range records {
		batch[i] = *records[i].Message
		records[i].Message = &batch[i] // as it was then
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sizes = append(j.sizes, len(batch))
	if j.carried == nil {
		j.carried = map[message.SID]bool{}
	}
	for i := range batch {
		j.carried[batch[i].SID] = true
	}
	ended, outcomes := make(chan struct{}), make(chan []error, 1)
	j.running = ended
	j.Org.begin(batch)
	time.AfterFunc(j.Takes, func() {
		outcomes <- j.Org.store(records)
		j.Org.end(batch)
		j.mu.Lock()
		defer j.mu.Unlock()
		j.running = nil
		close(ended)
	})
	return outcomes
}

// Leave is a job that a former process has left running.
func (j *Jobs) Leave(all ...message.Message) {
	records := make([]mirror.Record, len(all))
	for i := range all {
		records[i].Message = &all[i]
	}
	j.start(records)
}

// Settle implements mirror.BulkSink.
func (j *Jobs) Settle(ctx context.Context) error {
	j.mu.Lock()
	running := j.running
	j.mu.Unlock()
	if running == nil {
		return nil
	}
	select {
	case <-running:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Carried says whether a job has carried a message.
func (j *Jobs) Carried(sid message.SID) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.carried[sid]
}

// Sizes is how many messages each job has carried.
func (j *Jobs) Sizes() []int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]int(nil), j.sizes...)
}

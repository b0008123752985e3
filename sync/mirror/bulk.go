package mirror

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
)

const (
	// bulkTimes is how many times the threshold one job carries, and bulkMost how
	// many messages at most, for they are in memory until the job has ended.
	bulkTimes, bulkMost = 2, 20_000
	// bulkPause is how long bulk is left alone once it has failed as a whole.
	// Meanwhile everything goes the other way.
	bulkPause = 10 * time.Minute
	// bulkPatience is how long a job of a former process may run before an operator
	// hears of it.
	bulkPatience = time.Minute
)

// bulkLine is what the writer knows of jobs. There is one job at a time, beside the
// batches: it costs a fifth of their calls, and is slower. Owned by Run.
type bulkLine struct {
	at       int  // from how many waiting changes on a job is worth it; 0: never
	busy     bool // one is under way
	notUntil time.Time
}

// most is how many messages one job carries.
func (b *bulkLine) most() int { return min(bulkTimes*b.at, bulkMost) }

// cleared lets no job of a former process write any more: it would write older
// states over newer ones (P4). Nothing is written before that, and it does not end
// before ctx unless that is certain.
func (w *Writer) cleared(ctx context.Context) error {
	if w.Bulk == nil {
		return nil
	}
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = time.Second, time.Minute
	for {
		err := w.settleBulk(ctx)
		if err == nil {
			w.Health.Clear(condBulk)
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if fault.Of(err) == nil && !errors.Is(err, context.DeadlineExceeded) {
			w.storeTrouble(err)
		} else {
			w.Health.Raise(bulkUnclear(err))
		}
		select {
		case <-time.After(max(fault.After(err), pause.NextBackOff())):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// settleBulk waits for a while only, so that an operator hears of a job that takes
// long.
func (w *Writer) settleBulk(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, bulkPatience)
	defer cancel()
	return w.Bulk.Settle(bounded)
}

// startBulk writes by a job what is worth one.
func (w *Writer) startBulk(ctx, work context.Context, results chan<- batchResult) {
	if ctx.Err() != nil {
		return
	}
	batch := w.nextBulk()
	if len(batch) == 0 {
		return
	}
	known, err := w.judge(ctx, batch)
	if err != nil {
		w.note(ctx, batchResult{batch: batch, err: err})
		w.storeFailed(ctx, err)
		return
	}
	w.bulk.busy = true
	go w.writeBulk(ctx, work, batch, known, results)
}

// nextBulk takes what a job is worth, nil if that is too little: messages that are
// not new, for who waits for those sees them sooner in a batch.
func (w *Writer) nextBulk() []Change {
	now := time.Now()
	if w.Bulk == nil || w.bulk.busy || now.Before(w.notUntil) || now.Before(w.bulk.notUntil) {
		return nil
	}
	if len(w.queue) < w.bulk.at {
		w.absorb()
	}
	if len(w.queue) < w.bulk.at {
		return nil
	}
	n := 0
	for i := range w.queue {
		if w.worthBulk(&w.queue[i]) {
			n++
		}
	}
	if n < w.bulk.at {
		return nil
	}
	batch := make([]Change, 0, min(n, w.bulk.most()))
	left := make([]Change, 0, len(w.queue))
	for _, c := range w.queue {
		if len(batch) == cap(batch) || !w.worthBulk(&c) {
			left = append(left, c)
			continue
		}
		w.inFlight[c.Message.SID] = c.Seq
		batch = append(batch, c)
	}
	w.queue = left
	w.metrics.inFlight.Set(float64(len(w.inFlight)))
	return batch
}

func (w *Writer) worthBulk(c *Change) bool {
	_, busy := w.inFlight[c.Message.SID]
	return !busy && c.Attempts == 0 && !w.newcomers.young(c.Message)
}

// absorb adds to the queue what was offered, if that is the next.
func (w *Writer) absorb() {
	if w.scanning || w.rescan {
		return
	}
	w.queue, w.rescan = w.offers.take(w.queue, w.mark)
}

// writeBulk writes changes by a job, and those that it does not take in batches.
// Until all of them are settled nothing else of their SIDs is written (P2, P4). A
// stop does not wait for a job: whoever writes next waits for it.
func (w *Writer) writeBulk(ctx, work context.Context, batch []Change, known []newness, results chan<- batchResult) {
	done, rest, err := w.inBulk(ctx, batch, known)
	if err != nil {
		// The job may still write: whoever writes these again must come after it.
		if unclear := w.cleared(ctx); unclear != nil {
			results <- batchResult{batch: batch, err: unclear, ofBulk: true, bulk: true, bulkErr: err, last: true}
			return
		}
		done, rest = nil, allOf(len(batch))
	}
	results <- batchResult{
		batch: pick(batch, done), outcomes: make([]error, len(done)), sent: len(done) > 0, ofBulk: true, bulk: true, bulkErr: err, last: len(rest) == 0,
	}
	for len(rest) > 0 {
		some := rest[:min(len(rest), BatchSize)]
		var r batchResult
		if stopped := context.Cause(ctx); stopped != nil {
			some = rest
			r = batchResult{batch: pick(batch, some), err: stopped}
		} else {
			r = w.write(work, pick(batch, some), doubtful(pick(known, some)))
		}
		rest = rest[len(some):]
		r.ofBulk, r.last = true, len(rest) == 0
		results <- r
	}
}

// inBulk hands to a job what belongs to no record of its own. It answers the places
// of those that are written, and of all others.
func (w *Writer) inBulk(ctx context.Context, batch []Change, known []newness) (done, rest []int, err error) {
	var records []Record
	var places []int
	for some := range slices.Chunk(allOf(len(batch)), BatchSize) {
		claims, err := w.claims(ctx, pick(batch, some))
		if err != nil {
			return nil, nil, err
		}
		var free []int
		for i, at := range some {
			if len(claims) == 0 || claims[i] == (Claim{}) {
				free = append(free, at)
			} else {
				rest = append(rest, at)
			}
		}
		made, err := w.records(ctx, pick(batch, free), pick(known, free))
		if err != nil {
			return nil, nil, err
		}
		for i, at := range free {
			made[i].Message = batch[at].Message
		}
		records, places = append(records, made...), append(places, free...)
	}
	outcomes, err := w.Bulk.UpsertMany(ctx, records)
	if err != nil {
		return nil, nil, err
	}
	for i, at := range places {
		if i < len(outcomes) && outcomes[i] == nil {
			done = append(done, at)
		} else {
			rest = append(rest, at)
		}
	}
	return done, rest, nil
}

// doubtful says of records that a job may have made that the org is to be asked.
func doubtful(known []newness) []newness {
	for i := range known {
		if known[i] == fresh {
			known[i] = doubted
		}
	}
	return known
}

func allOf(n int) []int {
	places := make([]int, n)
	for i := range places {
		places[i] = i
	}
	return places
}

func pick[T any](from []T, places []int) []T {
	some := make([]T, len(places))
	for i, at := range places {
		some[i] = from[at]
	}
	return some
}

// noteBulk takes the outcome of a job into account. That one failed is no more than
// a pause of them: what it was to write is written in batches.
func (w *Writer) noteBulk(ctx context.Context, r batchResult) {
	class := "ok"
	if r.bulkErr != nil {
		class = fault.ClassOf(r.bulkErr).String()
		w.bulk.notUntil = time.Now().Add(max(fault.After(r.bulkErr), bulkPause))
		if !fault.Stopped(ctx, r.bulkErr) {
			w.Health.Raise(bulkFailed(r.bulkErr))
		}
	} else if r.err == nil {
		w.Health.Clear(condBulk)
	}
	w.metrics.jobs.WithLabelValues(class).Inc()
}

func bulkFailed(err error) health.Condition {
	c := health.Condition{
		Name: condBulk, Severity: health.Notice,
		Cause:  "Bulk API does not work, so messages are written in batches, which takes more API calls: " + err.Error(),
		Remedy: fault.Hint(err),
	}
	if c.Remedy == "" {
		c.Remedy = "Nothing is lost. Bulk API is tried again every ten minutes; see Setup, Bulk Data Load Jobs."
	}
	return c
}

func bulkUnclear(err error) health.Condition {
	return health.Condition{
		Name: condBulk, Severity: health.Degraded,
		Cause:  "A bulk job of an earlier process may still write, and nothing is written before it has ended: " + err.Error(),
		Remedy: "Nothing is lost. If it lasts, look at the job in Setup, Bulk Data Load Jobs; an aborted one has ended.",
	}
}

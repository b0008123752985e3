package mirror

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/grace"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
)

const (
	// pollEvery bounds how long a change that another machine queued, or one
	// whose wake-up was lost, waits for the writer.
	pollEvery = time.Minute
	// storeRetry and storeRetryMost are the pauses after the store itself failed:
	// what it cannot remember is written again, which costs API calls.
	storeRetry, storeRetryMost = time.Second, time.Minute
)

// Writer is the one writer: it drains the ledger's changes into Salesforce. A
// SID has at most one write in flight (P2).
type Writer struct {
	Ports
	log     *zap.Logger
	metrics *metrics
	workers int
	grace   time.Duration
	shared  bool // Options.Shared
	wake    chan struct{}
	settled signal

	offers    offers
	newcomers newcomers
	ahead     int // how much further walks run ahead, so that a job is worth it

	// Owned by Run.
	bulk     bulkLine
	queue    []Change            // to be dispatched
	inFlight map[message.SID]Seq // being written
	scanning bool                // the store has more than what is in the queue
	rescan   bool                // something at or before mark is to be read again
	settling []Settlement        // room of collect's
	mark     Seq                 // the store was read up to here
	scanned  time.Time           // when it was read last, from the beginning
	scanAt   time.Time           // when it is to be read again, whatever else happens
	allowed  int                 // batches at once, at present
	size     int                 // messages a batch, at present
	left     time.Time           // when the last batch left
	took     time.Duration       // how long one takes, lately
	notUntil time.Time           // Salesforce is left alone until then
	pause    *backoff.ExponentialBackOff
	stumble  *backoff.ExponentialBackOff // pauses for the store
	trouble  *health.Troubles
	storage  *health.Troubles
}

func newWriter(p Ports, o Options, m *metrics) *Writer {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = time.Second, time.Minute
	stumble := backoff.NewExponentialBackOff()
	stumble.InitialInterval, stumble.MaxInterval = storeRetry, storeRetryMost
	w := &Writer{
		Ports: p, log: o.Log, metrics: m, workers: o.Writers, grace: o.Grace, shared: o.Shared,
		wake: make(chan struct{}, 1), inFlight: map[message.SID]Seq{},
		rescan:  true, // what an earlier process left
		allowed: o.Writers, size: BatchSize, pause: pause, stumble: stumble,
		newcomers: newcomers{unsure: map[message.SID]bool{}, turn: make(chan struct{}, 1)},
		trouble:   health.NewTroubles(sideSalesforce, p.Health), storage: health.NewTroubles(sideSalesforce, p.Health),
		bulk: bulkLine{at: o.BulkAt},
	}
	if p.Bulk != nil {
		w.ahead = w.bulk.at + w.bulk.most()
	}
	return w
}

// Wake tells the writer that the ledger has changes. It never blocks.
func (w *Writer) Wake() { w.offer(nil) }

// offer hands changes over that were committed a moment ago; none means that the
// store must be read.
func (w *Writer) offer(changes []Change) {
	w.offers.add(changes)
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// batchResult is what came of one batch.
type batchResult struct {
	batch    []Change
	sent     bool // to Salesforce
	outcomes []error
	err      error // of the batch as a whole
	took     time.Duration
	last     bool // nothing more comes of this goroutine

	ofBulk  bool  // what was to be written by a job
	bulk    bool  // what was written by it, or it as a whole
	bulkErr error // of that
}

// Run writes until ctx is done, then gives what is in flight the grace to end.
// A batch cut short is simply not settled (P10).
func (w *Writer) Run(ctx context.Context) error {
	work, release := grace.Context(ctx, w.grace)
	defer release()
	if err := w.cleared(ctx); err != nil {
		return err
	}
	w.begin(ctx, work)
	results := make(chan batchResult, w.workers)
	busy := 0
	for {
		w.startBulk(ctx, work, results)
		for busy < w.allowed && ctx.Err() == nil {
			batch := w.next(ctx, busy)
			if len(batch) == 0 {
				break
			}
			known, err := w.judge(ctx, batch)
			if err != nil {
				w.note(ctx, batchResult{batch: batch, err: err})
				w.storeFailed(ctx, err)
				break
			}
			busy++
			w.left = time.Now()
			go func() {
				r := w.write(work, batch, known)
				r.last = true
				results <- r
			}()
		}
		if busy == 0 && !w.bulk.busy && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		timer := time.NewTimer(w.idle(ctx, busy))
		select {
		case r := <-results:
			busy -= w.collect(ctx, r, results)
		case <-w.wake:
		case <-timer.C:
		case <-done(ctx, busy > 0 || w.bulk.busy):
		}
		timer.Stop()
	}
}

// collect settles one result and all others that have arrived meanwhile, in one
// transaction, and answers how many batches have ended.
func (w *Writer) collect(ctx context.Context, first batchResult, results <-chan batchResult) int {
	all := []batchResult{first}
	for {
		select {
		case r := <-results:
			all = append(all, r)
			continue
		default:
		}
		break
	}
	settled := w.settling[:0]
	for _, r := range all {
		switch {
		case r.err == nil:
			settled = settle(settled, r.batch, r.outcomes, time.Now())
		case fault.Of(r.err) == nil:
			w.storeFailed(ctx, r.err) // it knows the people too
		}
	}
	w.settling = settled
	// What Salesforce has taken is worth remembering even while we stop.
	if err := w.settleAll(context.WithoutCancel(ctx), settled); err != nil {
		w.storeFailed(ctx, err)
		for i := range all {
			all[i].err = errors.Join(all[i].err, err)
		}
	}
	clear(settled) // of the messages
	ended := 0
	for _, r := range all {
		w.note(ctx, r)
		switch {
		case !r.last:
		case r.ofBulk:
			w.bulk.busy = false
		default:
			ended++
		}
	}
	return ended
}

func (w *Writer) settleAll(ctx context.Context, settled []Settlement) error {
	if len(settled) == 0 {
		return nil
	}
	return w.Changes.Settle(ctx, settled)
}

// done is ctx.Done while nothing is in flight, and nothing otherwise: a stopping
// writer waits for its batches, not for the context again.
func done(ctx context.Context, busy bool) <-chan struct{} {
	if busy && ctx.Err() != nil {
		return nil
	}
	return ctx.Done()
}

func (w *Writer) storeFailed(ctx context.Context, err error) {
	if fault.Stopped(ctx, err) {
		return
	}
	w.allowed = 1
	w.notUntil = time.Now().Add(w.stumble.NextBackOff())
	w.storeTrouble(err)
}

func (w *Writer) storeTrouble(err error) {
	w.Health.Raise(health.StoreFailed(err))
}

// idle is how long to wait when nothing happens. It sets scanAt, which does not
// move on while other things do: what was put off would wait for ever where
// messages never cease.
func (w *Writer) idle(ctx context.Context, busy int) time.Duration {
	now := time.Now()
	if now.Before(w.notUntil) {
		return w.notUntil.Sub(now)
	}
	due, err := w.Changes.NextDue(ctx)
	if err != nil {
		w.storeFailed(ctx, err)
		return storeRetry
	}
	w.scanAt = w.scanned.Add(pollEvery)
	if due.IsZero() {
		// Nothing is put off any more, by whatever way it went.
		w.storage.Over()
		w.Health.Clear(condStuck)
	} else if soon := w.scanned.Add(time.Second); due.Before(w.scanAt) {
		// Times in the store are whole seconds; and what is overdue is either in
		// flight or is read at once.
		w.scanAt = due
		if soon.After(due) {
			w.scanAt = soon
		}
	}
	if busy >= w.allowed || ctx.Err() != nil {
		return pollEvery // nothing is read before a batch has ended
	}
	wait := max(w.scanAt.Sub(now), 0)
	if slot := w.slot(busy); slot > 0 && len(w.queue) > 0 {
		wait = min(wait, slot)
	}
	return wait
}

// hand hands a batch to Salesforce.
func (w *Writer) hand(ctx context.Context, batch []Change, known []newness, claims []Claim) batchResult {
	// A record that has asked for its message is there, and its user's.
	for i := range claims {
		if claims[i].Record != "" {
			known[i] = held
		}
	}
	records, err := w.records(ctx, batch, known)
	if err != nil {
		return batchResult{batch: batch, err: err}
	}
	for i := range claims {
		records[i].ID, records[i].Bulk, records[i].Rejected = claims[i].Record, claims[i].Bulk, claims[i].Rejected
	}
	began := time.Now()
	outcomes, err := w.Sink.Upsert(ctx, records)
	if err == nil && len(outcomes) != len(batch) {
		err = fault.New(fault.Transient, "upsert", fmt.Errorf("%d outcomes for %d messages", len(outcomes), len(batch)))
	}
	return batchResult{batch: batch, sent: true, outcomes: outcomes, err: err, took: time.Since(began)}
}

package mirror

import (
	"context"
	"slices"
	"time"
)

// next takes the next batch, at most one change a SID and none of a SID that is
// being written.
func (w *Writer) next(ctx context.Context, busy int) []Change {
	if time.Now().Before(w.notUntil) || (len(w.queue) < w.size && !w.fill(ctx)) || w.slot(busy) > 0 {
		return nil
	}
	batch := make([]Change, 0, min(w.size, len(w.queue)))
	taken := 0
	for _, c := range w.queue {
		if len(batch) == w.size {
			break
		}
		taken++
		if seq, busy := w.inFlight[c.Message.SID]; busy {
			// It changed while its former state is being written: its turn comes
			// when that is settled.
			w.rescan = w.rescan || seq != c.Seq
			continue
		}
		w.inFlight[c.Message.SID] = c.Seq
		batch = append(batch, c)
	}
	w.queue = slices.Delete(w.queue, 0, taken)
	w.metrics.inFlight.Set(float64(len(w.inFlight)))
	return batch
}

// slot is how long the next batch waits for its turn, unless it is full. Calls
// that leave evenly spaced keep a new change waiting for a part of a call; calls
// that leave together keep it waiting for a whole one.
func (w *Writer) slot(busy int) time.Duration {
	if busy == 0 || len(w.queue) >= w.size {
		return 0
	}
	return time.Until(w.left.Add(w.took / time.Duration(w.workers)))
}

// fill adds to the queue what was offered or, while the store has more than
// that, what it has. It answers whether the store could be read.
func (w *Writer) fill(ctx context.Context) bool {
	queued := len(w.queue)
	queue, unread := w.offers.take(w.queue, w.mark)
	if now := time.Now(); w.rescan || unread || !now.Before(w.scanAt) {
		queue, queued, w.mark, w.scanning, w.rescan = empty(queue), 0, 0, true, false
		w.scanned, w.scanAt = now, now.Add(pollEvery)
	}
	if !w.scanning {
		w.queue = queue
		return true
	}
	// What was offered is in the store by now, and is read there.
	clear(queue[queued:])
	w.queue = queue[:queued]
	limit := max(w.size*w.workers, w.ahead)
	more, err := w.Changes.Changed(ctx, w.mark, time.Now(), limit)
	if err != nil {
		w.rescan = true
		w.storeFailed(ctx, err)
		return false
	}
	w.scanning = len(more) == limit
	for _, c := range more {
		w.mark = c.Seq
		_, c.again = w.inFlight[c.Message.SID]
		w.queue = append(w.queue, c)
	}
	return true
}

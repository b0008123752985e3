package campaign

import (
	"context"
	"math"
	"time"

	"golang.org/x/time/rate"

	"github.com/twiliosf/twiliosf/sync/message"
)

const (
	// backAfter is how long what is handed over waits to be tried before it is taken
	// back, and backEvery how often that is looked after.
	backAfter = time.Minute
	backEvery = 10 * time.Second
	// beforehand is how long before quiet hours nobody is handed over any more.
	beforehand = 5 * time.Second
	// beginnings is at what distance quiet hours may begin in the zones of the world.
	beginnings = 15 * time.Minute
	// rounds bound how many batches of recipients are put off in one turn.
	rounds = 20
)

// send hands over as many recipients as keep the outbox busy until the next turn.
func (e *Engine) send(ctx context.Context, d *desk, r *Run) (time.Duration, error) {
	began := time.Now()
	open, err := e.Handing.Open(ctx, r.N)
	if err == nil {
		open, err = e.takeBack(ctx, d, r, open)
	}
	if err != nil {
		return 0, err
	}
	places := min(e.lanes.share(r.Sender, r.N, e.pace(r), e.senderRate(r.Sender), open), d.allowed(r, began))
	left := places
	for n := 0; n < rounds && left > 0 && ctx.Err() == nil; n++ {
		batch, err := e.Recipients.Waiting(ctx, r.N, time.Now(), left)
		if err != nil {
			return 0, err
		}
		if len(batch) == 0 {
			if left == places {
				return e.nobodyDue(ctx, d, r, open)
			}
			break
		}
		handed, ok, err := e.handOver(ctx, d, r, batch)
		if err != nil || !ok {
			return 0, err
		}
		left -= handed
	}
	return max(turn-time.Since(began), time.Millisecond), nil
}

// pace is how many messages a second a run may send.
func (e *Engine) pace(r *Run) float64 {
	pace := e.senderRate(r.Sender)
	if own := r.Campaign.Rate; own > 0 {
		pace = min(pace, own)
	}
	return pace
}

// senderRate is a sender's, which is one at least in an hour.
func (e *Engine) senderRate(sender string) float64 { return max(e.o.Rate(sender), 1./3600) }

// takeBack takes those back whom nobody has tried to send to for a while, and all
// of them when quiet hours are about to begin somewhere. It answers how many are open.
func (e *Engine) takeBack(ctx context.Context, d *desk, r *Run, open int) (int, error) {
	now := time.Now()
	before := time.Time{}
	if now.Sub(d.backAt) >= backEvery {
		d.backAt, before = now, now.Add(-backAfter)
	}
	if q := e.o.Quiet.quarter(now.Add(beforehand)); q != d.quarter {
		d.quarter, before = q, now.Add(time.Nanosecond)
	}
	if open == 0 || before.IsZero() {
		return open, nil
	}
	n, err := e.Handing.TakeBack(ctx, r.N, before)
	if n > 0 {
		e.metrics.recipients.WithLabelValues("taken_back").Add(float64(n))
	}
	return max(open-n, 0), err
}

// quarter tells spans of 15 minutes apart at whose beginnings quiet hours may begin,
// whatever the zone; it is always the same where there are none.
func (q Quiet) quarter(t time.Time) int64 {
	if q == (Quiet{}) {
		return 0
	}
	return t.Add(-time.Duration(q.from)*time.Minute).Unix() / int64(beginnings.Seconds())
}

// allowed is how many a campaign's own rate allows at a time. What a turn leaves over
// is kept for the next two.
func (d *desk) allowed(r *Run, now time.Time) int {
	own := r.Campaign.Rate
	if !(own > 0) || math.IsInf(own, 1) {
		d.limit = nil
		return mostAhead
	}
	if d.limit == nil || d.perSec != own {
		burst := max(2, int(math.Ceil(2*own*turn.Seconds())))
		d.limit, d.perSec = rate.NewLimiter(rate.Limit(own), burst), own
		d.limit.AllowN(now, burst-1) // nothing is left over yet
	}
	return int(d.limit.TokensAt(now) + 1e-9)
}

// nobodyDue is for a run of which everybody who may be is handed over.
func (e *Engine) nobodyDue(ctx context.Context, d *desk, r *Run, open int) (time.Duration, error) {
	e.lanes.leave(r.Sender, r.N)
	first, err := e.Recipients.Waiting(ctx, r.N, Never, 1)
	switch {
	case err != nil:
		return 0, err
	case len(first) > 0:
		return min(max(time.Until(first[0].Due), turn), backEvery), nil
	case open == 0 && !d.done.Swap(true):
		e.call(&d.clerk)
	}
	return turn, nil
}

// handOver gives a batch to the outbox, but for those where it is quiet. ok is false
// when the run has changed.
func (e *Engine) handOver(ctx context.Context, d *desk, r *Run, batch []Recipient) (handed int, ok bool, err error) {
	now := time.Now()
	var ready, later []Recipient
	var drafts []message.Draft
	for i := range batch {
		soon := now.Add(beforehand)
		if at := e.allowedAt(batch[i].Number, soon); at.After(soon) {
			batch[i].Due = at
			later = append(later, batch[i])
			continue
		}
		ready = append(ready, batch[i])
		drafts = append(drafts, r.Draft(&batch[i], now))
	}
	if len(later) > 0 {
		if err := e.Recipients.PutOff(ctx, later); err != nil {
			return 0, false, err
		}
		e.metrics.recipients.WithLabelValues("put_off").Add(float64(len(later)))
	}
	if len(ready) == 0 {
		return 0, true, nil
	}
	handed, err = e.Handing.Hand(ctx, r, ready, drafts)
	if err != nil || handed == 0 {
		return 0, false, err
	}
	if d.limit != nil {
		d.limit.AllowN(now, handed)
	}
	d.done.Store(false)
	e.lanes.serve(r.Sender, r.N, handed)
	e.metrics.recipients.WithLabelValues("handed_over").Add(float64(handed))
	e.o.Handed(r.Sender)
	return handed, true, nil
}

package mirror

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

const day = 24 * time.Hour

// Retention is how far back Twilio's list reaches by default.
// https://support.twilio.com/hc/en-us/articles/223181008
const Retention = 400 * day

// Backfill reads closed days, side by side, each a job of its own.
type Backfill struct {
	*walker
	o Options

	mu   sync.Mutex
	live map[Day]liveDay
}

// liveDay is how far a window that is being read has come.
type liveDay struct {
	seen, changed int
	share         float64 // of the day, 0 to 1
}

// Request plans a backfill of all messages of [since, until).
func (b *Backfill) Request(ctx context.Context, since, until time.Time) error {
	if !since.Before(until) {
		return errors.New("backfill: --since must lie before --until")
	}
	return b.Backlog.Plan(ctx, days(since, until))
}

// days cuts [since, until) into the days under which Twilio lists them, and one
// more on each side: by which clock the edge of a day is drawn is not promised,
// but each message is listed under exactly one day, so that no edge inside the
// range can lose one.
func days(since, until time.Time) []Day {
	var all []Day
	for d := midnight(since).Add(-day); d.Before(until.Add(day)); d = d.Add(day) {
		all = append(all, Day{Day: d, Since: since.UTC(), Until: until.UTC()})
	}
	slices.Reverse(all) // what is newest is missed most
	return all
}

// Day brings one window across, however long Twilio or Salesforce make it wait.
// It ends when all of it is settled, or with ctx; then it is done again.
func (b *Backfill) Day(ctx context.Context, d Day) error {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 5*time.Second, 5*time.Minute
	for {
		err := b.once(ctx, d)
		if err == nil || fault.Stopped(ctx, err) {
			return err
		}
		wait := time.NewTimer(max(fault.After(err), pause.NextBackOff()))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return context.Cause(ctx)
		}
	}
}

func (b *Backfill) once(ctx context.Context, d Day) error {
	defer b.report(d, nil)
	t, err := b.walk(ctx, "backfill", Window{Day: d.Day}, func(ctx context.Context, rows []message.Message, t *tally) (bool, error) {
		passed := share(d, rows)
		rows = slices.DeleteFunc(rows, func(m message.Message) bool { return m.At().Before(d.Since) || !m.At().Before(d.Until) })
		if err := b.merge(ctx, rows, t); err != nil {
			return false, err
		}
		b.report(d, &liveDay{seen: t.Seen, changed: t.Changed, share: passed})
		return true, b.breathe(ctx, t, 0)
	})
	if err != nil {
		return err
	}
	upTo, err := b.Ledger.Newest(ctx)
	if err != nil {
		return err
	}
	if _, err := b.settled(ctx, upTo, 0, 0); err != nil {
		return err
	}
	return b.Backlog.Finish(ctx, d, t.Seen, t.Changed)
}

// share is how much of the day a newest-first walk has passed.
func share(d Day, rows []message.Message) float64 {
	if len(rows) == 0 {
		return 0
	}
	left := rows[len(rows)-1].At().Sub(d.Day)
	return min(max(1-float64(left)/float64(day), 0), 1)
}

func (b *Backfill) report(d Day, l *liveDay) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l == nil {
		delete(b.live, d)
		return
	}
	if b.live == nil {
		b.live = map[Day]liveDay{}
	}
	b.live[d] = *l
}

// Status is how far the backfills have come.
type Status struct {
	Progress
	Share float64 `json:"share"` // of all their days, 0 to 1
}

// Status sums up what is done and what is under way.
func (b *Backfill) Status(ctx context.Context) (Status, error) {
	p, err := b.Backlog.Progress(ctx)
	s := Status{Progress: p}
	if err != nil || p.Days == 0 {
		return s, err
	}
	share := float64(p.Done)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.live {
		share += l.share
		s.Seen += int64(l.seen)
		s.Changed += int64(l.changed)
	}
	s.Share = min(share/float64(p.Days), 1)
	return s, nil
}

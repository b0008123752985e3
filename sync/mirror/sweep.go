package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/message"
)

const (
	cursorFull = "full"
	cursorDeep = "deep"
	// cursorStart is where the mirror begins: older messages that happen to lie
	// in a page are left alone, unless a backfill asks for them.
	cursorStart = "start"

	// overlap is how far a full sweep reads back past its cursor: for messages
	// that appear in Twilio's list late, and for clocks.
	overlap = time.Hour
	// activeOverlap is the same for the active sweep.
	activeOverlap = time.Minute
	// deepEvery is how often a full sweep reads back the whole lookback, to
	// repair what the list showed hours late.
	deepEvery = 24 * time.Hour
	// fewOpen is up to how many open statuses are asked for by SID; more are
	// cheaper to find by walking, a thousand a call.
	fewOpen = 50
	// activePages bounds how far back an active sweep goes for statuses alone.
	activePages = 3
)

// Sweeper finds messages that nobody told us about, by walking Twilio's list.
type Sweeper struct {
	*walker
	o Options

	mu         sync.Mutex
	activeMark time.Time // newest message the last active sweep saw
	activePage int       // page size of the next active sweep
	refreshed  int       // where among the open messages the next fetches begin
}

// Full reads the whole account from now back past the cursor, without a date
// filter, and moves the cursor when all it saw is settled (P3). The first run
// plans a backfill for the closed days and starts the cursor behind them.
func (s *Sweeper) Full(ctx context.Context) error {
	cursor, err := s.Cursors.Cursor(ctx, cursorFull)
	if err != nil {
		return err
	}
	if cursor.IsZero() {
		if cursor, err = s.begin(ctx); err != nil {
			return err
		}
	}
	bound, deep, err := s.bound(ctx, cursor)
	if err != nil {
		return err
	}
	t, err := s.sweep(ctx, "full", Window{}, func(ctx context.Context, rows []message.Message, t *tally) (bool, error) {
		if err := s.merge(ctx, rows, t); err != nil {
			return false, err
		}
		return !before(rows, bound), s.breathe(ctx, t, patience)
	})
	if err != nil {
		return err
	}
	return s.finish(ctx, t, deep)
}

// begin is the first run: closed days become windows of a backfill; the day
// before yesterday and what is newer is left to the open-ended sweep, so that a
// local clock that is hours wrong leaves no gap.
func (s *Sweeper) begin(ctx context.Context) (time.Time, error) {
	from := midnight(time.Now()).AddDate(0, 0, -1)
	start := time.Now().Add(-s.o.Start)
	if midnight(start).Before(from) {
		start = midnight(start)
	}
	if err := s.Cursors.MoveCursor(ctx, cursorStart, start); err != nil {
		return time.Time{}, err
	}
	if start.Before(from) {
		if err := s.Backlog.Plan(ctx, days(start, from)); err != nil {
			return time.Time{}, fmt.Errorf("plan the first run: %w", err)
		}
	}
	// Only now: a crash in between plans the same windows again, which adds none.
	return from, s.Cursors.MoveCursor(ctx, cursorFull, from)
}

// sweep is a walk that leaves alone what is older than the mirror's beginning.
// Its page function sees the rest of each page, and the whole page's end.
func (s *Sweeper) sweep(ctx context.Context, kind string, w Window, page func(context.Context, []message.Message, *tally) (bool, error)) (tally, error) {
	start, err := s.Cursors.Cursor(ctx, cursorStart)
	if err != nil {
		return tally{}, err
	}
	return s.walk(ctx, kind, w, func(ctx context.Context, rows []message.Message, t *tally) (bool, error) {
		past := before(rows, start)
		rows = slices.DeleteFunc(rows, func(m message.Message) bool { return m.At().Before(start) })
		more, err := page(ctx, rows, t)
		return more && !past, err
	})
}

// bound is where the walk may stop, and whether it is a deep one.
func (s *Sweeper) bound(ctx context.Context, cursor time.Time) (time.Time, bool, error) {
	bound := cursor.Add(-overlap)
	last, err := s.Cursors.Cursor(ctx, cursorDeep)
	if err != nil || time.Since(last) < deepEvery {
		return bound, false, err
	}
	if back := time.Now().Add(-s.o.Lookback); back.Before(bound) {
		bound = back
	}
	return bound, true, nil
}

// finish moves the cursor, if it may.
func (s *Sweeper) finish(ctx context.Context, t tally, deep bool) error {
	upTo, err := s.Ledger.Newest(ctx)
	if err != nil {
		return err
	}
	ok, err := s.settled(ctx, upTo, 0, patience)
	if err != nil {
		return err
	}
	if !ok {
		s.o.Log.Debug("full sweep not settled; the cursor stays", zap.Int("seen", t.Seen))
		return nil
	}
	s.metrics.complete.SetToCurrentTime()
	if t.Newest.IsZero() {
		return nil
	}
	if err := s.Cursors.MoveCursor(ctx, cursorFull, t.Newest); err != nil {
		return err
	}
	if deep {
		return s.Cursors.MoveCursor(ctx, cursorDeep, time.Now())
	}
	return nil
}

// Active reads the newest messages while a conversation is active or watched;
// otherwise it calls nobody. It goes back as far as the last one saw, and a
// little further while statuses there may still change.
func (s *Sweeper) Active(ctx context.Context) error {
	last, err := s.Open.LastActivity(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	if recent := !last.IsZero() && now.Sub(last) <= s.o.ActiveFor; !recent && (s.Watches == nil || !s.Watches.Watched(now)) {
		return nil
	}
	open, err := s.Open.Open(ctx, time.Now(), s.o.ActiveFor, 1)
	if err != nil {
		return err
	}
	seen, size := s.activeStart()
	wish := seen
	if len(open) > 0 && open[0].At.Before(wish) {
		wish = open[0].At
	}
	pages, needed := 0, 0
	t, err := s.sweep(ctx, "active", Window{PageSize: size}, func(ctx context.Context, rows []message.Message, t *tally) (bool, error) {
		pages++
		for i := range rows {
			if !rows[i].At().Before(wish) {
				needed++
			}
		}
		if err := s.merge(ctx, rows, t); err != nil {
			return false, err
		}
		return !before(rows, seen) || (!before(rows, wish) && pages < activePages), nil
	})
	if err != nil {
		return err
	}
	s.activeEnd(t, needed)
	return nil
}

func (s *Sweeper) activeStart() (bound time.Time, pageSize int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.activeMark.IsZero() {
		return time.Now().Add(-s.o.ActiveFor), 100
	}
	return s.activeMark.Add(-activeOverlap), s.activePage
}

// activeEnd remembers how far this one came, and makes the next one's page large
// enough for as much as this one needed.
func (s *Sweeper) activeEnd(t tally, needed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.Newest.After(s.activeMark) {
		s.activeMark = t.Newest
	}
	s.activePage = min(max(50, needed*5/4), 1000)
}

// Refresh asks again for messages whose status may still change: by SID while
// they are few, else by a walk over the lookback, and then by SID for those that
// the walk did not show.
func (s *Sweeper) Refresh(ctx context.Context) error {
	const all = 1_000_000
	open, err := s.Open.Open(ctx, time.Now(), s.o.Lookback, all)
	if err != nil {
		return err
	}
	if len(open) > fewOpen {
		shown := make(map[message.SID]bool, len(open))
		bound := time.Now().Add(-s.o.Lookback)
		if _, err := s.sweep(ctx, "refresh", Window{}, func(ctx context.Context, rows []message.Message, t *tally) (bool, error) {
			for i := range rows {
				shown[rows[i].SID] = true
			}
			if err := s.merge(ctx, rows, t); err != nil {
				return false, err
			}
			return !before(rows, bound), s.breathe(ctx, t, patience)
		}); err != nil {
			return err
		}
		open = notShown(open, shown)
	}
	return s.fetch(ctx, s.turn(open))
}

// turn takes as many as are fetched at a time, each run from where the one
// before ended, so that those that stay open for ever keep nobody waiting.
func (s *Sweeper) turn(open []OpenMessage) []OpenMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(open) <= fewOpen {
		return open
	}
	s.refreshed %= len(open)
	next := append(slices.Clone(open[s.refreshed:]), open[:s.refreshed]...)[:fewOpen]
	s.refreshed += fewOpen
	return next
}

func notShown(open []OpenMessage, shown map[message.SID]bool) []OpenMessage {
	var left []OpenMessage
	for _, m := range open {
		if !shown[m.SID] {
			left = append(left, m)
		}
	}
	return left
}

// fetch reads messages one by one.
func (s *Sweeper) fetch(ctx context.Context, open []OpenMessage) error {
	var t tally
	for _, m := range open {
		now, err := s.Source.Fetch(ctx, m.SID)
		if errors.Is(err, ErrGone) {
			if err := s.Open.Gone(ctx, m.SID); err != nil {
				return err
			}
			continue
		}
		s.note(ctx, "fetch", err)
		if err != nil {
			return fmt.Errorf("refresh: %w", err)
		}
		if err := s.merge(ctx, []message.Message{now}, &t); err != nil {
			return err
		}
	}
	return nil
}

func midnight(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// Complete is the time up to which everything that Twilio listed is in
// Salesforce or in quarantine; zero before the first full sweep has settled.
func (s *Sweeper) Complete(ctx context.Context) (time.Time, error) {
	return s.Cursors.Cursor(ctx, cursorFull)
}

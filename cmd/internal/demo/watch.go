package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/vbauerster/cupwriter"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
)

const (
	lookEvery  = 100 * time.Millisecond
	drawEvery  = 5  // looks a frame of the table
	plainEvery = 50 // looks a plain line
	// fewMessages are counted by status for each frame; more only now and then.
	fewMessages = 5_000
)

// watcher looks at both emulators and shows what it sees.
type watcher struct {
	o     Options
	s     *sandbox.Sandbox
	lags  *lags
	begin time.Time

	table    *cupwriter.Writer // nil for plain lines
	statuses []count           // as of the last count
	counted  time.Time
}

func newWatcher(s *sandbox.Sandbox, l *lags, o Options) *watcher {
	w := &watcher{o: o, s: s, lags: l, begin: time.Now()}
	if o.Terminal && !o.JSON {
		w.table = cupwriter.New(o.Out, true)
	}
	return w
}

// run shows until ctx ends, and once more then.
func (w *watcher) run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			w.lags.look()
			if w.table != nil {
				w.draw()
			}
			return
		case <-tick.C:
		}
		w.lags.look()
		switch {
		case w.table != nil && n%drawEvery == 0:
			w.draw()
		case w.table == nil && n%plainEvery == 0:
			_, _ = fmt.Fprintln(w.o.Out, w.snapshot().plain()) // a viewer who has gone misses nothing
		}
	}
}

// draw puts a new frame over the last one.
func (w *watcher) draw() {
	width, height := 80, 24
	if w.table.IsTerminal() {
		if x, y, err := w.table.GetTermSize(); err == nil && x > 0 && y > 0 {
			width, height = x, y
		}
	}
	lines := w.snapshot().table(width)
	lines = lines[:min(len(lines), max(height-1, 1))] // what scrolls away cannot be drawn over
	for _, line := range lines {
		_, _ = w.table.WriteString(line + "\n") // a buffer
	}
	_ = w.table.Flush(len(lines)) //nolint:errcheck // a viewer who has gone misses nothing
}

// snapshot is what is there now.
func (w *watcher) snapshot() snapshot {
	s := snapshot{
		elapsed: time.Since(w.begin), messages: w.s.Twilio.Len(), records: w.s.Org.Count(sandbox.MessageObject),
		lag: w.lags.recent(), twilioCalls: w.s.Twilio.Calls().Total, salesforceCalls: w.s.Org.Calls().Total,
	}
	if w.table == nil {
		return s
	}
	if s.messages < fewMessages || time.Since(w.counted) > 5*time.Second {
		w.statuses, w.counted = countStatuses(w.s.Twilio.Messages()), time.Now()
	}
	s.statuses = w.statuses
	for row := range w.s.Twilio.Messages() {
		if len(s.latest) == latestShown {
			break
		}
		s.latest = append(s.latest, latestOf(&row, w.lags.mirrored(row.SID)))
	}
	return s
}

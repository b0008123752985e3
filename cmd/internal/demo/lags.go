package demo

import (
	"slices"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

const (
	// keptLags is how many lags are remembered, the newest ones.
	keptLags = 10_000
	// recentLags is how many of them the table speaks of.
	recentLags = 200
	// mostAsked bounds how many waiting messages are looked for at once.
	mostAsked = 1_000
)

// lags measures the time from when a message was made to when its record was
// there, to about a tenth of a second.
type lags struct {
	org *salesforcetest.Server

	mu      sync.Mutex
	waiting []waiting
	done    []time.Duration // oldest first
}

type waiting struct {
	sid  string
	made time.Time
}

func newLags(org *salesforcetest.Server) *lags { return &lags{org: org} }

// said notes a new message.
func (l *lags) said(sid string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, waiting{sid, time.Now()})
}

// look finds out which messages have got their record.
func (l *lags) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	asked := 0
	l.waiting = slices.DeleteFunc(l.waiting, func(w waiting) bool {
		asked++
		if asked > mostAsked || !l.mirrored(w.sid) {
			return false
		}
		l.done = append(l.done, time.Since(w.made))
		return true
	})
	if len(l.done) > 2*keptLags {
		l.done = slices.Clone(l.done[len(l.done)-keptLags:])
	}
}

func (l *lags) mirrored(sid string) bool {
	return len(l.org.ByKey(sandbox.MessageObject, sandbox.SIDField, sid)) > 0
}

// lag sums up how long messages took.
type lag struct {
	N        int
	P50, P95 time.Duration
}

// recent speaks of the newest ones, all of everything that is remembered.
func (l *lags) recent() lag { return l.newest(recentLags) }
func (l *lags) all() lag    { return l.newest(2 * keptLags) }

func (l *lags) newest(n int) lag {
	l.mu.Lock()
	last := slices.Clone(l.done[max(0, len(l.done)-n):])
	l.mu.Unlock()
	if len(last) == 0 {
		return lag{}
	}
	slices.Sort(last)
	at := func(percent int) time.Duration { return last[(len(last)-1)*percent/100] }
	return lag{N: len(last), P50: at(50), P95: at(95)}
}

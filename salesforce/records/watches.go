package records

import (
	"context"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

const (
	// longestWatch is how long a watch counts after it was last written: a page
	// that is open writes it again, and one with a date far ahead would cost a
	// Twilio call each few seconds until then.
	longestWatch = time.Hour
	// mostWatches are read at once. Whether there is any is all that matters, so
	// one page is always enough.
	mostWatches = 200
)

// Watches knows whether a user has a conversation open: whether a record of the
// watch object says so. A watch that is deleted ends with the next poll.
type Watches struct {
	began func()

	mu    sync.Mutex
	until time.Time
}

var _ mirror.Watches = (*Watches)(nil)

// NewWatches makes Watches that nobody has told anything. began, which may be
// nil, is called when a watch stands and none stood before.
func NewWatches(began func()) *Watches {
	if began == nil {
		began = func() {}
	}
	return &Watches{began: began}
}

// Watched implements mirror.Watches.
func (w *Watches) Watched(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return now.Before(w.until)
}

// Part reads the watches that count now, all of them each time. By their age
// they are few and found by an index, deleted ones are missing by themselves,
// and a restart knows them after its first poll without a mark.
func (w *Watches) Part() Part {
	return Part{
		Name: "watches",
		Query: func(now time.Time) soql.Query {
			return soql.Query{
				Fields: []string{"Id", "SystemModstamp", "Expires_At__c"}, From: "TwilioSF_Watch__c",
				Where: []string{
					"SystemModstamp > " + soql.DateTime(now.Add(-longestWatch)),
					"Expires_At__c > " + soql.DateTime(now),
				},
				OrderBy: []string{"Expires_At__c DESC"}, Limit: mostWatches,
			}
		},
		Take: func(_ context.Context, rows []map[string]any) error {
			w.take(rows, time.Now())
			return nil
		},
	}
}

func (w *Watches) take(rows []map[string]any, now time.Time) {
	var until time.Time
	for _, row := range rows {
		ends, ok := timeOf(row, "Expires_At__c")
		written, known := timeOf(row, "SystemModstamp")
		if !ok || !known {
			continue
		}
		if latest := written.Add(longestWatch); ends.After(latest) {
			ends = latest
		}
		if ends.After(until) {
			until = ends
		}
	}
	w.mu.Lock()
	before := now.Before(w.until)
	w.until = until
	after := now.Before(w.until)
	w.mu.Unlock()
	if after && !before {
		w.began()
	}
}

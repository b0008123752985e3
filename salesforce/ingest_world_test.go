package salesforce_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// memoryBook is an IngestBook without a disk.
type memoryBook struct {
	mu   sync.Mutex
	jobs map[string][2]string
}

func newBook() *memoryBook { return &memoryBook{jobs: map[string][2]string{}} }

func (b *memoryBook) Job(_ context.Context, key string) (id, stage string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.jobs[key][0], b.jobs[key][1], nil
}

func (b *memoryBook) Keep(ctx context.Context, key, id, stage string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err() // a process that is dead keeps nothing
	}
	b.jobs[key] = [2]string{id, stage}
	return nil
}

func (b *memoryBook) Forget(ctx context.Context, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	maps.DeleteFunc(b.jobs, func(k string, _ [2]string) bool { return k == key || strings.HasPrefix(k, key+"/") })
	return nil
}

func (b *memoryBook) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.jobs)
}

// heard are the outcomes that a caller was told.
type heard struct {
	mu   sync.Mutex
	byID map[string]salesforce.BulkOutcome
	n    int
}

func (h *heard) told(batch []salesforce.BulkOutcome) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.byID == nil {
		h.byID = map[string]salesforce.BulkOutcome{}
	}
	for _, o := range batch {
		h.n++
		h.byID[o.Key] = o
	}
	return nil
}

// codes counts the outcomes by their faults' codes, "" being what was written.
func (h *heard) codes() map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := map[string]int{}
	for _, o := range h.byID {
		code := ""
		if o.Err != nil {
			code = o.Err.Code
		}
		n[code]++
	}
	return n
}

func (h *heard) of(key string) salesforce.BulkOutcome {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.byID[key]
}

// noteRows are n records with keys k0, k1 and so on.
func noteRows(n int, text string) iter.Seq2[[]salesforce.BulkValue, error] {
	return func(yield func([]salesforce.BulkValue, error) bool) {
		for i := range n {
			if !yield([]salesforce.BulkValue{salesforce.BulkText(fmt.Sprintf("k%d", i)), salesforce.BulkText(text)}, nil) {
				return
			}
		}
	}
}

func noteIngest(n int, text string) *salesforce.Ingest {
	return &salesforce.Ingest{
		Key: "test/1", Columns: []string{"Key__c", "Text__c"}, Rows: noteRows(n, text),
		Job: salesforce.BulkJob{Object: "Note__c", Operation: salesforce.BulkUpsert, KeyField: "Key__c"},
	}
}

// requireWrittenOnce checks that the org holds n notes, each written by one job.
func requireWrittenOnce(t *testing.T, s *salesforcetest.Server, n int, text string) {
	t.Helper()
	require.Equal(t, n, s.Count("Note__c"))
	for row := range s.Rows("Note__c") {
		require.Equal(t, text, row["Text__c"])
		require.Equal(t, 1, s.Writes("Note__c", row["Id"].(string)), row["Key__c"])
	}
}

var errDead = errors.New("the process is dead")

// mortal is a transport of a process that dies at its nth request: before the org
// sees it, or before it sees the answer.
type mortal struct {
	next   http.RoundTripper
	die    context.CancelCauseFunc
	answer bool

	mu   sync.Mutex
	left int
	last string // the request it died at
}

func (m *mortal) RoundTrip(req *http.Request) (*http.Response, error) {
	m.mu.Lock()
	m.left--
	left := m.left
	if left == 0 {
		m.last = req.Method + " " + req.URL.Path
	}
	m.mu.Unlock()
	switch {
	case left > 0:
		return m.next.RoundTrip(req)
	case left == 0 && m.answer:
		resp, err := m.next.RoundTrip(req)
		m.die(errDead)
		if err == nil {
			_ = resp.Body.Close()
		}
		return nil, errDead
	}
	m.die(errDead)
	return nil, errDead
}

func (m *mortal) diedAt() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last
}

func class(o salesforce.BulkOutcome) fault.Class {
	if o.Err == nil {
		return 0
	}
	return o.Err.Class
}

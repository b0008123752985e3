package daemon

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/twiliosf/twiliosf/sync/alarm"
	"github.com/twiliosf/twiliosf/sync/archive"
	"github.com/twiliosf/twiliosf/sync/jobs"
)

// ArchiveTask is what is asked of the archive: to restore, to verify, or else to
// archive now.
type ArchiveTask struct {
	Ticket  string          `json:"ticket"`
	Restore *archive.Wanted `json:"restore,omitzero"`
	Verify  bool            `json:"verify,omitzero"`
}

// ArchiveResult is what came of it.
type ArchiveResult struct {
	Done     bool              `json:"done"`
	Error    string            `json:"error,omitzero"`
	Restored *archive.Restored `json:"restored,omitzero"`
	Verdict  *archive.Verdict  `json:"verdict,omitzero"`
}

// ArchiveStatus is what the archive holds, as the store remembers it.
type ArchiveStatus struct {
	Archived int           `json:"archived"` // messages that are not in the org
	Runs     []archive.Run `json:"runs"`     // the newest first
}

// most runs and messages that are listed and counted.
const (
	maxRuns     = 1000
	maxArchived = 100_000_000
)

func (g *generation) archiveStatus(ctx context.Context, runs int) (s ArchiveStatus, err error) {
	if s.Archived, err = g.store.Archive().Gone(ctx, maxArchived); err != nil {
		return s, err
	}
	s.Runs, err = g.store.Archive().Runs(ctx, runs)
	return s, err
}

// archiveRoutes are the archive's part of the control API. Tasks may take hours:
// who asks gets a ticket.
func (d *Daemon) archiveRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/archive", serve(func(ctx context.Context, _ struct{}) (ArchiveStatus, error) {
		return d.current.Load().archiveStatus(ctx, maxRuns)
	}))
	mux.HandleFunc("POST /v1/archive/task", serve(func(ctx context.Context, t ArchiveTask) (ArchiveTask, error) {
		t.Ticket = rand.Text()
		args, err := json.Marshal(t)
		if err != nil {
			return t, fmt.Errorf("encode a task: %w", err)
		}
		_, err = d.current.Load().engine.Enqueue(ctx, jobs.Job{Kind: jobArchiveTask, Args: args})
		return t, err
	}))
	mux.HandleFunc("POST /v1/archive/result", serve(func(_ context.Context, t ArchiveTask) (ArchiveResult, error) {
		r, _ := d.current.Load().archive.result(t.Ticket)
		return r, nil
	}))
}

// Archive asks what the archive holds.
func (c *Client) Archive(ctx context.Context) (ArchiveStatus, error) {
	return ask[ArchiveStatus](ctx, c, http.MethodGet, "/v1/archive", nil)
}

// ArchiveDo asks something of the archive and waits for what comes of it. A
// restore that is given up here goes on in the daemon.
func (c *Client) ArchiveDo(ctx context.Context, t ArchiveTask) (ArchiveResult, error) {
	t, err := ask[ArchiveTask](ctx, c, http.MethodPost, "/v1/archive/task", t)
	if err != nil {
		return ArchiveResult{}, err
	}
	for pause := 100 * time.Millisecond; alarm.Sleep(ctx, pause); pause = min(2*pause, 2*time.Second) {
		r, err := ask[ArchiveResult](ctx, c, http.MethodPost, "/v1/archive/result", t)
		if err != nil || r.Done {
			if err == nil && r.Error != "" {
				err = errors.New(r.Error)
			}
			return r, err
		}
	}
	return ArchiveResult{}, fmt.Errorf("it goes on in the daemon: %w", context.Cause(ctx))
}

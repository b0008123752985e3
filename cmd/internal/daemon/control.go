package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/store"
)

// Status is what `twiliosf status` shows.
type Status struct {
	Version     string             `json:"version"`
	Running     bool               `json:"running"` // false: read from the store, no daemon answers
	Started     time.Time          `json:"started,omitzero"`
	Ready       bool               `json:"ready"`
	Conditions  []health.Condition `json:"conditions"`
	Counts      store.Counts       `json:"counts"`
	Complete    time.Time          `json:"complete_until,omitzero"` // everything up to here is in Salesforce
	Schedules   []Schedule         `json:"schedules"`
	Backfill    *mirror.Status     `json:"backfill,omitzero"`
	Archive     *ArchiveStatus     `json:"archive,omitzero"` // nil: nothing was ever archived
	TwilioCalls int64              `json:"twilio_calls"`
	Salesforce  Usage              `json:"salesforce"`
	// MissingFields are optional fields that the org lacks.
	MissingFields []string `json:"missing_fields,omitzero"`
}

// Schedule is one row of the schedules.
type Schedule struct {
	Name string    `json:"name"`
	Spec string    `json:"spec"` // a cron expression
	Last time.Time `json:"last,omitzero"`
	Next time.Time `json:"next"`
}

// Usage is the Salesforce API calls of the last 24 hours.
type Usage struct {
	Own    int `json:"own_calls"`
	Budget int `json:"budget"` // 0: not known yet
	Org    int `json:"org_calls"`
	Max    int `json:"org_max"`
	// Predicted is what the configuration makes a day, beside what messages cost.
	Predicted int `json:"predicted_per_day"`
}

// Range is a backfill's request.
type Range struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

// Selection names quarantined messages; All means every one.
type Selection struct {
	SIDs []message.SID `json:"sids"`
	All  bool          `json:"all"`
}

// Handled counts what a request changed.
type Handled struct {
	Messages int `json:"messages"`
	// Unknown are the named messages that are not in quarantine: nothing was done about them.
	Unknown []message.SID `json:"not_in_quarantine,omitzero"`
}

// Quarantined is one message that Salesforce refuses for good, as the command
// line shows it.
type Quarantined struct {
	SID     message.SID    `json:"sid"`
	Refusal mirror.Refusal `json:"refusal"`
}

// Handler is the control API, for the command line. Whoever reaches it may do
// everything: it is served on a socket of the daemon's user only.
func (d *Daemon) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", serve(func(ctx context.Context, _ struct{}) (Status, error) { return d.status(ctx) }))
	mux.HandleFunc("GET /v1/quarantine", serve(func(ctx context.Context, _ struct{}) ([]Quarantined, error) {
		return d.quarantine(ctx, 10_000)
	}))
	mux.HandleFunc("POST /v1/quarantine/retry", serve(func(ctx context.Context, s Selection) (Handled, error) {
		h, err := d.handle(ctx, s, d.store.RetryQuarantined)
		d.current.Load().mirror.Writer.Wake()
		return h, err
	}))
	mux.HandleFunc("POST /v1/quarantine/drop", serve(func(ctx context.Context, s Selection) (Handled, error) {
		return d.handle(ctx, s, d.store.DropQuarantined)
	}))
	mux.HandleFunc("POST /v1/backfill", serve(func(ctx context.Context, r Range) (mirror.Status, error) {
		b := d.current.Load().mirror.Backfill
		if err := b.Request(ctx, r.Since, r.Until); err != nil {
			return mirror.Status{}, err
		}
		return b.Status(ctx)
	}))
	mux.HandleFunc("GET /v1/backfill", serve(func(ctx context.Context, _ struct{}) (mirror.Status, error) {
		return d.current.Load().mirror.Backfill.Status(ctx)
	}))
	d.outboxRoutes(mux)
	d.campaignRoutes(mux)
	d.archiveRoutes(mux)
	return mux
}

// quarantine lists quarantined messages, at most limit of them. An empty list is
// a list too, in JSON as well.
func (d *Daemon) quarantine(ctx context.Context, limit int) ([]Quarantined, error) {
	all, err := d.store.Quarantine(ctx, limit)
	out := make([]Quarantined, len(all))
	for i, q := range all {
		out[i] = Quarantined(q)
	}
	return out, err
}

// handle changes the selected messages and tells which ones there was nothing to
// change about: a slip in a SID must not pass for success.
func (d *Daemon) handle(ctx context.Context, s Selection, change func(context.Context, ...message.SID) (int, error)) (Handled, error) {
	if err := s.check(); err != nil {
		return Handled{}, err
	}
	unknown, err := d.unknown(ctx, s)
	if err != nil {
		return Handled{}, err
	}
	n, err := change(ctx, s.SIDs...)
	d.current.Load().noteQuarantine(ctx)
	return Handled{n, unknown}, err
}

// unknown are the selected messages that are not in quarantine.
func (d *Daemon) unknown(ctx context.Context, s Selection) ([]message.SID, error) {
	if s.All {
		return nil, nil
	}
	all, err := d.quarantine(ctx, math.MaxInt)
	known := make(map[message.SID]bool, len(all))
	for _, q := range all {
		known[q.SID] = true
	}
	return slices.DeleteFunc(slices.Clone(s.SIDs), func(sid message.SID) bool { return known[sid] }), err
}

func (s Selection) check() error {
	if s.All == (len(s.SIDs) > 0) {
		return errors.New("name the messages by SID, or all of them with --all")
	}
	return nil
}

func (d *Daemon) status(ctx context.Context) (Status, error) {
	g := d.current.Load()
	usage := g.org.Usage()
	s := Status{
		Version: d.o.Version, Running: !d.o.Idle, Started: d.started.UTC().Truncate(time.Second),
		Ready: d.health.Ready(), Conditions: d.health.Active(),
		TwilioCalls: g.account.Calls(), MissingFields: g.records.Missing(),
		Salesforce: Usage{Own: usage.Own, Budget: usage.Budget, Org: usage.Org, Max: usage.Max, Predicted: Predict(g.cfg).Day},
	}
	var err error
	if s.Counts, err = d.store.Counts(ctx); err != nil {
		return s, err
	}
	if s.Complete, err = g.mirror.Sweeper.Complete(ctx); err != nil {
		return s, err
	}
	rows, err := g.scheduler.List(ctx)
	if err != nil {
		return s, err
	}
	for _, r := range rows {
		s.Schedules = append(s.Schedules, Schedule(r))
	}
	if a, err := g.archiveStatus(ctx, 1); err != nil {
		return s, err
	} else if len(a.Runs) > 0 {
		s.Archive = &a
	}
	b, err := g.mirror.Backfill.Status(ctx)
	if err == nil && b.Done < b.Days {
		s.Backfill = &b
	}
	return s, err
}

// serve makes a handler of a function from JSON to JSON.
func serve[In, Out any](do func(context.Context, In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		if r.Method == http.MethodPost {
			if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in); err != nil {
				answer(w, http.StatusBadRequest, map[string]string{"error": "the request cannot be read: " + err.Error()})
				return
			}
		}
		out, err := do(r.Context(), in)
		if err != nil {
			answer(w, http.StatusUnprocessableEntity, map[string]string{"error": err.Error()})
			return
		}
		answer(w, http.StatusOK, out)
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) //nolint:errcheck,errchkjson // the caller is gone; there is nobody to tell
}

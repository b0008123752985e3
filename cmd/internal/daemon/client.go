package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// Client asks a daemon over its control API.
type Client struct{ http *http.Client }

// Dial reaches the daemon that listens on the control socket. It answers nil,
// without an error, when no daemon does.
func Dial(ctx context.Context, socket string) (*Client, error) {
	dialer := net.Dialer{Timeout: 2 * time.Second}
	conn, err := dialer.DialContext(ctx, "unix", socket)
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, nil //nolint:nilnil // no daemon is an answer here, not a failure
	}
	if err != nil {
		return nil, fmt.Errorf("control socket: %w (run this as the daemon's user or as root)", err)
	}
	if err := conn.Close(); err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return &Client{http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		},
	}}}, nil
}

// Client asks this daemon, in process.
func (d *Daemon) Client() *Client {
	h := d.Handler()
	return &Client{http: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		w := &recorder{status: http.StatusOK, header: http.Header{}}
		h.ServeHTTP(w, r)
		return &http.Response{
			StatusCode: w.status, Status: http.StatusText(w.status), Header: w.header, Body: io.NopCloser(&w.body), Request: r,
		}, nil
	})}}
}

// recorder keeps an answer that is given in process.
type recorder struct {
	status int
	header http.Header
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) { w.status = status }

// Write implements http.ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) { return w.body.Write(p) }

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Status asks how the daemon is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return ask[Status](ctx, c, http.MethodGet, "/v1/status", nil)
}

// Quarantine lists what Salesforce refuses for good.
func (c *Client) Quarantine(ctx context.Context) ([]Quarantined, error) {
	return ask[[]Quarantined](ctx, c, http.MethodGet, "/v1/quarantine", nil)
}

// Retry queues quarantined messages again, as many as are in quarantine.
func (c *Client) Retry(ctx context.Context, all bool, sids ...message.SID) (Handled, error) {
	return ask[Handled](ctx, c, http.MethodPost, "/v1/quarantine/retry", Selection{SIDs: sids, All: all})
}

// Drop gives quarantined messages up, as many as are in quarantine.
func (c *Client) Drop(ctx context.Context, all bool, sids ...message.SID) (Handled, error) {
	return ask[Handled](ctx, c, http.MethodPost, "/v1/quarantine/drop", Selection{SIDs: sids, All: all})
}

// Backfill asks for all messages of [since, until).
func (c *Client) Backfill(ctx context.Context, since, until time.Time) (mirror.Status, error) {
	return ask[mirror.Status](ctx, c, http.MethodPost, "/v1/backfill", Range{Since: since, Until: until})
}

// BackfillStatus asks how far backfills have come.
func (c *Client) BackfillStatus(ctx context.Context) (mirror.Status, error) {
	return ask[mirror.Status](ctx, c, http.MethodGet, "/v1/backfill", nil)
}

func ask[Out any](ctx context.Context, c *Client, method, path string, in any) (out Out, err error) {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return out, fmt.Errorf("control: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://twiliosf"+path, body)
	if err != nil {
		return out, fmt.Errorf("control: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return out, fmt.Errorf("control: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it has been read
	if resp.StatusCode != http.StatusOK {
		var refused struct {
			Error string `json:"error"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&refused); err != nil || refused.Error == "" {
			return out, fmt.Errorf("control: the daemon answered %s", resp.Status)
		}
		return out, errors.New(refused.Error)
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return out, fmt.Errorf("control: the daemon's answer cannot be read: %w (is it another version?)", err)
	}
	return out, nil
}

package daemon

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

// MaxListed is how many sends a list shows, the oldest first.
const MaxListed = 10_000

// SendState selects sends by their state; "" is all that are not over.
type SendState struct {
	State outbox.State `json:"state"`
}

// Settling is a human's decision about a send that may have happened.
type Settling struct {
	Record string      `json:"record"`
	SID    message.SID `json:"sid,omitzero"`   // it was sent, as this
	Again  bool        `json:"again,omitzero"` // it was not, and is to be; neither: it is given up
}

// outboxRoutes are the outbox's part of the control API.
func (d *Daemon) outboxRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /v1/outbox", serve(func(ctx context.Context, s SendState) ([]outbox.Listed, error) {
		if s.State != "" && !slices.Contains(outbox.States(), s.State) {
			return nil, fmt.Errorf("there is no state %q; there are %v", s.State, outbox.States())
		}
		return d.current.Load().outbox.List(ctx, s.State, MaxListed)
	}))
	mux.HandleFunc("POST /v1/outbox/settle", serve(func(ctx context.Context, s Settling) (struct{}, error) {
		return struct{}{}, d.current.Load().outbox.Settle(ctx, s.Record, outbox.Decision{SID: s.SID, Again: s.Again})
	}))
}

// Outbox lists sends.
func (c *Client) Outbox(ctx context.Context, state outbox.State) ([]outbox.Listed, error) {
	return ask[[]outbox.Listed](ctx, c, http.MethodPost, "/v1/outbox", SendState{State: state})
}

// SettleSend decides about a send that may have happened.
func (c *Client) SettleSend(ctx context.Context, s Settling) error {
	_, err := ask[struct{}](ctx, c, http.MethodPost, "/v1/outbox/settle", s)
	return err
}

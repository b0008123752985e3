package daemon

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/twiliosf/twiliosf/config"
	"github.com/twiliosf/twiliosf/sync/phone"
	"github.com/twiliosf/twiliosf/twilio"
)

// fastRepeats asks Twilio to repeat a call that was not answered well, which it
// does for 15 s. https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
const fastRepeats = "#rc=5&rp=all"

// Hook is a number or a Messaging Service and where Twilio calls about it.
type Hook struct {
	SID     string `json:"sid"`
	Name    string `json:"name"` // a number is masked
	Inbound string `json:"inbound,omitzero"`
	Status  string `json:"status,omitzero"` // of a service
	Right   bool   `json:"right"`           // it calls us
}

// Hooks are all of an account.
type Hooks struct {
	account *twilio.Account
	address string // public_url
	found   []twilio.Hook
}

// FindHooks reads where Twilio calls. carrier may be nil.
func FindHooks(ctx context.Context, cfg *config.Config, carrier http.RoundTripper) (*Hooks, error) {
	account, err := openAccount(cfg.Twilio, carrier, nil)
	if err != nil {
		return nil, err
	}
	found, err := account.Hooks(ctx)
	if err != nil {
		return nil, err
	}
	return &Hooks{account: account, address: cfg.Twilio.Webhook.PublicURL, found: found}, nil
}

// Address is what they ought to call, "" while no webhook is configured.
func (h *Hooks) Address() string { return h.address }

// All lists them as they were found.
func (h *Hooks) All() []Hook {
	all := make([]Hook, len(h.found))
	for i, f := range h.found {
		all[i] = Hook{SID: f.SID, Name: f.Name, Inbound: shown(f.Inbound), Status: shown(f.Status), Right: h.address != "" && f.Calls(h.address)}
		if !f.Service() {
			all[i].Name = phone.Mask(f.Number)
		}
	}
	return all
}

// shown is a URL without the password that may be in it.
func shown(address string) string {
	if address == "" {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil {
		return "something that is no URL"
	}
	return u.Redacted()
}

// Fix points all that are not right at us, and answers how many that were. One
// that fails stops it; the same call goes on later.
func (h *Hooks) Fix(ctx context.Context) (fixed int, err error) {
	for _, f := range h.found {
		if f.Calls(h.address) {
			continue
		}
		if err := h.account.Point(ctx, f, h.address+fastRepeats); err != nil {
			return fixed, fmt.Errorf("%s: %w", f.SID, err)
		}
		fixed++
	}
	return fixed, nil
}

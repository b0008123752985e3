package daemon

import (
	"context"
	"net/http"

	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/config"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/orgsetup"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/twilio"
)

// OpenSetup makes what compares the configured org with our metadata and deploys
// what is missing. It needs no store, so it works beside a running daemon; its
// calls count for the org, not for the daemon's budget. carrier may be nil.
func OpenSetup(cfg *config.Config, carrier http.RoundTripper) (*orgsetup.Setup, error) {
	if cfg.Salesforce.Objects.Managed() {
		return nil, &ConfigError{errPackage}
	}
	org, err := openOrg(cfg.Salesforce, carrier, nil, zap.NewNop())
	if err != nil {
		return nil, err
	}
	return SetupOf(cfg, org)
}

// SetupOf is OpenSetup on an org that is open.
func SetupOf(cfg *config.Config, org *salesforce.Org) (*orgsetup.Setup, error) {
	object, fields := names(cfg.Salesforce.Objects).Org()
	return orgsetup.New(org, orgsetup.Options{Message: object, Fields: fields})
}

// OpenOrg makes the configured org. It calls nobody; carrier may be nil.
func OpenOrg(cfg *config.Config, carrier http.RoundTripper) (*salesforce.Org, error) {
	return openOrg(cfg.Salesforce, carrier, nil, zap.NewNop())
}

// OpenAccount makes the configured account. It calls nobody; carrier may be nil.
func OpenAccount(cfg *config.Config, carrier http.RoundTripper) (*twilio.Account, error) {
	return openAccount(cfg.Twilio, carrier, nil)
}

// CheckMessages looks at the messages' object as the daemon does at its start: an
// error is why no message could be written.
func CheckMessages(ctx context.Context, cfg *config.Config, org *salesforce.Org) error {
	m, err := records.New(org, records.Options{Names: names(cfg.Salesforce.Objects), Lookups: lookups(cfg.People)})
	if err != nil {
		return &ConfigError{err}
	}
	return m.Check(ctx)
}

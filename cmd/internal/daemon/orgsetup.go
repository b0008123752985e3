package daemon

import (
	"net/http"

	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/config"
	"github.com/twiliosf/twiliosf/salesforce/orgsetup"
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
	object, fields := names(cfg.Salesforce.Objects).Org()
	return orgsetup.New(org, orgsetup.Options{Message: object, Fields: fields})
}

package checkup

import (
	"context"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/config"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// Options are Run's. The zero value looks at the real vendors.
type Options struct {
	// Twilio and Salesforce carry the requests; nil is the network.
	Twilio, Salesforce http.RoundTripper
	// Env reads the environment; nil is os.Getenv.
	Env func(name string) string
	// Free is how many bytes an unprivileged user may still write in a folder; nil
	// asks the file system.
	Free func(folder string) (uint64, error)
}

// The names of facts that others need.
const (
	factConfig     = "configuration"
	factStore      = "store"
	factDisk       = "disk"
	factSystemd    = "systemd"
	factTwilioNet  = "twilio-network"
	factOrgNet     = "salesforce-network"
	factClock      = "clock"
	factTwilio     = "twilio-credentials"
	factAccount    = "twilio-account"
	factBalance    = "twilio-balance"
	factSenders    = "twilio-sender"
	factServices   = "twilio-services"
	factHooks      = "twilio-webhooks"
	factLogin      = "salesforce-login"
	factOrg        = "salesforce-org"
	factSet        = "salesforce-permissions"
	factObjects    = "salesforce-objects"
	factCalls      = "salesforce-calls"
	factStorage    = "salesforce-storage"
	docSetUp       = "docs/salesforce.md says what an org must have."
	hintReportBug  = "Report it with this text."
	hintPermission = "Run this as the daemon's user (or as root), and let that user write the folder: store: in the configuration says which."
)

// names are all facts in their order, for a report of a configuration that cannot
// be read.
var names = []string{
	factStore, factDisk, factSystemd, factTwilioNet, factOrgNet, factClock, factTwilio, factAccount, factBalance, factSenders, factServices,
	factHooks, factLogin, factOrg, factSet, factObjects, factCalls, factStorage,
}

// Unreadable is the report of a configuration that is wrong: each fault is a fact.
func Unreadable(faults config.Faults) *Report {
	l := &list{}
	for _, f := range faults {
		remedy := f.Remedy
		f.Remedy = ""
		l.addf(factConfig, Fail, remedy, "%s", f.Error())
	}
	for _, name := range names {
		l.may(name, factConfig)
	}
	return l.report()
}

// visit is one look at everything.
type visit struct {
	list

	cfg    *config.Config
	o      Options
	behind time.Duration // our clock, as far as is known
}

// Run looks at everything. hooks are where Twilio calls, nil where that could not
// be asked. An error is ctx's.
func Run(ctx context.Context, file string, cfg *config.Config, o Options) (*Report, *daemon.Hooks, error) {
	if o.Env == nil {
		o.Env = os.Getenv
	}
	if o.Free == nil {
		o.Free = free
	}
	v := &visit{cfg: cfg, o: o}
	v.configuration(file)
	v.store()
	v.systemd()
	v.network(ctx)
	hooks := v.twilio(ctx)
	v.salesforce(ctx)
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	return v.report(), hooks, nil
}

func (v *visit) configuration(file string) {
	for _, w := range v.cfg.Warnings() {
		remedy := w.Remedy
		w.Remedy = ""
		v.addf(factConfig, Todo, remedy, "%s", w.Error())
	}
	if len(v.cfg.Warnings()) == 0 {
		v.okf(factConfig, "%s is right", file)
	}
}

// refused says that the vendor has understood who asks and does not let them.
func refused(err error) bool {
	return slices.Contains([]fault.Class{fault.Auth, fault.Permanent}, fault.ClassOf(err))
}

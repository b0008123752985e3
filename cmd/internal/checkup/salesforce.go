package checkup

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/orgsetup"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// soon is when the end of a trial is worth a line.
const soon = 14 * 24 * time.Hour

// editions are those in which all that twiliosf does is known to work.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_organization.htm
var editions = []string{"Developer Edition", "Enterprise Edition", "Performance Edition", "Unlimited Edition", "Professional Edition"}

// salesforce looks at the org, as the integration user sees it.
func (v *visit) salesforce(ctx context.Context) {
	org, err := daemon.OpenOrg(v.cfg, v.o.Salesforce)
	if err == nil {
		defer org.Close()
	}
	switch {
	case !v.may(factLogin, factOrgNet):
	case v.late():
		v.may(factLogin, factClock)
	case err != nil:
		v.fault(factLogin, Fail, err)
	default:
		who, err := org.Identity(ctx)
		if err != nil {
			if fault.CodeOf(err) == "" { // what tells of users says little of a session that is refused; the API says more
				if _, said := org.Organization(ctx); said != nil {
					err = said
				}
			}
			v.fault(factLogin, Fail, err)
			break
		}
		v.okf(factLogin, "%s at %s", who.Username, who.Instance)
	}
	if v.may(factOrg, factLogin) {
		v.organization(ctx, org)
	}
	v.setup(ctx, org)
	v.limits(ctx, org)
}

func (v *visit) organization(ctx context.Context, org *salesforce.Org) {
	o, err := org.Organization(ctx)
	if err != nil {
		v.fault(factOrg, Fail, err)
		return
	}
	kind := ""
	if o.Sandbox {
		kind = ", a sandbox"
	}
	ends := o.TrialEnds.UTC().Format(time.DateOnly)
	switch {
	case !o.TrialEnds.IsZero() && time.Until(o.TrialEnds) < 0:
		v.addf(factOrg, Fail, "Buy it or move to another org.", "%s%s, which expired on %s", o.Edition, kind, ends)
	case !o.TrialEnds.IsZero() && time.Until(o.TrialEnds) < soon:
		v.addf(factOrg, Todo, "Buy it or move to another org before that.", "%s%s, which expires on %s", o.Edition, kind, ends)
	case !slices.Contains(editions, o.Edition):
		v.addf(factOrg, Todo, docSetUp, "%s%s is not an edition that twiliosf is made for", o.Edition, kind)
	case !o.TrialEnds.IsZero():
		v.okf(factOrg, "%s%s, until %s; the API is on", o.Edition, kind, ends)
	default:
		v.okf(factOrg, "%s%s; the API is on", o.Edition, kind)
	}
}

// setup compares the org with what we need: the permission set, and a line for
// each object and field that is not as it should be.
func (v *visit) setup(ctx context.Context, org *salesforce.Org) {
	set := v.may(factSet, factLogin, factOrg)
	if !v.may(factObjects, factLogin, factOrg) || !set {
		return
	}
	setup, err := daemon.SetupOf(v.cfg, org)
	var r *orgsetup.Report
	if err == nil {
		r, err = setup.Diff(ctx)
	}
	if err != nil {
		v.fault(factObjects, Fail, err)
		v.may(factSet, factObjects)
		return
	}
	blocked := daemon.CheckMessages(ctx, v.cfg, org)
	inSet := v.differences(r, blocked)
	switch {
	case setup.Mapped():
		v.okf(factSet, "salesforce.objects gives names of the org's own, so access is the administrator's to give")
	case !inSet:
		v.okf(factSet, "the permission set is assigned to %s", r.Username)
	}
}

// differences adds a line for each, and says whether one is about the permission
// set. blocked is why no message could be written, nil for nothing.
func (v *visit) differences(r *orgsetup.Report, blocked error) (inSet bool) {
	lines := 0
	for i := range r.Differences {
		d := &r.Differences[i]
		if d.Kind == orgsetup.NotAssigned || d.Kind == orgsetup.Missing && d.Field == "" && !strings.HasSuffix(d.Object, "__c") {
			// The user may have the same access by a profile: the objects' lines tell.
			v.addf(factSet, Todo, d.Remedy, "%s %s", d.Name(), d.Says)
			inSet = true
			continue
		}
		state := Todo
		if blocked != nil && blocks(blocked, d) {
			state = Fail
		}
		v.addf(factObjects, state, d.Remedy, "%s %s", d.Name(), d.Says)
		lines++
	}
	switch {
	case blocked != nil && !v.bad(factObjects):
		v.fault(factObjects, Fail, blocked)
	case lines == 0:
		v.okf(factObjects, "all %d objects with their %d fields are there, and %s has access to them", r.Objects, r.Fields, r.Username)
	}
	return inSet
}

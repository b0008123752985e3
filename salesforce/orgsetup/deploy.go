package orgsetup

import (
	"context"
	"errors"
	"fmt"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// Screen is whoever watches a deployment. Each may be nil.
type Screen struct {
	// Say takes a line about what has been done.
	Say func(line string)
	// Found takes the differences, before anybody is asked.
	Found func(r *Report)
	// Progress takes how far a stage ("check", "deploy") is.
	Progress func(stage string, d salesforce.Deployment)
	// Ask is asked before anything changes; nil is yes.
	Ask func(question string) (bool, error)
}

func (s *Screen) sayf(format string, args ...any) {
	if s.Say != nil {
		s.Say(fmt.Sprintf(format, args...))
	}
}

// found shows what a comparison came to.
func (s *Screen) found(r *Report) {
	s.sayf("Compared %d objects with %d fields as %s: %s.", r.Objects, r.Fields, r.Username, differences(len(r.Differences)))
	if s.Found != nil && len(r.Differences) > 0 {
		s.Found(r)
	}
}

// Order says how to deploy.
type Order struct {
	// CheckOnly ends after Salesforce has checked the deployment: nothing changes.
	CheckOnly bool
	// All deploys everything that we ship, not only what is missing: layouts, list
	// views and reports become ours again.
	All    bool
	Screen Screen
}

// Outcome is what came of it.
type Outcome struct {
	// Before is how the org was. After is how it is now, nil where nothing has changed.
	Before *Report `json:"before"`
	After  *Report `json:"after,omitzero"`
	// Components are how many were checked, Deployed how many were deployed.
	Components int `json:"components"`
	Deployed   int `json:"deployed"`
	// Failures are why Salesforce refuses them.
	Failures []Failure `json:"failures,omitzero"`
}

// Remaining is how the org is as far as is known.
func (o *Outcome) Remaining() *Report {
	if o.After != nil {
		return o.After
	}
	return o.Before
}

// Failure is why one component was refused.
type Failure struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	File    string `json:"file"` // in the zip; line 0 is unknown
	Line    int    `json:"line,omitzero"`
	Problem string `json:"problem"` // Salesforce's text
	Remedy  string `json:"remedy"`
}

var (
	// ErrMapped says that the org's names are not ours.
	ErrMapped = errors.New("salesforce.objects gives the org's own names, and what has other names than ours is not deployed: " +
		"add what twiliosf org diff shows by hand, or take salesforce.objects out of the configuration to use our objects")
	// ErrRefused says that Salesforce refuses the deployment, and nothing has changed.
	ErrRefused = errors.New("Salesforce refuses the deployment; nothing has changed") //nolint:staticcheck // a name begins it
	// ErrDeclined says that whoever was asked said no.
	ErrDeclined = errors.New("nothing was deployed")
)

// Deploy brings what is missing: it compares, has Salesforce check the deployment,
// deploys, assigns the permission set, and compares again. What is left then stands
// in the outcome, which is given with an error as well, as far as it came.
func (s *Setup) Deploy(ctx context.Context, order Order) (*Outcome, error) {
	if s.mapped {
		return &Outcome{}, ErrMapped
	}
	screen := &order.Screen
	r, err := s.Diff(ctx)
	if err != nil {
		return &Outcome{}, err
	}
	out := &Outcome{Before: r}
	screen.found(r)
	if len(r.Differences) == 0 && !order.All {
		return out, nil
	}
	if !order.CheckOnly {
		if err := s.confirm(r, &order); err != nil {
			return out, err
		}
		// What is only hidden shows itself by this, and needs no deployment.
		if r, err = s.assignEarly(ctx, r, screen); err != nil {
			return out, err
		}
	}
	changed, err := s.bring(ctx, r, out, &order)
	if err != nil || order.CheckOnly {
		return out, err
	}
	if changed && !r.assigned {
		if err := s.assign(ctx, r, screen); err != nil {
			return out, err
		}
	}
	out.After, err = s.Diff(ctx)
	if err == nil {
		screen.sayf("Compared again: %s.", differences(len(out.After.Differences)))
	}
	return out, err
}

func differences(n int) string {
	switch n {
	case 0:
		return "no differences"
	case 1:
		return "1 difference"
	default:
		return fmt.Sprintf("%d differences", n)
	}
}

// confirm asks before anything changes.
func (s *Setup) confirm(r *Report, order *Order) error {
	components, err := s.components(r, order.All)
	if err != nil || order.Screen.Ask == nil || len(components) == 0 && !r.has(ByAssign) {
		return err
	}
	what := fmt.Sprintf("Deploy %d components to %s and assign the permission set to %s?", len(components), r.Instance, r.Username)
	if len(components) == 0 {
		what = fmt.Sprintf("Assign the permission set %s to %s in %s?", metadata.IntegrationSet, r.Username, r.Instance)
	}
	yes, err := order.Screen.Ask(what + " Nothing is deleted. [y/N] ")
	if err == nil && !yes {
		err = ErrDeclined
	}
	return err
}

// assignEarly assigns the permission set if it is there, and compares again.
func (s *Setup) assignEarly(ctx context.Context, r *Report, screen *Screen) (*Report, error) {
	if !r.set || r.assigned {
		return r, nil
	}
	if err := s.assign(ctx, r, screen); err != nil {
		return r, err
	}
	return s.Diff(ctx)
}

func (s *Setup) assign(ctx context.Context, r *Report, screen *Screen) error {
	if err := s.org.AssignPermissionSet(ctx, metadata.IntegrationSet, r.userID); err != nil {
		return err
	}
	screen.sayf("Assigned the permission set %s to %s.", metadata.IntegrationSet, r.Username)
	return nil
}

// bring checks what is missing and then deploys it.
func (s *Setup) bring(ctx context.Context, r *Report, out *Outcome, order *Order) (changed bool, err error) {
	components, err := s.components(r, order.All)
	if err != nil || len(components) == 0 {
		return false, err
	}
	out.Components = len(components)
	wanted := map[metadata.Component]bool{}
	for _, c := range components {
		wanted[c] = true
	}
	zip, err := metadata.Part(func(c metadata.Component) bool { return wanted[c] })
	if err != nil {
		return false, err
	}
	if err := s.run(ctx, "check", zip, out, order); err != nil {
		return false, err
	}
	order.Screen.sayf("Salesforce has checked %d components and would deploy them.", len(components))
	if order.CheckOnly {
		return false, nil
	}
	if err := s.run(ctx, "deploy", zip, out, order); err != nil {
		return false, err
	}
	out.Deployed = len(components)
	order.Screen.sayf("Deployed %d components.", len(components))
	return true, nil
}

// run starts a deployment and stays with it to its end.
func (s *Setup) run(ctx context.Context, stage string, zip []byte, out *Outcome, order *Order) error {
	id, err := s.org.StartDeploy(ctx, zip, salesforce.DeployOptions{CheckOnly: stage == "check"})
	if fault.ClassOf(err) == fault.Uncertain {
		return fmt.Errorf("%w; the deployment may have begun: see Setup, Deployment Status, and run the same command again once it has ended; it brings only what is still missing", err)
	}
	if err != nil {
		return err
	}
	d, err := s.await(ctx, id, stage, &order.Screen)
	switch {
	case err != nil:
		return err
	case d.Succeeded:
		return nil
	case d.Status == "Canceled":
		return fmt.Errorf("somebody has canceled the deployment %s in Setup; nothing has changed", id)
	}
	for _, f := range d.Failures {
		out.Failures = append(out.Failures, failure(f))
	}
	if d.Reason != "" {
		return fmt.Errorf("%w: %s", ErrRefused, d.Reason)
	}
	return ErrRefused
}

// failure puts beside Salesforce's text what somebody can do about it.
func failure(f salesforce.ComponentFailure) Failure {
	out := Failure{Type: f.Type, Name: f.Name, File: f.File, Line: f.Line, Problem: f.Problem}
	switch f.Type {
	case "CustomField":
		out.Remedy = "Look at " + f.Name + " in Setup: what its records or its other uses forbid is mended or undone there; then run twiliosf org deploy again."
	case "CustomObject":
		out.Remedy = "Another object may have this name, or the org has no room for more: see Setup, Object Manager."
	case "PermissionSet", "CustomApplication", "Layout", "Flow", "Report", "ReportType":
		out.Remedy = "It names something that the org does not have: twiliosf org deploy --all brings everything; docs/salesforce.md says which features an org must have."
	default:
		out.Remedy = "docs/salesforce.md says what an org must have; the file is in deploy/salesforce, and Salesforce's own tools can leave it out."
	}
	return out
}

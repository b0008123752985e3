package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/orgsetup"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// errDiffers says that something is still to be done in the org.
var errDiffers = errors.New("the org is not yet as twiliosf needs it")

func newOrg(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "org",
		Short: "The Salesforce org: compare it with what twiliosf needs, and deploy what is missing",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newOrgDiff(o), newOrgDeploy(o))
	return cmd
}

func newOrgDiff(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "diff",
		Short: "Compare the org's objects and fields with what twiliosf needs",
		Long: "Compares object by object and field by field, as the configured user sees them, and changes nothing.\n" +
			"It ends with 0 when nothing is missing.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			setup, err := o.setup(cmd)
			if err != nil {
				return err
			}
			report, err := setup.Diff(cmd.Context())
			if err != nil {
				return advised(err)
			}
			if err := show(cmd, o, report, func(w io.Writer) error { return printReport(w, report) }); err != nil {
				return err
			}
			return differs(report)
		},
	}
}

func newOrgDeploy(o *options) *cobra.Command {
	var order orgsetup.Order
	var yes bool
	cmd := &cobra.Command{
		Use:   "deploy",
		Short: "Deploy what the org lacks, and give the user its permission set",
		Long: "Compares the org, asks, has Salesforce check the deployment, deploys what is missing, assigns the permission set\n" +
			"to the configured user and compares again. It never deletes anything, and overwrites only fields that the daemon\n" +
			"could not work with. Running it again brings what is still missing. It ends with 0 when nothing is.\n\n" +
			"The configured user needs, for this, the permissions Modify Metadata Through Metadata API Functions, Customize\n" +
			"Application, Manage Profiles and Permission Sets, and Assign Permission Sets. The daemon needs none of them.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			setup, err := o.setup(cmd)
			if err != nil {
				return err
			}
			if !yes && !order.CheckOnly {
				order.Screen.Ask = func(question string) (bool, error) { return asked(cmd, question) }
			}
			return deploy(cmd, o, setup, order)
		},
	}
	cmd.Flags().BoolVar(&order.CheckOnly, "check-only", false, "have Salesforce check the deployment and change nothing; ends with 0 when it would succeed")
	cmd.Flags().BoolVar(&order.All, "all", false, "deploy everything: layouts, list views, reports and permission sets become ours again")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (o *options) setup(cmd *cobra.Command) (*orgsetup.Setup, error) {
	cfg, err := o.load(cmd)
	if err != nil {
		return nil, err
	}
	return daemon.OpenSetup(cfg, nil)
}

func deploy(cmd *cobra.Command, o *options, setup *orgsetup.Setup, order orgsetup.Order) error {
	finish := func() {}
	if !o.json {
		order.Screen.Say = func(line string) { fmt.Fprintln(cmd.OutOrStdout(), line) }
		order.Screen.Found = func(r *orgsetup.Report) { _ = printReport(cmd.OutOrStdout(), r) } //nolint:errcheck // what cannot be printed now fails at the end
		order.Screen.Progress, finish = deployProgress(cmd.OutOrStdout())
	}
	out, err := setup.Deploy(cmd.Context(), order)
	finish()
	printed := show(cmd, o, out, func(w io.Writer) error {
		printFailures(w, out.Failures)
		if left := out.Remaining(); err == nil && (left == out.After || len(left.Differences) == 0) {
			return printReport(w, left)
		}
		return nil // they have been shown
	})
	switch {
	case err != nil:
		return errors.Join(advised(err), printed)
	case printed != nil || order.CheckOnly:
		return printed
	default:
		return differs(out.Remaining())
	}
}

func differs(r *orgsetup.Report) error {
	if len(r.Differences) > 0 {
		return errDiffers
	}
	return nil
}

// advised puts what to do behind an error.
func advised(err error) error {
	if hint := fault.Hint(err); hint != "" {
		return fmt.Errorf("%w. %s", err, hint)
	}
	return err
}

func printReport(out io.Writer, r *orgsetup.Report) error {
	if len(r.Differences) == 0 {
		fmt.Fprintf(out, "%s has all %d objects with their %d fields, and %s has access to them.\n", r.Instance, r.Objects, r.Fields, r.Username)
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i := range r.Differences {
		d := &r.Differences[i]
		fmt.Fprintf(w, "%s %s\t%s\n", d.Name(), d.Says, d.Remedy)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func printFailures(w io.Writer, failures []orgsetup.Failure) {
	for _, f := range failures {
		at := f.File
		if f.Line > 0 {
			at = fmt.Sprintf("%s, line %d", f.File, f.Line)
		}
		fmt.Fprintf(w, "%s %s (%s): %s\n    %s\n", f.Type, f.Name, at, f.Problem, f.Remedy)
	}
}

// deployProgress shows how far Salesforce is: a bar for each stage on a terminal,
// now and then a line elsewhere.
func deployProgress(out io.Writer) (report func(string, salesforce.Deployment), finish func()) {
	if file, ok := out.(interface{ Fd() uintptr }); !ok || !isatty.IsTerminal(file.Fd()) {
		var last time.Time
		var before string
		return func(stage string, d salesforce.Deployment) {
			if stage != before || time.Since(last) >= 10*time.Second {
				before, last = stage, time.Now()
				fmt.Fprintf(out, "%s: %s, %d of %d components\n", stage, d.Status, d.Deployed, d.Total)
			}
		}, func() {}
	}
	var b *deployBar
	finish = func() {
		if b != nil {
			b.end()
			b = nil
		}
	}
	return func(stage string, d salesforce.Deployment) {
		if b == nil {
			b = newDeployBar(out, stage)
		}
		b.bar.SetTotal(int64(max(d.Total, 1)), false)
		b.bar.SetCurrent(int64(d.Deployed))
		if d.Done {
			finish()
		}
	}, finish
}

// deployBar is the bar of one stage.
type deployBar struct {
	progress *mpb.Progress
	bar      *mpb.Bar
}

func newDeployBar(out io.Writer, stage string) *deployBar {
	p := mpb.New(mpb.WithOutput(out), mpb.WithWidth(50))
	return &deployBar{p, p.AddBar(1,
		mpb.PrependDecorators(decor.Name(stage+" "), decor.CountersNoUnit("%d/%d components ")),
		mpb.AppendDecorators(decor.Percentage()))}
}

func (b *deployBar) end() {
	b.bar.Abort(false)
	b.progress.Wait()
}

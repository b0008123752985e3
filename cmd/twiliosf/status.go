package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
)

func newStatus(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show what is going on and what is wrong",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDaemon(cmd, o, false, func(ctx context.Context, c *daemon.Client) error {
				s, err := c.Status(ctx)
				if err != nil {
					return err
				}
				return show(cmd, o, s, func(w io.Writer) error { return printStatus(w, s) })
			})
		},
	}
}

func printStatus(out io.Writer, s daemon.Status) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) { fmt.Fprintf(w, name+"\t"+format+"\n", args...) }
	switch {
	case !s.Running:
		line("daemon", "not running; this is what its store holds")
	case s.Ready:
		line("daemon", "%s, running since %s, ready", s.Version, when(s.Started))
	default:
		line("daemon", "%s, running since %s, NOT READY", s.Version, when(s.Started))
	}
	line("messages", "%d known, %d waiting, %d in quarantine, %d whose status may still change",
		s.Counts.Messages, s.Counts.Waiting, s.Counts.Quarantined, s.Counts.Open)
	line("complete until", "%s", when(s.Complete))
	if b := s.Backfill; b != nil {
		line("backfill", "%d of %d days, %.0f %%, %d messages read", b.Done, b.Days, b.Share*100, b.Seen)
	}
	if a := s.Archive; a != nil {
		line("archive", "%d messages; the last run, %s, is %s: %d copied, %d left, %d stayed", a.Archived, a.Runs[0].ID, a.Runs[0].State,
			a.Runs[0].Messages, a.Runs[0].Left, a.Runs[0].Changed+a.Runs[0].Refused)
	}
	if s.Running {
		line("Twilio", "%d calls since the start", s.TwilioCalls)
		line("Salesforce", "%s", usage(s.Salesforce))
	}
	for _, sch := range s.Schedules {
		line(sch.Name, "%s, last %s, next %s", sch.Spec, when(sch.Last), when(sch.Next))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	for _, c := range s.Conditions {
		fmt.Fprintf(out, "\n%s (%s, since %s)\n  %s\n  -> %s\n", c.Name, c.Severity, when(c.Since), c.Cause, c.Remedy)
	}
	return nil
}

func usage(u daemon.Usage) string {
	if u.Max == 0 {
		return fmt.Sprintf("%d calls in 24 h; this configuration makes %d a day, beside messages", u.Own, u.Predicted)
	}
	return fmt.Sprintf("%d calls in 24 h of the %d allowed to us (salesforce.daily_api_share); this configuration makes %d a day, beside messages; the org has made %d of %d",
		u.Own, u.Budget, u.Predicted, u.Org, u.Max)
}

func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

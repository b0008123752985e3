package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/sync/campaign"
)

func newCampaign(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "campaign",
		Short: "Texts to many: list them, say what one would send, pause, resume or cancel it",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newCampaignList(o), newCampaignPreview(o),
		newCampaignCommand(o, "pause", "Hand nobody over any more, within seconds", campaign.Pause),
		newCampaignCommand(o, "resume", "Go on with a campaign that is paused", campaign.Resume),
		newCampaignCommand(o, "cancel", "End a campaign; who was not sent to is not", campaign.Cancel),
	)
	return cmd
}

func newCampaignList(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List those that are not over, and the latest others",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDaemon(cmd, o, false, func(ctx context.Context, c *daemon.Client) error {
				all, err := c.Campaigns(ctx)
				if err != nil {
					return err
				}
				return show(cmd, o, all, func(w io.Writer) error { return printCampaigns(w, all) })
			})
		},
	}
}

func printCampaigns(out io.Writer, all []campaign.Listed) error {
	if len(all) == 0 {
		fmt.Fprintln(out, "There are none.")
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RECORD\tNAME\tSTATUS\tAUDIENCE\tWAITING\tACCEPTED\tDELIVERED\tFAILED\tLEFT OUT\tREPLIED\tLASTS\tPROBLEM")
	for i := range all {
		c := &all[i]
		n := &c.Counts
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", c.Record, c.Name, c.Status, n.Total(), n.Waiting+n.Handed, n.Accepted,
			n.Delivered, n.Unsuccessful()+n.Undelivered+n.Blocked, n.Skipped(), n.Replied, lasts(c.Lasts), c.Problem)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func lasts(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return d.Round(time.Second).String()
}

func newCampaignPreview(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "preview RECORD",
		Short: "Say who a campaign would be sent to, what they would read, and how long that takes; nothing is sent",
		Args:  oneRecord,
		RunE: func(cmd *cobra.Command, arg []string) error {
			return withDaemon(cmd, o, false, func(ctx context.Context, c *daemon.Client) error {
				p, err := c.PreviewCampaign(ctx, arg[0])
				if err != nil {
					return err
				}
				return show(cmd, o, p, func(w io.Writer) error { return printPreview(w, &p) })
			})
		},
	}
}

func printPreview(out io.Writer, p *campaign.Previewed) error {
	fmt.Fprintf(out, "%s (%s), from %s\n\n", p.Name, p.Record, p.Sender)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "Audience\t%d\n", p.Audience)
	for _, reason := range slices.Sorted(maps.Keys(p.LeftOut)) {
		fmt.Fprintf(w, "  left out: %s\t%d\n", strings.ReplaceAll(string(reason), "_", " "), p.LeftOut[reason])
	}
	e := &p.Estimate
	fmt.Fprintf(w, "Would be sent to\t%d\n", p.Sent)
	fmt.Fprintf(w, "Segments\t%d (%d texts GSM-7, %d UCS-2; the longest has %d)\n", e.Segments, e.GSM7, e.UCS2, e.Longest)
	if e.SecondSegment > 0 {
		fmt.Fprintf(w, "Made longer by values\t%d texts\n", e.SecondSegment)
	}
	if e.Cost != 0 {
		fmt.Fprintf(w, "Cost, about\t%.2f %s\n", e.Cost, e.Unit)
	}
	fmt.Fprintf(w, "Takes\t%s\n", lasts(e.Duration))
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	for _, problem := range p.Problems {
		fmt.Fprintf(out, "\n! %s\n", problem)
	}
	for _, s := range p.Samples {
		fmt.Fprintf(out, "\nTo %s:\n  %s\n", s.To, strings.ReplaceAll(s.Text, "\n", "\n  "))
	}
	return nil
}

// oneRecord wants the id of a record.
func oneRecord(cmd *cobra.Command, args []string) error {
	if len(args) != 1 || !recordID.MatchString(args[0]) {
		return usageError{fmt.Errorf("%s: name one record by its id, 15 or 18 letters and digits (twiliosf campaign list)", cmd.CommandPath())}
	}
	return nil
}

var recordID = regexp.MustCompile(`^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$`)

func newCampaignCommand(o *options, name, short string, command campaign.Command) *cobra.Command {
	return &cobra.Command{
		Use:   name + " RECORD",
		Short: short,
		Args:  oneRecord,
		RunE: func(cmd *cobra.Command, arg []string) error {
			return withDaemon(cmd, o, false, func(ctx context.Context, c *daemon.Client) error {
				if err := c.CommandCampaign(ctx, daemon.CampaignCommand{Record: arg[0], Command: command}); err != nil {
					return err
				}
				return show(cmd, o, struct{}{}, func(w io.Writer) error {
					fmt.Fprintln(w, "Done.")
					return nil
				})
			})
		},
	}
}

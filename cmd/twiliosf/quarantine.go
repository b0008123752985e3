package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/sync/message"
)

func newQuarantine(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quarantine",
		Short: "Messages that Salesforce refuses for good: list, retry or drop them",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newQuarantineList(o),
		newQuarantineChange(o, "retry", "Queue messages again, once the org has been put right", "queued again", (*daemon.Client).Retry),
		newQuarantineChange(o, "drop", "Give messages up: their records stay as they are until they change in Twilio", "dropped", (*daemon.Client).Drop))
	return cmd
}

func newQuarantineList(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List them with code, field, reason and remedy",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDaemon(cmd, o, false, func(ctx context.Context, c *daemon.Client) error {
				all, err := c.Quarantine(ctx)
				if err != nil {
					return err
				}
				return show(cmd, o, all, func(w io.Writer) error { return printQuarantine(w, all) })
			})
		},
	}
}

func printQuarantine(out io.Writer, all []daemon.Quarantined) error {
	if len(all) == 0 {
		fmt.Fprintln(out, "Nothing is in quarantine.")
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MESSAGE\tSINCE\tCODE\tFIELDS\tREMEDY")
	for _, q := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", q.SID, when(q.Refusal.At), q.Refusal.Code, strings.Join(q.Refusal.Fields, ","), q.Refusal.Hint)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func newQuarantineChange(o *options, name, short, done string, change func(*daemon.Client, context.Context, bool, ...message.SID) (daemon.Handled, error)) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   name + " (--all | SID...)",
		Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usageError{fmt.Errorf("quarantine %s: name messages by SID, or all of them with --all", name)}
			}
			sids := make([]message.SID, len(args))
			for i, a := range args {
				sids[i] = message.SID(a)
			}
			return withDaemon(cmd, o, false, func(ctx context.Context, c *daemon.Client) error {
				h, err := change(c, ctx, all, sids...)
				if err != nil {
					return err
				}
				err = show(cmd, o, h, func(w io.Writer) error {
					fmt.Fprintf(w, "%d messages %s.\n", h.Messages, done)
					return nil
				})
				return errors.Join(err, unknown(h.Unknown))
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all quarantined messages")
	return cmd
}

// unknown says which messages were named in vain; the others have been handled.
func unknown(sids []message.SID) error {
	if len(sids) == 0 {
		return nil
	}
	names := make([]string, len(sids))
	for i, sid := range sids {
		names[i] = string(sid)
	}
	return fmt.Errorf("not in quarantine: %s (twiliosf quarantine list shows what is)", strings.Join(names, ", "))
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

func newOutbox(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "outbox",
		Short: "Messages that Salesforce asks to send: list them, or settle those whose answer was lost",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newOutboxList(o), newOutboxSettle(o))
	return cmd
}

func newOutboxList(o *options) *cobra.Command {
	var state string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what is not over yet, or what is in one state",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDaemon(cmd, o, false, func(ctx context.Context, c *daemon.Client) error {
				all, err := c.Outbox(ctx, outbox.State(state))
				if err != nil {
					return err
				}
				return show(cmd, o, all, func(w io.Writer) error { return printOutbox(w, all) })
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "new, ready, intended, uncertain, held, accepted, rejected, refused or dropped")
	return cmd
}

func printOutbox(out io.Writer, all []outbox.Listed) error {
	if len(all) == 0 {
		fmt.Fprintln(out, "Nothing is there.")
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RECORD\tATTEMPT\tSTATE\tTO\tSENDER\tDUE\tINTENDED\tMESSAGE\tPROBLEM")
	for _, a := range all {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.Record, a.Attempt, a.State, a.To, a.Sender, when(a.Due), when(a.Intended), a.SID, a.Problem)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	if len(all) >= daemon.MaxListed {
		fmt.Fprintf(out, "These are the oldest %d; there may be more.\n", len(all))
	}
	return nil
}

// messageSID is what Twilio's log calls a message.
var messageSID = regexp.MustCompile(`^(SM|MM)[0-9a-f]{32}$`)

func newOutboxSettle(o *options) *cobra.Command {
	var sid string
	var again, failed bool
	cmd := &cobra.Command{
		Use:   "settle RECORD (--sent SID | --again | --failed)",
		Short: "Say what became of a send whose answer was lost: it is this message, send it again, or give it up",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch decisions := []bool{sid != "", again, failed}; {
			case len(args) != 1:
				return usageError{errors.New("outbox settle: name one record by its id (twiliosf outbox list --state held)")}
			case count(decisions) != 1:
				return usageError{errors.New("outbox settle: say one of --sent SID, --again and --failed")}
			case sid != "" && !messageSID.MatchString(sid):
				return usageError{errors.New("outbox settle: a message's SID is SM or MM and 32 hexadecimal digits, as Twilio's log shows it")}
			}
			s := daemon.Settling{Record: args[0], SID: message.SID(sid), Again: again}
			return withDaemon(cmd, o, false, func(ctx context.Context, c *daemon.Client) error {
				if err := c.SettleSend(ctx, s); err != nil {
					return err
				}
				return show(cmd, o, s, func(w io.Writer) error {
					fmt.Fprintln(w, "Settled.")
					return nil
				})
			})
		},
	}
	cmd.Flags().StringVar(&sid, "sent", "", "it was sent: the SID of its message")
	cmd.Flags().BoolVar(&again, "again", false, "it was not sent: send it again")
	cmd.Flags().BoolVar(&failed, "failed", false, "it was not sent: give it up")
	return cmd
}

func count(all []bool) (n int) {
	for _, is := range all {
		if is {
			n++
		}
	}
	return n
}

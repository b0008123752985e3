package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/sync/archive"
)

func newArchive(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "archive",
		Short: "Old messages that have left Salesforce: list, verify, bring back, or archive now",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newArchiveRun(o), newArchiveList(o), newArchiveVerify(o), newArchiveRestore(o))
	return cmd
}

func newArchiveRun(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "Archive now what is old enough, or go on where the last run stopped",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return archiveDo(cmd, o, daemon.ArchiveTask{}, func(w io.Writer, _ daemon.ArchiveResult) error {
				fmt.Fprintln(w, "Done: twiliosf archive list shows what was archived.")
				return nil
			})
		},
	}
}

// archiveDo asks the daemon, or does it here when none runs.
func archiveDo(cmd *cobra.Command, o *options, t daemon.ArchiveTask, text func(io.Writer, daemon.ArchiveResult) error) error {
	return withDaemon(cmd, o, true, func(ctx context.Context, c *daemon.Client) error {
		r, err := c.ArchiveDo(ctx, t)
		if err != nil {
			return err
		}
		return show(cmd, o, r, func(w io.Writer) error { return text(w, r) })
	})
}

func newArchiveList(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the archive's runs, the newest first",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDaemon(cmd, o, false, func(ctx context.Context, c *daemon.Client) error {
				s, err := c.Archive(ctx)
				if err != nil {
					return err
				}
				return show(cmd, o, s, func(w io.Writer) error { return printArchive(w, s) })
			})
		},
	}
}

func printArchive(out io.Writer, s daemon.ArchiveStatus) error {
	fmt.Fprintf(out, "%d messages are archived and not in Salesforce.\n", s.Archived)
	if len(s.Runs) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RUN\tSTATE\tMESSAGES\tMEDIA\tLEFT\tCHANGED\tREFUSED\tENDED\tPROBLEM")
	for _, r := range s.Runs {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", r.ID, r.State, r.Messages, r.Media, r.Left, r.Changed, r.Refused, when(r.Ended), r.Problem)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func newArchiveVerify(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Read every file of the archive and compare it with its manifest",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			damaged := 0
			err := archiveDo(cmd, o, daemon.ArchiveTask{Verify: true}, func(w io.Writer, r daemon.ArchiveResult) error {
				damaged = len(r.Verdict.Problems)
				printVerdict(w, r.Verdict)
				return nil
			})
			if err == nil && damaged > 0 {
				err = fmt.Errorf("archive verify: %d files are not what was written", damaged)
			}
			return err
		},
	}
}

func printVerdict(w io.Writer, v *archive.Verdict) {
	fmt.Fprintf(w, "%d runs, %d files, %d messages, %d media, %d bytes are as they were written.\n", v.Runs, v.Files, v.Messages, v.Media, v.Bytes)
	for _, p := range v.Problems {
		fmt.Fprintln(w, "DAMAGED:", p)
	}
	for _, s := range v.Strays {
		fmt.Fprintln(w, "of no finished run:", s)
	}
}

func newArchiveRestore(o *options) *cobra.Command {
	var want archive.Wanted
	var since, until string
	cmd := &cobra.Command{
		Use:   "restore (--number NUMBER | --since TIME | --until TIME | --all)",
		Short: "Bring archived messages back to Salesforce, with their media and links",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if want.Since, err = point(since); err == nil {
				want.Until, err = point(until)
			}
			some := want.Number != "" || since != "" || until != ""
			switch {
			case err != nil:
				return usageError{fmt.Errorf("archive restore: %w", err)}
			case some == want.All:
				return usageError{errors.New("archive restore: say which: --number, --since and --until, or --all")}
			}
			return archiveDo(cmd, o, daemon.ArchiveTask{Restore: &want}, func(w io.Writer, r daemon.ArchiveResult) error {
				printRestored(w, want.DryRun, r.Restored)
				return nil
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&want.Number, "number", "", "messages from or to this number, such as +14155550100")
	f.StringVar(&since, "since", "", "messages created then or later: 2025-03-01, or a time such as 2025-03-01T12:00:00Z")
	f.StringVar(&until, "until", "", "messages created before")
	f.BoolVar(&want.All, "all", false, "every archived message")
	f.BoolVar(&want.DryRun, "dry-run", false, "count them and change nothing")
	return cmd
}

// point reads a day, UTC, or a time.
func point(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: write 2025-03-01 or 2025-03-01T12:00:00Z", text)
}

func printRestored(w io.Writer, dry bool, r *archive.Restored) {
	if dry {
		fmt.Fprintf(w, "%d archived messages would come back.\n", r.Matched)
	} else {
		fmt.Fprintf(w, "%d of %d messages are back, with %d media; %d records were refused.\n", r.Restored, r.Matched, r.Media, r.Refused)
	}
	for _, p := range r.Problems {
		fmt.Fprintln(w, "  ", p)
	}
}

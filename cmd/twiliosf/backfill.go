package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

func newBackfill(o *options) *cobra.Command {
	var since, until string
	cmd := &cobra.Command{
		Use:   "backfill --since DATE [--until DATE]",
		Short: "Bring the messages of a range of days into Salesforce",
		Long: "Brings all messages of [since, until) into Salesforce, whole days side by side. It may be interrupted:\n" +
			"a running daemon goes on with it, and otherwise the same command does.\n\n" +
			"Twilio lists by the time a message was sent: older messages that were never sent (canceled, refused)\n" +
			"may be missing. It keeps messages for 400 days.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, to, err := period(since, until, time.Now())
			if err != nil {
				return usageError{err}
			}
			if from.Before(time.Now().Add(-mirror.Retention)) {
				fmt.Fprintln(cmd.ErrOrStderr(), "note: Twilio shows the last 400 days only; older messages do not appear and that is no error.")
			}
			return withDaemon(cmd, o, true, func(ctx context.Context, c *daemon.Client) error {
				if _, err := c.Backfill(ctx, from, to); err != nil {
					return err
				}
				return follow(ctx, cmd, o, c)
			})
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "first day or time: 2026-01-31, 2026-01-31T08:00:00Z, or 30d ago")
	cmd.Flags().StringVar(&until, "until", "", "the day or time to stop before; now if it is left out")
	return cmd
}

// period reads the two flags.
func period(since, until string, now time.Time) (from, to time.Time, err error) {
	if since == "" {
		return from, to, errors.New("--since is needed: the first day to bring across")
	}
	if from, err = moment(since, now); err != nil {
		return from, to, fmt.Errorf("--since: %w", err)
	}
	to = now
	if until != "" {
		if to, err = moment(until, now); err != nil {
			return from, to, fmt.Errorf("--until: %w", err)
		}
	}
	if !from.Before(to) {
		return from, to, fmt.Errorf("--since %s does not lie before --until %s", when(from), when(to))
	}
	return from, to, nil
}

// moment reads a day (UTC), a time, or a number of days ago.
func moment(text string, now time.Time) (time.Time, error) {
	if age, ok := strings.CutSuffix(strings.TrimSuffix(text, " ago"), "d"); ok {
		if days, err := strconv.Atoi(age); err == nil && days > 0 {
			return now.AddDate(0, 0, -days), nil
		}
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no day (2026-01-31), time (2026-01-31T08:00:00Z) or age (30d)", text)
}

const followEvery = 500 * time.Millisecond

// follow shows a backfill's progress until it is done: a bar with the time left
// on a terminal, now and then a line elsewhere.
func follow(ctx context.Context, cmd *cobra.Command, o *options, c *daemon.Client) error {
	report, finish := reporter(cmd, o)
	defer finish()
	for {
		s, err := c.BackfillStatus(ctx)
		if err != nil {
			return err
		}
		report(s)
		if s.Done == s.Days {
			finish()
			return show(cmd, o, s, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%d days, %d messages read, %d of them new or changed, all in Salesforce or in quarantine.\n", s.Days, s.Seen, s.Changed)
				return err
			})
		}
		select {
		case <-time.After(followEvery):
		case <-ctx.Done():
			return fmt.Errorf("interrupted after %d of %d days; nothing is lost: a daemon goes on with it, or run the same command again", s.Done, s.Days)
		}
	}
}

// reporter shows progress where it can be seen.
func reporter(cmd *cobra.Command, o *options) (report func(mirror.Status), finish func()) {
	if o.json {
		return func(mirror.Status) {}, func() {}
	}
	file, ok := cmd.OutOrStdout().(interface{ Fd() uintptr })
	if !ok || !isatty.IsTerminal(file.Fd()) {
		last := time.Time{}
		return func(s mirror.Status) {
			if time.Since(last) >= 10*time.Second {
				last = time.Now()
				fmt.Fprintf(cmd.OutOrStdout(), "%d of %d days, %.1f %%, %d messages\n", s.Done, s.Days, s.Share*100, s.Seen)
			}
		}, func() {}
	}
	return bar(cmd.OutOrStdout())
}

func bar(out io.Writer) (report func(mirror.Status), finish func()) {
	const whole = 10_000
	progress := mpb.New(mpb.WithOutput(out), mpb.WithWidth(50))
	var now atomic.Pointer[mirror.Status]
	now.Store(&mirror.Status{})
	b := progress.AddBar(whole,
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string {
			return fmt.Sprintf("%d/%d days  %d messages ", now.Load().Done, now.Load().Days, now.Load().Seen)
		})),
		mpb.AppendDecorators(decor.Percentage(), decor.Name("  "), decor.AverageETA(decor.ET_STYLE_GO)))
	done := false
	return func(s mirror.Status) {
			now.Store(&s)
			b.SetCurrent(int64(s.Share * whole))
		}, func() {
			if !done {
				done = true
				b.Abort(false)
				progress.Wait()
			}
		}
}

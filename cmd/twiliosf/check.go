package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/twiliosf/twiliosf/cmd/internal/checkup"
	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/config"
)

// checked is what `check --json` prints.
type checked struct {
	*checkup.Report

	Address string        `json:"address,omitzero"`
	Hooks   []daemon.Hook `json:"hooks"`
	Fixed   int           `json:"fixed"`
}

// errCannotRun says that the daemon could not do its work.
var errCannotRun = errors.New("the daemon cannot do its work like this: see the lines that begin with FAIL")

func newCheck(o *options) *cobra.Command {
	var fix, yes bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check everything that the daemon needs, and say what to do about what is missing",
		Long: "Looks at the configuration, the store and its disk, the way to both vendors and the clock, Twilio's credentials, account,\n" +
			"senders and webhooks, Salesforce's login, edition, permissions, objects and fields, its API calls and its storage. Each\n" +
			"fact is a line: ok; todo, with what to do while the daemon runs all the same; FAIL, without which it cannot do its work;\n" +
			"-- for what was not asked, because something else failed. It changes nothing, and needs neither the daemon nor the store.\n" +
			"With --fix-webhooks it asks, and points the numbers and Messaging Services that call elsewhere at public_url.\n\n" +
			"It ends with 0 when the daemon can run, with 78 when the configuration is wrong, else with 1.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return check(cmd, o, fix, yes) },
	}
	cmd.Flags().BoolVar(&fix, "fix-webhooks", false, "point the numbers and Messaging Services that call elsewhere at public_url")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func check(cmd *cobra.Command, o *options, fix, yes bool) error {
	cfg, err := config.Load(o.config, os.Environ())
	if err != nil {
		return unreadable(cmd, o, err)
	}
	if err := fixable(cfg); fix && err != nil {
		return err
	}
	report, hooks, err := checkup.Run(cmd.Context(), o.config, cfg, checkup.Options{})
	if err != nil {
		return err
	}
	result := checked{Report: report, Hooks: []daemon.Hook{}}
	if hooks != nil {
		result.Address, result.Hooks = hooks.Address(), hooks.All()
	}
	if !o.json {
		result.print(cmd.OutOrStdout())
	}
	if wrong := countWrong(result.Hooks); fix && wrong > 0 {
		if result.Fixed, err = fixHooks(cmd, hooks, wrong, yes); err != nil {
			return err
		}
	}
	if err := show(cmd, o, result, func(io.Writer) error { return nil }); err != nil {
		return err
	}
	switch {
	case !report.Runs:
		return errCannotRun
	case fix && hooks == nil:
		return errors.New("--fix-webhooks: where Twilio calls could not be asked, so nothing was changed")
	default:
		return nil
	}
}

// fixable says why Twilio's calls cannot be pointed at us.
func fixable(cfg *config.Config) error {
	switch {
	case cfg.Twilio.Webhook.PublicURL == "":
		return usageError{errors.New("--fix-webhooks: twilio.webhook.public_url is not set, so there is nothing to point at")}
	case cfg.Salesforce.Objects.Managed():
		return usageError{errors.New("--fix-webhooks: with salesforce.objects managed Twilio's calls are the package's; pointing them here would take messages from it")}
	default:
		return nil
	}
}

// unreadable shows a configuration's faults as facts.
func unreadable(cmd *cobra.Command, o *options, err error) error {
	var faults config.Faults
	if !errors.As(err, &faults) {
		return err
	}
	result := checked{Report: checkup.Unreadable(faults), Hooks: []daemon.Hook{}}
	if e := show(cmd, o, result, func(w io.Writer) error { result.print(w); return nil }); e != nil {
		return e
	}
	return &daemon.ConfigError{Err: errors.New("the configuration is wrong")}
}

func countWrong(hooks []daemon.Hook) (wrong int) {
	for _, h := range hooks {
		if !h.Right {
			wrong++
		}
	}
	return wrong
}

// fixHooks asks and changes.
func fixHooks(cmd *cobra.Command, hooks *daemon.Hooks, wrong int, yes bool) (int, error) {
	if !yes {
		ok, err := asked(cmd, fmt.Sprintf("Let Twilio call %s for these %d? Whatever they call now is called no more. [y/N] ", hooks.Address(), wrong))
		if err != nil || !ok {
			return 0, err
		}
	}
	fixed, err := hooks.Fix(context.WithoutCancel(cmd.Context()))
	if err == nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "%d changed.\n", fixed)
	}
	return fixed, err
}

// asked asks a question of somebody at a terminal.
func asked(cmd *cobra.Command, question string) (bool, error) {
	if f, ok := cmd.InOrStdin().(interface{ Fd() uintptr }); ok && !isatty.IsTerminal(f.Fd()) {
		return false, usageError{errors.New("this asks before it changes anything; without a terminal give --yes")}
	}
	fmt.Fprint(cmd.ErrOrStderr(), question)
	answer, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("read the answer: %w", err)
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", nil
}

// marks are how states look on a screen.
var marks = map[checkup.State]string{checkup.OK: "ok", checkup.Todo: "todo", checkup.Fail: "FAIL", checkup.Skipped: "--"}

func (c checked) print(w io.Writer) {
	for _, f := range c.Facts {
		fmt.Fprintf(w, "%-4s  %-22s  %s", marks[f.State], f.Name, f.Says)
		if f.Remedy != "" {
			fmt.Fprintf(w, ". %s", f.Remedy)
		}
		fmt.Fprintln(w)
	}
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/config"
)

// checked is what `check --json` prints.
type checked struct {
	Address string        `json:"address,omitzero"`
	Hooks   []daemon.Hook `json:"hooks"`
	Fixed   int           `json:"fixed"`
}

// errNotRight says that something is still to be done.
var errNotRight = errors.New("not all of it is right")

func newCheck(o *options) *cobra.Command {
	var fix, yes bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration, Twilio's credentials and where Twilio calls",
		Long: "Checks the configuration, logs in to Twilio and shows which of the account's numbers and Messaging Services\n" +
			"call twilio.webhook.public_url. With --fix-webhooks it shows the change, asks, and points the others at it.\n" +
			"It ends with 0 when all of it is right.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := o.load(cmd)
			if err != nil {
				return err
			}
			if fix && cfg.Twilio.Webhook.PublicURL == "" {
				return usageError{errors.New("--fix-webhooks: twilio.webhook.public_url is not set, so there is nothing to point at")}
			}
			if fix && cfg.Salesforce.Objects.Managed() {
				return usageError{errors.New("--fix-webhooks: with salesforce.objects managed Twilio's calls are the package's; pointing them here would take messages from it")}
			}
			return check(cmd, o, cfg, fix, yes)
		},
	}
	cmd.Flags().BoolVar(&fix, "fix-webhooks", false, "point the numbers and Messaging Services that call elsewhere at public_url")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func check(cmd *cobra.Command, o *options, cfg *config.Config, fix, yes bool) error {
	hooks, err := daemon.FindHooks(cmd.Context(), cfg, nil)
	if err != nil {
		return err
	}
	result := checked{Address: hooks.Address(), Hooks: hooks.All()}
	wrong := 0
	for _, h := range result.Hooks {
		if !h.Right {
			wrong++
		}
	}
	if !o.json {
		result.print(cmd.OutOrStdout(), o.config)
	}
	if fix && wrong > 0 {
		if result.Fixed, err = fixHooks(cmd, hooks, wrong, yes); err != nil {
			return err
		}
		wrong -= result.Fixed
	}
	if err := show(cmd, o, result, func(io.Writer) error { return nil }); err != nil {
		return err
	}
	if wrong > 0 && result.Address != "" {
		return errNotRight
	}
	return nil
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

func (c checked) print(w io.Writer, file string) {
	fmt.Fprintf(w, "ok    %s\nok    Twilio lets us in\n", file)
	if c.Address == "" {
		fmt.Fprintln(w, "--    twilio.webhook.public_url is not set: messages come by the sweeps")
		return
	}
	for _, h := range c.Hooks {
		mark, calls := "ok  ", "calls us"
		if !h.Right {
			mark, calls = "no  ", "calls "+orNothing(h.Inbound)
			if h.Status != "" || strings.HasPrefix(h.SID, "MG") {
				calls += " for messages and " + orNothing(h.Status) + " for statuses"
			}
		}
		fmt.Fprintf(w, "%s  %s  %s %s\n", mark, h.SID, h.Name, calls)
	}
}

func orNothing(address string) string {
	if address == "" {
		return "nobody"
	}
	return address
}

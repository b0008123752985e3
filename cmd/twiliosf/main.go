// Command twiliosf mirrors a Twilio account's messages into a Salesforce org.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/config"
	"github.com/twiliosf/twiliosf/sync/store"
)

// Exit codes, as the README documents them and the systemd unit uses them.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	exitHeld   = 75 // EX_TEMPFAIL: another daemon holds the store
	exitConfig = 78 // EX_CONFIG: nothing but a change of the configuration helps
)

// version is set when a release is built.
var version = ""

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program: arguments in, exit code out.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintln(stderr, "twiliosf:", err)
	}
	return exitCode(err)
}

// usageError says that the command line is wrong.
type usageError struct{ error }

func exitCode(err error) int {
	var usage usageError
	var wrong *daemon.ConfigError
	var faults config.Faults
	var held *store.HeldError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &wrong), errors.As(err, &faults):
		return exitConfig
	case errors.As(err, &held):
		return exitHeld
	default:
		return exitFailed
	}
}

// options are the flags that every command knows.
type options struct {
	config string
	json   bool
}

func newRoot() *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:   "twiliosf",
		Short: "Mirrors a Twilio account's messages into a Salesforce org",
		Long: "twiliosf brings every message of a Twilio account into a Salesforce org, one record a message,\n" +
			"and keeps the records true. `twiliosf demo` shows it without an account or an org.",
		SilenceUsage: true, SilenceErrors: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q; twiliosf help lists them", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentFlags().StringVar(&o.config, "config", config.DefaultPath, "configuration file")
	root.PersistentFlags().BoolVar(&o.json, "json", false, "print JSON")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newRun(o), newCheck(o), newStatus(o), newBackfill(o), newQuarantine(o), newOutbox(o), newCampaign(o), newArchive(o), newOrg(o), newConfig(o),
		newSandbox(o), newDemo(o), newVersion(o))
	return root
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s takes no argument %q", cmd.CommandPath(), args[0])}
	}
	return nil
}

// load reads the configuration and prints its warnings.
func (o *options) load(cmd *cobra.Command) (*config.Config, error) {
	cfg, err := config.Load(o.config, os.Environ())
	if err != nil {
		return nil, err
	}
	for _, w := range cfg.Warnings() {
		fmt.Fprintln(cmd.ErrOrStderr(), "warning:", w)
	}
	return cfg, nil
}

// thisVersion is the release's version, or what the build recorded.
func thisVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/cmd/internal/demo"
	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/config"
)

func newDemo(o *options) *cobra.Command {
	var length time.Duration
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch the daemon at work between an emulated account and an emulated org",
		Long: "Runs an emulated Twilio account with people who write to each other, an emulated Salesforce org and the\n" +
			"daemon between them, in this one process. Nothing leaves the machine. It ends with a comparison of both.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if length < 0 {
				return usageError{errors.New("--for must not be negative")}
			}
			out, terminal := cmd.OutOrStdout(), false
			if f, ok := out.(interface{ Fd() uintptr }); ok {
				terminal = isatty.IsTerminal(f.Fd())
			}
			return demo.Run(cmd.Context(), demo.Options{
				For: length, JSON: o.json, Out: out, Terminal: terminal,
				Daemon: between,
			})
		},
	}
	cmd.Flags().DurationVar(&length, "for", 0, "how long, for example 30s; until Ctrl-C when it is left out")
	return cmd
}

// between runs a daemon between the sandbox's two sides.
func between(ctx context.Context, s *sandbox.Sandbox, yaml string) error {
	d, err := daemon.New(ctx, daemon.Options{
		Load:    func() (*config.Config, error) { return config.Parse("twiliosf.yaml", []byte(yaml), nil) },
		Version: thisVersion(),
		Twilio:  s.TwilioTransport(), Salesforce: s.OrgTransport(),
		Log: zap.NewNop(), // the table is what is looked at
	})
	if err != nil {
		return fmt.Errorf("start the daemon: %w", err)
	}
	return errors.Join(d.Run(ctx), d.Close())
}

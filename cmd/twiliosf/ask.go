package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/config"
)

// withDaemon calls do with the daemon that runs on this configuration. When none
// runs, it opens the store itself; work then decides whether it also does the
// work that is asked for (a backfill), or only reads and changes rows.
func withDaemon(cmd *cobra.Command, o *options, work bool, do func(context.Context, *daemon.Client) error) error {
	cfg, err := o.load(cmd)
	if err != nil {
		return err
	}
	client, err := daemon.Dial(cmd.Context(), cfg.ControlPath())
	if err != nil {
		return err
	}
	if client != nil {
		return do(cmd.Context(), client)
	}
	if _, err := os.Stat(cfg.StorePath()); !work && errors.Is(err, fs.ErrNotExist) {
		// Opening would make it, as whoever asks, and the daemon's user could not write it.
		return fmt.Errorf("no daemon runs on this configuration, and there is no store at %s yet: start the daemon first", cfg.StorePath())
	}
	log := zap.NewNop()
	if work {
		if log, err = zap.NewProduction(zap.IncreaseLevel(zap.WarnLevel), zap.WithCaller(false)); err != nil {
			return err
		}
	}
	d, err := daemon.New(cmd.Context(), daemon.Options{
		Load: func() (*config.Config, error) { return cfg, nil }, Version: thisVersion(), Log: log, Idle: true, Deaf: true,
	})
	if err != nil {
		return err
	}
	if !work {
		return errors.Join(do(cmd.Context(), d.Client()), d.Close())
	}
	return errors.Join(alongside(cmd.Context(), d, do), d.Close())
}

// alongside runs an idle daemon while do asks it.
func alongside(ctx context.Context, d *daemon.Daemon, do func(context.Context, *daemon.Client) error) error {
	running, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- d.Run(running) }()
	err := do(ctx, d.Client())
	cancel()
	return errors.Join(err, <-ended)
}

// show prints v as JSON when that was asked for, and else with text.
func show(cmd *cobra.Command, o *options, v any, text func(io.Writer) error) error {
	if !o.json {
		return text(cmd.OutOrStdout())
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

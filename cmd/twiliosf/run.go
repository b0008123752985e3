package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/config"
)

func newRun(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "Run the daemon until SIGTERM; SIGHUP reloads the configuration",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			daemon.TuneMemory()
			hup, stop := hangups()
			defer stop()
			watchdog, err := systemd.SdWatchdogEnabled(false)
			if err != nil {
				return err
			}
			d, err := daemon.New(cmd.Context(), daemon.Options{
				Load:     func() (*config.Config, error) { return o.load(cmd) },
				Version:  thisVersion(),
				Reload:   hup,
				Watchdog: watchdog,
				// Without a service manager this does nothing; a failure is not worth stopping for.
				Notify: func(state string) { _, _ = systemd.SdNotify(false, state) }, //nolint:errcheck // without systemd there is nobody to tell
			})
			if err != nil {
				return err
			}
			return errors.Join(d.Run(cmd.Context()), d.Close())
		},
	}
}

// hangups turns SIGHUP into requests to reload; several at once are one.
func hangups() (<-chan struct{}, func()) {
	signals, requests := make(chan os.Signal, 1), make(chan struct{}, 1)
	signal.Notify(signals, syscall.SIGHUP)
	quit := make(chan struct{})
	go func() {
		for {
			select {
			case <-signals:
				select {
				case requests <- struct{}{}:
				default:
				}
			case <-quit:
				return
			}
		}
	}()
	return requests, func() { signal.Stop(signals); close(quit) }
}

package daemon

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// reloadingState is what systemd wants to hear at the beginning of a reload of a
// Type=notify-reload service.
func reloadingState() string {
	return systemd.SdNotifyReloading + "\n" + systemd.SdNotifyMonotonicUsec()
}

const statusEvery = 10 * time.Second

// notifyState keeps the service manager's status line true and feeds its
// watchdog for as long as the store answers.
func (d *Daemon) notifyState(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	changed := make(chan struct{}, 1)
	d.health.OnChange(func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	var done sync.WaitGroup
	every := statusEvery
	if d.o.Watchdog > 0 {
		every = min(every, d.o.Watchdog/3)
	}
	done.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			d.notifyOnce(ctx)
			select {
			case <-tick.C:
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	})
	return func() { cancel(); done.Wait() }
}

func (d *Daemon) notifyOnce(ctx context.Context) {
	counts, err := d.store.Counts(ctx)
	if err != nil {
		return // no sign of life: a store that hangs is what the watchdog is for
	}
	line := fmt.Sprintf("mirroring: %d messages, %d waiting, %d in quarantine", counts.Messages, counts.Waiting, counts.Quarantined)
	if active := d.health.Active(); len(active) > 0 {
		line = active[0].Name + ": " + active[0].Cause
	}
	state := "STATUS=" + strings.ReplaceAll(line, "\n", " ")
	if d.o.Watchdog > 0 {
		state += "\nWATCHDOG=1"
	}
	d.o.Notify(state)
}

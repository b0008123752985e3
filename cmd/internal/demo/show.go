package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
)

// show is one demo under way.
type show struct {
	o       Options
	s       *sandbox.Sandbox
	begin   time.Time
	lags    *lags
	traffic *Traffic
	watch   *watcher
}

func newShow(s *sandbox.Sandbox, o Options) *show {
	l := newLags(s.Org)
	d := &show{o: o, s: s, begin: time.Now(), lags: l}
	d.traffic = NewTraffic(s.Twilio, TrafficOptions{Seed: o.Seed, PerSecond: o.PerSecond, Said: l.said})
	d.watch = newWatcher(s, l, o)
	return d
}

// ending is how a show ended.
type ending struct {
	// compared is what both sides held, once that was known to be equal.
	compared *sandbox.Comparison
	// interrupted says that the viewer ended it.
	interrupted bool
	// daemon is why the daemon ended before it was asked to.
	daemon error
}

func (d *show) run(ctx context.Context, dir string) error {
	d.intro()
	if d.o.History > 0 {
		d.traffic.History(d.begin, d.o.History)
	}
	if err := addressBook(d.s.Org); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	working, stop := context.WithCancel(ctx)
	defer stop()
	daemon := make(chan error, 1)
	go func() { daemon <- d.o.Daemon(working, d.s, d.s.ConfigYAML(dir)) }()

	end := d.play(ctx, daemon)
	if end.daemon != nil {
		return end.daemon
	}
	stop()
	stopped := <-daemon
	if end.compared == nil {
		c := sandbox.Compare(d.s.Twilio, d.s.Org)
		end.compared = &c
	}
	err := d.summary(end)
	if stopped != nil && !errors.Is(stopped, context.Canceled) {
		err = errors.Join(err, fmt.Errorf("demo: the daemon did not stop well: %w", stopped))
	}
	return err
}

// play lets people write, then waits until all they wrote is in the org.
func (d *show) play(ctx context.Context, daemon chan error) ending {
	watched, blind := context.WithCancel(ctx)
	talking, hush := context.WithCancel(ctx)
	var busy sync.WaitGroup
	busy.Go(func() { d.watch.run(watched) })
	busy.Go(func() { d.s.Twilio.Run(watched) }) // its calls to the daemon
	defer busy.Wait()
	defer blind()
	var people sync.WaitGroup
	people.Go(func() { d.traffic.Run(talking) })
	defer people.Wait()
	defer hush()

	var silence <-chan time.Time
	if d.o.For > 0 {
		silence = time.After(d.o.For - min(lastPart, d.o.For*2/5))
	}
	select {
	case <-ctx.Done():
		return ending{interrupted: true}
	case err := <-daemon:
		return ended(ctx, daemon, err)
	case <-silence:
	}
	hush()
	people.Wait()
	return d.settle(ctx, daemon)
}

// settle waits for equality, until the time is up.
func (d *show) settle(ctx context.Context, daemon chan error) ending {
	tick := time.NewTicker(compareEvery)
	defer tick.Stop()
	for time.Since(d.begin) < d.o.For+patience {
		select {
		case <-ctx.Done():
			return ending{interrupted: true}
		case err := <-daemon:
			return ended(ctx, daemon, err)
		case <-tick.C:
		}
		if time.Since(d.begin) < d.o.For {
			continue
		}
		if c := sandbox.Compare(d.s.Twilio, d.s.Org); c.Clean() {
			return ending{compared: &c}
		}
	}
	return ending{}
}

// ended tells a daemon that failed from one that stopped because the viewer did.
func ended(ctx context.Context, daemon chan error, err error) ending {
	switch {
	case ctx.Err() != nil:
		daemon <- err // for whoever waits for it
		return ending{interrupted: true}
	case err == nil:
		return ending{daemon: errors.New("demo: the daemon stopped by itself")}
	default:
		return ending{daemon: fmt.Errorf("demo: the daemon stopped: %w", err)}
	}
}

// intro says what is going on.
func (d *show) intro() {
	until := "Stop it with Ctrl-C."
	if d.o.For > 0 {
		until = fmt.Sprintf("It ends after %s, or with Ctrl-C.", d.o.For)
	}
	d.printf("twiliosf demo: an emulated Twilio account, an emulated Salesforce org and the daemon between them, in one process.\n"+
		"Nothing leaves this machine, and all people and numbers are made up. %s\n\n", until)
}

// printf writes to the viewer. A viewer who has gone does not stop the show: its
// end is the context's business.
func (d *show) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(d.o.Out, format, args...)
}

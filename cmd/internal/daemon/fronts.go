package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/twiliosf/twiliosf/config"
	"github.com/twiliosf/twiliosf/sync/console"
)

// fronts are the addresses the daemon answers on.
type fronts struct {
	mu      sync.Mutex
	handler http.Handler
	console *http.Server
	control *http.Server
	serving sync.WaitGroup
}

// listen opens the console and the control socket.
func (d *Daemon) listen(cfg *config.Config) (*fronts, error) {
	f := &fronts{handler: console.New(d, d.health)}
	if d.o.Deaf {
		return f, nil
	}
	if err := f.move(d, cfg); err != nil {
		return nil, err
	}
	l, err := controlSocket(cfg.ControlPath())
	if err != nil {
		f.close()
		return nil, err
	}
	f.control = f.serve(l, d.Handler())
	return f, nil
}

// move opens the console's address, if it is another one, and then gives the
// former up.
func (f *fronts) move(d *Daemon, cfg *config.Config) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if d.o.Deaf || (f.console != nil && f.console.Addr == cfg.Console.Listen) {
		return nil
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", cfg.Console.Listen)
	if err != nil {
		return fmt.Errorf("console.listen: %w (is another program on this address?)", err)
	}
	former := f.console
	f.console = f.serve(l, f.handler)
	f.console.Addr = cfg.Console.Listen
	addr := l.Addr().String()
	d.console.Store(&addr)
	shut(former)
	return nil
}

func (f *fronts) serve(l net.Listener, h http.Handler) *http.Server {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	f.serving.Go(func() {
		_ = s.Serve(l) //nolint:errcheck // it ends when it is shut, and not before
	})
	return s
}

func (f *fronts) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	shut(f.console)
	shut(f.control)
	f.serving.Wait()
}

// shut lets running answers finish, briefly.
func shut(s *http.Server) {
	if s == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.Shutdown(ctx) != nil {
		_ = s.Close() //nolint:errcheck // there is nothing left to do about it
	}
}

// controlSocket opens the command line's socket for the daemon's user only. The
// store is ours by now, so a socket that is there is a dead one's.
func controlSocket(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("control: %w", err)
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("control: %w (the path must be shorter than 108 characters, in a folder the daemon may write)", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("control: %w", err), l.Close())
	}
	return l, nil
}

// Gather implements prometheus.Gatherer: the process's metrics and those of the
// present generation.
func (d *Daemon) Gather() ([]*dto.MetricFamily, error) {
	return prometheus.Gatherers{d.process, d.current.Load().metrics}.Gather()
}

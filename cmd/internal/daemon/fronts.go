package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
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
	webhook *http.Server // nil while none is configured
	tls     atomic.Pointer[tls.Config]
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

// move opens the addresses that are others than before, all of them or none, and
// then gives the former ones up.
func (f *fronts) move(d *Daemon, cfg *config.Config) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if d.o.Deaf {
		return nil
	}
	hook := cfg.Twilio.Webhook
	secure, err := certificate(hook.TLSCertFile, hook.TLSKeyFile)
	if err != nil {
		return err
	}
	if hook.PublicURL == "" {
		hook.Listen = ""
	}
	page, err := f.open(f.console, "console.listen", cfg.Console.Listen)
	if err != nil {
		return err
	}
	calls, err := f.open(f.webhook, "twilio.webhook.listen", hook.Listen)
	if err != nil {
		return errors.Join(err, closeAll(page))
	}
	if page != nil {
		f.console = f.replace(f.console, page, cfg.Console.Listen, f.handler)
		addr := page.Addr().String()
		d.console.Store(&addr)
	}
	f.tls.Store(secure)
	switch {
	case calls != nil:
		f.webhook = f.replace(f.webhook, f.secured(calls), hook.Listen, d.Webhook())
	case hook.Listen == "":
		shut(f.webhook)
		f.webhook = nil
	}
	return nil
}

// open listens at an address, unless that is done already or nothing is wanted.
func (f *fronts) open(now *http.Server, key, addr string) (net.Listener, error) {
	if addr == "" || (now != nil && now.Addr == addr) {
		return nil, nil //nolint:nilnil // nothing is to be opened
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w (is another program on this address?)", key, err)
	}
	return l, nil
}

func closeAll(l net.Listener) error {
	if l == nil {
		return nil
	}
	return l.Close()
}

// secured gives a listener the certificate of the present configuration, if it
// has one: a reload renews it without closing the address.
func (f *fronts) secured(l net.Listener) net.Listener {
	if f.tls.Load() == nil {
		return l
	}
	return tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return f.tls.Load(), nil
	}})
}

// replace serves at a new address in place of a former one.
func (f *fronts) replace(former *http.Server, l net.Listener, addr string, h http.Handler) *http.Server {
	s := f.serve(l, h)
	s.Addr = addr
	shut(former)
	return s
}

// The longest that a call may take to come in and to be answered: Twilio waits
// 15 s. https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
const (
	longestRead  = 10 * time.Second
	longestWrite = 30 * time.Second
)

func (f *fronts) serve(l net.Listener, h http.Handler) *http.Server {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: longestRead, WriteTimeout: longestWrite, IdleTimeout: time.Minute}
	f.serving.Go(func() {
		_ = s.Serve(l) //nolint:errcheck // it ends when it is shut, and not before
	})
	return s
}

func (f *fronts) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	shut(f.webhook)
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

package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const (
	defaultHistory = 600
	// lastPart is how long before the end people fall silent, so that their last
	// messages reach their final status and a sweep sees it.
	lastPart = 12 * time.Second
	// patience is how much longer than asked for the demo waits for equality: a
	// full sweep comes every minute.
	patience = time.Minute
	// compareEvery is how often equality is looked for in the end.
	compareEvery = 500 * time.Millisecond
)

// ErrDiffer says that in the end a message was without its one true record.
var ErrDiffer = errors.New("what the org holds is not what the account holds")

// Options say how the demo is shown. Daemon and Out are required.
type Options struct {
	// For is how long it lasts; 0 means until the context ends. It may last up
	// to a minute longer when the mirror needs it.
	For time.Duration
	// JSON adds the summary as one last line of JSON, and shows plain lines.
	JSON bool
	// Out takes all output. Terminal says that it is one, which gets a table
	// that is drawn anew twice a second; others get a line every 5 s.
	Out      io.Writer
	Terminal bool
	// Daemon runs the daemon with a configuration for the sandbox, over the
	// sandbox's transports, until ctx ends, and returns when it has stopped.
	Daemon func(ctx context.Context, s *sandbox.Sandbox, configYAML string) error

	// Seed makes everything repeatable; PerSecond is the pace of messages, 0
	// means 3; History is how many messages there are when it begins, 0 means
	// 600 and a negative number none.
	Seed      uint64
	PerSecond float64
	History   int
}

func (o *Options) complete() error {
	switch {
	case o.Daemon == nil || o.Out == nil:
		return errors.New("demo: a daemon and an output are needed")
	case o.For < 0:
		return fmt.Errorf("demo: it cannot last %s", o.For)
	}
	if o.History == 0 {
		o.History = defaultHistory
	}
	return nil
}

// life is a quick world, so that who watches sees messages arrive.
func life() twiliotest.Life {
	const ms = time.Millisecond
	return twiliotest.Life{
		Accepted: twiliotest.Span{Min: 200 * ms, Max: 800 * ms}, Queued: twiliotest.Span{Min: 200 * ms, Max: time.Second},
		Sending: twiliotest.Span{Min: 100 * ms, Max: 500 * ms}, Sent: twiliotest.Span{Min: 500 * ms, Max: 3 * time.Second},
		Priced:      twiliotest.Span{Min: 500 * ms, Max: 3 * time.Second},
		Undelivered: 0.04, Failed: 0.02, Stuck: 0.02, Read: 0.4,
	}
}

// Run shows the demo and ends with a summary, also when ctx ends. It returns
// ErrDiffer when a message was lost, duplicated or stale in the end, and the
// daemon's error when that stopped by itself. When ctx ends early, messages
// that were on their way are no error.
func Run(ctx context.Context, o Options) error {
	if err := o.complete(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "twiliosf-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() //nolint:errcheck // the system empties its temporary directory anyway
	hook, err := freeAddress(ctx)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	s, err := sandbox.New(sandbox.Options{
		Twilio:  twiliotest.Options{Seed: o.Seed, Life: life()},
		Org:     salesforcetest.Options{Seed: o.Seed},
		Webhook: hook,
	})
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer s.Close()
	return newShow(s, o).run(ctx, dir)
}

// freeAddress is one of this machine's that nobody listens at.
func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

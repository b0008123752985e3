package twiliotest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server is one emulated account. All methods may be called from several
// goroutines at once.
type Server struct {
	// URL is the base of every address: http://twilio.test for Client, and the
	// http://host:port of the listener after Listen.
	URL string
	// The account's credentials: AccountSID with AuthToken, or the API key.
	AccountSID, AuthToken, APIKeySID, APIKeySecret string

	opts Options
	make maker

	mu       sync.Mutex
	ledger   *ledger
	serial   uint64 // of the next SID
	faults   faults
	hooks    []func(*http.Request)
	counts   counters
	people   people
	wired    map[string]addresses // by number and by service
	calls    switchboard
	runs     []*Execution
	accepted map[Sent]int
	busy     int // requests under way

	done   chan struct{} // closed by Close
	close  sync.Once
	active sync.WaitGroup // requests under way and the listener
	http   *http.Server
}

// NewServer makes an account. It starts nothing.
func NewServer(o Options) *Server {
	o = o.withDefaults()
	s := &Server{
		URL:        "http://twilio.test",
		AccountSID: o.AccountSID, AuthToken: o.AuthToken,
		APIKeySID: o.APIKeySID, APIKeySecret: o.APIKeySecret,
		opts:     o,
		make:     maker{o.Seed},
		ledger:   newLedger(o.Switches.NullsOnTop),
		faults:   faults{weather: o.Weather, rng: rand.New(rand.NewPCG(o.Seed, 0x77656174686572))},
		counts:   newCounters(),
		people:   newPeople(),
		wired:    wire(o),
		calls:    newSwitchboard(o.Webhook),
		done:     make(chan struct{}),
		accepted: map[Sent]int{},
	}
	s.ledger.changed, s.ledger.armed = s.changed, s.calls.stir
	return s
}

// Client answers every request, whatever its host, in the caller's goroutine
// and without a socket. It honours the request's context.
func (s *Server) Client() *http.Client {
	return &http.Client{Transport: transport{s}}
}

// Handler answers over any HTTP server.
func (s *Server) Handler() http.Handler { return handler{s} }

// Listen serves the account on a TCP address ("127.0.0.1:0") until Close, and
// sets URL. It may be called once.
func (s *Server) Listen(addr string) error {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return fmt.Errorf("twiliotest: listen: %w", err)
	}
	s.mu.Lock() // Run may be on its way
	s.URL = "http://" + l.Addr().String()
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	s.http = &http.Server{Handler: s.Handler(), ReadHeaderTimeout: time.Minute, BaseContext: func(net.Listener) context.Context { return ctx }}
	s.active.Go(func() {
		defer cancel()
		_ = s.http.Serve(l) //nolint:errcheck // always an error; Close is its usual reason
	})
	return nil
}

// Close ends the listener and every request under way, and waits for them.
// The account's contents stay readable.
func (s *Server) Close() {
	s.close.Do(func() {
		s.mu.Lock() // no request enters between the two
		close(s.done)
		s.mu.Unlock()
		if s.http != nil {
			_ = s.http.Close() //nolint:errcheck // the listener's own error changes nothing
		}
	})
	s.active.Wait()
}

// errClosed is what a client in the same process sees after Close.
var errClosed = errors.New("twiliotest: the server is closed")

// lock takes the account up to date and locks it. It returns the moment, in
// Unix nanoseconds.
func (s *Server) lock() int64 {
	s.mu.Lock()
	// Read under the lock: times and what a list shows are in one order.
	now := s.opts.Now().UnixNano()
	s.ledger.advance(now)
	return now
}

// nextDigits makes the next SID's digits; the lock is held.
func (s *Server) nextDigits() digits {
	s.serial++
	return s.make.digits(s.serial)
}

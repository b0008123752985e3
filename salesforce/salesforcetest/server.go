package salesforcetest

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

// inProcessURL is the org's address until Listen gives it a real one.
const inProcessURL = "http://org.salesforce.test"

// Server is one emulated org. Its methods may be called from any goroutine,
// except that Listen comes before the first request over TCP.
type Server struct {
	// URL is the org's My Domain address, without a trailing slash: also the
	// instance_url of tokens. Listen changes it.
	URL string

	opts Options

	mu         sync.Mutex // everything below
	schema     *schema
	tables     []*table // by object number
	sessions   map[string]*session
	cursors    map[string]*cursor
	cursorNo   int
	bulk       bulkJobs
	listViews  map[uint32]listView
	ingest     ingestJobs
	deploys    deployments
	clock      int64 // newest time handed out, Unix milliseconds
	user       uint32
	usage      usage
	errorsSent int
	stats      stats
	sick       string // message of the 401 that a new token does not cure; "" none
	describe   time.Time
	packing    []byte
	vals       []value // scratch of writes
	spread     []value // scratch of reads

	faultMu sync.Mutex
	faults  faultPlan
	onReq   func(Request)

	listener net.Listener
	httpd    *http.Server
	served   sync.WaitGroup
}

// New makes an org, or says what is wrong with its schema.
func New(opts Options) (*Server, error) {
	s := &Server{
		URL: inProcessURL, opts: opts.withDefaults(), schema: newSchema(),
		sessions: map[string]*session{}, cursors: map[string]*cursor{},
		bulk:      bulkJobs{byID: map[string]*bulkJob{}},
		ingest:    ingestJobs{byID: map[string]*ingestJob{}},
		listViews: map[uint32]listView{},
		deploys:   deployments{content: map[string]string{}, sets: map[string]*permissions{}},
		stats:     newStats(), user: 1, spread: make([]value, 256),
	}
	s.faults.random = rand.New(rand.NewPCG(opts.Seed, opts.Seed))
	if err := s.schema.build(&opts); err != nil {
		return nil, fmt.Errorf("salesforcetest: schema: %w", err)
	}
	for _, o := range s.schema.objects {
		s.tables = append(s.tables, newTable(o))
	}
	s.describe = time.Now().UTC().Truncate(time.Second)
	err := s.seed()
	return s, err
}

// NewServer is New for tests and demonstrations: it panics on a schema that
// cannot be read, which is a fault of the program.
func NewServer(opts Options) *Server {
	s, err := New(opts)
	if err != nil {
		panic(err)
	}
	return s
}

// seed makes the rows every org has: itself and the integration
// user.
func (s *Server) seed() error {
	if _, err := s.Insert("User", map[string]any{
		"Username": s.opts.Credentials.Username, "LastName": "Integration", "FirstName": "TwilioSF",
		"Email": "integration@example.com", "Alias": "twiliosf",
	}); err != nil {
		return err
	}
	_, err := s.Insert("Organization", map[string]any{
		"Name": "TwilioSF Sandbox", "OrganizationType": "Developer Edition", "IsSandbox": true,
		"InstanceName": "CS99", "LanguageLocaleKey": "en_US", "TimeZoneSidKey": "GMT",
	})
	return err
}

// Handler serves the org's HTTP API, for servers of the caller's own.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// Listen serves the org at addr (127.0.0.1:0 picks a free port) until Close, and
// sets URL to it.
func (s *Server) Listen(addr string) error {
	if s.listener != nil {
		return errors.New("salesforcetest: already listening")
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return fmt.Errorf("salesforcetest: listen: %w", err)
	}
	s.listener = l
	s.URL = "http://" + l.Addr().String()
	s.httpd = &http.Server{Handler: s.Handler(), ReadHeaderTimeout: time.Minute}
	s.served.Go(func() {
		_ = s.httpd.Serve(l) //nolint:errcheck // always an error: ErrServerClosed after Close
	})
	return nil
}

// Close stops listening and cuts every connection. An org that never listened
// has nothing to close.
func (s *Server) Close() {
	s.stopIngests()
	if s.httpd != nil {
		_ = s.httpd.Close() //nolint:errcheck // the connections are gone either way
		s.served.Wait()
	}
}

// now is the org's clock: whole seconds unless told otherwise, and never
// backwards. The lock must be held.
func (s *Server) now() int64 {
	ms := time.Now().UnixMilli()
	if !s.opts.KeepMilliseconds {
		ms -= ms % 1000
	}
	s.clock = max(s.clock, ms)
	return s.clock
}

// orgID is the 18-character id of the org.
func (s *Server) orgID() string { return formatID("00D", 1) }

func (s *Server) userID() string { return formatID("005", s.user) }

// table finds the rows of an object.
func (s *Server) table(o *object) *table { return s.tables[o.num] }

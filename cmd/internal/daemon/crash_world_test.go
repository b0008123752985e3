package daemon_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// The emulated vendors, by name in the tests' words.
const (
	atTwilio = "twilio"
	atOrg    = "org"
)

// crashWorld is both emulators, listening, with people who go on writing, and
// the place of a daemon that is killed again and again.
type crashWorld struct {
	*sandbox.Sandbox
	dir     string // of the configuration and the store
	scratch string // of copies of the store
	people  *people
	askers  *askers // nil: nobody asks for anything to be sent
	mailing *mailing
	books   *books
	doors   []*door
	line    *line
	yaml    string // the daemon's configuration

	mu      sync.Mutex
	present *life // nil while no daemon runs
}

// newCrashWorld starts the vendors. The same seed gives the same messages and
// the same sequence of ends.
func newCrashWorld(t *testing.T, seed uint64) *crashWorld {
	t.Helper()
	box, err := sandbox.New(sandbox.Options{
		Twilio: twiliotest.Options{Seed: seed, Life: shortLife()},
		Org:    salesforcetest.Options{Seed: seed},
	})
	require.NoError(t, err)
	t.Cleanup(box.Close)
	// Short: the control socket lies in it, and its path has an end.
	dir, err := os.MkdirTemp("", "crash") //nolint:usetesting // see above
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w := &crashWorld{
		Sandbox: box, dir: dir, scratch: t.TempDir(), books: newBooks(box.Org),
		people: newPeople(box.Twilio, rand.New(rand.NewPCG(seed, 1))),
	}
	w.Org.Script(salesforcetest.Refuse(func(record map[string]any) *salesforcetest.Refusal {
		if body, _ := record["Body__c"].(string); strings.Contains(body, unwanted) {
			return &salesforcetest.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "Not in this org.", Fields: []string{"Body__c"}}
		}
		return nil
	}).Forever())
	w.Twilio.URL = w.open(t, atTwilio, w.Twilio.Handler())
	w.Org.URL = w.open(t, atOrg, w.Org.Handler())
	w.storm(t)
	require.NoError(t, os.WriteFile(w.configPath(), []byte(w.yaml), 0o600))
	return w
}

func (w *crashWorld) configPath() string { return filepath.Join(w.dir, "twiliosf.yaml") }

// open listens and answers the address.
func (w *crashWorld) open(t *testing.T, name string, vendor http.Handler) string {
	t.Helper()
	d := &door{world: w, name: name, vendor: vendor}
	d.empty = sync.NewCond(&d.mu)
	d.server = httptest.NewUnstartedServer(d)
	d.server.Config.ConnState = d.connection
	d.server.Start()
	t.Cleanup(d.server.Close)
	w.doors = append(w.doors, d)
	return d.server.URL
}

// alive is the daemon that runs, or nil.
func (w *crashWorld) alive() *life {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.present
}

// quiesce waits until what a dead daemon had sent has been dealt with: it left
// before the next daemon starts, and so it arrives before.
func (w *crashWorld) quiesce() {
	for _, d := range w.doors {
		d.mu.Lock()
		for d.open > 0 {
			d.empty.Wait()
		}
		d.mu.Unlock()
	}
}

// door stands before a vendor: it sees every request before it is processed,
// and what became of it before the answer is out.
type door struct {
	world  *crashWorld
	name   string
	vendor http.Handler
	server *httptest.Server

	mu    sync.Mutex
	empty *sync.Cond
	open  int // connections
}

// connection counts connections, and so also requests that nobody waits for.
func (d *door) connection(_ net.Conn, s http.ConnState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch s {
	case http.StateNew:
		d.open++
	case http.StateClosed, http.StateHijacked:
		d.open--
		if d.open == 0 {
			d.empty.Broadcast()
		}
	}
}

// call is one request, read to its end.
type call struct {
	at   string // atTwilio or atOrg
	r    *http.Request
	body []byte
}

// ServeHTTP implements http.Handler.
func (d *door) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the daemon died while it sent
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	c := call{at: d.name, r: r, body: body}
	l := d.world.alive()
	now := l.arrived(c)
	switch now {
	case held:
		<-l.dead
	case before:
		l.strike()
	}
	if now == held || now == before && l.moment.lost {
		panic(http.ErrAbortHandler)
	}
	if l.full.Load() {
		d.world.people.burst()
	}
	d.world.people.act()
	d.world.askers.act()
	leave := d.world.books.enter(c)
	answer := httptest.NewRecorder()
	cut := d.serve(answer, r)
	leave()
	d.world.people.delay(c, l)
	if now == after {
		l.strike()
	}
	if cut {
		panic(http.ErrAbortHandler)
	}
	for name, values := range answer.Header() {
		out.Header()[name] = values
	}
	out.WriteHeader(answer.Code)
	_, _ = out.Write(answer.Body.Bytes()) // the daemon may be dead
}

// serve lets the vendor answer, and says whether it has cut the connection.
func (d *door) serve(out http.ResponseWriter, r *http.Request) (cut bool) {
	defer func() {
		switch what := recover(); what {
		case nil:
		case http.ErrAbortHandler:
			cut = true
		default:
			panic(what)
		}
	}()
	d.vendor.ServeHTTP(out, r)
	return false
}

// books are what the org was asked to write, and what was wrong about it.
type books struct {
	org *salesforcetest.Server

	mu       sync.Mutex
	writing  map[string]bool   // SIDs of the requests under way
	statuses map[string]string // of the record of each SID, as it was written last
	refused  map[string]bool   // SIDs that were written and have no record
	wrongs   []string
}

func newBooks(org *salesforcetest.Server) *books {
	return &books{org: org, writing: map[string]bool{}, statuses: map[string]string{}, refused: map[string]bool{}}
}

func (b *books) wrongf(format string, args ...any) {
	b.wrongs = append(b.wrongs, fmt.Sprintf(format, args...))
}

// enter notes a write that begins, and its end when the result is called. P2: no
// SID is in two writes at once. P4: no write takes a record's status back.
func (b *books) enter(c call) (leave func()) {
	if !isUpsert(c) && !isUpdate(c) {
		return func() {}
	}
	sids, to := sidsIn(c.body)
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, sid := range sids {
		if b.writing[sid] {
			b.wrongf("%s is written twice at once", sid)
		}
		if isUpsert(c) && strings.HasPrefix(to[i], askedTo) {
			b.wrongf("%s has a record that asked for it, and is given another", sid)
		}
		b.writing[sid] = true
	}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, sid := range sids {
			delete(b.writing, sid)
			b.look(sid)
		}
	}
}

// look compares a record with what it was.
func (b *books) look(sid string) {
	rows := b.org.ByKey(sandbox.MessageObject, sandbox.SIDField, sid)
	if len(rows) > 1 {
		b.wrongf("%s has %d records", sid, len(rows))
	}
	if len(rows) == 0 {
		b.refused[sid] = true
		return
	}
	status, _ := rows[0]["Status__c"].(string)
	if was := b.statuses[sid]; height(status) < height(was) {
		b.wrongf("the status of %s went back from %s to %s", sid, was, status)
	}
	b.statuses[sid] = status
}

// status is the status of a SID's record, "" if it has none. A job of the org's own
// may have written it.
func (b *books) status(sid string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.org.ByKey(sandbox.MessageObject, sandbox.SIDField, sid)) > 0 {
		b.look(sid)
	}
	return b.statuses[sid]
}

// wasRefused reports whether the org has ever refused to make a SID's record.
func (b *books) wasRefused(sid string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refused[sid]
}

// requireGood fails with everything that was wrong.
func (b *books) requireGood(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(t, b.wrongs)
}

// height is a status's place on its way. It is on purpose a list of its own.
func height(status string) int {
	for i, level := range [][]string{
		{""}, {"scheduled", "accepted", "receiving"}, {"queued"}, {"sending"}, {"sent"},
		{"delivered", "undelivered", "failed", "canceled", "received"}, {"read"},
	} {
		for _, s := range level {
			if s == status {
				return i
			}
		}
	}
	return -1
}

// shortLife lets messages end within lifeEnds.
func shortLife() twiliotest.Life {
	span := func(ms int) twiliotest.Span {
		return twiliotest.Span{Min: 20 * time.Millisecond, Max: time.Duration(ms) * time.Millisecond}
	}
	return twiliotest.Life{
		Accepted: span(200), Queued: span(300), Sending: span(300), Sent: span(700), Priced: span(1000),
		Undelivered: 0.1, Failed: 0.05, Stuck: 0.02, Read: 0.3,
	}
}

// lifeEnds is after how long nothing happens to a message any more.
const lifeEnds = 3 * time.Second

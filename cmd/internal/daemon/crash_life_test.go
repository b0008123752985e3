package daemon_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// when says where in a request's life something happens.
type when int

const (
	never  when = iota
	before      // it has arrived and is not processed
	after       // it is processed and not answered
	held        // it is never processed: the vendor sits on it until the daemon is dead
)

// moment is when a daemon ends: at the n-th request that is of its kind, at a
// write of its own store (end), or at once.
type moment struct {
	name string
	of   func(call) bool
	n    int
	when when
	// lost: the vendor never sees the request that the daemon died at.
	lost bool
	// hold lets the org sit on requests of the kind from the n-th on; see holding.
	hold bool
	// end is for dieAt.
	end string
	// polite is SIGTERM, which is no kill.
	polite bool
}

func (m moment) String() string {
	s := m.name
	if m.polite {
		s = "SIGTERM, " + s
	}
	if m.of == nil || m.hold {
		return s
	}
	return fmt.Sprintf("%s, number %d, %s", s, m.n, map[when]string{before: "before", after: "after"}[m.when])
}

// kind is a phase in which a daemon may end, and up to which number.
type kind struct {
	name string
	of   func(call) bool
	upTo int
	end  string // for dieAt
}

// kinds are all in which a mirror may end.
var kinds = []kind{
	{"a login", isLogin, 1, ""},
	{"the org's description", isDescribe, 1, ""},
	{"the first page of a walk", isOpenWalk, 3, ""},
	{"the middle of a walk", isNextPage, 2, ""},
	{"a day of a backfill", isDay, 8, ""},
	{"a message asked for by its SID", isFetch, 4, ""},
	{"an upsert", isUpsert, 1, ""},
	{"an upsert after others", isUpsert, 3, ""},
	{"an upsert that the org sits on", isUpsert, 1, ""},
	{"any request", func(call) bool { return true }, 14, ""},
	{"at once", nil, 0, ""},
	{"a row of the store", nil, 300, "row"},
	{"a commit of the store", nil, 30, "commit"},
}

// deck deals moments so that all kinds come before one comes again.
type deck struct {
	rng   *rand.Rand
	kinds []kind
	left  []int
}

func (d *deck) deal() moment {
	if len(d.left) == 0 {
		d.left = d.rng.Perm(len(d.kinds))
	}
	k := d.kinds[d.left[0]]
	d.left = d.left[1:]
	m := moment{name: k.name, of: k.of, n: 1 + d.rng.IntN(max(k.upTo, 1)), when: before, lost: d.rng.IntN(2) == 0}
	if d.rng.IntN(3) > 0 {
		m.when = after
	}
	if k.name == "an upsert that the org sits on" {
		m.when, m.hold = held, true
	}
	if k.end != "" {
		m.end = fmt.Sprintf("%s:%d", k.end, m.n)
	}
	return m
}

// stop is a moment of SIGTERM.
func (d *deck) stop() moment {
	return moment{name: "any request", of: func(call) bool { return true }, n: 1 + d.rng.IntN(12), when: before, polite: true}
}

// life is one run of the daemon.
type life struct {
	moment moment
	cmd    *exec.Cmd
	log    string // path of what it said
	hold   io.Closer
	begun  chan struct{} // closed when the process is there
	dead   chan struct{}
	awake  chan struct{} // closed at its first request
	seen   atomic.Int64  // requests of the moment's kind
	full   atomic.Bool   // a full sweep has seen its first page
	walks  atomic.Int64  // active sweeps since then
	mu     sync.Mutex
	active chan struct{} // closed when the next active sweep begins
	all    atomic.Int64
	wake   sync.Once
	once   sync.Once
	asked  time.Time // when SIGTERM was sent; read after dead
	came   bool      // its moment came; likewise
}

// start starts a daemon that will end at m.
func (w *crashWorld) start(t *testing.T, m moment) *life {
	t.Helper()
	log, err := os.CreateTemp(w.scratch, "log")
	require.NoError(t, err)
	l := &life{moment: m, log: log.Name(), begun: make(chan struct{}), dead: make(chan struct{}), awake: make(chan struct{}), active: make(chan struct{})}
	self, err := os.Executable()
	require.NoError(t, err)
	l.cmd = exec.Command(self)
	l.cmd.Env = append(os.Environ(), childConfig+"="+w.configPath(), childEnd+"="+m.end)
	l.cmd.Stderr = log
	hold, err := l.cmd.StdinPipe()
	require.NoError(t, err)
	l.hold = hold
	w.mu.Lock()
	w.present = l
	w.mu.Unlock()
	require.NoError(t, l.cmd.Start())
	defer close(l.begun)
	if m.name == "at once" {
		l.came = l.cmd.Process.Kill() == nil
	}
	go func() {
		_ = l.cmd.Wait() // how it ended is in its state
		_ = errors.Join(log.Close(), hold.Close())
		close(l.dead)
	}()
	t.Cleanup(l.kill)
	return l
}

// arrived counts a request, and answers when the daemon is to end at it.
func (l *life) arrived(c call) when {
	l.all.Add(1)
	l.wake.Do(func() { close(l.awake) })
	if l.moment.hold {
		return l.holding(c)
	}
	if l.moment.of == nil || !l.moment.of(c) || l.seen.Add(1) != int64(l.moment.n) {
		return never
	}
	return l.moment.when
}

// holding is arrived while the org sits on upserts. A full sweep sees its first
// page a second after an active one has, and the daemon dies a while after that:
// had the sweep not waited for the upserts, its cursor would have moved past what
// they hold.
func (l *life) holding(c call) when {
	switch full := isOpenWalk(c) && query(c).Get("PageSize") == "1000"; {
	case l.moment.of(c):
		if l.seen.Add(1) >= int64(l.moment.n) {
			return held
		}
	case full:
		l.full.Store(l.full.Load() || l.nextWalk())
	case isOpenWalk(c) && !full:
		close(l.turn(make(chan struct{})))
		if l.full.Load() && l.walks.Add(1) == 2 {
			return before
		}
	}
	return never
}

// turn puts the next channel that an active sweep closes in place of the present one.
func (l *life) turn(next chan struct{}) (present chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	present, l.active = l.active, next
	return present
}

// nextWalk waits for the next active sweep, a second at most with quick's rhythm,
// and answers whether it came.
func (l *life) nextWalk() bool {
	l.mu.Lock()
	next := l.active
	l.mu.Unlock()
	select {
	case <-next:
		return true
	case <-l.dead:
		return false
	}
}

// strike ends the daemon; a killed one is dead when it returns.
func (l *life) strike() {
	<-l.begun // its first requests may be faster than the call that starts it
	l.once.Do(func() {
		l.came = true
		if l.moment.polite {
			l.asked = time.Now()
			_ = l.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself, which is seen later
			return
		}
		_ = l.cmd.Process.Kill()
	})
	if !l.moment.polite {
		<-l.dead
	}
}

// kill ends it in any case.
func (l *life) kill() {
	_ = l.cmd.Process.Kill()
	<-l.dead
}

// stop asks it to end, now.
func (l *life) stop() {
	l.once.Do(func() {
		l.asked = time.Now()
		_ = l.cmd.Process.Signal(syscall.SIGTERM)
	})
}

// patience is how long a moment may take to come. A life whose moment does not
// come ends then, which is as good a moment as any.
const patience = 30 * time.Second

// await waits for its end, and answers whether it came at its moment.
func (l *life) await(t *testing.T) (timely bool) {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-l.dead:
	case <-late.C:
		require.False(t, l.moment.polite && !l.asked.IsZero(), "it does not stop")
		l.kill()
		return false
	}
	status, ok := l.cmd.ProcessState.Sys().(syscall.WaitStatus)
	require.True(t, ok)
	if l.moment.polite && l.came {
		require.Zero(t, status, "it did not stop cleanly:\n%s", l.said())
		require.Less(t, time.Since(l.asked), drain)
		return true
	}
	require.True(t, status.Signaled() && status.Signal() == syscall.SIGKILL, "it ended by itself, %v:\n%s", l.cmd.ProcessState, l.said())
	return l.came || l.moment.end != ""
}

// said is the end of what it logged.
func (l *life) said() string {
	text, err := os.ReadFile(l.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4000):])
}

// drain is what the sandbox's configuration allows a stop.
const drain = 5 * time.Second

// socket is the daemon's control socket.
func (w *crashWorld) socket() string { return filepath.Join(w.dir, "control.sock") }

package campaigntest

import (
	"maps"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
)

// state is where a recipient is.
type state int

const (
	waiting state = iota
	handed
	tried
	accepted
	refused
	held
	leftOut
)

// row is a recipient with what came of them.
type row struct {
	campaign.Recipient
	run      *runRows
	record   string
	state    state
	sender   string
	handedAt time.Time
	draft    message.Draft
	ended    message.Result
	sid      message.SID
	status   message.Status
	code     int
	sentAt   time.Time
	replied  bool
	recorded bool
	noted    string // the member's status that the org was told
}

// runRows is a run with its recipients.
type runRows struct {
	run      campaign.Run
	rows     []*row
	first    int // no row before it waits
	byPerson map[message.Link]*row
	byNumber map[message.Number]*row
}

// Fake is a memory of campaigns in memory.
type Fake struct {
	mu    sync.Mutex
	n     int64 // the last run's
	row   int64 // the last recipient's
	runs  map[int64]*runRows
	byKey map[string]*row
	queue []*row // handed over, in order
	fail  error
}

var (
	_ campaign.Runs       = (*Fake)(nil)
	_ campaign.Books      = books{}
	_ campaign.Recipients = (*Fake)(nil)
	_ campaign.Handing    = (*Fake)(nil)
	_ campaign.Results    = (*Fake)(nil)
	_ campaign.Notes      = (*Fake)(nil)
	_ Outbox              = (*Fake)(nil)
)

// NewFake makes an empty one.
func NewFake() *Fake {
	return &Fake{runs: map[int64]*runRows{}, byKey: map[string]*row{}}
}

// Memory is the ledger by its parts.
func (l *Fake) Memory() Memory {
	return Memory{Runs: l, Books: books{l}, Recipients: l, Handing: l, Results: l, Notes: l, Outbox: l}
}

// Books is the ledger as operators see it: its Runs is another than the ledger's own.
func (l *Fake) Books() campaign.Books { return books{l} }

// Fail makes every call fail with err, until it is nil.
func (l *Fake) Fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = err
}

// People is how many recipients there are, of all runs.
func (l *Fake) People() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, r := range l.runs {
		n += len(r.rows)
	}
	return n
}

func (l *Fake) find(record string, k campaign.Kind) *runRows {
	for _, r := range l.runs {
		if r.run.Campaign.ID == record && r.run.Kind == k {
			return r
		}
	}
	return nil
}

// keep puts a run into the ledger with its next version.
func (l *Fake) keep(r campaign.Run) *runRows {
	was := l.runs[r.N]
	if was == nil {
		l.n++
		r.N = l.n
		was = &runRows{byPerson: map[message.Link]*row{}, byNumber: map[message.Number]*row{}}
		l.runs[r.N] = was
	}
	r.Version++
	was.run = r
	return was
}

// Notice is what a run's record shows, for tests.
func (l *Fake) Notice(record string) campaign.Run {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.find(record, campaign.ToSend); r != nil {
		run := r.run
		run.Counts.LeftOut, run.Counts.Last = maps.Clone(run.Counts.LeftOut), maps.Clone(run.Counts.Last)
		return run
	}
	return campaign.Run{}
}

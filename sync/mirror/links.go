package mirror

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// skew is how far Twilio's clock may be from ours when a message is said to be
// younger than this process.
const skew = 10 * time.Second

// newness is what is known of a record before it is written.
type newness uint8

const (
	held    newness = iota // the org has it, so what is the users' own stays as it is
	doubted                // the org must be asked
	fresh                  // the org has no record of it
)

// Strangers are People where nobody is known.
type Strangers struct{}

// Meet implements People.
func (Strangers) Meet(_ context.Context, batch []*message.Message) ([]message.Links, error) {
	return make([]message.Links, len(batch)), nil
}

// newcomers tells which records cannot be in the org yet, for only this process
// writes them.
type newcomers struct {
	began time.Time
	start Seq // the last change before this process

	// unsure are messages that were sent to the org without an answer. Owned by Run.
	unsure map[message.SID]bool

	turn  chan struct{} // of one slot: who asks whether the org is empty
	asked bool
	empty bool // the org held no message before this process wrote its first one
}

// begin is called by Run before it writes.
func (w *Writer) begin(ctx, work context.Context) {
	w.newcomers.began = time.Now()
	start, err := w.Ledger.Newest(ctx)
	if err != nil || w.shared {
		start = math.MaxInt64 // so the org is asked for each
	}
	if w.newcomers.start = start; w.shared {
		return // that it was empty once says nothing
	}
	// Asked now, the org need not be asked when the first message is in a hurry.
	go func() { _, _ = w.newcomers.foundEmpty(work, w.Sink) }() //nolint:errcheck // it is asked again
}

// judge is called by Run alone. A change that came while another one of its
// message was on its way may not know that this one has made the record.
func (w *Writer) judge(ctx context.Context, batch []Change) ([]newness, error) {
	var seqs []Seq
	for i := range batch {
		if batch[i].New && batch[i].again {
			seqs = append(seqs, batch[i].Seq)
		}
	}
	written := map[Seq]bool{}
	if len(seqs) > 0 {
		var err error
		if written, err = w.Changes.Written(ctx, seqs); err != nil {
			return nil, err
		}
	}
	known := make([]newness, len(batch))
	for i := range batch {
		c := &batch[i]
		is, there := written[c.Seq]
		switch {
		case is:
		case c.New && c.again && !there: // overtaken, so its row tells of a newer one
			known[i] = doubted
		default:
			known[i] = w.newcomers.judge(c)
		}
	}
	return known, nil
}

func (n *newcomers) judge(c *Change) newness {
	switch {
	case !c.New:
		return held
	case c.Attempts > 0, c.Seq <= n.start, n.unsure[c.Message.SID]:
		return doubted
	default:
		return fresh
	}
}

// young is true of a message that was made after this process began to write.
func (n *newcomers) young(m *message.Message) bool { return m.Created.After(n.began.Add(skew)) }

// foundEmpty asks the org once. Asked after the first record was written, it says
// no, which costs calls but no truth.
func (n *newcomers) foundEmpty(ctx context.Context, sink Sink) (bool, error) {
	select {
	case n.turn <- struct{}{}:
		defer func() { <-n.turn }()
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	if !n.asked {
		empty, err := sink.Empty(ctx)
		if err != nil {
			return false, err
		}
		n.asked, n.empty = true, empty
	}
	return n.empty, nil
}

// records makes what is written of a batch. Where it is not certain that the org
// lacks a record, it is asked: a user may have read the message, or have made it
// somebody else's.
func (w *Writer) records(ctx context.Context, batch []Change, known []newness) ([]Record, error) {
	states := make([]*message.Message, len(batch))
	for i := range batch {
		states[i] = batch[i].Message
	}
	links, err := w.People.Meet(ctx, states)
	if err == nil && len(links) != len(batch) {
		err = fmt.Errorf("%d links for %d messages", len(links), len(batch))
	}
	if err != nil {
		return nil, err
	}
	there, err := w.there(ctx, batch, known)
	if err != nil {
		return nil, err
	}
	records := make([]Record, len(batch))
	for i := range batch {
		records[i].Message = states[i]
		if known[i] != held && !there[states[i].SID] {
			records[i].Links = &links[i]
		}
	}
	return records, nil
}

// there asks the org for those of a batch that it may hold.
func (w *Writer) there(ctx context.Context, batch []Change, known []newness) (map[message.SID]bool, error) {
	var ask, older []message.SID
	for i := range batch {
		switch m := batch[i].Message; {
		case known[i] == doubted:
			ask = append(ask, m.SID)
		case known[i] == fresh && !w.newcomers.young(m):
			older = append(older, m.SID)
		}
	}
	if len(older) > 0 {
		empty, err := w.newcomers.foundEmpty(ctx, w.Sink)
		if err != nil {
			return nil, err
		}
		if !empty {
			ask = append(ask, older...)
		}
	}
	if len(ask) == 0 {
		return nil, nil //nolint:nilnil // a nil map holds nothing
	}
	return w.Sink.Held(ctx, ask)
}

// doubt notes the messages of a batch without an answer: the org may have taken
// them.
func (n *newcomers) doubt(r *batchResult) {
	if c := fault.ClassOf(r.err); c == fault.Auth || c == fault.Throttled {
		return // refused before anything was done
	}
	for i := range r.batch {
		if r.batch[i].New {
			n.unsure[r.batch[i].Message.SID] = true
		}
	}
}

// settled notes which records are there for certain, and which may be: a newer
// state of a message knows nothing of the attempts of the one before it.
func (n *newcomers) settled(r *batchResult) {
	for i := range r.batch {
		c := &r.batch[i]
		if !c.New || errors.Is(r.outcomes[i], errUnclaimed) {
			continue
		}
		switch class := fault.ClassOf(r.outcomes[i]); {
		case class == 0:
			delete(n.unsure, c.Message.SID)
		case class == fault.Transient, class == fault.Uncertain:
			n.unsure[c.Message.SID] = true
		}
	}
}

package mirror

import (
	"hash/maphash"
	"sync"
)

// maxOffered bounds the changes that wait in memory: as far as several walks at
// once run ahead.
const maxOffered = 6 * maxWaiting

// recall is how many of the changes that were offered last are remembered.
const recall = maxOffered

// offers hands changes that were committed a moment ago over to the writer, so
// that they need not be read again. Those who commit do so one after another, but
// come here in any order: a change may be offered when a newer one of the same
// SID has long been written, and must then not be written over it (P4).
type offers struct {
	mu      sync.Mutex
	waiting []Change
	unread  bool // there may be more that only the store knows
	newest  Seq
	seed    maphash.Seed
	last    map[uint64]Seq // of the SIDs in ring
	ring    []offered      // the last ones
	next    int            // in ring
}

// offered is one of the last offers. A SID's hash stands for it, because a string
// would keep the page it came with in memory; two SIDs with one hash cost one of
// them the wait until the store is read again, a minute at most.
type offered struct {
	sid uint64
	seq Seq
}

// add takes changes in; none means that the store must be read.
func (o *offers) add(changes []Change) {
	o.mu.Lock()
	defer o.mu.Unlock()
	full := len(o.waiting)+len(changes) > maxOffered
	o.unread = o.unread || full || len(changes) == 0
	if o.last == nil {
		o.last, o.seed = make(map[uint64]Seq, recall), maphash.MakeSeed()
	}
	for _, c := range changes {
		sid := maphash.String(o.seed, string(c.Message.SID))
		switch {
		case c.Seq <= o.newest-recall:
			o.unread = true // what came after it may be forgotten here; the store knows
		case o.last[sid] > c.Seq: // overtaken
		default:
			c.again = o.last[sid] > 0
			o.remember(offered{sid, c.Seq})
			if !full {
				o.waiting = append(o.waiting, c)
			}
		}
	}
}

func (o *offers) remember(mark offered) {
	if len(o.ring) < recall {
		o.ring = append(o.ring, mark)
	} else {
		if gone := o.ring[o.next]; o.last[gone.sid] == gone.seq {
			delete(o.last, gone.sid)
		}
		o.ring[o.next] = mark
		o.next = (o.next + 1) % recall
	}
	o.last[mark.sid] = mark.seq
	o.newest = max(o.newest, mark.seq)
}

// take adds what waits to the queue, but for what was read from the store up to
// mark before it was offered. It answers whether the store must be read.
func (o *offers) take(queue []Change, mark Seq) (longer []Change, unread bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.waiting {
		if o.waiting[i].Seq > mark {
			queue = append(queue, o.waiting[i])
		}
	}
	unread = o.unread
	o.waiting, o.unread = empty(o.waiting), false
	return queue, unread
}

// empty keeps the room of changes, and none of their messages.
func empty(changes []Change) []Change {
	clear(changes)
	return changes[:0]
}

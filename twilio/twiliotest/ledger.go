package twiliotest

import (
	"container/heap"
	"math"
)

const (
	chunkBits = 12
	chunkSize = 1 << chunkBits
)

// aboveAll is added to the moment of messages without date_sent when they are
// listed on top (Switches.NullsOnTop). Unix nanoseconds of our age leave room.
const aboveAll = math.MaxInt64 / 2

// ledger holds the account's messages: by running number, by SID and in the
// list's order. It is not safe for concurrent use.
type ledger struct {
	nullsOnTop bool

	chunks [][]record // by running number; never moved
	made   uint32     // the next running number
	live   int
	byID   map[digits]uint32
	order  order
	gone   map[digits]place // where deleted messages stood, for page tokens
	due    dueHeap

	changed func(*record) // is told of every new status
	armed   func()        // is told when something is due earlier than before
}

func newLedger(nullsOnTop bool) *ledger {
	return &ledger{nullsOnTop: nullsOnTop, byID: map[digits]uint32{}, gone: map[digits]place{}}
}

func (l *ledger) at(ref uint32) *record {
	return &l.chunks[ref>>chunkBits][ref&(chunkSize-1)]
}

// place is where the record stands in the list: by date_sent, without one by
// date_created: https://www.twilio.com/docs/messaging/api/message-resource
func (l *ledger) place(ref uint32) place {
	r := l.at(ref)
	switch {
	case r.sent != null:
		return place{r.sent, ref}
	case l.nullsOnTop:
		return place{r.created + aboveAll, ref}
	default:
		return place{r.created, ref}
	}
}

// add stores a record. It is not ok when the SID is taken.
func (l *ledger) add(r record) (*record, bool) {
	if _, taken := l.byID[r.id]; taken {
		return nil, false
	}
	ref := l.made
	if ref&(chunkSize-1) == 0 {
		l.chunks = append(l.chunks, make([]record, 0, chunkSize))
	}
	last := &l.chunks[len(l.chunks)-1]
	*last = append(*last, r)
	l.made++
	l.live++
	l.byID[r.id] = ref
	l.order.insert(l.place(ref))
	l.arm(ref)
	return l.at(ref), true
}

// find gives the running number of a message; the prefix is part of the SID.
func (l *ledger) find(sid string) (uint32, bool) {
	prefix, id, ok := parseSID(sid)
	if !ok {
		return 0, false
	}
	ref, ok := l.byID[id]
	if !ok || l.at(ref).mm != (prefix == "MM") || prefix != "MM" && prefix != "SM" {
		return 0, false
	}
	return ref, true
}

// edit changes a record and moves it to where it then stands.
func (l *ledger) edit(ref uint32, change func(*record)) {
	before, status := l.place(ref), l.at(ref).status
	change(l.at(ref))
	if l.at(ref).status != status {
		l.changed(l.at(ref))
	}
	if after := l.place(ref); after != before {
		l.order.remove(before)
		l.order.insert(after)
	}
}

func (l *ledger) delete(ref uint32) {
	r, p := l.at(ref), l.place(ref)
	l.order.remove(p)
	l.gone[r.id] = p
	delete(l.byID, r.id)
	*r = record{gone: true}
	l.live--
}

// standing finds where the message of a page token stands, or stood before it
// was deleted.
func (l *ledger) standing(sid string) (p place, deleted, ok bool) {
	if ref, ok := l.find(sid); ok {
		return l.place(ref), false, true
	}
	_, id, ok := parseSID(sid)
	if !ok {
		return place{}, false, false
	}
	p, ok = l.gone[id]
	return p, true, ok
}

// arm enters the record's next step among what is due.
func (l *ledger) arm(ref uint32) {
	if m := l.at(ref).more; m != nil && len(m.schedule) > 0 {
		next := place{m.schedule[0].at, ref}
		heap.Push(&l.due, next)
		if l.due[0] == next {
			l.armed()
		}
	}
}

// advance applies what has fallen due until now (Unix nanoseconds), in order.
func (l *ledger) advance(now int64) {
	for len(l.due) > 0 && l.due[0].at <= now {
		p := heap.Pop(&l.due).(place) //nolint:errcheck // nothing else is in it
		r := l.at(p.ref)
		if r.gone || r.more == nil || len(r.more.schedule) == 0 || r.more.schedule[0].at != p.at {
			continue // canceled or overtaken meanwhile
		}
		next := r.more.schedule[0]
		r.more.schedule = r.more.schedule[1:]
		l.edit(p.ref, next.apply)
		l.arm(p.ref)
	}
}

// dueHeap holds, soonest first, the next step of each message that still moves.
type dueHeap []place

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].less(h[j]) }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is called by container/heap.
func (h *dueHeap) Push(x any) { *h = append(*h, x.(place)) } //nolint:errcheck // nothing else is put in

// Pop is called by container/heap.
func (h *dueHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

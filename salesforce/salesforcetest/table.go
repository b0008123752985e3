package salesforcetest

import (
	"iter"
	"sort"
	"strings"
)

// rowState is where a row is in its life.
type rowState uint8

const (
	rowAbsent rowState = iota // never was, or purged
	rowLive
	rowDeleted // in the recycle bin
)

// row is one record. The blob is immutable: a write replaces it, which is what
// makes undoing a transaction cheap.
type row struct {
	blob                  string
	created, modified     int64 // Unix milliseconds
	createdBy, modifiedBy uint32
	logAt                 uint32 // this row's newest place in the table's log
	writes                uint16
	state                 rowState
}

// get decodes one slot.
func (r *row) get(slot int) value {
	for blob := r.blob; blob != ""; {
		at, v, rest := nextSlot(blob)
		if at == slot {
			return v
		}
		if at > slot {
			break
		}
		blob = rest
	}
	return value{}
}

const pageRows = 1024

// logEntry says that a row was written at a time; only the entry that the row
// itself points at counts.
type logEntry struct {
	ms  int64
	seq uint32
}

// table holds the rows of one object: pages by number, one look-up per indexed
// field, and a log in time order that serves SystemModstamp filters.
type table struct {
	obj     *object
	pages   [][]row
	next    uint32 // number of the next row, from 1
	live    int
	indexes []*index // by slot, nil where the field has none
	log     []logEntry
	auto    int // last automatic number
}

func newTable(o *object) *table {
	t := &table{obj: o, next: 1, indexes: make([]*index, len(o.fields))}
	for _, f := range o.fields {
		if f.indexed() {
			t.indexes[f.slot] = newIndex(f)
		}
	}
	return t
}

// at returns the row with a number, or nil when no such row was ever made.
func (t *table) at(seq uint32) *row {
	page := int(seq / pageRows)
	if seq == 0 || seq >= t.next || page >= len(t.pages) {
		return nil
	}
	r := &t.pages[page][seq%pageRows]
	if r.state == rowAbsent {
		return nil
	}
	return r
}

// reserve takes the next row number.
func (t *table) reserve() uint32 {
	seq := t.next
	for int(seq/pageRows) >= len(t.pages) {
		t.pages = append(t.pages, make([]row, pageRows))
	}
	t.next++
	return seq
}

// put replaces a row whole and keeps indexes, counters and log in step.
func (t *table) put(seq uint32, now row) {
	slot := &t.pages[seq/pageRows][seq%pageRows]
	was := *slot
	if was.state == rowLive {
		t.live--
	}
	if now.state == rowLive {
		t.live++
	}
	for _, ix := range t.indexes {
		if ix != nil {
			ix.move(seq, was, now)
		}
	}
	now.logAt = t.record(max(now.modified, t.lastLogged()), seq)
	*slot = now
	t.compact()
}

func (t *table) lastLogged() int64 {
	if len(t.log) == 0 {
		return 0
	}
	return t.log[len(t.log)-1].ms
}

func (t *table) record(ms int64, seq uint32) uint32 {
	t.log = append(t.log, logEntry{ms: ms, seq: seq})
	return uint32(len(t.log) - 1)
}

// compact drops the log's outlived entries once they are the larger part.
func (t *table) compact() {
	if len(t.log) < 2*int(t.next)+1024 {
		return
	}
	kept := t.log[:0]
	for i, e := range t.log {
		r := &t.pages[e.seq/pageRows][e.seq%pageRows]
		if r.logAt == uint32(i) && r.state != rowAbsent {
			r.logAt = uint32(len(kept))
			kept = append(kept, e)
		}
	}
	t.log = kept
}

// since visits the rows written at or after ms, oldest write first. A row whose
// last write was undone may be visited although it is older.
func (t *table) since(ms int64) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		from := sort.Search(len(t.log), func(i int) bool { return t.log[i].ms >= ms })
		for i := from; i < len(t.log); i++ {
			seq := t.log[i].seq
			if r := t.at(seq); r != nil && r.logAt == uint32(i) && !yield(seq) {
				return
			}
		}
	}
}

// from visits all rows from a row number on, in the order of their creation.
func (t *table) from(seq uint32) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for ; seq < t.next; seq++ {
			if t.at(seq) != nil && !yield(seq) {
				return
			}
		}
	}
}

// createdSince is the first row number that may have been created at or after ms.
func (t *table) createdSince(ms int64) uint32 {
	n := sort.Search(int(t.next), func(i int) bool {
		seq := uint32(i)
		for seq < t.next && t.at(seq) == nil { // gaps left by undone inserts
			seq++
		}
		if seq >= t.next {
			return true
		}
		return t.at(seq).created >= ms
	})
	return uint32(n)
}

// index finds live rows by one field's content.
type index struct {
	field *field
	one   map[string]uint32   // keys with a single row: nearly all of them
	many  map[string][]uint32 // keys with several
}

func newIndex(f *field) *index {
	return &index{field: f, one: map[string]uint32{}, many: map[string][]uint32{}}
}

// key is the form in which two contents of the field are the same.
func (ix *index) key(v value) string {
	if v.k == kText && !ix.field.caseSens {
		return strings.ToLower(v.s)
	}
	if v.k == kText {
		return v.s
	}
	var b [16]byte
	return string(appendSlot(b[:0], 0, v))
}

// find returns the rows that hold v.
func (ix *index) find(v value) []uint32 {
	k := ix.key(v)
	if list := ix.many[k]; list != nil {
		return list
	}
	if seq, found := ix.one[k]; found {
		return []uint32{seq}
	}
	return nil
}

func (ix *index) move(seq uint32, was, now row) {
	var old, fresh value
	if was.state == rowLive {
		old = was.get(ix.field.slot)
	}
	if now.state == rowLive {
		fresh = now.get(ix.field.slot)
	}
	if old == fresh {
		return
	}
	if old.k != kNull {
		ix.drop(ix.key(old), seq)
	}
	if fresh.k != kNull {
		ix.add(strings.Clone(ix.key(fresh)), seq)
	}
}

func (ix *index) add(k string, seq uint32) {
	if list := ix.many[k]; list != nil {
		ix.many[k] = append(list, seq)
		return
	}
	if first, taken := ix.one[k]; taken {
		delete(ix.one, k)
		ix.many[k] = []uint32{first, seq}
		return
	}
	ix.one[k] = seq
}

func (ix *index) drop(k string, seq uint32) {
	list := ix.many[k]
	if list == nil {
		delete(ix.one, k)
		return
	}
	kept := make([]uint32, 0, len(list))
	for _, s := range list {
		if s != seq {
			kept = append(kept, s)
		}
	}
	if len(kept) == 1 {
		delete(ix.many, k)
		ix.one[k] = kept[0]
		return
	}
	ix.many[k] = kept
}

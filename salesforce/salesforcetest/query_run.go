package salesforcetest

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// cell is one field of one row, wherever it lives.
func (s *Server) cell(t *table, seq uint32, r *row, f *field) value {
	switch f.src {
	case fromBlob:
		return r.get(f.slot)
	case fromID:
		return refValue(t.obj, seq)
	case fromDeleted:
		return boolValue(r.state == rowDeleted)
	case fromCreated:
		return timeValue(r.created)
	case fromModified:
		return timeValue(r.modified)
	case fromCreatedBy:
		return refValue(s.schema.object("User"), r.createdBy)
	case fromModifiedBy:
		return refValue(s.schema.object("User"), r.modifiedBy)
	default:
		ref := t.obj.field(f.viaRef)
		pt, pseq, parent := s.follow(r.get(ref.slot))
		if parent == nil {
			return value{}
		}
		return s.cell(pt, pseq, parent, pt.obj.field(f.viaField))
	}
}

// follow finds the row a reference points at; nil when it is gone.
func (s *Server) follow(v value) (*table, uint32, *row) {
	if v.k != kRef {
		return nil, 0, nil
	}
	num, seq := v.target()
	t := s.tables[num]
	r := t.at(seq)
	return t, seq, r
}

// read follows a path from a row.
func (s *Server) read(t *table, seq uint32, r *row, way *reach) value {
	for _, step := range way.steps {
		if t, seq, r = s.follow(s.cell(t, seq, r, step)); r == nil {
			return value{}
		}
	}
	return s.cell(t, seq, r, way.leaf)
}

// order compares two contents of a field that are not null. Text ignores case.
func (s *Server) order(f *field, a, b value) int {
	switch {
	case a.k == kText && f.caseSens:
		return cmp.Compare(a.s, b.s)
	case a.k == kText:
		return cmp.Compare(strings.ToLower(a.s), strings.ToLower(b.s))
	case a.k == kNumber:
		return cmp.Compare(a.float(), b.float())
	case a.k == kRef && a.n != b.n && a.n>>32 != b.n>>32 && a.n >= 0 && b.n >= 0:
		return cmp.Compare(s.refText(a), s.refText(b))
	default:
		return cmp.Compare(a.n, b.n)
	}
}

// run finds the rows of a plan in order. The count is all that match, before
// OFFSET and LIMIT are applied to counting queries.
func (s *Server) run(p *plan) []uint32 {
	t := s.table(p.obj)
	var found []uint32
	enough := -1
	if p.limit >= 0 && len(p.sorting) == 0 {
		enough = p.offset + p.limit
	}
	for seq := range s.candidates(p) {
		if enough >= 0 && len(found) >= enough {
			break
		}
		r := t.at(seq)
		if r == nil || r.state == rowDeleted && !p.deleted {
			continue
		}
		if p.filter == nil || p.filter(seq, r) {
			found = append(found, seq)
		}
	}
	s.sortRows(p, found)
	found = found[min(p.offset, len(found)):]
	if p.limit >= 0 {
		found = found[:min(p.limit, len(found))]
	}
	return found
}

// sortRows orders by the plan's keys; rows that tie keep the order of their ids.
func (s *Server) sortRows(p *plan, rows []uint32) {
	if len(p.sorting) == 0 {
		return
	}
	t := s.table(p.obj)
	type keyed struct {
		seq  uint32
		keys []value
	}
	list := make([]keyed, len(rows))
	for i, seq := range rows {
		keys := make([]value, len(p.sorting))
		for k, by := range p.sorting {
			keys[k] = s.read(t, seq, t.at(seq), by.by)
		}
		list[i] = keyed{seq, keys}
	}
	slices.SortFunc(list, func(a, b keyed) int {
		for k, by := range p.sorting {
			if d := s.sortOrder(by, a.keys[k], b.keys[k]); d != 0 {
				return d
			}
		}
		return cmp.Compare(a.seq, b.seq)
	})
	for i := range list {
		rows[i] = list[i].seq
	}
}

func (s *Server) sortOrder(by sortKey, a, b value) int {
	if a.k == kNull || b.k == kNull {
		d := 0
		switch {
		case a.k != kNull:
			d = 1
		case b.k != kNull:
			d = -1
		}
		if by.nullsLast {
			d = -d
		}
		return d
	}
	d := s.order(by.by.leaf, a, b)
	if by.desc {
		d = -d
	}
	return d
}

// narrowing is a way to the rows that may match, so that not all are visited.
type narrowing struct {
	field  *field
	values []value // rows that hold one of these
	since  int64   // rows from this time on, when values is nil
}

// narrow looks among the conditions that must all hold for one that an index
// serves: Id, an external id or reference, or a lower bound of time.
func (c *compiler) narrow(where condition, all bool) *narrowing {
	switch w := where.(type) {
	case *junction:
		if !w.and {
			return nil
		}
		var best *narrowing
		for _, term := range w.terms {
			if n := c.narrow(term, all); n != nil && (best == nil || n.values != nil) {
				best = n
			}
		}
		return best
	case *comparison:
		if len(w.path) == 1 {
			return c.narrowBy(w, all)
		}
	}
	return nil
}

func (c *compiler) narrowBy(w *comparison, all bool) *narrowing {
	f := c.obj.field(w.path[0].text)
	n := &narrowing{field: f}
	inTime := f.src == fromModified || f.src == fromCreated
	switch {
	case (w.op == "=" || w.op == "IN") && (f.src == fromID || f.indexed() && !all):
	case inTime && (w.op == ">" || w.op == ">=" || w.op == "="):
	default:
		return nil
	}
	for _, tok := range w.values {
		b, err := c.literal(f, tok, w)
		if err != nil || b.lo.k == kNull {
			return nil // null is in no index
		}
		if inTime {
			n.since = b.lo.n
			return n
		}
		n.values = append(n.values, b.lo)
	}
	return n
}

// candidates visits a superset of the rows that match, in the order of ids
// unless the plan sorts anyway.
func (s *Server) candidates(p *plan) iter.Seq[uint32] {
	t, n := s.table(p.obj), p.narrow
	switch {
	case n == nil:
		return t.from(1)
	case n.values == nil && n.field.src == fromCreated:
		return t.from(max(1, t.createdSince(n.since)))
	case n.values == nil:
		rows := slices.Collect(t.since(n.since))
		slices.Sort(rows)
		return slices.Values(rows)
	}
	var rows []uint32
	for _, v := range n.values {
		if n.field.src != fromID {
			rows = append(rows, t.indexes[n.field.slot].find(v)...)
		} else if num, seq := v.target(); num == p.obj.num {
			rows = append(rows, seq)
		}
	}
	slices.Sort(rows)
	return slices.Values(slices.Compact(rows))
}

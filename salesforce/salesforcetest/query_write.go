package salesforcetest

import "strconv"

// appendRecord writes one row as query and row answers show it.
func (s *Server) appendRecord(b []byte, base string, t *table, seq uint32, cols []*column) []byte {
	r := t.at(seq)
	b = append(b, `{"attributes":{"type":"`...)
	b = append(b, t.obj.name...)
	b = append(b, `","url":"`...)
	b = append(b, base...)
	b = append(b, "/sobjects/"...)
	b = append(b, t.obj.name...)
	b = append(b, '/')
	b = append(b, formatID(t.obj.prefix, seq)...)
	b = append(b, `"}`...)
	vals := s.spread
	clear(vals[:len(t.obj.fields)])
	unpack(r.blob, vals[:len(t.obj.fields)])
	var parents []*column
	for _, c := range cols {
		if c.parent != nil {
			parents = append(parents, c)
		}
	}
	if parents != nil { // parents reuse the scratch, so take what is needed first
		vals = append([]value(nil), vals[:len(t.obj.fields)]...)
	}
	for _, c := range cols {
		b = append(b, `,"`...)
		b = append(b, c.name...)
		b = append(b, `":`...)
		if c.parent != nil {
			b = s.appendParent(b, base, s.cell(t, seq, r, c.parent), c.kids)
			continue
		}
		v := vals[c.leaf.slot]
		if c.leaf.src != fromBlob {
			v = s.cell(t, seq, r, c.leaf)
		}
		if c.leaf.typ == typeBase64 && v.k != kNull { // bytes are fetched from there
			b = appendString(b, base+"/sobjects/"+t.obj.name+"/"+formatID(t.obj.prefix, seq)+"/"+c.leaf.name)
			continue
		}
		b = s.appendValue(b, c.leaf, v)
	}
	return append(b, '}')
}

func (s *Server) appendParent(b []byte, base string, to value, kids []*column) []byte {
	pt, pseq, parent := s.follow(to)
	if parent == nil {
		return append(b, "null"...)
	}
	return s.appendRecord(b, base, pt, pseq, kids)
}

// cursor is a query whose rows were found and whose pages are written when asked.
type cursor struct {
	plan   *plan
	rows   []uint32
	opened int64 // Unix milliseconds
}

const (
	// cursorLife is how long a query can be continued.
	cursorLife = 2 * dayMs
	// widePage bounds a page with long texts, in bytes: a real org shortens such
	// pages, below the batch size that was asked for.
	widePage = 1 << 20
)

// page writes one page of a cursor from a position on.
func (s *Server) page(base, locator string, cur *cursor, from, size int) []byte {
	t := s.table(cur.plan.obj)
	records := []byte{'['}
	at := from
	for ; at < len(cur.rows) && at-from < size; at++ {
		if cur.plan.wide && at-from >= 200 && len(records) > widePage {
			break
		}
		if t.at(cur.rows[at]) == nil {
			continue // purged since the query ran
		}
		if len(records) > 1 {
			records = append(records, ',')
		}
		records = s.appendRecord(records, base, t, cur.rows[at], cur.plan.columns)
	}
	b := append(make([]byte, 0, len(records)+200), `{"totalSize":`...)
	b = strconv.AppendInt(b, int64(len(cur.rows)), 10)
	if at < len(cur.rows) {
		b = append(b, `,"done":false,"nextRecordsUrl":"`...)
		b = append(b, base+"/query/"+locator+"-"+strconv.Itoa(at)...)
		b = append(b, '"')
	} else {
		b = append(b, `,"done":true`...)
	}
	b = append(b, `,"records":`...)
	b = append(b, records...)
	return append(b, "]}"...)
}

package salesforcetest

import (
	"strconv"
	"strings"
)

// runQuery serves GET /query?q=.
func (c *call) runQuery() (*reply, *Error) { return c.find(false) }

func (c *call) queryAll() (*reply, *Error) { return c.find(true) }

func (c *call) find(all bool) (*reply, *Error) {
	if err := c.only("q"); err != nil {
		return nil, err
	}
	if err := c.noBody(); err != nil {
		return nil, err
	}
	if !c.query.Has("q") || len(c.query["q"]) > 1 {
		return nil, fail(400, "MALFORMED_QUERY", "A query string has to be specified")
	}
	size, err := c.batchSize()
	if err != nil {
		return nil, err
	}
	p, err := c.s.compile(c.query.Get("q"), all)
	if err != nil {
		return nil, err
	}
	rows := c.s.run(p)
	switch {
	case p.counting:
		return ok([]byte(`{"totalSize":` + strconv.Itoa(len(rows)) + `,"done":true,"records":[]}`)), nil
	case len(p.counts) > 0:
		return ok(c.s.aggregate(p, rows)), nil
	}
	cur := &cursor{plan: p, rows: rows, opened: c.s.now()}
	locator := ""
	if len(rows) > 200 { // shorter answers are never continued
		c.s.cursorNo++
		locator = formatID("01g", uint32(c.s.cursorNo))
		c.s.keep(locator, cur)
	}
	return ok(c.s.page(c.base, locator, cur, 0, size)), nil
}

// keep remembers a cursor and forgets those past their time.
func (s *Server) keep(locator string, cur *cursor) {
	for k, old := range s.cursors {
		if cur.opened-old.opened > cursorLife {
			delete(s.cursors, k)
		}
	}
	s.cursors[locator] = cur
}

// batchSize reads Sforce-Query-Options: 200 to 2,000, brought into that range.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_queryoptions.htm
func (c *call) batchSize() (int, *Error) {
	text := c.header.Get("Sforce-Query-Options")
	if text == "" {
		return 2000, nil
	}
	digits, named := strings.CutPrefix(text, "batchSize=")
	n, err := strconv.Atoi(strings.TrimSpace(digits))
	if !named || err != nil {
		return 0, fail(400, "INVALID_QUERY_OPTIONS", "Invalid Sforce-Query-Options header: "+text)
	}
	return max(200, min(n, 2000)), nil
}

// queryMore serves GET /query/{locator}.
func (c *call) queryMore() (*reply, *Error) {
	if err := c.only(); err != nil {
		return nil, err
	}
	size, err := c.batchSize()
	if err != nil {
		return nil, err
	}
	name, text, _ := strings.Cut(c.segs[1], "-")
	cur := c.s.cursors[name]
	at, bad := strconv.Atoi(text)
	if cur == nil || bad != nil || at < 0 || at > len(cur.rows) || c.s.now()-cur.opened > cursorLife {
		return nil, fail(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
	}
	return ok(c.s.page(c.base, name, cur, at, size)), nil
}

// aggregate writes the one row of COUNT(field) queries.
func (s *Server) aggregate(p *plan, rows []uint32) []byte {
	t := s.table(p.obj)
	b := []byte(`{"totalSize":1,"done":true,"records":[{"attributes":{"type":"AggregateResult"}`)
	for _, count := range p.counts {
		n := 0
		for _, seq := range rows {
			if s.read(t, seq, t.at(seq), count.by).k != kNull {
				n++
			}
		}
		b = append(b, ',')
		b = appendString(b, count.name)
		b = append(b, ':')
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, "}]}"...)
}

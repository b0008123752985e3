package salesforcetest

import (
	"strconv"
	"strings"
	"time"
)

// limits serves GET /limits, for the limits that this org keeps.
func (c *call) limits() (*reply, *Error) {
	if err := c.only(); err != nil {
		return nil, err
	}
	pair := func(limit, left int) map[string]int { return map[string]int{"Max": limit, "Remaining": max(0, left)} }
	used := c.s.usage.used(time.Now())
	return marshalled(map[string]any{
		"DailyApiRequests": pair(c.s.opts.DailyLimit, c.s.opts.DailyLimit-used),
		"DataStorageMB":    pair(c.s.opts.StorageMB, c.s.opts.StorageMB-c.s.storageUsedKB()/1024),
		"FileStorageMB":    pair(10_240, 10_240),
	}), nil
}

// recordCount serves GET /limits/recordCount; unknown names are left out.
func (c *call) recordCount() (*reply, *Error) {
	if err := c.only("sObjects"); err != nil {
		return nil, err
	}
	list := []any{}
	for _, o := range c.s.schema.objects {
		asked := !c.query.Has("sObjects")
		for name := range strings.SplitSeq(c.query.Get("sObjects"), ",") {
			asked = asked || strings.EqualFold(strings.TrimSpace(name), o.name)
		}
		if asked && !o.hidden {
			list = append(list, map[string]any{"name": o.name, "count": c.s.table(o).live})
		}
	}
	return marshalled(map[string]any{"sObjects": list}), nil
}

// window reads ?start= and ?end=, which may span less than 30 days.
func (c *call) window() (from, to int64, err *Error) {
	if err := c.only("start", "end"); err != nil {
		return 0, 0, err
	}
	for i, name := range []string{"start", "end"} {
		ms, good := parseTime(c.query.Get(name))
		if !good {
			return 0, 0, fail(400, "INVALID_REPLICATION_DATE", name+" is missing or not a date and time: '"+c.query.Get(name)+"'")
		}
		if i == 0 {
			from = ms
		} else {
			to = ms
		}
	}
	if to <= from || to-from >= 30*dayMs || from > c.s.now() || c.s.now()-from >= 30*dayMs {
		return 0, 0, fail(400, "INVALID_REPLICATION_DATE", "the window must lie within the last 30 days, start before end")
	}
	return from, min(to, c.s.now()), nil
}

// updatedRows serves GET /sobjects/{O}/updated/.
func (c *call) updatedRows() (*reply, *Error) {
	return c.changes(rowLive, func(b []byte, o *object, seq uint32, _ *row) []byte {
		return appendString(b, formatID(o.prefix, seq))
	}, `{"ids":[`, "")
}

// deletedRows serves GET /sobjects/{O}/deleted/.
func (c *call) deletedRows() (*reply, *Error) {
	earliest := string(appendTime(nil, c.s.now()-15*dayMs))
	return c.changes(rowDeleted, func(b []byte, o *object, seq uint32, r *row) []byte {
		b = append(b, '{')
		b = appendPair(b, "deletedDate", string(appendTime(nil, r.modified)))
		b = append(b, ',')
		b = appendPair(b, "id", formatID(o.prefix, seq))
		return append(b, '}')
	}, `{"deletedRecords":[`, `,"earliestDateAvailable":`+strconv.Quote(earliest))
}

func (c *call) changes(state rowState, one func([]byte, *object, uint32, *row) []byte, head, tail string) (*reply, *Error) {
	o, err := c.object(c.segs[1])
	if err != nil {
		return nil, err
	}
	from, to, err := c.window()
	if err != nil {
		return nil, err
	}
	t, b, n := c.s.table(o), []byte(head), 0
	for seq := range t.since(from) {
		if r := t.at(seq); r.state == state && r.modified >= from && r.modified < to {
			if n > 0 {
				b = append(b, ',')
			}
			n++
			b = one(b, o, seq, r)
		}
	}
	b = append(b, ']')
	b = append(b, tail...)
	b = append(b, `,"latestDateCovered":"`...)
	b = appendTime(b, to)
	return ok(append(b, `"}`...)), nil
}

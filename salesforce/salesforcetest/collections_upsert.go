package salesforcetest

import (
	"net/url"
	"strings"
)

// upsertMany serves PATCH /composite/sobjects/{O}/{field}.
func (c *call) upsertMany() (*reply, *Error) {
	o, err := c.object(c.segs[2])
	if err != nil {
		return nil, err
	}
	if c.version < 46 {
		return nil, notFound()
	}
	f, err := c.keyField(o, c.segs[3])
	if err != nil {
		return nil, err
	}
	list, all, err := c.rows()
	if err != nil {
		return nil, err
	}
	records, err := c.bindAll(list)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		if r.obj != nil && r.obj != o {
			return nil, fail(400, "INVALID_INPUT", "all records must be of the type in the URL: "+o.name)
		}
	}
	if f.src == fromID {
		return c.upsertByID(records, all), nil
	}
	twice := c.repeated(records, f)
	seen := map[string]bool{}
	return c.each(records, all, true, func(r *record) outcome { return c.upsertRecord(r, f, twice, seen) }), nil
}

// repeated finds the keys that two records of one call share.
func (c *call) repeated(records []*record, f *field) map[string]bool {
	count, out := make(map[string]bool, len(records)), map[string]bool{}
	ix := c.s.tables[recordsTable(records)].indexes[f.slot]
	for _, r := range records {
		v := r.valueOf(f)
		if v.k == kNull {
			continue
		}
		k := ix.key(v)
		if count[k] {
			out[k] = true
		}
		count[k] = true
	}
	return out
}

func recordsTable(records []*record) int {
	for _, r := range records {
		if r.obj != nil {
			return r.obj.num
		}
	}
	return 0
}

func (c *call) upsertRecord(r *record, f *field, twice, seen map[string]bool) outcome {
	fails := func(e *Error) outcome { return outcome{errs: []*Error{e}} }
	if r.id != "" {
		return fails(refuse("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an upsert call by "+f.name, "Id"))
	}
	v := r.valueOf(f)
	if v.k == kNull {
		if r.errs != nil {
			return outcome{errs: r.errs}
		}
		return fails(refuse("MISSING_ARGUMENT", f.name+" not specified"))
	}
	ix := c.s.table(r.obj).indexes[f.slot]
	if k := ix.key(v); twice[k] {
		if seen[k] || !c.s.opts.SecondDuplicateFails {
			return fails(refuse("DUPLICATE_VALUE", "Duplicate external id specified: "+v.s))
		}
		seen[k] = true
	}
	rows := ix.find(v)
	switch len(rows) {
	case 0:
		seq, errs := c.insertRow(r)
		if errs != nil {
			return outcome{errs: errs}
		}
		return outcome{id: formatID(r.obj.prefix, seq), created: true}
	case 1:
		seq := rows[0]
		return outcome{id: formatID(r.obj.prefix, seq), errs: c.changeRow(r, seq)}
	default:
		return fails(refuse("INVALID_FIELD", "More than one record found for external id field: "+f.name))
	}
}

// upsertByID updates the records that have an Id and inserts the others.
func (c *call) upsertByID(records []*record, all bool) *reply {
	return c.each(records, all, true, func(r *record) outcome {
		if r.id == "" {
			seq, errs := c.insertRow(r)
			if errs != nil {
				return outcome{errs: errs}
			}
			return outcome{id: formatID(r.obj.prefix, seq), created: true}
		}
		seq, e := c.rowByID(r.obj, r.id)
		if e != nil {
			return outcome{errs: []*Error{e}}
		}
		return outcome{id: formatID(r.obj.prefix, seq), errs: c.changeRow(r, seq)}
	})
}

// maxRead is how many ids one POST may read.
const maxRead = 2000

// readMany serves GET and POST /composite/sobjects/{O}. A missing row is null in
// its place.
func (c *call) readMany() (*reply, *Error) {
	o, err := c.object(c.segs[2])
	if err != nil {
		return nil, err
	}
	ids, fields, err := c.wanted()
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 || len(fields) == 0 {
		return nil, fail(400, "REQUIRED_FIELD_MISSING", "ids and fields are required")
	}
	if len(ids) > maxRead {
		return nil, fail(400, "EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than 2000 records into this call")
	}
	cols, err := c.columns(o, strings.Join(fields, ","), true)
	if err != nil {
		return nil, err
	}
	b := []byte{'['}
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		prefix, seq, good := parseID(id)
		if !good {
			return nil, fail(400, "MALFORMED_ID", "malformed id "+id)
		}
		if r := c.s.table(o).at(seq); prefix == o.prefix && r != nil && r.state == rowLive {
			b = c.s.appendRecord(b, c.base, c.s.table(o), seq, cols)
		} else {
			b = append(b, "null"...)
		}
	}
	return ok(append(b, ']')), nil
}

func (c *call) wanted() (ids, fields []string, err *Error) {
	if c.method == "GET" {
		if err := c.only("ids", "fields"); err != nil {
			return nil, nil, err
		}
		return list(c.query, "ids"), list(c.query, "fields"), c.noBody()
	}
	if err := c.only(); err != nil {
		return nil, nil, err
	}
	if err := c.members("ids", "fields"); err != nil {
		return nil, nil, err
	}
	for _, key := range []string{"ids", "fields"} {
		n := c.body.get(key)
		if n == nil || n.kind != nodeArray {
			continue
		}
		for i := range n.kids {
			if n.kids[i].kind != nodeString {
				return nil, nil, cannotRead("string", &n.kids[i])
			}
			if key == "ids" {
				ids = append(ids, n.kids[i].text)
			} else {
				fields = append(fields, n.kids[i].text)
			}
		}
	}
	return ids, fields, nil
}

func list(query url.Values, key string) []string {
	text := query.Get(key)
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

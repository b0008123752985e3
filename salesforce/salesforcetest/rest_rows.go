package salesforcetest

import (
	"net/http"
	"strings"
	"time"
)

// locate finds the live row an id of the path names. An id of another object, or
// of none, is not found; one in the recycle bin is deleted.
func (c *call) locate(o *object, id string) (uint32, *Error) {
	prefix, seq, good := parseID(id)
	if !good {
		return 0, fail(http.StatusNotFound, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: "+id)
	}
	r := c.s.table(o).at(seq)
	if prefix != o.prefix || r == nil {
		return 0, notFound()
	}
	if r.state == rowDeleted {
		return 0, entityIsDeleted()
	}
	return seq, nil
}

// keyField finds the external id field of a path.
func (c *call) keyField(o *object, name string) (*field, *Error) {
	f := o.visible(name)
	if f == nil || !f.externalID && !f.idLookup {
		return nil, fail(http.StatusNotFound, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: "+name)
	}
	return f, nil
}

// byKey finds the live rows whose external id has a value.
func (c *call) byKey(o *object, f *field, text string) ([]uint32, *Error) {
	v, bad := c.s.convert(f, &node{kind: nodeString, text: text})
	if bad != nil {
		return nil, bad
	}
	if v.k == kNull {
		return nil, notFound()
	}
	return c.s.table(o).indexes[f.slot].find(v), nil
}

// choices is the 300 answer: a bare array of record URLs.
func (c *call) choices(o *object, rows []uint32) *reply {
	urls := make([]string, len(rows))
	for i, seq := range rows {
		urls[i] = c.base + "/sobjects/" + o.name + "/" + formatID(o.prefix, seq)
	}
	return &reply{status: http.StatusMultipleChoices, body: appendStrings(nil, urls)}
}

// getRow serves GET /sobjects/{O}/{id}.
func (c *call) getRow() (*reply, *Error) {
	o, err := c.object(c.segs[1])
	if err != nil {
		return nil, err
	}
	seq, err := c.locate(o, c.segs[2])
	if err != nil {
		return nil, err
	}
	return c.rowReply(o, seq)
}

// getByKey serves GET /sobjects/{O}/{field}/{value}, and a ContentVersion's data.
func (c *call) getByKey() (*reply, *Error) {
	o, err := c.object(c.segs[1])
	if err != nil {
		return nil, err
	}
	if f := o.visible(c.segs[3]); f != nil && f.typ == typeBase64 {
		return c.versionData(o)
	}
	f, err := c.keyField(o, c.segs[2])
	if err != nil {
		return nil, err
	}
	if f.src == fromID {
		c.segs = []string{c.segs[0], c.segs[1], c.segs[3]}
		return c.getRow()
	}
	rows, err := c.byKey(o, f, c.segs[3])
	switch {
	case err != nil:
		return nil, err
	case len(rows) == 0:
		return nil, notFound()
	case len(rows) > 1:
		return c.choices(o, rows), nil
	}
	return c.rowReply(o, rows[0])
}

func (c *call) rowReply(o *object, seq uint32) (*reply, *Error) {
	if err := c.only("fields"); err != nil {
		return nil, err
	}
	if err := c.noBody(); err != nil {
		return nil, err
	}
	r := c.s.table(o).at(seq)
	modified := time.UnixMilli(r.modified).UTC().Truncate(time.Second)
	if since, err := http.ParseTime(c.header.Get("If-Modified-Since")); err == nil && !modified.After(since) {
		return &reply{status: http.StatusNotModified}, nil
	}
	cols, err := c.columns(o, c.query.Get("fields"), c.query.Has("fields"))
	if err != nil {
		return nil, err
	}
	body := c.s.appendRecord(nil, c.base, c.s.table(o), seq, cols)
	return ok(body).set("Last-Modified", modified.Format(http.TimeFormat)), nil
}

// columns turns a comma separated list of fields into columns; without a list
// they are all the user may read.
func (c *call) columns(o *object, list string, given bool) ([]*column, *Error) {
	p := &plan{obj: o}
	if !given {
		for _, f := range o.fields {
			if !f.hidden {
				p.addColumn(&reach{leaf: f})
			}
		}
		return p.columns, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		f := o.visible(strings.TrimSpace(name))
		if f == nil {
			return nil, fail(400, "INVALID_FIELD", "No such column '"+name+"' on sobject of type "+o.name)
		}
		p.addColumn(&reach{leaf: f}) // asked for twice is answered once
	}
	return p.columns, nil
}

// hook builds the map that row faults choose by.
func (r *record) hook(prefix string, seq uint32) map[string]any {
	out := map[string]any{"attributes": map[string]any{"type": r.obj.name}}
	if r.src != nil {
		for i := range r.src.kids {
			if k := &r.src.kids[i]; k.key != "attributes" {
				out[k.key] = k.plain()
			}
		}
	}
	if seq != 0 {
		out["Id"] = formatID(prefix, seq)
	}
	return out
}

// plain is a JSON value as encoding/json would make it, numbers as float64.
func (n *node) plain() any {
	switch n.kind {
	case nodeString:
		return n.text
	case nodeBool:
		return n.text == "true"
	case nodeNumber:
		v, _ := convertNumber(&field{typ: typeDouble, precision: 300, scale: 18}, n) //nolint:errcheck // a JSON number always converts
		return v.float()
	case nodeArray:
		var out []any
		for i := range n.kids {
			out = append(out, n.kids[i].plain())
		}
		return out
	case nodeObject:
		out := map[string]any{}
		for i := range n.kids {
			out[n.kids[i].key] = n.kids[i].plain()
		}
		return out
	default:
		return nil
	}
}

// refused asks the faults of this request whether a row is to be refused.
func (c *call) refused(r *record, seq uint32) []*Error {
	for _, choose := range c.refuse {
		if why := choose(r.hook(r.obj.prefix, seq)); why != nil {
			return []*Error{refuse(why.Code, why.Message, why.Fields...)}
		}
	}
	return nil
}

// insertRow and updateRow below are the ways in which requests write rows.
func (c *call) insertRow(r *record) (uint32, []*Error) {
	if errs := c.refused(r, 0); errs != nil {
		return 0, errs
	}
	if r.errs != nil {
		return 0, r.errs
	}
	return c.s.insert(c.x, r, false)
}

func (c *call) changeRow(r *record, seq uint32) []*Error {
	if errs := c.refused(r, seq); errs != nil {
		return errs
	}
	if r.errs != nil {
		return r.errs
	}
	return c.s.update(c.x, r, seq, false)
}

func (c *call) removeRow(o *object, seq uint32) []*Error {
	mark := len(c.x.undo)
	errs := c.refused(&record{obj: o}, seq)
	if errs == nil {
		errs = c.s.remove(c.x, o, seq, false)
	}
	if errs != nil {
		c.x.rollback(mark)
	}
	return errs
}

// problems is the error array of a row's faults.
func (c *call) problems(errs []*Error) *reply { return errorReply(c.s.flip(), errs...) }

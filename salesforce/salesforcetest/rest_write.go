package salesforcetest

import (
	"net/http"
	"strings"
	"time"
)

// createRow serves POST /sobjects/{O}.
func (c *call) createRow() (*reply, *Error) {
	o, err := c.object(c.segs[1])
	if err != nil {
		return nil, err
	}
	if err := c.only(); err != nil {
		return nil, err
	}
	r, err := c.payload(o)
	if err != nil {
		return nil, err
	}
	seq, errs := c.insertRow(r)
	if errs != nil {
		return c.problems(errs), nil
	}
	return c.created(o, seq, ""), nil
}

// createByID serves POST /sobjects/{O}/Id, which inserts.
func (c *call) createByID() (*reply, *Error) {
	if !strings.EqualFold(c.segs[2], "Id") {
		return nil, methodNotAllowed("POST", "DELETE", "GET", "HEAD", "PATCH")
	}
	return c.createRow()
}

func (c *call) payload(o *object) (*record, *Error) {
	if c.body == nil {
		return nil, jsonError("The HTTP entity body is required, but this request has no entity body.")
	}
	return c.s.bind(o, c.body)
}

func (c *call) created(o *object, seq uint32, flag string) *reply {
	id := formatID(o.prefix, seq)
	body := `{"id":"` + id + `","success":true,"errors":[]` + flag + `}`
	return (&reply{status: http.StatusCreated, body: []byte(body)}).set("Location", c.base+"/sobjects/"+o.name+"/"+id)
}

// updateRow serves PATCH /sobjects/{O}/{id}.
func (c *call) updateRow() (*reply, *Error) {
	o, err := c.object(c.segs[1])
	if err != nil {
		return nil, err
	}
	if err := c.only(); err != nil {
		return nil, err
	}
	seq, err := c.locate(o, c.segs[2])
	if err != nil {
		return nil, err
	}
	r, err := c.payload(o)
	if err != nil {
		return nil, err
	}
	if r.id != "" {
		return nil, refuse("INVALID_FIELD", "The Id field should not be specified in the sobject data.")
	}
	modified := time.UnixMilli(c.s.table(o).at(seq).modified).Truncate(time.Second)
	if until, bad := http.ParseTime(c.header.Get("If-Unmodified-Since")); bad == nil && modified.After(until) {
		return &reply{status: http.StatusPreconditionFailed}, nil
	}
	if errs := c.changeRow(r, seq); errs != nil {
		return c.problems(errs), nil
	}
	return &reply{status: http.StatusNoContent}, nil
}

// deleteRow serves DELETE /sobjects/{O}/{id}.
func (c *call) deleteRow() (*reply, *Error) {
	o, err := c.object(c.segs[1])
	if err != nil {
		return nil, err
	}
	seq, err := c.locate(o, c.segs[2])
	if err != nil {
		return nil, err
	}
	return c.deleted(o, seq)
}

func (c *call) deleted(o *object, seq uint32) (*reply, *Error) {
	if err := c.only(); err != nil {
		return nil, err
	}
	if errs := c.removeRow(o, seq); errs != nil {
		return c.problems(errs), nil
	}
	return &reply{status: http.StatusNoContent}, nil
}

// deleteByKey serves DELETE /sobjects/{O}/{field}/{value}.
func (c *call) deleteByKey() (*reply, *Error) {
	o, err := c.object(c.segs[1])
	if err != nil {
		return nil, err
	}
	f, err := c.keyField(o, c.segs[2])
	if err != nil {
		return nil, err
	}
	if f.src == fromID {
		c.segs = []string{c.segs[0], c.segs[1], c.segs[3]}
		return c.deleteRow()
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
	return c.deleted(o, rows[0])
}

// upsertRow serves PATCH /sobjects/{O}/{field}/{value}.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm
func (c *call) upsertRow() (*reply, *Error) {
	o, err := c.object(c.segs[1])
	if err != nil {
		return nil, err
	}
	if err := c.only("updateOnly"); err != nil {
		return nil, err
	}
	f, err := c.keyField(o, c.segs[2])
	if err != nil {
		return nil, err
	}
	if f.src == fromID {
		c.segs = []string{c.segs[0], c.segs[1], c.segs[3]}
		return c.updateRow()
	}
	r, err := c.payload(o)
	if err != nil {
		return nil, err
	}
	if r.has(f) || r.id != "" {
		name := f.name
		if r.id != "" {
			name = "Id"
		}
		return nil, fail(400, "INVALID_FIELD", "The "+name+" field should not be specified in the sobject data.")
	}
	rows, err := c.byKey(o, f, c.segs[3])
	if err != nil {
		return nil, err
	}
	if len(rows) > 1 {
		return c.choices(o, rows), nil
	}
	return c.upsertOne(o, f, r, rows)
}

func (c *call) upsertOne(o *object, f *field, r *record, rows []uint32) (*reply, *Error) {
	flag := ""
	if len(rows) == 0 {
		if c.query.Get("updateOnly") == "true" {
			return nil, notFound()
		}
		v, bad := c.s.convert(f, &node{kind: nodeString, text: c.segs[3]})
		if bad != nil {
			return nil, bad
		}
		r.set = append(r.set, binding{f, v})
		seq, errs := c.insertRow(r)
		if errs != nil {
			return c.problems(errs), nil
		}
		if c.version >= 46 {
			flag = `,"created":true`
		}
		return c.created(o, seq, flag), nil
	}
	if errs := c.changeRow(r, rows[0]); errs != nil {
		return c.problems(errs), nil
	}
	if c.version < 46 {
		return &reply{status: http.StatusNoContent}, nil
	}
	return ok([]byte(`{"id":"` + formatID(o.prefix, rows[0]) + `","success":true,"errors":[],"created":false}`)), nil
}

package salesforcetest

import (
	"strings"
)

// maxRows is how many rows one collections call may write.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
const maxRows = 200

// outcome is the result of one row of a collections call.
type outcome struct {
	id      string
	created bool
	errs    []*Error
}

// rows checks the frame of a collections write and returns its records.
func (c *call) rows() (list []node, allOrNone bool, err *Error) {
	if err := c.only(); err != nil {
		return nil, false, err
	}
	if err := c.members("allOrNone", "records"); err != nil {
		return nil, false, err
	}
	if allOrNone, err = flag(c.body, "allOrNone"); err != nil {
		return nil, false, err
	}
	records := c.body.get("records")
	if records == nil || records.kind != nodeArray || len(records.kids) == 0 {
		return nil, false, fail(400, "REQUIRED_FIELD_MISSING", "At least 1 record is required")
	}
	if len(records.kids) > maxRows {
		return nil, false, tooMany()
	}
	return records.kids, allOrNone, nil
}

func tooMany() *Error {
	return fail(400, "EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than 200 records into this call")
}

// typeOf finds the sObject type a record names. An unknown one fails its row.
func (c *call) typeOf(n *node) (*object, *Error, *Error) {
	var name *node
	if a := n.get("attributes"); a != nil {
		name = a.get("type")
	}
	if name == nil || name.kind != nodeString {
		return nil, nil, fail(400, "INVALID_INPUT", "sObject type is required: each record needs attributes with a type")
	}
	o := c.s.schema.object(name.text)
	if o == nil || o.hidden {
		return nil, refuse("INVALID_TYPE", "sObject type '"+name.text+"' is not supported. "+adviceType), nil
	}
	return o, nil, nil
}

// bindAll reads the records of a create or update. whole refuses the request.
func (c *call) bindAll(list []node) (out []*record, whole *Error) {
	chunks, last := 0, (*object)(nil)
	for i := range list {
		if list[i].kind != nodeObject {
			return nil, jsonError("Cannot deserialize instance of sobject from " + tokenName(&list[i]))
		}
		o, rowErr, whole := c.typeOf(&list[i])
		if whole != nil {
			return nil, whole
		}
		if rowErr != nil {
			out = append(out, &record{errs: []*Error{rowErr}})
			continue
		}
		if o != last {
			chunks, last = chunks+1, o
		}
		r, err := c.bindRow(o, &list[i])
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	if chunks > 10 {
		return nil, fail(400, "INVALID_INPUT", "the records change their type more than ten times: a call may have at most 10 chunks")
	}
	return out, nil
}

// bindRow reads one record. By default what it cannot read refuses the whole
// request; with RowLevelUnknownField an unknown field fails its row alone.
func (c *call) bindRow(o *object, n *node) (*record, *Error) {
	r, err := c.s.bind(o, n)
	if err != nil && err.Code == "INVALID_FIELD" && c.s.opts.RowLevelUnknownField {
		err.Fields = []string{}
		return &record{obj: o, src: n, errs: []*Error{err}}, nil
	}
	return r, err
}

// createMany serves POST /composite/sobjects.
func (c *call) createMany() (*reply, *Error) {
	list, all, err := c.rows()
	if err != nil {
		return nil, err
	}
	records, err := c.bindAll(list)
	if err != nil {
		return nil, err
	}
	return c.each(records, all, false, func(r *record) outcome {
		seq, errs := c.insertRow(r)
		if errs != nil {
			return outcome{errs: errs}
		}
		return outcome{id: formatID(r.obj.prefix, seq)}
	}), nil
}

// updateMany serves PATCH /composite/sobjects.
func (c *call) updateMany() (*reply, *Error) {
	list, all, err := c.rows()
	if err != nil {
		return nil, err
	}
	records, err := c.bindAll(list)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	return c.each(records, all, false, func(r *record) outcome {
		if r.id == "" {
			return outcome{errs: []*Error{refuse("MISSING_ARGUMENT", "Id not specified in an update call")}}
		}
		seq, e := c.rowByID(r.obj, r.id)
		if e != nil {
			return outcome{errs: []*Error{e}}
		}
		id := formatID(r.obj.prefix, seq)
		if seen[id] {
			return outcome{errs: []*Error{refuse("DUPLICATE_VALUE", "Duplicate id specified: "+id[:15])}}
		}
		seen[id] = true
		return outcome{id: id, errs: c.changeRow(r, seq)}
	}), nil
}

// rowByID finds the live row of an id given in a body.
func (c *call) rowByID(o *object, id string) (uint32, *Error) {
	prefix, seq, good := parseID(id)
	switch {
	case !good:
		return 0, refuse("MALFORMED_ID", "malformed id "+id)
	case prefix != o.prefix:
		return 0, refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
	}
	r := c.s.table(o).at(seq)
	switch {
	case r == nil:
		return 0, refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
	case r.state == rowDeleted:
		return 0, entityIsDeleted()
	default:
		return seq, nil
	}
}

// deleteMany serves DELETE /composite/sobjects?ids=.
func (c *call) deleteMany() (*reply, *Error) {
	if err := c.only("ids", "allOrNone"); err != nil {
		return nil, err
	}
	if err := c.noBody(); err != nil {
		return nil, err
	}
	if c.query.Get("ids") == "" {
		return nil, fail(400, "REQUIRED_FIELD_MISSING", "At least 1 record is required")
	}
	all := c.query.Get("allOrNone")
	if all != "" && all != "true" && all != "false" {
		return nil, fail(400, "ILLEGAL_QUERY_PARAMETER_VALUE", "allOrNone must be true or false")
	}
	ids := strings.Split(c.query.Get("ids"), ",")
	if len(ids) > maxRows {
		return nil, tooMany()
	}
	records := make([]*record, len(ids))
	for i, id := range ids {
		records[i] = &record{id: id}
		prefix, _, good := parseID(id)
		if !good {
			records[i].errs = []*Error{refuse("MALFORMED_ID", "malformed id "+id)}
		} else if records[i].obj = c.s.schema.byPrefix[prefix]; records[i].obj == nil || records[i].obj.hidden {
			records[i].errs = []*Error{refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")}
		}
	}
	return c.each(records, all == "true", false, func(r *record) outcome {
		seq, e := c.rowByID(r.obj, r.id)
		if e != nil {
			return outcome{errs: []*Error{e}}
		}
		return outcome{id: formatID(r.obj.prefix, seq), errs: c.removeRow(r.obj, seq)}
	}), nil
}

// each runs one row after another and writes the results in the order of the
// request. With allOrNone the first failure takes everything back.
func (c *call) each(records []*record, allOrNone, upsert bool, one func(*record) outcome) *reply {
	mark, failed := len(c.x.undo), false
	results := make([]outcome, len(records))
	for i, r := range records {
		if r.obj == nil || r.errs != nil && r.src == nil {
			results[i] = outcome{errs: r.errs}
		} else {
			results[i] = one(r)
		}
		failed = failed || results[i].errs != nil
	}
	if allOrNone && failed {
		c.x.rollback(mark)
		for i := range results {
			if results[i].errs == nil {
				results[i].errs = []*Error{refuse("ALL_OR_NONE_OPERATION_ROLLED_BACK",
					"Record rolled back because not all records were valid and the request was using AllOrNone header")}
			}
		}
	}
	b := append(make([]byte, 0, 80*len(results)), '[')
	for i := range results {
		if i > 0 {
			b = append(b, ',')
		}
		b = results[i].append(b, upsert)
	}
	return ok(append(b, ']'))
}

func (o *outcome) append(b []byte, upsert bool) []byte {
	if o.errs != nil {
		b = append(b, `{"success":false,"errors":`...)
		return append(appendRowErrors(b, o.errs), '}')
	}
	b = append(b, `{"id":"`...)
	b = append(b, o.id...)
	b = append(b, `","success":true,"errors":[]`...)
	if upsert && o.created {
		b = append(b, `,"created":true`...)
	} else if upsert {
		b = append(b, `,"created":false`...)
	}
	return append(b, '}')
}

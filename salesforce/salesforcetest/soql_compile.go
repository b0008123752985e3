package salesforcetest

import (
	"slices"
	"strconv"
	"strings"
)

// reach is the way from a row to a value: references to follow, then a field.
type reach struct {
	steps []*field
	leaf  *field
}

// column is one part of the answer's records: a field, or a parent with columns.
type column struct {
	name   string
	leaf   *field // nil for a parent
	parent *field
	kids   []*column
}

// counted is one COUNT(field) of the SELECT list.
type counted struct {
	name string
	by   *reach
}

// sortKey is one ORDER BY entry.
type sortKey struct {
	by              *reach
	desc, nullsLast bool
}

// plan is a statement with every name looked up and every literal read.
type plan struct {
	obj      *object
	columns  []*column
	counts   []counted
	filter   func(seq uint32, r *row) bool // nil: all rows
	sorting  []sortKey
	limit    int // -1: none
	offset   int
	counting bool
	deleted  bool // queryAll: with the recycle bin
	wide     bool // a long text is selected: smaller pages
	narrow   *narrowing
}

// compiler turns a statement into a plan.
type compiler struct {
	s   *Server
	q   *statement
	obj *object
	now int64
}

const (
	adviceField = "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
	adviceType  = "If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
	adviceRel   = "If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names."
)

// compile parses and resolves a query for the integration user.
func (s *Server) compile(src string, all bool) (*plan, *Error) {
	q, err := parseSOQL(src)
	if err != nil {
		return nil, err
	}
	o := s.schema.object(q.from.text)
	if o == nil || o.hidden {
		return nil, soqlError(src, q.from.pos, "INVALID_TYPE", "sObject type '"+q.from.text+"' is not supported. "+adviceType)
	}
	c := &compiler{s: s, q: q, obj: o, now: s.now()}
	p := &plan{obj: o, limit: q.limit, offset: q.offset, counting: q.counting, deleted: all}
	for i := range q.selected {
		if err := c.selectOne(p, &q.selected[i]); err != nil {
			return nil, err
		}
	}
	if len(p.counts) > 0 && len(p.columns) > 0 {
		return nil, malformed(src, 0, "a field beside an aggregate needs GROUP BY, which is not supported by this org's emulated SOQL")
	}
	if err := q.countsAlone(len(p.counts) > 0); err != nil {
		return nil, err
	}
	if err := linksNeedFilter(o, q.where); err != nil {
		return nil, err
	}
	if q.where != nil {
		if p.filter, err = c.filter(q.where); err != nil {
			return nil, err
		}
		p.narrow = c.narrow(q.where, all)
	}
	for _, o := range q.order {
		if err := c.orderBy(p, o); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// countsAlone refuses the clauses that a query which counts does not have.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_count.htm
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_limit.htm
func (q *statement) countsAlone(aggregates bool) *Error {
	switch {
	case (q.counting || aggregates) && len(q.order) > 0:
		return malformed(q.src, q.order[0].path[0].pos, "Ordered field must be grouped or aggregated: "+q.order[0].path[0].text)
	case aggregates && q.limit >= 0:
		return malformed(q.src, q.limitPos, "Non-grouped query that uses overall aggregate functions cannot also use LIMIT")
	default:
		return nil
	}
}

func (c *compiler) noColumn(o *object, t token) *Error {
	return soqlError(c.q.src, t.pos, "INVALID_FIELD", "No such column '"+t.text+"' on entity '"+o.name+"'. "+adviceField)
}

// reach looks a path up.
func (c *compiler) reach(path []token) (*reach, *Error) {
	o := c.obj
	out := &reach{}
	for _, step := range path[:len(path)-1] {
		f := o.byRel[strings.ToLower(step.text)]
		if f == nil || f.hidden || len(f.refTo) != 1 {
			return nil, soqlError(c.q.src, step.pos, "INVALID_FIELD",
				"Didn't understand relationship '"+step.text+"' in field path. "+adviceRel)
		}
		parent := c.s.schema.object(f.refTo[0])
		if parent.hidden {
			return nil, soqlError(c.q.src, step.pos, "INVALID_FIELD",
				"Didn't understand relationship '"+step.text+"' in field path. "+adviceRel)
		}
		out.steps = append(out.steps, f)
		o = parent
	}
	last := path[len(path)-1]
	if out.leaf = o.visible(last.text); out.leaf == nil {
		return nil, c.noColumn(o, last)
	}
	return out, nil
}

func (c *compiler) selectOne(p *plan, sel *selection) *Error {
	if sel.fn == "FIELDS" {
		return c.selectGroup(p, sel)
	}
	r, err := c.reach(sel.path)
	if err != nil {
		return err
	}
	if sel.fn == "COUNT" {
		name := sel.alias
		if name == "" {
			name = "expr" + strconv.Itoa(len(p.counts))
		}
		p.counts = append(p.counts, counted{name, r})
		return nil
	}
	p.wide = p.wide || r.leaf.longText()
	if !p.addColumn(r) {
		return malformed(c.q.src, sel.path[0].pos, "duplicate field selected: "+r.leaf.name)
	}
	return nil
}

// addColumn hangs a value into the tree of the answer; false when it is there.
func (p *plan) addColumn(r *reach) bool {
	at := &p.columns
	for _, step := range r.steps {
		i := slices.IndexFunc(*at, func(c *column) bool { return c.parent == step })
		if i < 0 {
			*at = append(*at, &column{name: step.relName, parent: step})
			i = len(*at) - 1
		}
		at = &(*at)[i].kids
	}
	if slices.ContainsFunc(*at, func(c *column) bool { return c.leaf == r.leaf }) {
		return false
	}
	*at = append(*at, &column{name: r.leaf.name, leaf: r.leaf})
	return true
}

// selectGroup expands FIELDS(ALL), FIELDS(CUSTOM) and FIELDS(STANDARD).
func (c *compiler) selectGroup(p *plan, sel *selection) *Error {
	word := sel.path[0]
	which := strings.ToUpper(word.text)
	if len(sel.path) != 1 || which != "ALL" && which != "CUSTOM" && which != "STANDARD" {
		return malformed(c.q.src, word.pos, "unexpected token: '"+word.text+"', expecting ALL, CUSTOM or STANDARD")
	}
	if which != "STANDARD" && (c.q.limit < 0 || c.q.limit > 200) && !pins(c.q.where, "Id") {
		return malformed(c.q.src, word.pos, "The SOQL FIELDS function must have a LIMIT of at most 200")
	}
	for _, f := range c.obj.fields {
		if !f.hidden && (which == "ALL" || f.custom == (which == "CUSTOM")) {
			p.wide = p.wide || f.longText()
			if !p.addColumn(&reach{leaf: f}) {
				return malformed(c.q.src, word.pos, "duplicate field selected: "+f.name)
			}
		}
	}
	return nil
}

// pins tells whether a condition names the rows' values of an id field.
func pins(where condition, name string) bool {
	switch w := where.(type) {
	case *comparison:
		return len(w.path) == 1 && strings.EqualFold(w.path[0].text, name) && (w.op == "=" || w.op == "IN")
	case *junction:
		return w.and && slices.ContainsFunc(w.terms, func(c condition) bool { return pins(c, name) })
	default:
		return false
	}
}

func (c *compiler) orderBy(p *plan, o ordering) *Error {
	r, err := c.reach(o.path)
	if err != nil {
		return err
	}
	if r.leaf.longText() {
		return soqlError(c.q.src, o.path[0].pos, "INVALID_FIELD", "field '"+r.leaf.name+"' can not be sorted in a query call")
	}
	p.sorting = append(p.sorting, sortKey{by: r, desc: o.desc, nullsLast: o.nullsLast})
	return nil
}

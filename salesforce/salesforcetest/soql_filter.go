package salesforcetest

import "strings"

type rowFilter = func(seq uint32, r *row) bool

// filter compiles a condition.
func (c *compiler) filter(where condition) (rowFilter, *Error) {
	switch w := where.(type) {
	case *junction:
		var terms []rowFilter
		for _, t := range w.terms {
			f, err := c.filter(t)
			if err != nil {
				return nil, err
			}
			terms = append(terms, f)
		}
		return func(seq uint32, r *row) bool {
			for _, f := range terms {
				if f(seq, r) != w.and {
					return !w.and
				}
			}
			return w.and
		}, nil
	case *negation:
		f, err := c.filter(w.term)
		if err != nil {
			return nil, err
		}
		return func(seq uint32, r *row) bool { return !f(seq, r) }, nil
	default:
		return c.compare(where.(*comparison)) //nolint:errcheck // the parser makes no other kind
	}
}

func (c *compiler) compare(w *comparison) (rowFilter, *Error) {
	r, err := c.reach(w.path)
	if err != nil {
		return nil, err
	}
	at := w.path[0].pos
	if r.leaf.longText() {
		return nil, soqlError(c.q.src, at, "INVALID_FIELD", "field '"+r.leaf.name+"' can not be filtered in a query call")
	}
	if e := c.operatorFits(r.leaf, w); e != nil {
		return nil, e
	}
	test, err := c.test(r.leaf, w)
	if err != nil {
		return nil, err
	}
	t := c.s.table(c.obj)
	if len(r.steps) == 0 {
		f := r.leaf
		return func(seq uint32, row *row) bool { return test(c.s.cell(t, seq, row, f)) }, nil
	}
	return func(seq uint32, row *row) bool { return test(c.s.read(t, seq, row, r)) }, nil
}

func (c *compiler) operatorFits(f *field, w *comparison) *Error {
	bad := false
	switch w.op {
	case "LIKE":
		bad = !f.textual()
	case "<", "<=", ">", ">=":
		bad = f.typ == typeBoolean
	}
	if bad {
		return soqlError(c.q.src, w.path[0].pos, "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on "+string(f.typ)+" field")
	}
	return nil
}

// bounds is one right-hand side: a value, or a span of time [lo, hi).
type bounds struct {
	lo, hi value
	span   bool
}

// test compiles "operator values" to a test of one value. As in the org, != and
// NOT IN are true for null, every order comparison with null is false.
func (c *compiler) test(f *field, w *comparison) (func(value) bool, *Error) {
	var vals []bounds
	for _, tok := range w.values {
		b, err := c.literal(f, tok, w)
		if err != nil {
			return nil, err
		}
		vals = append(vals, b)
	}
	switch w.op {
	case "LIKE":
		like := compileLike(strings.ToLower(w.values[0].like))
		return func(v value) bool { return v.k == kText && like.match(strings.ToLower(v.s)) }, nil
	case "=", "IN":
		return membership(f, vals), nil
	case "!=", "NOT IN":
		in := membership(f, vals)
		return func(v value) bool { return !in(v) }, nil
	default:
		return c.inOrder(f, w.op, vals[0]), nil
	}
}

// inOrder compiles < <= > >=. Against a span, < is before it and > after it.
func (c *compiler) inOrder(f *field, op string, b bounds) func(value) bool {
	against, less, equal := b.lo, op[0] == '<', len(op) == 2
	if b.span && (op == ">" || op == "<=") {
		against, equal = b.hi, op == ">"
		if op == "<=" {
			equal = false
		}
	}
	return func(v value) bool {
		if v.k == kNull || against.k == kNull {
			return false
		}
		d := c.s.order(f, v, against)
		return d == 0 && equal || d < 0 && less || d > 0 && !less
	}
}

// sameKey is the form in which equal contents are one map key.
func sameKey(f *field, v value) value {
	if v.k == kText && !f.caseSens {
		v.s = strings.ToLower(v.s)
	}
	return v
}

func membership(f *field, vals []bounds) func(value) bool {
	set := make(map[value]bool, len(vals))
	var spans []bounds
	for _, b := range vals {
		if b.span {
			spans = append(spans, b)
		} else {
			set[sameKey(f, b.lo)] = true
		}
	}
	return func(v value) bool {
		if len(set) > 0 && set[sameKey(f, v)] {
			return true
		}
		for _, b := range spans {
			if v.k != kNull && v.n >= b.lo.n && v.n < b.hi.n {
				return true
			}
		}
		return false
	}
}

// literal reads one right-hand side for a field's type.
func (c *compiler) literal(f *field, t token, w *comparison) (bounds, *Error) {
	if t.kind == tokName && strings.EqualFold(t.text, "null") && w.op != "LIKE" {
		return bounds{}, nil
	}
	switch {
	case f.textual():
		if t.kind != tokString {
			return bounds{}, c.mismatch(f, t, "string and should be enclosed in quotes")
		}
		if t.likeOnly && w.op != "LIKE" {
			return bounds{}, malformed(c.q.src, t.pos, "Illegal character sequence in string literal: \\% and \\_ belong to LIKE")
		}
		if t.text == "" {
			return bounds{}, nil // an empty text is stored as null
		}
		return bounds{lo: textValue(t.text)}, nil
	case f.isID():
		return c.idLiteral(f, t)
	case f.typ == typeBoolean:
		if t.kind != tokName || !strings.EqualFold(t.text, "true") && !strings.EqualFold(t.text, "false") {
			return bounds{}, c.mismatch(f, t, "boolean and should not be enclosed in quotes")
		}
		return bounds{lo: boolValue(strings.EqualFold(t.text, "true"))}, nil
	case f.numeric():
		x, good := parseNumber(t.text)
		if t.kind != tokLiteral || !good {
			return bounds{}, c.mismatch(f, t, string(f.typ)+" and should not be enclosed in quotes")
		}
		return bounds{lo: numberValue(x)}, nil
	default:
		return c.dateLiteral(f, t, w.n)
	}
}

func (c *compiler) mismatch(f *field, t token, must string) *Error {
	return soqlError(c.q.src, t.pos, "INVALID_FIELD", "value of filter criterion for field '"+f.name+"' must be of type "+must)
}

func (c *compiler) idLiteral(f *field, t token) (bounds, *Error) {
	if t.kind != tokString {
		return bounds{}, c.mismatch(f, t, "ID and should be enclosed in quotes")
	}
	if t.text == "" {
		return bounds{}, nil
	}
	prefix, seq, good := parseID(t.text)
	if !good {
		return bounds{}, soqlError(c.q.src, t.pos, "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: "+t.text)
	}
	o := c.s.schema.byPrefix[prefix]
	if o == nil {
		return bounds{lo: value{k: kRef, n: -1}}, nil // a well formed id of nothing here
	}
	return bounds{lo: refValue(o, seq)}, nil
}

func (c *compiler) dateLiteral(f *field, t token, n int) (bounds, *Error) {
	scale, kind, name := int64(1), kDate, "date"
	if f.typ == typeDateTime {
		scale, kind, name = dayMs, kTime, "dateTime"
	}
	if t.kind == tokName {
		first, end, known := relativeDate(t.text, n, c.now)
		if known {
			return bounds{lo: value{k: kind, n: first * scale}, hi: value{k: kind, n: end * scale}, span: true}, nil
		}
	}
	if t.kind == tokLiteral {
		if days, good := parseDate(t.text); good && kind == kDate {
			return bounds{lo: value{k: kDate, n: days}}, nil
		}
		if ms, good := parseTime(t.text); good && kind == kTime {
			return bounds{lo: timeValue(ms)}, nil
		}
	}
	return bounds{}, c.mismatch(f, t, name+" and should not be enclosed in quotes")
}

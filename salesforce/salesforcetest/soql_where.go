package salesforcetest

import (
	"strconv"
	"strings"
)

func (p *soqlParser) whereClause(q *statement) *Error {
	if !p.take("WHERE") {
		return nil
	}
	var err *Error
	q.where, err = p.conditions(0)
	return err
}

// conditions reads terms joined by AND or by OR. As in the org, the two do not
// mix without brackets.
func (p *soqlParser) conditions(depth int) (condition, *Error) {
	if depth > maxDepth {
		return nil, malformed(p.src, p.peek().pos, "conditions are nested too deeply")
	}
	first, err := p.term(depth)
	if err != nil {
		return nil, err
	}
	j := &junction{and: p.peek().is("AND"), terms: []condition{first}}
	word := "OR"
	if j.and {
		word = "AND"
	}
	for p.take(word) {
		term, err := p.term(depth)
		if err != nil {
			return nil, err
		}
		j.terms = append(j.terms, term)
	}
	if t := p.peek(); t.is("AND") || t.is("OR") {
		return nil, p.unexpected(t)
	}
	if len(j.terms) == 1 {
		return first, nil
	}
	return j, nil
}

func (p *soqlParser) term(depth int) (condition, *Error) {
	if depth > maxDepth {
		return nil, malformed(p.src, p.peek().pos, "conditions are nested too deeply")
	}
	if p.take("NOT") {
		t, err := p.term(depth + 1)
		return &negation{t}, err
	}
	if p.take("(") {
		c, err := p.conditions(depth + 1)
		if err != nil {
			return nil, err
		}
		return c, p.expect(")")
	}
	return p.comparison()
}

func (p *soqlParser) comparison() (condition, *Error) {
	if t := p.peek(); t.kind == tokName && p.toks[min(p.at+1, len(p.toks)-1)].is("(") {
		return nil, malformed(p.src, t.pos, "the function "+strings.ToUpper(t.text)+"() is not supported by this org's emulated SOQL")
	}
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	c := &comparison{path: path}
	t := p.next()
	switch {
	case t.is("="), t.is("<"), t.is("<="), t.is(">"), t.is(">="), t.is("!="):
		c.op = t.text
	case t.is("<>"):
		c.op = "!="
	case t.is("LIKE"):
		c.op = "LIKE"
	case t.is("IN"):
		c.op = "IN"
		return c, p.list(c)
	case t.is("NOT"):
		c.op = "NOT IN"
		if err := p.expect("IN"); err != nil {
			return nil, err
		}
		return c, p.list(c)
	case t.is("INCLUDES"), t.is("EXCLUDES"):
		return nil, malformed(p.src, t.pos, strings.ToUpper(t.text)+" is not supported by this org's emulated SOQL")
	default:
		return nil, p.unexpected(t)
	}
	return c, p.literal(c)
}

func (p *soqlParser) list(c *comparison) *Error {
	if err := p.expect("("); err != nil {
		return err
	}
	if t := p.peek(); t.is("SELECT") {
		return malformed(p.src, t.pos, "a semi-join (SELECT ...) is not supported by this org's emulated SOQL")
	}
	for {
		if err := p.literal(c); err != nil {
			return err
		}
		if !p.take(",") {
			return p.expect(")")
		}
	}
}

// literal reads one right-hand side. A name is null, true, false or a relative
// date; LAST_N_DAYS:3 keeps its number in the comparison.
func (p *soqlParser) literal(c *comparison) *Error {
	t := p.next()
	switch t.kind {
	case tokString, tokLiteral:
	case tokName:
		if !p.take(":") {
			break
		}
		n := p.next()
		count, err := strconv.Atoi(n.text)
		if n.kind != tokLiteral || err != nil || count < 0 || count > 100_000 || len(c.values) > 0 {
			return p.unexpected(n)
		}
		c.n = count
		t.text += ":n"
	default:
		return p.unexpected(t)
	}
	c.values = append(c.values, t)
	return nil
}

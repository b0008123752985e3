package salesforcetest

import (
	"fmt"
	"strconv"
	"strings"
)

// statement is a parsed query, names not yet looked up.
type statement struct {
	src      string
	selected []selection
	counting bool // SELECT COUNT()
	from     token
	where    condition // nil: none
	order    []ordering
	limit    int // -1: none
	limitPos int
	offset   int
}

// selection is one entry of the SELECT list.
type selection struct {
	path  []token
	fn    string // COUNT, FIELDS or ""
	alias string
}

type ordering struct {
	path      []token
	desc      bool
	nullsLast bool
}

// condition is *junction, *negation or *comparison.
type condition any

type junction struct {
	and   bool
	terms []condition
}

type negation struct{ term condition }

type comparison struct {
	path   []token
	op     string // = != < <= > >= LIKE IN NOT IN
	values []token
	n      int // of a relative date such as LAST_N_DAYS:3
}

// soqlParser is a recursive descent over the tokens.
type soqlParser struct {
	src  string
	toks []token
	at   int
}

// maxStatement is the longest SOQL text, in characters.
// https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_soslsoql.htm
const maxStatement = 100_000

// parseSOQL reads a statement. Every clause outside the subset is refused by name.
func parseSOQL(src string) (*statement, *Error) {
	if utf16Len(src) > maxStatement {
		return nil, fail(400, "MALFORMED_QUERY", "SOQL statements cannot be longer than 100000 characters.")
	}
	if strings.TrimSpace(src) == "" {
		return nil, fail(400, "MALFORMED_QUERY", "A query string has to be specified")
	}
	toks, err := lexSOQL(src)
	if err != nil {
		return nil, err
	}
	p := &soqlParser{src: src, toks: toks}
	q := &statement{src: src, limit: -1}
	for _, step := range []func(*statement) *Error{p.selectList, p.fromClause, p.whereClause, p.orderClause, p.limitClause, p.end} {
		if err := step(q); err != nil {
			return nil, err
		}
	}
	return q, nil
}

func (p *soqlParser) peek() token { return p.toks[p.at] }

func (p *soqlParser) next() token {
	t := p.toks[p.at]
	if t.kind != tokEnd {
		p.at++
	}
	return t
}

func (p *soqlParser) take(word string) bool {
	if p.peek().is(word) {
		p.at++
		return true
	}
	return false
}

func (p *soqlParser) unexpected(t token) *Error {
	return malformed(p.src, t.pos, fmt.Sprintf("unexpected token: '%s'", t.text))
}

func (p *soqlParser) expect(word string) *Error {
	if !p.take(word) {
		t := p.peek()
		return malformed(p.src, t.pos, fmt.Sprintf("unexpected token: '%s', expecting '%s'", t.text, word))
	}
	return nil
}

// unsupported refuses by name what the org knows and this emulator does not.
func (p *soqlParser) unsupported(t token) *Error {
	switch strings.ToUpper(t.text) {
	case "GROUP", "HAVING", "TYPEOF", "FOR", "USING", "WITH", "UPDATE", "ALL", "SELECT":
		return malformed(p.src, t.pos, strings.ToUpper(t.text)+" is not supported by this org's emulated SOQL")
	default:
		return p.unexpected(t)
	}
}

func (p *soqlParser) selectList(q *statement) *Error {
	if err := p.expect("SELECT"); err != nil {
		return err
	}
	for {
		if err := p.selectItem(q); err != nil {
			return err
		}
		if !p.take(",") {
			break
		}
	}
	if q.counting && len(q.selected) > 0 {
		return malformed(p.src, 0, "COUNT() must be the only element of the SELECT list")
	}
	return nil
}

func (p *soqlParser) selectItem(q *statement) *Error {
	t := p.peek()
	switch {
	case t.is("("):
		return malformed(p.src, t.pos, "a subquery (SELECT ...) is not supported by this org's emulated SOQL")
	case t.is("TYPEOF"):
		return p.unsupported(t)
	case t.kind == tokName && p.toks[p.at+1].is("("):
		return p.selectFunction(q)
	}
	path, err := p.path()
	if err == nil {
		q.selected = append(q.selected, selection{path: path})
	}
	return err
}

func (p *soqlParser) selectFunction(q *statement) *Error {
	name := p.next()
	p.next() // the bracket
	fn := strings.ToUpper(name.text)
	if fn != "COUNT" && fn != "FIELDS" {
		return malformed(p.src, name.pos, "the function "+fn+"() is not supported by this org's emulated SOQL")
	}
	if fn == "COUNT" && p.take(")") {
		q.counting = true
		return nil
	}
	path, err := p.path()
	if err != nil {
		return err
	}
	if err := p.expect(")"); err != nil {
		return err
	}
	s := selection{path: path, fn: fn}
	if t := p.peek(); t.kind == tokName && !t.is("FROM") && fn == "COUNT" {
		s.alias = p.next().text
	}
	q.selected = append(q.selected, s)
	return nil
}

// path reads Name or Rel.Rel.Name.
func (p *soqlParser) path() ([]token, *Error) {
	var out []token
	for {
		t := p.next()
		if t.kind != tokName {
			return nil, p.unexpected(t)
		}
		out = append(out, t)
		if !p.take(".") {
			break
		}
	}
	if len(out) > 6 {
		return nil, malformed(p.src, out[0].pos, "more than 5 levels of relationships")
	}
	return out, nil
}

func (p *soqlParser) fromClause(q *statement) *Error {
	if err := p.expect("FROM"); err != nil {
		return err
	}
	q.from = p.next()
	if q.from.kind != tokName {
		return p.unexpected(q.from)
	}
	t := p.peek()
	if t.is(",") || t.kind == tokName && !isClause(t) {
		return malformed(p.src, t.pos, "an alias or a second object in FROM is not supported by this org's emulated SOQL: '"+t.text+"'")
	}
	return nil
}

func isClause(t token) bool {
	for _, w := range [...]string{"WHERE", "ORDER", "LIMIT", "OFFSET", "GROUP", "HAVING", "FOR", "USING", "WITH", "ALL", "UPDATE"} {
		if t.is(w) {
			return true
		}
	}
	return false
}

func (p *soqlParser) orderClause(q *statement) *Error {
	if !p.take("ORDER") {
		return nil
	}
	if err := p.expect("BY"); err != nil {
		return err
	}
	for {
		path, err := p.path()
		if err != nil {
			return err
		}
		o := ordering{path: path}
		if o.desc = p.take("DESC"); !o.desc {
			p.take("ASC")
		}
		if p.take("NULLS") {
			if o.nullsLast = p.take("LAST"); !o.nullsLast {
				if err := p.expect("FIRST"); err != nil {
					return err
				}
			}
		}
		q.order = append(q.order, o)
		if !p.take(",") {
			return nil
		}
	}
}

func (p *soqlParser) limitClause(q *statement) *Error {
	if p.peek().is("LIMIT") {
		q.limitPos = p.next().pos
		n, err := p.integer()
		if err != nil {
			return err
		}
		q.limit = n
	}
	if p.take("OFFSET") {
		n, err := p.integer()
		if err != nil {
			return err
		}
		if n > 2000 {
			return fail(400, "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
		}
		q.offset = n
	}
	return nil
}

func (p *soqlParser) integer() (int, *Error) {
	t := p.next()
	n, err := strconv.Atoi(t.text)
	if t.kind != tokLiteral || err != nil || n < 0 {
		return 0, p.unexpected(t)
	}
	return n, nil
}

func (p *soqlParser) end(*statement) *Error {
	if t := p.peek(); t.kind != tokEnd {
		return p.unsupported(t)
	}
	return nil
}

package campaign

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// longestQuery is the most characters that Salesforce takes.
// https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_soslsoql.htm
const longestQuery = 100_000

// Query is one SELECT of one object's records: an audience.
type Query struct {
	Object string   // as it is written: "Contact"
	Fields []string // without the object or its alias before them: "Account.Name"
	Rest   string   // what follows the object: an alias, USING SCOPE, WHERE, WITH, LIMIT
	alias  string
}

// ParseQuery reads a query that a user has written, or that the describe of a list
// view has given. It must select records, so that what it has beyond fields,
// conditions and a limit is refused; Bulk queries take little more.
//
// An order is dropped, as it only keeps Salesforce from reading in chunks, but not
// before a limit, where it says who is meant. Of toLabel, format and convertCurrency
// the field remains. Spelling and names are Salesforce's to check.
//
// An error says at which character of the text the fault is, from 1, and what to do.
// It quotes nothing of the text (P8).
// https://developer.salesforce.com/docs/platform/salesforce-soql-sosl/guide/sforce-api-calls-soql-select.html
// https://developer.salesforce.com/docs/platform/api-asynch/guide/queries.html
// https://developer.salesforce.com/docs/platform/api-rest/guide/resources-listviewdescribe.html
func ParseQuery(text string) (Query, error) {
	if n := utf8.RuneCountInString(text); n > longestQuery {
		return Query{}, misplaced(text, 0, "the query has %d characters, Salesforce takes %d: shorten it", n, longestQuery)
	}
	tokens, err := tokenize(text)
	if err != nil {
		return Query{}, err
	}
	p := &queryParser{text: text, tokens: tokens}
	for _, step := range []func() error{p.list, p.from, p.clauses} {
		if err := step(); err != nil {
			return Query{}, err
		}
	}
	q := Query{Object: p.object, Rest: render(p.rest), alias: p.alias}
	for _, f := range p.fields {
		q.Fields = append(q.Fields, q.plain(f))
	}
	return q, nil
}

// With is the query as Salesforce takes it, with Id and these fields selected beside
// its own, each once. They are API names, or paths of them from the object.
func (q Query) With(fields ...string) string {
	var all []string
	met := map[string]bool{}
	for _, f := range slices.Concat([]string{"Id"}, q.Fields, fields) {
		if key := strings.ToLower(f); !met[key] {
			met[key] = true
			all = append(all, q.clear(f))
		}
	}
	soql := "SELECT " + strings.Join(all, ", ") + " FROM " + q.Object
	if q.Rest == "" {
		return soql
	}
	return soql + " " + q.Rest
}

// clear is a field as it can be selected: one over a relationship that is called as
// the alias is would be taken for the object's own.
func (q Query) clear(field string) string {
	if first, _, dotted := strings.Cut(field, "."); dotted && strings.EqualFold(first, q.alias) {
		return q.alias + "." + field
	}
	return field
}

// plain is a field without the object or the alias before it.
func (q Query) plain(field string) string {
	first, path, dotted := strings.Cut(field, ".")
	if dotted && (strings.EqualFold(first, q.Object) || strings.EqualFold(first, q.alias)) {
		return path
	}
	return field
}

// queryParser reads a query's tokens from front to back.
type queryParser struct {
	text          string
	tokens        []token
	next          int
	object, alias string
	fields        []string
	rest          []token
}

// peek is the token so far ahead; behind the end it is one without text.
func (p *queryParser) peek(ahead int) token {
	if i := p.next + ahead; i < len(p.tokens) {
		return p.tokens[i]
	}
	return token{at: len(p.text)}
}

// take goes on over a token.
func (p *queryParser) take() token {
	t := p.peek(0)
	p.next++
	return t
}

func (p *queryParser) fault(t token, format string, args ...any) error {
	return misplaced(p.text, t.at, format, args...)
}

// list reads SELECT and the fields up to FROM.
func (p *queryParser) list() error {
	if len(p.tokens) == 0 {
		return misplaced(p.text, 0, "there is no query: write one, as in SELECT Id FROM Contact WHERE Newsletter__c = true")
	}
	if !p.peek(0).is("SELECT") {
		return p.fault(p.peek(0), "a query begins with SELECT")
	}
	p.take()
	for {
		if err := p.item(); err != nil {
			return err
		}
		switch t := p.take(); {
		case t.is("FROM"):
			return nil
		case t.text == "":
			return p.fault(t, "the object is missing: write FROM and its API name")
		case t.text != ",":
			return p.fault(t, "a comma or FROM is missing before this; a field has no other name in a query for records")
		}
	}
}

// item reads one field of the list.
func (p *queryParser) item() error {
	t := p.take()
	switch {
	case t.text == "(" && p.peek(0).is("SELECT"):
		return p.fault(t, "a campaign cannot read a subquery's records: take it out, and select from that object instead")
	case t.is("TYPEOF"):
		return p.fault(t, "a campaign cannot read TYPEOF: write the fields themselves")
	case t.word && p.peek(0).text == "(":
		return p.function(t)
	case !isPath(t) || t.is("FROM"):
		return p.fault(t, "a field's API name is missing here; Id will do")
	}
	p.fields = append(p.fields, t.text)
	return nil
}

// function reads a function of a field, of which the field is kept, and the name that
// its result may have.
func (p *queryParser) function(name token) error {
	switch strings.ToLower(name.text) {
	case "tolabel", "format", "convertcurrency":
	case "count", "count_distinct", "sum", "avg", "min", "max", "grouping":
		return p.fault(name, "a campaign needs records, not a sum over them: write fields instead; Id will do")
	case "fields":
		return p.fault(name, "FIELDS() is not for as many records as there are: write the fields' names; Id will do")
	default:
		return p.fault(name, "a campaign cannot read this function: write the field itself")
	}
	p.take()
	if err := p.item(); err != nil {
		return err
	}
	if t := p.take(); t.text != ")" {
		return p.fault(t, "a ) is missing here: this function has one field")
	}
	if isPath(p.peek(0)) && !p.peek(0).is("FROM") {
		p.take()
	}
	return nil
}

// from reads the object and its alias.
func (p *queryParser) from() error {
	t := p.take()
	if !t.word || !isName(t.text) {
		return p.fault(t, "the object is missing: write its API name after FROM")
	}
	p.object = t.text
	if p.peek(0).is("AS") {
		p.rest = append(p.rest, p.take())
	}
	if t := p.peek(0); t.word && isName(t.text) && p.clauseAt(0) == nil {
		p.alias = t.text
		p.rest = append(p.rest, p.take())
	}
	if t := p.peek(0); t.text == "," {
		return p.fault(t, "a campaign reads one object: write a path from it to what is above, as in Account.Name, instead of a second object")
	}
	return nil
}

// isPath says whether a token is a field or a path to one.
func isPath(t token) bool {
	if !t.word {
		return false
	}
	for step := range strings.SplitSeq(t.text, ".") {
		if !isName(step) {
			return false
		}
	}
	return true
}

package campaign

// clause is one that may follow the object, in the order that SOQL wants.
type clause struct {
	words   []string
	refused string // what to do about it, "" for those that a campaign takes
	// length is how many tokens it has with its words, 0 when they go on to the next
	// clause.
	length int
}

// The clauses a campaign takes, by their place in clauses.
const (
	scope = iota
	where
	with
	orderBy
	limit
)

const lockless = "a campaign does not lock or mark what it reads: take this out"

// clauses are all of SOQL's.
// https://developer.salesforce.com/docs/platform/salesforce-soql-sosl/guide/sforce-api-calls-soql-select.html
var clauses = []clause{
	scope:   {words: []string{"USING", "SCOPE"}, length: 3},
	where:   {words: []string{"WHERE"}},
	with:    {words: []string{"WITH"}, length: 2},
	orderBy: {words: []string{"ORDER", "BY"}},
	limit:   {words: []string{"LIMIT"}, length: 2},

	{words: []string{"GROUP", "BY"}, refused: "a campaign needs records, not groups of them: take GROUP BY out"},
	{words: []string{"HAVING"}, refused: "a campaign needs records, not groups of them: take HAVING out, or make it a WHERE"},
	{words: []string{"OFFSET"}, refused: "a campaign reads all records: take OFFSET out, and choose by WHERE"},
	{words: []string{"FOR", "UPDATE"}, refused: lockless},
	{words: []string{"FOR", "VIEW"}, refused: lockless},
	{words: []string{"FOR", "REFERENCE"}, refused: lockless},
	{words: []string{"UPDATE", "TRACKING"}, refused: lockless},
	{words: []string{"UPDATE", "VIEWSTAT"}, refused: lockless},
	{words: []string{"SET", "OPTIONS"}, refused: "a campaign's query has no options: take this out"},
	{words: []string{"ALL", "ROWS"}, refused: "nobody is texted who was deleted: take ALL ROWS out"},
	{words: []string{"SELECT"}, refused: "a query is one SELECT: take the second one out"},
}

// clauseAt is the clause that begins so many tokens ahead, nil for none.
func (p *queryParser) clauseAt(ahead int) *clause {
	for i := range clauses {
		begins := true
		for j, word := range clauses[i].words {
			begins = begins && p.peek(ahead+j).is(word)
		}
		if begins {
			return &clauses[i]
		}
	}
	return nil
}

// clauses reads what follows the object, and keeps what belongs to the audience.
func (p *queryParser) clauses() error {
	var order []token
	last := -1
	for p.peek(0).text != "" {
		at := p.peek(0)
		c := p.clauseAt(0)
		switch {
		case c == nil:
			return p.fault(at, "this belongs to no clause: write WHERE before conditions, and AND between two")
		case c.refused != "":
			return p.fault(at, "%s", c.refused)
		}
		place := p.place(c)
		if place <= last {
			return p.fault(at, "this clause stands twice or too late: the order is USING SCOPE, WHERE, WITH, ORDER BY, LIMIT")
		}
		last = place
		read, err := p.clause(c)
		if err != nil {
			return err
		}
		switch place {
		case orderBy:
			order = read
		case limit:
			p.rest = append(append(p.rest, order...), read...)
		default:
			p.rest = append(p.rest, read...)
		}
	}
	return nil
}

func (*queryParser) place(c *clause) int {
	for i := range clauses {
		if c == &clauses[i] {
			return i
		}
	}
	return -1
}

// clause reads one, with its words.
func (p *queryParser) clause(c *clause) ([]token, error) {
	begin := p.next
	first := p.take()
	for range c.words[1:] {
		p.take()
	}
	if c.length > 0 {
		for p.next < begin+c.length {
			if err := p.argument(first); err != nil {
				return nil, err
			}
		}
		return p.tokens[begin:p.next], nil
	}
	if err := p.open(); err != nil {
		return nil, err
	}
	if p.next == begin+len(c.words) {
		return nil, p.fault(first, "nothing follows this: write what it is to be, or take it out")
	}
	return p.tokens[begin:p.next], nil
}

// argument reads the one word that a clause has.
func (p *queryParser) argument(begin token) error {
	t := p.take()
	switch {
	case !t.word:
		return p.fault(begin, "nothing follows this: write what it is to be, or take it out")
	case begin.is("WITH") && !t.is("SECURITY_ENFORCED"):
		return p.fault(begin, "a campaign takes WITH SECURITY_ENFORCED only: take this out")
	case begin.is("LIMIT") && !isNumber(t.text):
		return p.fault(t, "LIMIT wants a whole number")
	}
	return nil
}

// open reads up to the next clause that stands in no brackets.
func (p *queryParser) open() error {
	var brackets []token
	for {
		t := p.peek(0)
		switch {
		case t.text == "" && len(brackets) > 0:
			return p.fault(brackets[len(brackets)-1], "this ( is not closed: write ) where it ends")
		case t.text == "", len(brackets) == 0 && p.clauseAt(0) != nil:
			return nil
		case t.text == "(":
			brackets = append(brackets, t)
		case t.text == ")" && len(brackets) == 0:
			return p.fault(t, "this ) closes nothing: take it out, or write ( where it begins")
		case t.text == ")":
			brackets = brackets[:len(brackets)-1]
		}
		p.take()
	}
}

func isNumber(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

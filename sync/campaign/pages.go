package campaign

import (
	"slices"
	"strconv"
	"strings"
)

// parted gives what follows the object in its parts.
func (p *queryParser) parted() (head, conditions, tail, most string) {
	head = render(slices.Concat(p.named, p.read[scope]))
	if where := p.read[where]; len(where) > 0 {
		conditions = render(where[1:])
	}
	if l := p.read[limit]; len(l) > 0 {
		most = l[1].text
	}
	return strings.TrimSpace(head), strings.TrimSpace(conditions), render(p.read[with]), most
}

// Most is how many records the author wants at most; ok is false when it is all.
func (q Query) Most() (n int, ok bool) {
	if q.most == "" {
		return 0, false
	}
	n, err := strconv.Atoi(q.most)
	return n, err == nil
}

// Counting is the statement that counts the records as "total", all of them: one that
// counts takes no limit.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_limit.htm
func (q Query) Counting() string { return q.statement("COUNT(Id) total", "", "") }

// Page is the statement that reads at most n of the records, by their ids, with these
// fields selected as With does. condition is one more that they must meet, "" for
// none. The author's order and limit are left out.
func (q Query) Page(condition string, n int, fields ...string) string {
	return q.statement(q.list(fields), condition, "ORDER BY Id LIMIT "+strconv.Itoa(n))
}

func (q Query) statement(list, condition, end string) string {
	parts := []string{"SELECT", list, "FROM", q.Object, q.head}
	switch {
	case q.where != "" && condition != "":
		parts = append(parts, "WHERE ("+q.where+") AND "+condition)
	case q.where != "" || condition != "":
		parts = append(parts, "WHERE "+q.where+condition)
	}
	parts = slices.DeleteFunc(append(parts, q.tail, end), func(part string) bool { return part == "" })
	return strings.Join(parts, " ")
}

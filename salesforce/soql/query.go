package soql

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// longest is the longest statement Salesforce takes, in characters.
// https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_soslsoql.htm
const longest = 100_000

// Query is one SELECT statement. The zero value of what is not needed leaves it
// out.
type Query struct {
	Fields []string // API names, parents by dots: "Owner.Name"
	From   string   // the object's API name
	// Where are conditions that must all hold, made with Quote, In, DateTime.
	Where []string
	// OrderBy are fields, each with an optional " DESC".
	OrderBy []string
	Limit   int
}

var (
	name  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*$`)
	order = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.]*( (ASC|DESC))?( NULLS (FIRST|LAST))?$`)
)

// Build makes the statement. Names that are no API names are an error, so that
// a configured name cannot smuggle in a clause.
func (q Query) Build() (string, error) {
	if len(q.Fields) == 0 {
		return "", errors.New("soql: a query needs fields")
	}
	for _, n := range append([]string{q.From}, q.Fields...) {
		if !name.MatchString(n) {
			return "", fmt.Errorf("soql: %q is no API name", n)
		}
	}
	for _, o := range q.OrderBy {
		if !order.MatchString(o) {
			return "", fmt.Errorf("soql: %q is no ordering", o)
		}
	}
	var b strings.Builder
	b.WriteString("SELECT " + strings.Join(q.Fields, ", ") + " FROM " + q.From)
	for i, w := range q.Where {
		if i == 0 {
			b.WriteString(" WHERE ")
		} else {
			b.WriteString(" AND ")
		}
		if len(q.Where) > 1 {
			w = "(" + w + ")"
		}
		b.WriteString(w)
	}
	if len(q.OrderBy) > 0 {
		b.WriteString(" ORDER BY " + strings.Join(q.OrderBy, ", "))
	}
	if q.Limit > 0 {
		b.WriteString(" LIMIT " + strconv.Itoa(q.Limit))
	}
	if b.Len() > longest {
		return "", fmt.Errorf("soql: the statement has %d characters, %d are allowed", b.Len(), longest)
	}
	return b.String(), nil
}

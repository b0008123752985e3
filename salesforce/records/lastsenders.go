package records

import (
	"context"
	"fmt"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// newestMessages is how many messages one query about conversations reads: a page.
const newestMessages = 2000

// LastSenders answers which of our numbers the last message from or to each of at
// most 200 numbers has used. Those who have never written or been written to are
// left out, and all are where the org does not keep the other party's number.
func (s *Messages) LastSenders(ctx context.Context, theirs []message.Number) (map[message.Number]message.Number, error) {
	if len(theirs) > salesforce.MaxCollection {
		return nil, fault.New(fault.Permanent, "salesforce query", fmt.Errorf("%d numbers at once, %d are allowed", len(theirs), salesforce.MaxCollection))
	}
	p, err := s.planner.current(ctx)
	if err != nil {
		return nil, err
	}
	key, from, to := p.names["Their_Number__c"], p.names["From_Number__c"], p.names["To_Number__c"]
	created, sid := p.names["Date_Created__c"], p.names["Message_SID__c"]
	last := map[message.Number]message.Number{}
	if key == "" || from == "" || to == "" || created == "" {
		return last, nil
	}
	// Where some have a long history, the others come with the next query.
	for left := theirs; len(left) > 0; left = missing(left, last) {
		rows, before := 0, len(last)
		q := soql.Query{
			Fields: []string{key, from, to}, From: p.object, Where: []string{soql.In(key, left), sid + " != null"},
			OrderBy: []string{created + " DESC NULLS LAST"}, Limit: newestMessages,
		}
		if err := s.each(ctx, q, func(row map[string]any) {
			rows++
			number := message.Number(textOf(row, key))
			ours := message.Number(textOf(row, from))
			if ours == number {
				ours = message.Number(textOf(row, to))
			}
			if _, known := last[number]; !known && ours != "" {
				last[number] = ours
			}
		}); err != nil {
			s.planner.doubt(err)
			return nil, err
		}
		if rows < newestMessages || len(last) == before {
			break
		}
	}
	return last, nil
}

// missing are the numbers that are not known yet.
func missing(of []message.Number, known map[message.Number]message.Number) []message.Number {
	var left []message.Number
	for _, n := range of {
		if _, ok := known[n]; !ok {
			left = append(left, n)
		}
	}
	return left
}

package records

import (
	"context"
	"time"

	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/message"
)

// personalEvery is how often personal numbers are read. An administrator changes
// them, now and then.
const personalEvery = time.Minute

// PersonalNumbers is the part that reads which of our numbers belongs to which
// active user, all of them each time: they are as few as an account's numbers,
// and one that is taken away is missing by itself. number reads what is in the
// field; what it refuses is left out. take gets the ids of the users.
func PersonalNumbers(number func(string) (message.Number, bool), take func(context.Context, map[message.Number]string) error) Part {
	return Part{
		Name: "personal numbers",
		Query: func(time.Time) soql.Query {
			return soql.Query{
				Fields: []string{"Phone_Number__c", "User__c"}, From: "TwilioSF_Personal_Number__c",
				Where:   []string{"User__r.IsActive = true", "Phone_Number__c != null"},
				OrderBy: []string{"Id"},
			}
		},
		Every: personalEvery,
		Take: func(ctx context.Context, rows []map[string]any) error {
			return take(ctx, personal(rows, number))
		},
	}
}

// personal leaves out a number that two records, written differently, give to
// two users.
func personal(rows []map[string]any, number func(string) (message.Number, bool)) map[message.Number]string {
	users := make(map[message.Number]string, len(rows))
	disputed := map[message.Number]bool{}
	for _, row := range rows {
		n, ok := number(textOf(row, "Phone_Number__c"))
		user := textOf(row, "User__c")
		if !ok || user == "" {
			continue
		}
		if other, taken := users[n]; taken && other != user {
			disputed[n] = true
		}
		users[n] = user
	}
	for n := range disputed {
		delete(users, n)
	}
	return users
}

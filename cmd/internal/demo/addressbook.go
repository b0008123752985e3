package demo

import (
	"fmt"
	"strconv"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

// typings are how users type one number: area code and line follow.
var typings = []string{"(%d) 555-01%02d", "%d-555-01%02d", "%d.555.01%02d", "+1%d55501%02d", "1 %d 555 01%02d x3", "tel: %d 55501%02d (mobile)"}

// addressBook gives the org Contacts for two thirds of the people in America who
// may write, each number typed in one of the usual ways.
func addressBook(org *salesforcetest.Server) error {
	var contacts []map[string]any
	for _, area := range areaCodes {
		for line := range 100 {
			n := area*100 + line
			if n%3 == 0 {
				continue
			}
			contacts = append(contacts, map[string]any{
				"FirstName": "Person", "LastName": strconv.Itoa(n), "MobilePhone": fmt.Sprintf(typings[n%len(typings)], area, line),
			})
		}
	}
	_, err := org.Load("Contact", contacts)
	return err
}

// linked counts the records that know their Contact.
func linked(org *salesforcetest.Server) (n int) {
	for row := range org.Rows(sandbox.MessageObject) {
		if row["Contact__c"] != nil {
			n++
		}
	}
	return n
}

package records_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/people"
	"github.com/twiliosf/twiliosf/sync/store"
)

var standard = []records.PhoneObject{{Object: "Contact"}, {Object: "Lead"}, {Object: "Account"}, {Object: "Case"}}

// peopleOf is the engine on an emulated org and a real store.
func peopleOf(t *testing.T, server *salesforcetest.Server, objects ...records.PhoneObject) (*people.Engine, *health.Registry) {
	t.Helper()
	org, err := salesforce.New(salesforce.Options{
		LoginURL: server.URL, HTTP: server.Client().Transport,
		Auth: salesforce.ClientCredentials{ClientID: salesforcetest.DefaultConsumerKey, ClientSecret: salesforcetest.DefaultConsumerSecret},
	})
	require.NoError(t, err)
	s, err := store.Open(t.Context(), store.Options{URL: "sqlite://" + filepath.Join(t.TempDir(), "t.db"), Version: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	reader, err := records.NewPeople(org, objects)
	require.NoError(t, err)
	conditions := health.New(zap.NewNop(), nil)
	e, err := people.New(people.Ports{
		Source: reader, Export: reader, Index: s.People(), Directory: s.People(), Health: conditions,
	}, people.Options{Country: "US", Link: true, Own: true})
	require.NoError(t, err)
	return e, conditions
}

// whose are the records that a number belongs to.
func whose(t *testing.T, e *people.Engine, number message.Number) []message.Link {
	t.Helper()
	links, err := e.Meet(t.Context(), []*message.Message{{From: number, Direction: message.Inbound}})
	require.NoError(t, err)
	return links[0].People
}

func TestPeopleAreFoundByTheNumbersOfTheStandardObjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := salesforcetest.NewServer(salesforcetest.Options{Schema: metadata.FS})
		account := insert(t, s, "Account", map[string]any{"Name": "Acme", "Phone": "(415) 555-0100"})
		contact := insert(t, s, "Contact", map[string]any{"LastName": "Doe", "HomePhone": "415.555.0101", "AssistantPhone": "415.555.0109"})
		lead := insert(t, s, "Lead", map[string]any{"LastName": "Roe", "Company": "Acme", "MobilePhone": "+44 (0)20 7946 0018"})
		insert(t, s, "Lead", map[string]any{"LastName": "Poe", "Company": "Acme", "Phone": "415.555.0101", "IsConverted": true})
		open := insert(t, s, "Case", map[string]any{"SuppliedPhone": "4155550102", "ContactId": contact})
		insert(t, s, "Case", map[string]any{"SuppliedPhone": "4155550103", "Status": "Closed"})
		e, conditions := peopleOf(t, s, standard...)
		require.NoError(t, e.Fill(t.Context()))
		link := func(object, id string) message.Link { return message.Link{Object: object, ID: id} }
		require.Equal(t, []message.Link{link("Account", account)}, whose(t, e, "+14155550100"))
		require.Equal(t, []message.Link{link("Contact", contact)}, whose(t, e, "+14155550101"), "the Lead was converted")
		require.Equal(t, []message.Link{link("Lead", lead)}, whose(t, e, "+442079460018"))
		require.Equal(t, []message.Link{link("Case", open)}, whose(t, e, "+14155550102"))
		require.Empty(t, whose(t, e, "+14155550103"), "closed")
		require.Empty(t, whose(t, e, "+14155550109"), "an assistant's")
		require.Empty(t, conditions.Active())

		time.Sleep(5 * time.Minute)
		require.NoError(t, s.Update("Case", open, map[string]any{"Status": "Closed"}))
		require.NoError(t, s.Update("Lead", lead, map[string]any{"IsConverted": true}))
		require.NoError(t, s.Update("Contact", contact, map[string]any{"HomePhone": nil, "MobilePhone": "415 555 0104"}))
		require.NoError(t, s.Delete("Account", account))
		s.ResetCalls()
		require.NoError(t, e.Refresh(t.Context()))
		require.Equal(t, 1, s.Calls().Total, "four objects, one call")
		for _, gone := range []message.Number{"+14155550100", "+14155550101", "+14155550102", "+442079460018"} {
			require.Empty(t, whose(t, e, gone), gone)
		}
		require.Equal(t, []message.Link{link("Contact", contact)}, whose(t, e, "+14155550104"))
	})
}

func TestAPersonAccountIsOnePerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := salesforcetest.NewServer(salesforcetest.Options{Schema: metadata.FS, PersonAccounts: true})
		person := insert(t, s, "Account", map[string]any{"LastName": "Doe", "PersonMobilePhone": "415 555 0100", "Phone": "415 555 0101"})
		business := insert(t, s, "Account", map[string]any{"Name": "Acme", "Phone": "415 555 0102"})
		contact := insert(t, s, "Contact", map[string]any{"LastName": "Roe", "MobilePhone": "415 555 0103"})
		e, conditions := peopleOf(t, s, standard...)
		require.NoError(t, e.Fill(t.Context()))
		for number, want := range map[message.Number]message.Link{
			"+14155550100": {Object: "Account", ID: person}, "+14155550101": {Object: "Account", ID: person},
			"+14155550102": {Object: "Account", ID: business}, "+14155550103": {Object: "Contact", ID: contact},
		} {
			require.Equal(t, []message.Link{want}, whose(t, e, number), number)
		}
		time.Sleep(5 * time.Minute)
		require.NoError(t, s.Update("Account", person, map[string]any{"PersonMobilePhone": "415 555 0104"}))
		require.NoError(t, e.Refresh(t.Context()))
		require.Equal(t, []message.Link{{Object: "Account", ID: person}}, whose(t, e, "+14155550104"))
		require.Empty(t, conditions.Active())
	})
}

// A Case shows its Contact's numbers, and is not changed when those change.
func TestACasesContactIsFoundByTheNumberOfToday(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := salesforcetest.NewServer(salesforcetest.Options{Schema: metadata.FS})
		contact := insert(t, s, "Contact", map[string]any{"LastName": "Doe", "MobilePhone": "415 555 0100"})
		open := insert(t, s, "Case", map[string]any{"ContactId": contact})
		e, _ := peopleOf(t, s, records.PhoneObject{Object: "Case"})
		require.NoError(t, e.Fill(t.Context()))
		require.Equal(t, []message.Link{{Object: "Case", ID: open}}, whose(t, e, "+14155550100"))
		require.NoError(t, s.Update("Contact", contact, map[string]any{"MobilePhone": "415 555 0101"}))
		time.Sleep(25 * time.Hour)
		require.NoError(t, e.Fill(t.Context()))
		require.Empty(t, whose(t, e, "+14155550100"))
		require.Equal(t, []message.Link{{Object: "Case", ID: open}}, whose(t, e, "+14155550101"))
	})
}

func TestALargeObjectComesByAQueryJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := salesforcetest.NewServer(salesforcetest.Options{Schema: metadata.FS})
		var last string
		const many = 5_000
		for n := range many {
			last = insert(t, s, "Contact", map[string]any{"LastName": "Doe, \"Jr\"", "MobilePhone": fmt.Sprintf("(415) 5%02d-%04d", n/10000+10, n%10000)})
		}
		e, _ := peopleOf(t, s, standard...)
		s.ResetCalls()
		require.NoError(t, e.Fill(t.Context()))
		require.Equal(t, []message.Link{{Object: "Contact", ID: last}}, whose(t, e, "+14155104999"))
		t.Log("calls to fill", many, "Contacts and three empty objects:", s.Calls().Total, s.Calls().ByOperation)
		require.LessOrEqual(t, s.Calls().Total, 16)

		// Whoever was changed while it was filled comes with the refresh.
		require.NoError(t, s.Update("Contact", last, map[string]any{"MobilePhone": "415 555 0100"}))
		require.NoError(t, e.Refresh(t.Context()))
		require.Equal(t, []message.Link{{Object: "Contact", ID: last}}, whose(t, e, "+14155550100"))
	})
}

func TestTroubleWithAnExportEndsInAnother(t *testing.T) {
	refused := func(status int, code string) salesforcetest.Fault {
		return salesforcetest.Answer(status, "application/json", `[{"errorCode":"`+code+`","message":"no"}]`)
	}
	for what, c := range map[string]struct {
		trouble salesforcetest.Fault
		jobs    int
	}{
		"the object is too large to be sorted": {refused(400, "QUERY_TIMEOUT").On(salesforcetest.OpComposite), 1},
		"the job is gone":                      {refused(404, "NOT_FOUND").On(salesforcetest.OpBulkState), 2},
		"the job fails": {salesforcetest.Answer(200, "application/json", `{"id":"750x","state":"Failed","errorMessage":"InternalServerError: no"}`).
			On(salesforcetest.OpBulkState).Times(2), 2},
		"its results are gone":   {refused(404, "NOT_FOUND").On(salesforcetest.OpBulkResults), 2},
		"its locator is refused": {refused(400, "INVALID_LOCATOR").On(salesforcetest.OpBulkResults), 2},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := salesforcetest.NewServer(salesforcetest.Options{Schema: metadata.FS})
				var last string
				for n := range 2_100 {
					last = insert(t, s, "Contact", map[string]any{"LastName": "Doe", "MobilePhone": fmt.Sprintf("(415) 510-%04d", n)})
				}
				e, conditions := peopleOf(t, s, records.PhoneObject{Object: "Contact"})
				s.Script(c.trouble)
				require.NoError(t, e.Fill(t.Context()))
				require.Zero(t, s.Pending(), "there was the trouble")
				require.Equal(t, c.jobs, s.Calls().ByOperation[salesforcetest.OpBulkCreate])
				require.Equal(t, []message.Link{{Object: "Contact", ID: last}}, whose(t, e, "+14155102099"))
				require.Empty(t, conditions.Active())
			})
		})
	}
}

func TestFieldsAndObjectsThatAreHiddenAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := salesforcetest.NewServer(salesforcetest.Options{Schema: metadata.FS})
		contact := insert(t, s, "Contact", map[string]any{"LastName": "Doe", "MobilePhone": "415 555 0100", "Phone": "415 555 0101"})
		require.NoError(t, s.HideField("Contact", "MobilePhone", true))
		require.NoError(t, s.Restrict("Lead", salesforcetest.Deny{Read: true}))
		e, conditions := peopleOf(t, s, append(standard, records.PhoneObject{Object: "Nobody__c", Fields: []string{"Phone__c"}})...)
		require.NoError(t, e.Fill(t.Context()))
		require.NotEmpty(t, whose(t, e, "+14155550101"))
		require.Empty(t, whose(t, e, "+14155550100"))
		require.Len(t, conditions.Active(), 1)
		for _, name := range []string{"Contact.MobilePhone", "Lead", "Nobody__c"} {
			require.Contains(t, conditions.Active()[0].Cause, name)
		}

		// The admin gives access, and nobody restarts anything.
		require.NoError(t, s.HideField("Contact", "MobilePhone", false))
		require.NoError(t, s.Restrict("Lead", salesforcetest.Deny{}))
		time.Sleep(time.Hour + time.Minute)
		require.NoError(t, e.Fill(t.Context()))
		require.Equal(t, []message.Link{{Object: "Contact", ID: contact}}, whose(t, e, "+14155550100"))

		// And takes it away: the refused query lets the fields be looked at again.
		require.NoError(t, s.HideField("Contact", "MobilePhone", true))
		require.Error(t, e.Refresh(t.Context()))
		require.NoError(t, e.Fill(t.Context()))
		require.NoError(t, e.Refresh(t.Context()))
		require.Empty(t, whose(t, e, "+14155550100"))
		require.NotEmpty(t, whose(t, e, "+14155550101"))
	})
}

func TestAnyObjectWithPhoneFieldsHasPeople(t *testing.T) {
	s := salesforcetest.NewServer(salesforcetest.Options{Schema: metadata.FS})
	user := insert(t, s, "User", map[string]any{"Username": "a@b.test", "LastName": "Doe", "Email": "a@b.test", "Alias": "a", "MobilePhone": "415 555 0100"})
	e, _ := peopleOf(t, s, records.PhoneObject{Object: "User", Fields: []string{"MobilePhone"}}, records.PhoneObject{Object: "Contact", Fields: []string{"AssistantPhone"}})
	insert(t, s, "Contact", map[string]any{"LastName": "Doe", "Phone": "415 555 0100"})
	require.NoError(t, e.Fill(t.Context()))
	require.Equal(t, []message.Link{{Object: "User", ID: user}}, whose(t, e, "+14155550100"), "an object without owners, and none of the usual fields")
}

func TestNamesOfPeoplesObjectsAreChecked(t *testing.T) {
	for _, o := range []records.PhoneObject{
		{Object: "Foo__c"}, {Object: "Contact WHERE", Fields: []string{"Phone"}}, {Object: "Contact", Fields: []string{"Phone FROM"}},
	} {
		_, err := records.NewPeople(nil, []records.PhoneObject{o})
		require.Error(t, err, o)
	}
}

package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// A message finds the person who has its number, from the first one on, however
// the number is written in the org, and follows the person to another one.
func TestMessagesFindTheirPeople(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		insert := func(object string, values map[string]any) string {
			id, err := w.org.Insert(object, values)
			require.NoError(t, err)
			return id
		}
		user := insert("User", map[string]any{"Username": "ann@example.test", "LastName": "Ann", "Email": "ann@example.test", "Alias": "ann"})
		contact := insert("Contact", map[string]any{"LastName": "Doe", "MobilePhone": "(415) 555-0123 x3", "OwnerId": user})
		insert("Lead", map[string]any{"LastName": "Roe", "Company": "Acme", "Phone": "4155550123"})
		insert("Lead", map[string]any{"LastName": "Poe", "Company": "Acme", "Phone": "1 415 555 0123"})
		w.receive(20)
		w.start()
		w.untilMirrored(3 * time.Minute)
		for row := range w.org.Rows("TwilioSF_Message__c") {
			require.Equal(t, contact, row["Contact__c"])
			require.Nil(t, row["Lead__c"], "two Leads have the number")
			require.Equal(t, user, row["OwnerId"])
		}

		require.NoError(t, w.org.Update("Contact", contact, map[string]any{"MobilePhone": nil, "HomePhone": "020 7946 0018"}))
		time.Sleep(6 * time.Minute)
		w.receive(1)
		w.untilMirrored(3 * time.Minute)
		linked := 0
		for row := range w.org.Rows("TwilioSF_Message__c") {
			if row["Contact__c"] == contact {
				linked++
			}
		}
		require.Equal(t, 20, linked, "links that were given stay, and no new one is")
		require.Empty(t, w.conditions())
	})
}

// Whoever owned the person has left: the message arrives all the same.
func TestAnOwnerWhoHasLeftHoldsUpNoMessage(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		insert := func(object string, values map[string]any) string {
			id, err := w.org.Insert(object, values)
			require.NoError(t, err)
			return id
		}
		user := insert("User", map[string]any{"Username": "ann@example.test", "LastName": "Ann", "Email": "ann@example.test", "Alias": "ann"})
		contact := insert("Contact", map[string]any{"LastName": "Doe", "MobilePhone": theirs, "OwnerId": user})
		require.NoError(t, w.org.Update("User", user, map[string]any{"IsActive": false}))
		w.receive(3)
		w.change(func(s *settings) {
			s.sync = "  drafts_every: 1h\n  active_every: 1h\n  full_every: 1h\n"
			s.rest += "people: {refresh_every: 1h}\n"
		})
		w.start()
		time.Sleep(3 * time.Minute)
		require.Equal(t, 3, w.org.Count(object))
		for row := range w.org.Rows(object) {
			require.Equal(t, contact, row["Contact__c"])
			require.NotEqual(t, user, row["OwnerId"])
		}
		require.Len(t, w.conditions(), 1)
		require.Equal(t, "salesforce-links", w.conditions()[0].Name)
		time.Sleep(25 * time.Hour)
		require.Empty(t, w.conditions(), "a day without another one")
	})
}

// What became of the newest message stands on the person, and a number that
// belongs to one user makes that user the owner of what nobody else owns.
func TestPeopleShowTheirLastStatusAndUsersOwnTheirNumbers(t *testing.T) {
	second := twiliotest.Span{Min: time.Second, Max: time.Second}
	tw := twiliotest.Options{Life: twiliotest.Life{Accepted: second, Queued: second, Sending: second, Sent: second, Priced: second}}
	inBubble(t, tw, salesforcetest.Options{}, func(t *testing.T, w *world) {
		insert := func(object string, values map[string]any) string {
			id, err := w.org.Insert(object, values)
			require.NoError(t, err)
			return id
		}
		user := insert("User", map[string]any{"Username": "ann@example.test", "LastName": "Ann", "Email": "ann@example.test", "Alias": "ann"})
		insert("TwilioSF_Personal_Number__c", map[string]any{"Phone_Number__c": "(415) 555-0100", "User__c": user})
		lead := insert("Lead", map[string]any{"LastName": "Roe", "Company": "Acme", "Phone": "415.555.0123"})
		w.start()
		time.Sleep(2 * time.Minute)
		w.twilio.Send(twiliotest.Outbound{From: ours, To: theirs, Body: confidential})
		w.twilio.Send(twiliotest.Outbound{From: ours, To: "+14155550199", Body: confidential})
		w.untilMirrored(5 * time.Minute)
		time.Sleep(time.Minute)
		row, _ := w.org.Row("Lead", lead)
		require.Equal(t, "delivered", row["Last_Message_Status__c"])
		for row := range w.org.Rows("TwilioSF_Message__c") {
			if row["To_Number__c"] == "+14155550199" {
				require.Equal(t, user, row["OwnerId"], "the personal number's")
				require.Nil(t, row["Lead__c"])
			} else {
				require.Equal(t, lead, row["Lead__c"])
			}
		}

		require.NoError(t, w.org.Update("Lead", lead, map[string]any{"Phone": "415 555 0177"}))
		time.Sleep(6 * time.Minute)
		row, _ = w.org.Row("Lead", lead)
		require.Nil(t, row["Last_Message_Status__c"], "cleared with the number")
		require.Empty(t, w.conditions())
	})
}

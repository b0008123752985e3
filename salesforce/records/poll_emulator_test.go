package records_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// emulatedOrg is an org with the shipped metadata.
func emulatedOrg(t *testing.T) (*salesforcetest.Server, *salesforce.Org) {
	t.Helper()
	server := salesforcetest.NewServer(salesforcetest.Options{Schema: metadata.FS})
	org, err := salesforce.New(salesforce.Options{
		LoginURL: server.URL, HTTP: server.Client().Transport,
		Auth: salesforce.ClientCredentials{ClientID: salesforcetest.DefaultConsumerKey, ClientSecret: salesforcetest.DefaultConsumerSecret},
	})
	require.NoError(t, err)
	return server, org
}

func insert(t *testing.T, s *salesforcetest.Server, object string, values map[string]any) string {
	t.Helper()
	id, err := s.Insert(object, values)
	require.NoError(t, err)
	return id
}

// e164 reads numbers that are written as E.164, with blanks or without.
func e164(s string) (message.Number, bool) {
	s = strings.ReplaceAll(s, " ", "")
	return message.Number(s), strings.HasPrefix(s, "+")
}

func TestAPollOfEverythingIsOneAPICall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, org := emulatedOrg(t)
		deleted := 0
		drafts, taken := taker(object)
		gone := records.Part{
			Name: "deleted", Deleted: true, Changes: true,
			Query: func(time.Time) soql.Query {
				return soql.Query{From: "Contact", Fields: []string{"IsDeleted"}, Where: []string{"IsDeleted = true"}}
			},
			Take: func(_ context.Context, rows []map[string]any) error { deleted += len(rows); return nil },
		}
		var personal map[message.Number]string
		numbers := records.PersonalNumbers(e164, func(_ context.Context, now map[message.Number]string) error { personal = now; return nil })
		watches := records.NewWatches(nil)
		p := newPoll(t, org, &marks{}, watches.Part(), drafts, gone, numbers)
		id := insert(t, s, object, map[string]any{"Status__c": "Draft"})
		require.NoError(t, s.Delete("Contact", insert(t, s, "Contact", map[string]any{"LastName": "Away"})))
		insert(t, s, "TwilioSF_Watch__c", map[string]any{"Phone_Number__c": "+14155550101", "Expires_At__c": time.Now().Add(time.Minute)})
		for range 10 {
			require.NoError(t, p.Run(t.Context()))
			time.Sleep(15 * time.Second)
		}
		calls := s.Calls()
		require.Equal(t, 10, calls.ByOperation[salesforcetest.OpComposite])
		require.Equal(t, 10, calls.Total, "%v", calls.ByOperation)
		require.Contains(t, *taken, id)
		require.Positive(t, deleted)
		require.NotNil(t, personal)
		require.Empty(t, p.LeftOut())
	})
}

func TestAnObjectThatIsHiddenIsNamedAndTheOthersAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, org := emulatedOrg(t)
		require.NoError(t, s.Restrict("TwilioSF_Watch__c", salesforcetest.Deny{Read: true}))
		require.NoError(t, s.HideField("TwilioSF_Personal_Number__c", "User__c", true))
		drafts, taken := taker(object)
		id := insert(t, s, object, map[string]any{"Status__c": "Draft"})
		p := newPoll(t, org, &marks{}, records.NewWatches(nil).Part(), drafts,
			records.PersonalNumbers(e164, func(context.Context, map[message.Number]string) error { return nil }))
		require.NoError(t, p.Run(t.Context()))
		require.Equal(t, []string{id}, *taken)
		left := p.LeftOut()
		require.Len(t, left, 2)
		require.Equal(t, "TwilioSF_Watch__c", left[0].Object)
		require.Equal(t, salesforce.CodeInvalidType, fault.CodeOf(left[0].Err))
		require.Equal(t, "TwilioSF_Personal_Number__c", left[1].Object)
		require.Equal(t, salesforce.CodeInvalidField, fault.CodeOf(left[1].Err))

		require.NoError(t, s.Restrict("TwilioSF_Watch__c", salesforcetest.Deny{}))
		require.NoError(t, s.HideField("TwilioSF_Personal_Number__c", "User__c", false))
		time.Sleep(10 * time.Minute)
		require.NoError(t, p.Run(t.Context()))
		require.Empty(t, p.LeftOut())
	})
}

func TestThePersonalNumbersOfActiveUsers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, org := emulatedOrg(t)
		user := func(name string, active bool) string {
			return insert(t, s, "User", map[string]any{"Username": name + "@x.test", "LastName": name, "Alias": name, "Email": name + "@x.test", "IsActive": active})
		}
		ann, bob, cy := user("ann", true), user("bob", true), user("cy", false)
		number := func(n, owner string) string {
			return insert(t, s, "TwilioSF_Personal_Number__c", map[string]any{"Phone_Number__c": n, "User__c": owner})
		}
		first := number("+1 415 555 0100", ann)
		number("+14155550101", bob)
		number("+14155550102", cy) // has left
		number("my phone", ann)
		number("+1 415 555 0103", ann)
		number("+14155550103", bob) // the same, written differently: whose?
		insert(t, s, "TwilioSF_Personal_Number__c", map[string]any{"Phone_Number__c": "+14155550104"})

		var now map[message.Number]string
		p := newPoll(t, org, &marks{}, records.PersonalNumbers(e164, func(_ context.Context, all map[message.Number]string) error { now = all; return nil }))
		require.NoError(t, p.Run(t.Context()))
		require.Equal(t, map[message.Number]string{"+14155550100": ann, "+14155550101": bob}, now)

		require.NoError(t, s.Delete("TwilioSF_Personal_Number__c", first))
		require.NoError(t, s.Update("User", bob, map[string]any{"IsActive": false}))
		require.NoError(t, s.Update("User", cy, map[string]any{"IsActive": true}))
		time.Sleep(time.Minute)
		require.NoError(t, p.Run(t.Context()))
		require.Equal(t, map[message.Number]string{"+14155550102": cy, "+14155550103": ann}, now)
	})
}

func TestForgottenWatchesHideNoLiveOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, org := emulatedOrg(t)
		began := 0
		w := records.NewWatches(func() { began++ })
		p := newPoll(t, org, &marks{}, w.Part())
		for range 300 {
			insert(t, s, "TwilioSF_Watch__c", map[string]any{"Phone_Number__c": "+14155550101", "Expires_At__c": time.Now().Add(1000 * time.Hour)})
		}
		require.NoError(t, p.Run(t.Context()))
		require.True(t, w.Watched(time.Now()))
		time.Sleep(90 * time.Minute) // less than a session lasts
		require.NoError(t, p.Run(t.Context()))
		require.False(t, w.Watched(time.Now()))
		insert(t, s, "TwilioSF_Watch__c", map[string]any{"Phone_Number__c": "+14155550102", "Expires_At__c": time.Now().Add(time.Minute)})
		require.NoError(t, p.Run(t.Context()))
		require.True(t, w.Watched(time.Now()))
		require.True(t, w.Watched(time.Now().Add(59*time.Second)))
		require.False(t, w.Watched(time.Now().Add(time.Minute)))
		require.Equal(t, 2, began)
		require.Equal(t, 3, s.Calls().ByOperation[salesforcetest.OpComposite])
		require.Zero(t, s.Calls().ByOperation[salesforcetest.OpQueryMore])
	})
}

// Where nobody can be asked any more, a watch with a date far ahead ends all the same.
func TestAWatchEndsAfterAnHourThoughTheOrgIsDown(t *testing.T) {
	began := 0
	w := records.NewWatches(func() { began++ })
	now := time.Now().UTC()
	const form = "2006-01-02T15:04:05.000+0000"
	row := map[string]any{"SystemModstamp": now.Add(-10 * time.Minute).Format(form), "Expires_At__c": now.Add(72 * time.Hour).Format(form)}
	for range 2 {
		require.NoError(t, w.Part().Take(t.Context(), []map[string]any{row, {"SystemModstamp": nil}}))
	}
	require.Equal(t, 1, began, "it stood already")
	require.True(t, w.Watched(now.Add(49*time.Minute)))
	require.False(t, w.Watched(now.Add(51*time.Minute)))
	require.NoError(t, w.Part().Take(t.Context(), nil))
	require.False(t, w.Watched(now))
}

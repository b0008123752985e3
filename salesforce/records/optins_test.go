package records_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/consent"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

const (
	optIn   = "TwilioSF_Opt_In__c"
	keyword = "TwilioSF_Opt_In_Keyword__c"

	anna message.Number = "+14155550123"
	ben  message.Number = "+14155550124"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// who answers from a table; numbers that are not in it are nobody's.
func who(people map[message.Number]message.Link) records.WhoIs {
	return func(_ context.Context, n message.Number) (*message.Link, error) {
		if p, ok := people[n]; ok {
			return &p, nil
		}
		return nil, nil
	}
}

func unknown(context.Context, message.Number) (*message.Link, error) {
	return nil, errors.New("the index is being filled")
}

func follow(rows ...message.OptIn) []message.FollowUp {
	all := make([]message.FollowUp, len(rows))
	for i := range rows {
		rows[i].Key = consent.Key(rows[i].Number, rows[i].Keyword)
		all[i] = message.FollowUp{Kind: message.FollowOptIn, Key: rows[i].Key, OptIn: &rows[i]}
	}
	return all
}

// optInRow is the one record of a key.
func optInRow(t *testing.T, s *salesforcetest.Server, key string) map[string]any {
	t.Helper()
	rows := s.ByKey(optIn, "Unique_Key__c", key)
	require.Len(t, rows, 1)
	return rows[0]
}

func TestAnOptInIsOneRecordThatFollowsWhatWasSaid(t *testing.T) {
	s, org := emulatedOrg(t)
	contact := insert(t, s, "Contact", map[string]any{"LastName": "Anna"})
	k := insert(t, s, keyword, map[string]any{"Name": "JOIN"})
	o := records.NewOptIns(org, who(map[message.Number]message.Link{anna: {Object: "Contact", ID: contact}, ben: {Object: "Account", ID: "001"}}))
	outcomes, err := o.Do(t.Context(), follow(
		message.OptIn{Number: anna, Keyword: k, Active: true, InAt: noon, Message: "SM1"},
		message.OptIn{Number: ben, Active: false, OutAt: noon, Message: "SM2"},
	))
	requireAll(t, outcomes, err)
	row := optInRow(t, s, string(anna)+":"+k)
	require.Equal(t, map[string]any{"Active__c": true, "Keyword__c": k, "Contact__c": contact, "Lead__c": nil, "Message_SID__c": "SM1", "Phone_Number__c": string(anna)},
		only(row, "Active__c", "Keyword__c", "Contact__c", "Lead__c", "Message_SID__c", "Phone_Number__c"))
	require.True(t, noon.Equal(row["Opt_In_At__c"].(time.Time)))
	require.Nil(t, row["Opt_Out_At__c"])
	whole := optInRow(t, s, string(ben)+":*")
	require.Equal(t, map[string]any{"Active__c": false, "Keyword__c": nil, "Contact__c": nil}, only(whole, "Active__c", "Keyword__c", "Contact__c"))

	for range 2 {
		outcomes, err = o.Do(t.Context(), follow(message.OptIn{Number: anna, Keyword: k, InAt: noon, OutAt: noon.Add(time.Hour), Message: "SM3"}))
		requireAll(t, outcomes, err)
	}
	require.Equal(t, false, optInRow(t, s, string(anna)+":"+k)["Active__c"])
	require.Equal(t, 2, s.Count(optIn))
}

func only(row map[string]any, names ...string) map[string]any {
	some := map[string]any{}
	for _, n := range names {
		some[n] = row[n]
	}
	return some
}

func TestALookupThatTheOrgRefusesHoldsUpNoOptOut(t *testing.T) {
	for what, refuse := range map[string]func(map[string]any) bool{
		"the person":           func(r map[string]any) bool { return r["Contact__c"] != nil },
		"the keyword":          func(r map[string]any) bool { return r["Keyword__c"] != nil },
		"the one or the other": func(r map[string]any) bool { return r["Keyword__c"] != nil || r["Contact__c"] != nil },
	} {
		t.Run(what, func(t *testing.T) {
			s, org := emulatedOrg(t)
			contact := insert(t, s, "Contact", map[string]any{"LastName": "Anna"})
			k := insert(t, s, keyword, map[string]any{"Name": "JOIN"})
			s.Script(salesforcetest.Refuse(func(r map[string]any) *salesforcetest.Refusal {
				if refuse(r) {
					return &salesforcetest.Refusal{Code: "FIELD_FILTER_VALIDATION_EXCEPTION", Message: "Not this one."}
				}
				return nil
			}).Forever())
			o := records.NewOptIns(org, who(map[message.Number]message.Link{anna: {Object: "Contact", ID: contact}}))
			outcomes, err := o.Do(t.Context(), follow(message.OptIn{Number: anna, Keyword: k, OutAt: noon}, message.OptIn{Number: ben, OutAt: noon}))
			requireAll(t, outcomes, err)
			require.Equal(t, false, optInRow(t, s, string(anna)+":"+k)["Active__c"])
			require.Equal(t, 2, s.Count(optIn))
		})
	}
	s, org := emulatedOrg(t)
	o := records.NewOptIns(org, who(map[message.Number]message.Link{anna: {Object: "Contact", ID: "003000000000999AAA"}}))
	outcomes, err := o.Do(t.Context(), follow(message.OptIn{Number: anna, OutAt: noon}))
	requireAll(t, outcomes, err)
	require.Nil(t, optInRow(t, s, string(anna)+":*")["Contact__c"], "a person who was deleted")
	outcomes, err = records.NewOptIns(org, unknown).Do(t.Context(), follow(message.OptIn{Number: ben, OutAt: noon}))
	requireAll(t, outcomes, err)
	require.Equal(t, 2, s.Count(optIn), "whom it belongs to can wait")
}

func TestAnOrgWithoutTheObjectsOfConsentLetsThemWait(t *testing.T) {
	some := follow(message.OptIn{Number: anna, OutAt: noon})
	_, bare := emulatedBare(t)
	_, err := records.NewOptIns(bare, who(nil)).Do(t.Context(), some)
	require.Equal(t, fault.Auth, fault.ClassOf(err))
	require.Equal(t, records.CodeSchema, fault.CodeOf(err))
	require.Equal(t, records.CondLeftOut, fault.Of(err).Condition, "the poll tells of it")
	require.Contains(t, fault.Hint(err), optIn)
	require.Positive(t, fault.After(err))

	s, org := emulatedOrg(t)
	require.NoError(t, s.HideField(optIn, "Active__c", true))
	outcomes, err := records.NewOptIns(org, who(nil)).Do(t.Context(), some)
	if err == nil {
		err = outcomes[0]
	}
	require.Equal(t, records.CodeSchema, fault.CodeOf(err))
	require.Empty(t, fault.Of(err).Condition, "whoever writes tells of it")
	require.Equal(t, fault.Auth, fault.ClassOf(err))

	s.Script(salesforcetest.RevokedSessions())
	require.NoError(t, s.HideField(optIn, "Active__c", false))
	outcomes, err = records.NewOptIns(org, who(nil)).Do(t.Context(), some)
	requireAll(t, outcomes, err)
}

func emulatedBare(t *testing.T) (*salesforcetest.Server, records.Upserter) {
	t.Helper()
	s, _ := emulated(t, func(o *salesforcetest.Options) { o.Schema = nil })
	return s, orgOf(t, s)
}

func TestAnOptInThatLostARaceIsWrittenAgain(t *testing.T) {
	f := newFake()
	f.row = func(map[string]any) *fault.Error { return refuse(fault.Permanent, "DUPLICATE_VALUE") }
	outcomes, err := records.NewOptIns(f, who(nil)).Do(t.Context(), follow(message.OptIn{Number: anna, OutAt: noon}))
	require.NoError(t, err)
	require.Equal(t, fault.Transient, fault.ClassOf(outcomes[0]))
}

func members(all ...message.Member) []message.FollowUp {
	out := make([]message.FollowUp, len(all))
	for i := range all {
		out[i] = message.FollowUp{Kind: message.FollowMember, Key: all[i].Campaign + ":" + string(all[i].Number), Member: &all[i]}
	}
	return out
}

func TestAPersonIsAddedToACampaignOnce(t *testing.T) {
	s, org := emulatedOrg(t)
	contact := insert(t, s, "Contact", map[string]any{"LastName": "Anna"})
	lead := insert(t, s, "Lead", map[string]any{"LastName": "Ben", "Company": "B"})
	c := insert(t, s, "Campaign", map[string]any{"Name": "Spring"})
	m := records.NewMembers(org, who(map[message.Number]message.Link{
		anna: {Object: "Contact", ID: contact}, ben: {Object: "Lead", ID: lead}, "+14155550125": {Object: "Case", ID: "500"},
	}))
	for range 2 {
		outcomes, err := m.Do(t.Context(), members(
			message.Member{Campaign: c, Number: "+14155550126"}, message.Member{Campaign: c, Number: anna},
			message.Member{Campaign: c, Number: "+14155550125"}, message.Member{Campaign: c, Number: ben},
		))
		requireAll(t, outcomes, err)
		require.Equal(t, 2, s.Count("CampaignMember"))
	}
	outcomes, err := m.Do(t.Context(), members(message.Member{Campaign: "701000000000999AAA", Number: anna}))
	require.NoError(t, err)
	require.Equal(t, fault.Permanent, fault.ClassOf(outcomes[0]), "the campaign is gone")
	outcomes, err = records.NewMembers(org, unknown).Do(t.Context(), members(message.Member{Campaign: c, Number: anna}))
	require.NoError(t, err)
	require.Equal(t, fault.Transient, fault.ClassOf(outcomes[0]))
}

func TestOptInsAreReadAsWhoeverWroteThemMeantThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)))
		s, org := emulatedOrg(t)
		k := insert(t, s, keyword, map[string]any{"Name": "JOIN"})
		now := time.Now().UTC().Truncate(time.Second)
		for _, row := range []map[string]any{
			{"Phone_Number__c": "+1 415 555 0123", "Keyword__c": k, "Active__c": true},                                                                            // a form
			{"Phone_Number__c": "72345", "Unique_Key__c": "72345:*", "Opt_Out_At__c": noon, "Message_SID__c": "SM1"},                                              // ours
			{"Phone_Number__c": "+14155550127", "Unique_Key__c": "+14155550127:a0K", "Active__c": true, "Opt_In_At__c": noon},                                     // its keyword is deleted
			{"Phone_Number__c": "call me", "Active__c": true},                                                                                                     // nobody's
			{"Phone_Number__c": "+14155550124", "Keyword__c": k, "Opt_In_At__c": noon, "Message_SID__c": "SM2"},                                                   // unchecked by hand
			{"Phone_Number__c": "+14155550125", "Unique_Key__c": "+14155550125:*", "Active__c": true, "Opt_In_At__c": noon, "Opt_Out_At__c": noon.Add(-1)},        // ours
			{"Phone_Number__c": "+14155550126", "Unique_Key__c": "+14155550126:*", "Active__c": true, "Opt_In_At__c": noon, "Opt_Out_At__c": noon.Add(time.Hour)}, // checked by hand
			{"Phone_Number__c": "+14155550128", "Active__c": true},                                                                                                // its keyword is deleted, perhaps
			{"Phone_Number__c": "+14155550129", "Keyword__c": k, "Opt_Out_At__c": now.Add(time.Hour)},                                                             // mistyped
			{"Phone_Number__c": "+1 415 555 0130"},                                                                                                                // a form
		} {
			insert(t, s, optIn, row)
		}
		reader := &records.OptInReader{Org: org, Number: e164}
		rows, next, err := reader.OptIns(t.Context(), "")
		require.NoError(t, err)
		require.Empty(t, next)
		require.Equal(t, []message.OptIn{
			{Key: "+14155550123:" + k, Number: anna, Keyword: k, Active: true, InAt: now},
			{Key: "72345:*", Number: "72345", OutAt: noon, Message: "SM1"},
			{Key: "+14155550127:a0K", Number: "+14155550127", Keyword: "a0K", Active: true, InAt: noon},
			{Key: "+14155550124:" + k, Number: ben, Keyword: k, InAt: noon, OutAt: now, Message: "SM2", Loose: true},
			{Key: "+14155550125:*", Number: "+14155550125", Active: true, InAt: noon, OutAt: noon.Add(-time.Second)},
			{Key: "+14155550126:*", Number: "+14155550126", Active: true, InAt: now, OutAt: noon.Add(time.Hour), Loose: true},
			{Key: "+14155550129:" + k, Number: "+14155550129", Keyword: k, OutAt: now},
			{Key: "+14155550130:*", Number: "+14155550130", OutAt: now, Loose: true},
		}, rows)
	})
}

func TestManyOptInsAreReadPageByPage(t *testing.T) {
	s, org := emulatedOrg(t)
	all := make([]map[string]any, 2*consent.PageSize+1)
	for i := range all {
		all[i] = map[string]any{"Phone_Number__c": "+1"}
	}
	_, err := s.Load(optIn, all)
	require.NoError(t, err)
	reader := &records.OptInReader{Org: org, Number: e164}
	seen, pages, place := 0, 0, ""
	for {
		rows, next, err := reader.OptIns(t.Context(), place)
		require.NoError(t, err)
		seen, pages = seen+len(rows), pages+1
		if place = next; place == "" {
			break
		}
	}
	require.Equal(t, len(all), seen)
	require.Equal(t, 3, pages)
}

func TestThePollTellsOfKeywordsAndOptIns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, org := emulatedOrg(t)
		var words []consent.Keyword
		var learnt []message.OptIn
		c := insert(t, s, "Campaign", map[string]any{"Name": "Spring"})
		insert(t, s, optIn, map[string]any{"Phone_Number__c": "+14155550100", "Active__c": true})
		time.Sleep(24 * time.Hour)
		reader := &records.OptInReader{Org: org, Number: e164}
		p, err := records.NewPoll(org, &marks{},
			records.Keywords(func(_ context.Context, all []consent.Keyword) error { words = all; return nil }),
			reader.Changed(time.Now(), func(_ context.Context, rows []message.OptIn) error { learnt = append(learnt, rows...); return nil }))
		require.NoError(t, err)
		k := insert(t, s, keyword, map[string]any{"Name": "JOIN", "Reply__c": "Hi", "Campaign__c": c})
		insert(t, s, optIn, map[string]any{"Phone_Number__c": string(anna), "Active__c": true, "Keyword__c": k})
		require.NoError(t, p.Run(t.Context()))
		require.Equal(t, []consent.Keyword{{ID: k, Word: "JOIN", Reply: "Hi", Campaign: c}}, words)
		require.Len(t, learnt, 1, "what is older is read otherwise")
		require.Equal(t, anna, learnt[0].Number)
		require.NoError(t, s.Delete(keyword, k))
		time.Sleep(time.Minute)
		require.NoError(t, p.Run(t.Context()))
		require.Empty(t, words)
	})
}

package campaign_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
)

func TestAnAudienceIsOneQueryOfOneObject(t *testing.T) {
	for _, c := range []struct {
		text, object string
		fields       []string
		rest         string
	}{
		{"SELECT Id FROM Contact", "Contact", []string{"Id"}, ""},
		{" select id , Name\n\tfrom Contact\nwhere\u00a0Name  = 'x  y' ", "Contact", []string{"id", "Name"}, "where Name = 'x  y'"},
		{"SELECT Contact.FirstName, Account.Name FROM Contact", "Contact", []string{"FirstName", "Account.Name"}, ""},
		{"SELECT c.FirstName, C.Account.Name, Id FROM Contact c WHERE c.City__c='Köln'", "Contact", []string{"FirstName", "Account.Name", "Id"}, "c WHERE c.City__c='Köln'"},
		{"SELECT Id FROM Contact AS c LIMIT 5", "Contact", []string{"Id"}, "AS c LIMIT 5"},
		{"SELECT Id FROM ns__Thing__c WHERE ns__Parent__r.A__c!=null", "ns__Thing__c", []string{"Id"}, "WHERE ns__Parent__r.A__c!=null"},
		{"SELECT Id FROM Lead ORDER BY CreatedDate DESC NULLS LAST, Id", "Lead", []string{"Id"}, ""},
		{"SELECT Id FROM Lead WHERE (A__c=1)ORDER BY Id", "Lead", []string{"Id"}, "WHERE (A__c=1)"},
		{"SELECT Id FROM Lead WITH SECURITY_ENFORCED ORDER BY Id", "Lead", []string{"Id"}, "WITH SECURITY_ENFORCED"},
		{"SELECT Id FROM Lead USING SCOPE mine WHERE A__c > 1 WITH SECURITY_ENFORCED LIMIT 100", "Lead", []string{"Id"}, "USING SCOPE mine WHERE A__c > 1 WITH SECURITY_ENFORCED LIMIT 100"},
		// Who is among the first ten depends on the order.
		{"SELECT Id FROM Lead WHERE A__c=1 ORDER BY CreatedDate DESC LIMIT 10", "Lead", []string{"Id"}, "WHERE A__c=1 ORDER BY CreatedDate DESC LIMIT 10"},

		{"SELECT Id FROM Contact WHERE Id IN (SELECT ContactId FROM CampaignMember WHERE CampaignId = '701' LIMIT 5) AND (NOT (A__c = 1 OR (B__c < -1.5)))",
			"Contact", []string{"Id"}, "WHERE Id IN (SELECT ContactId FROM CampaignMember WHERE CampaignId = '701' LIMIT 5) AND (NOT (A__c = 1 OR (B__c < -1.5)))"},
		{"SELECT Id FROM Contact WHERE CreatedDate >= LAST_N_DAYS:30 AND D__c < 2026-01-31T08:00:00+01:00 AND M__c = USD5000 AND E__c = 1.5e+3",
			"Contact", []string{"Id"}, "WHERE CreatedDate >= LAST_N_DAYS:30 AND D__c < 2026-01-31T08:00:00+01:00 AND M__c = USD5000 AND E__c = 1.5e+3"},
		{"SELECT Id FROM Contact WHERE CALENDAR_YEAR(CreatedDate) = 2026 AND P__c INCLUDES ('a;b', 'c')",
			"Contact", []string{"Id"}, "WHERE CALENDAR_YEAR(CreatedDate) = 2026 AND P__c INCLUDES ('a;b', 'c')"},

		// What stands in quotes is nobody's keyword.
		{`SELECT Id FROM Contact WHERE N__c = 'O\'Hara FOR UPDATE' AND T__c = '-- LIMIT 1; /* (' AND U__c LIKE '\u00fc\_\%\\'`,
			"Contact", []string{"Id"}, `WHERE N__c = 'O\'Hara FOR UPDATE' AND T__c = '-- LIMIT 1; /* (' AND U__c LIKE '\u00fc\_\%\\'`},
		{"SELECT Id FROM Contact WHERE N__c = '' LIMIT 1", "Contact", []string{"Id"}, "WHERE N__c = '' LIMIT 1"},
		// Nor are names that are like one.
		{"SELECT Order.Name, Group__c, For FROM Contact WHERE Order.Name = 'a' AND Set = 1 AND All = 2", "Contact", []string{"Order.Name", "Group__c", "For"}, "WHERE Order.Name = 'a' AND Set = 1 AND All = 2"},

		// A list view's.
		{"SELECT name, site, billingstate, phone, tolabel(type), owner.alias, id, createddate, lastmodifieddate, systemmodstamp FROM Account USING SCOPE mine WHERE CreatedDate = THIS_WEEK ORDER BY Name ASC NULLS FIRST, Id ASC NULLS FIRST",
			"Account", []string{"name", "site", "billingstate", "phone", "type", "owner.alias", "id", "createddate", "lastmodifieddate", "systemmodstamp"}, "USING SCOPE mine WHERE CreatedDate = THIS_WEEK"},
		{"SELECT FORMAT(convertCurrency(c.Amount__c)) Amt, toLabel(Contact.Status__c) FROM Contact c", "Contact", []string{"Amount__c", "Status__c"}, "c"},
	} {
		q, err := campaign.ParseQuery(c.text)
		require.NoError(t, err, c.text)
		require.Equal(t, c.object, q.Object, c.text)
		require.Equal(t, c.fields, q.Fields, c.text)
		require.Equal(t, c.rest, q.Rest, c.text)
	}
}

func TestWhatACampaignCannotReadIsNamedByItsPlace(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "character 1: there is no query",
		" \n":                              "character 1: there is no query",
		"Contact":                          "character 1: a query begins with SELECT",
		"FIND {x} IN ALL FIELDS":           "character 6: a query has no merge fields",
		"SELECT":                           "character 7: a field's API name is missing",
		"SELECT Id":                        "character 10: the object is missing",
		"SELECT FROM Contact":              "character 8: a field's API name is missing",
		"SELECT Id, FROM Contact":          "character 12: a field's API name is missing",
		"SELECT Id Name FROM Lead":         "character 11: a comma or FROM is missing",
		"SELECT 'x' FROM Lead":             "character 8: a field's API name is missing",
		"SELECT a..b FROM Lead":            "character 8: a field's API name is missing",
		"SELECT * FROM Lead":               "character 8: SOQL has no *",
		"SELECT Id FROM":                   "character 15: the object is missing",
		"SELECT Id FROM 'Lead'":            "character 16: the object is missing",
		"SELECT Id FROM a.Contacts":        "character 16: the object is missing",
		"SELECT Id FROM Lead, Lead":        "character 20: a campaign reads one object",
		"SELECT Id FROM Lead l, l.Owner o": "character 22: a campaign reads one object",
		"SELECT Id FROM Lead l Name = 1":   "character 23: this belongs to no clause",

		"SELECT count() FROM Lead":                                  "character 8: a campaign needs records",
		"SELECT Id, MAX(Age__c) m FROM Lead":                        "character 12: a campaign needs records",
		"SELECT FIELDS(ALL) FROM Lead LIMIT 200":                    "character 8: FIELDS() is not for",
		"SELECT DISTANCE(A__c, B__c, 'km') FROM Lead":               "character 8: a campaign cannot read this function",
		"SELECT toLabel(A__c, B__c) FROM Lead":                      "character 20: a ) is missing",
		"SELECT toLabel(FROM) FROM Lead":                            "character 16: a field's API name is missing",
		"SELECT Id, (SELECT Id FROM Contacts) FROM Account":         "character 12: a campaign cannot read a subquery's",
		"SELECT TYPEOF What WHEN Account THEN Phone END FROM Event": "character 8: a campaign cannot read TYPEOF",

		"SELECT A__c FROM Lead GROUP BY A__c":                    "character 23: a campaign needs records, not groups",
		"SELECT A__c FROM Lead HAVING A__c > 1":                  "character 23: a campaign needs records, not groups",
		"SELECT Id FROM Lead LIMIT 5 OFFSET 5":                   "character 29: a campaign reads all records",
		"SELECT Id FROM Lead WHERE A__c = 1 FOR UPDATE":          "character 36: a campaign does not lock",
		"SELECT Id FROM Lead ORDER BY Id for\nview":              "character 33: a campaign does not lock",
		"SELECT Id FROM Lead FOR REFERENCE":                      "character 21: a campaign does not lock",
		"SELECT Id FROM Lead UPDATE TRACKING":                    "character 21: a campaign does not lock",
		"SELECT Id FROM Lead UPDATE VIEWSTAT":                    "character 21: a campaign does not lock",
		"SELECT Id FROM Lead SET OPTIONS (a = b)":                "character 21: a campaign's query has no options",
		"SELECT Id FROM Lead ALL ROWS":                           "character 21: nobody is texted who was deleted",
		"SELECT Id FROM Lead WITH USER_MODE":                     "character 21: a campaign takes WITH SECURITY_ENFORCED only",
		"SELECT Id FROM Lead WHERE A__c = 1 SELECT Id FROM Lead": "character 36: a query is one SELECT",
		"SELECT Id FROM Lead; SELECT Id FROM Lead":               "character 20: a query is one statement",
		"SELECT Id FROM Lead;":                                   "character 20: a query is one statement",

		"SELECT Id FROM Lead WHERE":                       "character 21: nothing follows this",
		"SELECT Id FROM Lead WHERE LIMIT 5":               "character 21: nothing follows this",
		"SELECT Id FROM Lead ORDER BY":                    "character 21: nothing follows this",
		"SELECT Id FROM Lead LIMIT":                       "character 21: nothing follows this",
		"SELECT Id FROM Lead LIMIT ten":                   "character 27: LIMIT wants a whole number",
		"SELECT Id FROM Lead LIMIT -1":                    "character 27: LIMIT wants a whole number",
		"SELECT Id FROM Lead USING SCOPE":                 "character 21: nothing follows this",
		"SELECT Id FROM Lead LIMIT 5 WHERE A__c = 1":      "character 29: this clause stands twice or too late",
		"SELECT Id FROM Lead LIMIT 5 LIMIT 6":             "character 29: this clause stands twice or too late",
		"SELECT Id FROM Lead LIMIT 5 ORDER BY Id":         "character 29: this clause stands twice or too late",
		"SELECT Id FROM Lead LIMIT 5 6":                   "character 29: this belongs to no clause",
		"SELECT Id FROM Lead WHERE (A__c = (1)":           "character 27: this ( is not closed",
		"SELECT Id FROM Lead WHERE (A__c = 1))":           "character 37: this ) closes nothing",
		"SELECT Id FROM Lead WHERE A__c = 'ü' AND B = 'x": "character 46: the text that begins here is not closed",
		`SELECT Id FROM Lead WHERE A__c = 'x\'`:           "character 34: the text that begins here is not closed",
		`SELECT Id FROM Lead WHERE A__c = 'C:\d'`:         "character 37: SOQL has no such escape",
		`SELECT Id FROM Lead WHERE A__c = '\u12g4'`:       "character 35: SOQL has no such escape",
		"SELECT Id FROM Lead WHERE A__c = '\x00'":         "character 35: a control character",
		"SELECT Id FROM Lead WHERE A__c = ’x’":            "character 34: text stands in straight single quotes",
		`SELECT Id FROM Lead WHERE A__c = "x"`:            "character 34: text stands in straight single quotes",
		"SELECT Id FROM Lead WHERE A__c = :x":             "character 34: variables are Apex's",
		"[SELECT Id FROM Lead]":                           "character 1: brackets are Apex's",
		"SELECT Id FROM Lead WHERE A__c = ü":              "character 34: SOQL has no such character",
		"SELECT Id FROM Lead -- all":                      "character 21: SOQL has no comments",
		"SELECT Id FROM Lead--all":                        "character 20: SOQL has no comments",
		"SELECT Id /* all */ FROM Lead":                   "character 11: SOQL has no comments",
		"SELECT Id FROM Lead // all":                      "character 21: SOQL has no comments",

		"SELECT Id FROM Lead WHERE A__c = '" + strings.Repeat("x", 100_000) + "'": "character 1: the query has 100035 characters",
	} {
		_, err := campaign.ParseQuery(text)
		require.ErrorContains(t, err, want, "%.200s", text)
	}
}

func TestAQueryIsAskedWithWhatACampaignNeeds(t *testing.T) {
	for _, c := range []struct {
		text   string
		fields []string
		want   string
	}{
		{"SELECT Id FROM Contact", nil, "SELECT Id FROM Contact"},
		{"SELECT Name FROM Contact WHERE Name='a  b' ORDER BY Name", []string{"MobilePhone", "Account.Name"}, "SELECT Id, Name, MobilePhone, Account.Name FROM Contact WHERE Name='a  b'"},
		{"SELECT name, ID FROM Contact LIMIT 3", []string{"Name", "id", "NAME", "Phone", "phone"}, "SELECT Id, name, Phone FROM Contact LIMIT 3"},
		{"SELECT c.Name, Contact.Phone FROM Contact c WHERE c.X__c=1", []string{"name", "Phone", "Account.c.Name"}, "SELECT Id, Name, Phone, Account.c.Name FROM Contact c WHERE c.X__c=1"},
		{"SELECT ACCOUNT.Account.Name FROM Contact account", []string{"Account.Owner.Name"}, "SELECT Id, account.Account.Name, account.Account.Owner.Name FROM Contact account"},
		{"SELECT toLabel(Status) FROM Lead", []string{"Status"}, "SELECT Id, Status FROM Lead"},
	} {
		q, err := campaign.ParseQuery(c.text)
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, q.With(c.fields...))
		again, err := campaign.ParseQuery(q.With(c.fields...))
		require.NoError(t, err)
		require.Equal(t, q.With(c.fields...), again.With(), "it reads its own")
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{
		"", "SELECT Id FROM Lead", "SELECT c.Id, toLabel(A) FROM Contact c USING SCOPE mine WHERE (A='x\\'' OR B IN (SELECT C FROM D)) WITH SECURITY_ENFORCED ORDER BY E LIMIT 3",
		"SELECT Id FROM Lead WHERE A='\\u00fc' ORDER BY B", "SELECT FROM from", "SELECT A FROM B WHERE )(", "SELECT A FROM B AS C", "--", "SELECT A FROM B LIMIT", "SELECT A,(", "select format(a from b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := campaign.ParseQuery(text)
		if err != nil {
			require.Regexp(t, `^character [1-9]`, err.Error())
			return
		}
		require.NotEmpty(t, q.Fields)
		soql := q.With("Extra__c", "extra__C")
		again, err := campaign.ParseQuery(soql)
		require.NoError(t, err, soql)
		require.Equal(t, q.Object, again.Object)
		require.Equal(t, q.Rest, again.Rest)
		require.Equal(t, soql, again.With())
	})
}

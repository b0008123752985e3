package salesforcetest_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

// people makes an org with four contacts of one account.
func people(t *testing.T) *user {
	t.Helper()
	u := login(t, salesforcetest.Options{})
	account := u.create("Account", `{"Name":"Acme","NumberOfEmployees":12}`)
	for _, body := range []string{
		`{"LastName":"Ada","MobilePhone":"+14155550100","Birthdate":"1985-12-10","AccountId":"` + account + `"}`,
		`{"LastName":"Böhm","MobilePhone":"(415) 555-0101","DoNotCall":true,"Email":"b@example.com"}`,
		`{"LastName":"O'Neil","Title":"50%_off \\ \"x\""}`,
		`{"LastName":"zoe","Title":"line\nbreak","Birthdate":"2001-01-01"}`,
	} {
		u.create("Contact", body)
	}
	return u
}

func TestWhichRowsAWhereFinds(t *testing.T) {
	u := people(t)
	for where, want := range map[string]string{
		`LastName = 'ada'`:                                                     "Ada",
		`LastName IN ('ADA', 'ZOE')`:                                           "Ada zoe",
		`LastName NOT IN ('Ada', 'zoe')`:                                       "Böhm O'Neil",
		`Title != 'x'`:                                                         "Ada Böhm O'Neil zoe", // null is not equal, too
		`Title = null`:                                                         "Ada Böhm",
		`Title = ''`:                                                           "Ada Böhm",
		`Title != null`:                                                        "O'Neil zoe",
		`LastName = 'O\'Neil'`:                                                 "O'Neil",
		`Title = '50%_off \\ \"x\"'`:                                           "O'Neil",
		`Title LIKE '50\%\_%'`:                                                 "O'Neil",
		`Title LIKE '%\\\\%' AND LastName != 'x'`:                              "",
		`Title LIKE '%\\%'`:                                                    "O'Neil",
		`Title = 'line\nbreak'`:                                                "zoe",
		`LastName = '\u0041da'`:                                                "Ada",
		`LastName LIKE '_ö%'`:                                                  "Böhm",
		`MobilePhone LIKE '%415%555%01__'`:                                     "Ada Böhm",
		`DoNotCall = true`:                                                     "Böhm",
		`DoNotCall = FALSE AND Title = null`:                                   "Ada",
		`NOT LastName = 'Ada'`:                                                 "Böhm O'Neil zoe",
		`NOT (LastName = 'Ada' OR LastName = 'zoe')`:                           "Böhm O'Neil",
		`(LastName = 'Ada' OR LastName = 'zoe') AND Title = null`:              "Ada",
		`LastName > 'B'`:                                                       "Böhm O'Neil zoe",
		`LastName <= 'ADA'`:                                                    "Ada",
		`Birthdate < 2000-01-01`:                                               "Ada",
		`Birthdate = 2001-01-01`:                                               "zoe",
		`Birthdate = LAST_N_DAYS:5`:                                            "",
		`CreatedDate = TODAY`:                                                  "Ada Böhm O'Neil zoe",
		`CreatedDate < TODAY`:                                                  "",
		`CreatedDate >= YESTERDAY AND CreatedDate <= TODAY`:                    "Ada Böhm O'Neil zoe",
		`CreatedDate > LAST_N_DAYS:2`:                                          "",
		`CreatedDate > 2020-01-01T00:00:00Z`:                                   "Ada Böhm O'Neil zoe",
		`SystemModstamp > 2020-01-01T00:00:00.000+02:00`:                       "Ada Böhm O'Neil zoe",
		`SystemModstamp < 2020-01-01T00:00:00-0500`:                            "",
		`Account.Name = 'acme'`:                                                "Ada",
		`Account.NumberOfEmployees >= 12.0`:                                    "Ada",
		`Account.Owner.Username != null`:                                       "Ada",
		`Email = 'B@EXAMPLE.COM'`:                                              "Böhm",
		`AccountId = null AND Email = null`:                                    "O'Neil zoe",
		`Owner.Name = 'TwilioSF Integration' AND Name LIKE 'z%'`:               "zoe",
		`Id IN ('003Hn0000000001', '003Hn0000000003IAA')`:                      "Ada O'Neil",
		`Id > '003Hn0000000002IAA'`:                                            "O'Neil zoe",
		`Id = '001Hn0000000001IAA'`:                                            "",
		`AccountId = '001Hn0000000001IAA'`:                                     "Ada",
		`isdeleted = false AND lastname = 'zoe'`:                               "zoe",
		`LastName = 'Ada' ORDER BY Name LIMIT 1`:                               "Ada",
		`Id != null ORDER BY LastName DESC`:                                    "zoe O'Neil Böhm Ada",
		`Id != null ORDER BY Title, Id`:                                        "Ada Böhm O'Neil zoe",
		`Id != null ORDER BY Title DESC NULLS LAST, Id`:                        "zoe O'Neil Ada Böhm",
		`Id != null ORDER BY Title ASC NULLS FIRST, LastName DESC`:             "Böhm Ada O'Neil zoe",
		`Id != null ORDER BY Id LIMIT 2 OFFSET 1`:                              "Böhm O'Neil",
		`Id != null LIMIT 0`:                                                   "",
		`Account.Owner.Name != 'x' AND LastName = 'Ada' ORDER BY Account.Name`: "Ada",
	} {
		t.Run(where, func(t *testing.T) {
			require.Equal(t, want, strings.Join(u.found("select LastName from Contact where "+where, "LastName"), " "))
		})
	}
}

func TestWhatSOQLRefuses(t *testing.T) {
	u := people(t)
	for soql, want := range map[string][2]string{
		`SELECT Nope FROM Contact`:                                                    {"INVALID_FIELD", "\nSELECT Nope FROM Contact\n       ^\nERROR at Row:1:Column:8\nNo such column 'Nope' on entity 'Contact'. If you are attempting to use a custom field, be sure to append the '__c'"},
		"SELECT Id\nFROM Contact\nWHERE Nope = 1":                                     {"INVALID_FIELD", "\nWHERE Nope = 1\n      ^\nERROR at Row:3:Column:7\nNo such column"},
		`select count() from XYZZY`:                                                   {"INVALID_TYPE", "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\nsObject type 'XYZZY' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."},
		`SELECT Boss.Name FROM Contact`:                                               {"INVALID_FIELD", "Didn't understand relationship 'Boss' in field path."},
		`SELECT Id FROM Contact WHERE LastName = 5`:                                   {"INVALID_FIELD", "value of filter criterion for field 'LastName' must be of type string and should be enclosed in quotes"},
		`SELECT Id FROM Contact WHERE DoNotCall = 'true'`:                             {"INVALID_FIELD", "must be of type boolean and should not be enclosed in quotes"},
		`SELECT Id FROM Contact WHERE CreatedDate > '2024-01-01'`:                     {"INVALID_FIELD", "value of filter criterion for field 'CreatedDate' must be of type dateTime and should not be enclosed in quotes"},
		`SELECT Id FROM Contact WHERE CreatedDate > 2024-01-01`:                       {"INVALID_FIELD", "dateTime"},
		`SELECT Id FROM Contact WHERE Birthdate > 2024-01-01T00:00:00Z`:               {"INVALID_FIELD", "of type date "},
		`SELECT Id FROM Account WHERE NumberOfEmployees = '5'`:                        {"INVALID_FIELD", "should not be enclosed in quotes"},
		`SELECT Id FROM Contact WHERE Id = 'x'`:                                       {"INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: x"},
		`SELECT Id FROM Contact WHERE CreatedDate LIKE '2%'`:                          {"INVALID_QUERY_FILTER_OPERATOR", "invalid operator on datetime field"},
		`SELECT Id FROM TwilioSF_Message__c WHERE Body__c = 'x'`:                      {"INVALID_FIELD", "field 'Body__c' can not be filtered in a query call"},
		`SELECT Id FROM TwilioSF_Message__c ORDER BY Body__c`:                         {"INVALID_FIELD", "field 'Body__c' can not be sorted in a query call"},
		`SELECT Id FROM Contact WHERE LastName = 'a\db'`:                              {"MALFORMED_QUERY", `Illegal character sequence '\d' in string literal.`},
		`SELECT Id FROM Contact WHERE LastName = 'a\%b'`:                              {"MALFORMED_QUERY", "Illegal character sequence"},
		`SELECT Id FROM Contact WHERE LastName = 'ab`:                                 {"MALFORMED_QUERY", "closing quote missing"},
		`SELECT Id FROM Contact WHERE LastName = "ab"`:                                {"MALFORMED_QUERY", `unexpected char: '"'`},
		`SELECT Id FROM Contact WHERE LastName = 'a' OR Id = null AND Id = null`:      {"MALFORMED_QUERY", "unexpected token: 'AND'"},
		`SELECT Id FROM Contact WHERE`:                                                {"MALFORMED_QUERY", "unexpected token: '<EOF>'"},
		`SELECT Id, FROM Contact`:                                                     {"MALFORMED_QUERY", "unexpected token"},
		`SELECT Id, Id FROM Contact`:                                                  {"MALFORMED_QUERY", "duplicate field selected: Id"},
		`SELECT Id FROM Contact LIMIT -1`:                                             {"MALFORMED_QUERY", "unexpected token: '-1'"},
		`SELECT Id FROM Contact OFFSET 2001`:                                          {"NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"},
		`SELECT FIELDS(ALL) FROM Contact`:                                             {"MALFORMED_QUERY", "The SOQL FIELDS function must have a LIMIT of at most 200"},
		`SELECT FIELDS(ALL) FROM Contact LIMIT 201`:                                   {"MALFORMED_QUERY", "LIMIT of at most 200"},
		`SELECT COUNT(Id), LastName FROM Contact`:                                     {"MALFORMED_QUERY", "GROUP BY"},
		`SELECT LastName FROM Contact GROUP BY LastName`:                              {"MALFORMED_QUERY", "GROUP is not supported"},
		`SELECT Id, (SELECT Id FROM Cases) FROM Contact`:                              {"MALFORMED_QUERY", "subquery"},
		`SELECT Id FROM Contact WHERE Id IN (SELECT ContactId FROM Case)`:             {"MALFORMED_QUERY", "semi-join"},
		`SELECT TYPEOF What WHEN Account THEN Phone END FROM Task`:                    {"MALFORMED_QUERY", "TYPEOF is not supported"},
		`SELECT Id FROM Contact FOR UPDATE`:                                           {"MALFORMED_QUERY", "FOR is not supported"},
		`SELECT Id FROM Contact WITH SECURITY_ENFORCED`:                               {"MALFORMED_QUERY", "WITH is not supported"},
		`SELECT Id FROM Contact USING SCOPE mine`:                                     {"MALFORMED_QUERY", "USING is not supported"},
		`SELECT Id FROM Contact ALL ROWS`:                                             {"MALFORMED_QUERY", "ALL is not supported"},
		`SELECT Id FROM Contact c`:                                                    {"MALFORMED_QUERY", "alias"},
		`SELECT toLabel(Status) FROM Case`:                                            {"MALFORMED_QUERY", "TOLABEL() is not supported"},
		`SELECT Id FROM Contact WHERE CALENDAR_YEAR(CreatedDate) = 2024`:              {"MALFORMED_QUERY", "CALENDAR_YEAR() is not supported"},
		`SELECT Id FROM Contact WHERE LastName = '` + strings.Repeat("x", 4001) + `'`: {"MALFORMED_QUERY", "longer than 4000 characters"},
		`SELECT Id FROM Contact WHERE LastName = 'a' ;`:                               {"MALFORMED_QUERY", "unexpected char: ';'"},
		``: {"MALFORMED_QUERY", "A query string has to be specified"},
	} {
		t.Run(soql[:min(len(soql), 60)], func(t *testing.T) {
			status, body := u.query(soql)
			require.Equal(t, 400, status, body)
			got := faults(t, body)[0]
			require.Equal(t, want[0], got.ErrorCode, body)
			require.Contains(t, got.Message, want[1])
			require.Nil(t, got.Fields, "query errors have no fields")
		})
	}
}

func TestTheShapeOfQueryAnswers(t *testing.T) {
	u := people(t)
	_, body := u.query("SELECT Id, Account.Name, Account.Owner.Alias, LastName FROM Contact ORDER BY Id LIMIT 2")
	const contact = `{"attributes":{"type":"Contact","url":"/services/data/v64.0/sobjects/Contact/`
	require.Equal(t, `{"totalSize":2,"done":true,"records":[`+contact+`003Hn0000000001IAA"},"Id":"003Hn0000000001IAA",`+
		`"Account":{"attributes":{"type":"Account","url":"/services/data/v64.0/sobjects/Account/001Hn0000000001IAA"},"Name":"Acme",`+
		`"Owner":{"attributes":{"type":"User","url":"/services/data/v64.0/sobjects/User/005Hn0000000001IAA"},"Alias":"twiliosf"}},"LastName":"Ada"},`+
		contact+`003Hn0000000002IAA"},"Id":"003Hn0000000002IAA","Account":null,"LastName":"Böhm"}]}`, body)
	_, body = u.query("SELECT COUNT() FROM Contact WHERE Title = null")
	require.Equal(t, `{"totalSize":2,"done":true,"records":[]}`, body)
	_, body = u.query("SELECT COUNT(Id), COUNT(Title) titles FROM Contact")
	require.Equal(t, `{"totalSize":1,"done":true,"records":[{"attributes":{"type":"AggregateResult"},"expr0":4,"titles":2}]}`, body)
	status, body := u.query("SELECT FIELDS(STANDARD) FROM Contact")
	require.Equal(t, 200, status, body)
	status, body = u.query("SELECT FIELDS(ALL) FROM Contact WHERE Id = '003Hn0000000001IAA'")
	require.Equal(t, 200, status, body)
	require.Contains(t, body, `"MailingCity":null`)
	_, body = u.query("SELECT NumberOfEmployees FROM Account")
	require.Contains(t, body, `"NumberOfEmployees":12}`)
}

func TestQueryAllSeesTheRecycleBin(t *testing.T) {
	u := people(t)
	require.NoError(t, u.org.Delete("Contact", "003Hn0000000001IAA"))
	require.Len(t, u.found("SELECT Id FROM Contact", "Id"), 3)
	ask := func() string {
		_, body := u.call("GET", data+"/queryAll?q="+url.QueryEscape("SELECT Id FROM Contact WHERE IsDeleted = true"), "")
		return body
	}
	require.Contains(t, ask(), "003Hn0000000001IAA")
	u.org.EmptyRecycleBin()
	require.Contains(t, ask(), `"totalSize":0`)
	status, body := u.call("GET", data+"/sobjects/Contact/003Hn0000000001IAA", "")
	require.Equal(t, 404, status)
	require.Equal(t, "NOT_FOUND", faults(t, body)[0].ErrorCode)
}

func TestPagesOfALongAnswer(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	for i := range 2501 {
		_, err := u.org.Insert("Contact", map[string]any{"LastName": fmt.Sprintf("c%04d", i)})
		require.NoError(t, err)
	}
	walk := func(header ...string) (pages []int, last string) {
		at := data + "/query?q=" + url.QueryEscape("SELECT Id FROM Contact ORDER BY LastName DESC")
		for at != "" {
			status, body := u.call("GET", at, "", header...)
			require.Equal(t, 200, status, body)
			page := parse(t, body)
			require.InDelta(t, 2501, page["totalSize"], 0)
			pages = append(pages, len(page["records"].([]any)))
			last = at
			at, _ = page["nextRecordsUrl"].(string)
			require.Equal(t, at == "", page["done"])
		}
		return pages, last
	}
	pages, last := walk()
	require.Equal(t, []int{2000, 501}, pages)
	require.Regexp(t, `^/services/data/v64.0/query/01g\w{15}-2000$`, last)
	pages, _ = walk("Sforce-Query-Options: batchSize=1000")
	require.Equal(t, []int{1000, 1000, 501}, pages)
	pages, _ = walk("Sforce-Query-Options: batchSize=1")
	require.Len(t, pages, 13, "200 is the smallest page")
	status, body := u.call("GET", data+"/query/01gHn0000000099AAA-2000", "")
	require.Equal(t, 400, status)
	require.Equal(t, "INVALID_QUERY_LOCATOR", faults(t, body)[0].ErrorCode)
	status, _ = u.call("GET", last, "")
	require.Equal(t, 200, status, "a page can be read again")
}

func TestLimitsOfASOQLText(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	resp := u.do("GET", data+"/query?q="+strings.Repeat("x", 16_384), "")
	require.Equal(t, "text/html;charset=UTF-8", resp.Header.Get("Content-Type"))
	status, body := read(t, resp)
	require.Equal(t, 414, status)
	require.Equal(t, "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>", body)
	status, _ = u.call("GET", data+"/limits", "", "X-Long: "+strings.Repeat("x", 16_384))
	require.Equal(t, 431, status)

	long := "SELECT Id FROM Contact WHERE Id IN ('" + strings.Repeat("003Hn0000000001IAA','", 4000) + "003Hn0000000001IAA')"
	composite := func(soql string) string {
		_, body := u.call("POST", data+"/composite", `{"compositeRequest":[{"method":"GET","referenceId":"q","url":"/services/data/v64.0/query?q=`+soql+`"}]}`)
		return body
	}
	require.Contains(t, composite(long), `"totalSize":0`, "a body has room for it")
	require.Contains(t, composite(long+strings.Repeat(" ", 20_000)), "SOQL statements cannot be longer than 100000 characters")
}

package salesforce

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// Every code that the REST API is documented or recorded to give.
func TestEveryKnownCodeHasItsClass(t *testing.T) {
	for _, c := range []struct {
		code    string
		status  int
		message string
		class   fault.Class
	}{
		{"INVALID_SESSION_ID", 401, "Session expired or invalid", fault.Auth},
		{"REQUEST_LIMIT_EXCEEDED", 403, "TotalRequests Limit exceeded.", fault.Throttled},
		{"REQUEST_LIMIT_EXCEEDED", 403, "ConcurrentPerOrgLongTxn Limit exceeded", fault.Throttled},
		{"UNABLE_TO_LOCK_ROW", 400, "unable to obtain exclusive access to this record", fault.Transient},
		{"DUPLICATE_VALUE", 400, "duplicate value found", fault.Permanent},
		{"DUPLICATES_DETECTED", 400, "Use one of these records?", fault.Permanent},
		{"REQUIRED_FIELD_MISSING", 400, "Required fields are missing: [LastName]", fault.Permanent},
		{"STRING_TOO_LONG", 400, "data value too large", fault.Permanent},
		{"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", 400, "bad value", fault.Permanent},
		{"FIELD_CUSTOM_VALIDATION_EXCEPTION", 400, "no", fault.Permanent},
		{"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", 400, "trigger", fault.Permanent},
		{"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", 400, "T: UNABLE_TO_LOCK_ROW, unable", fault.Transient},
		{"FIELD_INTEGRITY_EXCEPTION", 400, "x", fault.Permanent},
		{"INVALID_CROSS_REFERENCE_KEY", 400, "invalid cross reference id", fault.Permanent},
		{"INVALID_CROSS_REFERENCE_KEY", 404, "invalid cross reference id", fault.Permanent},
		{"MALFORMED_ID", 400, "malformed id", fault.Permanent},
		{"INVALID_FIELD", 400, "No such column 'X' on entity 'Y'", fault.Auth},
		{"INVALID_FIELD", 400, "Foreign key external ID: x not found for field A in entity B", fault.Permanent},
		{"INVALID_FIELD_FOR_INSERT_UPDATE", 400, "Unable to create/update fields: X.", fault.Auth},
		{"INVALID_TYPE", 400, "sObject type 'X' is not supported", fault.Auth},
		{"MALFORMED_QUERY", 400, "unexpected token", fault.Permanent},
		{"MALFORMED_SEARCH", 400, "No search term found.", fault.Permanent},
		{"JSON_PARSER_ERROR", 400, "Unexpected character", fault.Permanent},
		{"INVALID_QUERY_LOCATOR", 400, "invalid query locator", fault.Transient},
		{"NUMBER_OUTSIDE_VALID_RANGE", 400, "x", fault.Permanent},
		{"QUERY_TOO_COMPLICATED", 400, "x", fault.Permanent},
		{"EXCEEDED_ID_LIMIT", 400, "record limit reached.", fault.Permanent},
		{"QUERY_TIMEOUT", 400, "Your query request was running for too long.", fault.Transient},
		{"REQUEST_RUNNING_TOO_LONG", 400, "Your request was running for too long", fault.Transient},
		{"TXN_SECURITY_METERING_ERROR", 400, "x", fault.Permanent},
		{"TXN_SECURITY_NO_ACCESS", 400, "x", fault.Permanent},
		{"ENTITY_IS_LOCKED", 400, "x", fault.Permanent},
		{"ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE", 400, "x", fault.Permanent},
		{"INSUFFICIENT_ACCESS", 403, "x", fault.Auth},
		{"INSUFFICIENT_ACCESS_OR_READONLY", 400, "insufficient access rights on object id", fault.Auth},
		{"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", 400, "x", fault.Auth},
		{"API_DISABLED_FOR_ORG", 403, "The REST API is not enabled for this Organization.", fault.Auth},
		{"API_CURRENTLY_DISABLED", 403, "x", fault.Auth},
		{"STORAGE_LIMIT_EXCEEDED", 400, "storage limit exceeded", fault.Throttled},
		{"STORAGE_LIMIT_EXCEEDED", 403, "storage limit exceeded", fault.Throttled},
		{"ENTITY_IS_DELETED", 404, "entity is deleted", fault.Permanent},
		{"NOT_FOUND", 404, "The requested resource does not exist", fault.Auth},
		{"METHOD_NOT_ALLOWED", 405, "HTTP Method 'X' not allowed.", fault.Permanent},
		{"GONE", 410, "x", fault.Auth},
		{"SERVER_UNAVAILABLE", 503, "Server busy", fault.Transient},
		{"UNKNOWN_EXCEPTION", 500, "An unexpected error occurred.", fault.Transient},
		{"LIMIT_EXCEEDED", 400, "x", fault.Throttled},
		{"INACTIVE_OWNER_OR_USER", 400, "x", fault.Permanent},
		{"ALL_OR_NONE_OPERATION_ROLLED_BACK", 400, "x", fault.Transient},
		{"PROCESSING_HALTED", 400, "x", fault.Transient},
		{"NEVER_HEARD_OF", 400, "x", fault.Permanent},
		{"NEVER_HEARD_OF", 500, "x", fault.Transient},
	} {
		body := fmt.Appendf(nil, `[{"errorCode":%q,"message":%q,"fields":["A__c"]}]`, c.code, c.message)
		f := classify(&request{op: "x", repeatable: true}, &answer{status: c.status, body: body, header: http.Header{}})
		require.Equal(t, c.class, f.Class, "%s %d %s", c.code, c.status, c.message)
		require.Equal(t, c.code, f.Code)
		require.Equal(t, c.status, f.Status)
		require.Equal(t, []string{"A__c"}, f.Fields)
		require.Equal(t, "salesforce x", f.Op)
		known := rules[c.code]
		if c.code != CodeInvalidSession && known.class != 0 {
			require.NotEmpty(t, f.Hint, c.code)
		}
	}
}

func TestAFullOrgAndARefusedLoginHaveConditionsOfTheirOwn(t *testing.T) {
	full := classify(&request{op: "x"}, &answer{status: 403, header: http.Header{}, body: []byte(`[{"errorCode":"STORAGE_LIMIT_EXCEEDED","message":"x"}]`)})
	require.Equal(t, "salesforce-storage", full.Condition)
	login := &request{op: "login"}
	for code, condition := range map[string]string{"invalid_grant": "salesforce-login", "server_error": ""} {
		a := &answer{status: 400, header: http.Header{}, body: fmt.Appendf(nil, `{"error":%q}`, code)}
		f := fault.Of(loginFault(login, a, classify(login, a)))
		require.Equal(t, condition, f.Condition, code)
	}
}

func TestAnswersWithoutACodeAreNoVerdictOnTheData(t *testing.T) {
	for status, class := range map[int]fault.Class{
		301: fault.Transient, 304: fault.Transient, 400: fault.Transient, 401: fault.Auth, 403: fault.Auth, 404: fault.Auth,
		407: fault.Auth, 408: fault.Transient, 410: fault.Auth, 413: fault.Permanent, 414: fault.Permanent, 420: fault.Transient,
		429: fault.Throttled, 431: fault.Permanent, 500: fault.Transient, 502: fault.Transient, 503: fault.Transient, 504: fault.Transient,
	} {
		for _, body := range []string{"", "<html><body>Sorry</body></html>", "plain words", "{", "[]", "{}", `["/services/data/x"]`, "<", "null"} {
			f := classify(&request{op: "x", repeatable: true}, &answer{status: status, body: []byte(body), header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}})
			require.Equal(t, class, f.Class, "%d %q", status, body)
			require.NotContains(t, f.Error(), "Sorry")
			require.NotContains(t, f.Error(), "plain words")
			require.Contains(t, f.Error(), fmt.Sprint(status))
		}
	}
}

func TestErrorsAreReadInEveryFormTheyComeIn(t *testing.T) {
	want := vendorError{Code: "INVALID_FIELD", Message: "no such column"}
	for _, body := range []string{
		`[{"message":"no such column","errorCode":"INVALID_FIELD"}]`,
		`[{"errorCode":"INVALID_FIELD","message":"no such column"},{"errorCode":"OTHER","message":"x"}]`,
		"\n [{\"errorCode\":\"INVALID_FIELD\",\"message\":\"no such column\",\"extra\":{\"a\":[1]}}]\n",
		`{"errorCode":"INVALID_FIELD","message":"no such column"}`,
		`[{"statusCode":"INVALID_FIELD","message":"no such column"}]`,
		`<?xml version="1.0"?><Errors><Error><errorCode>INVALID_FIELD</errorCode><message>no such column</message></Error></Errors>`,
		`<error xmlns="x"><exceptionCode>INVALID_FIELD</exceptionCode><exceptionMessage>no such column</exceptionMessage></error>`,
		`<soapenv:Envelope><soapenv:Body><soapenv:Fault><faultcode>sf:INVALID_FIELD</faultcode><faultstring>no such column</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>`,
	} {
		got, ok := firstError([]byte(body))
		require.True(t, ok, body)
		require.Equal(t, want, got, body)
	}
}

func TestLimitInfo(t *testing.T) {
	for header, want := range map[string][2]int{
		"api-usage=18/5000": {18, 5000},
		"api-usage=25/5000; per-app-api-usage=17/250(appName=sample-connected-app)": {25, 5000},
		"per-app-api-usage=17/250(appName=x); api-usage=1/2":                        {1, 2},
	} {
		used, most, ok := limitInfo(header)
		require.True(t, ok, header)
		require.Equal(t, want, [2]int{used, most}, header)
	}
	for _, header := range []string{"", "api-usage=", "api-usage=1", "api-usage=1/0", "api-usage=a/b", "per-app-api-usage=17/250"} {
		_, _, ok := limitInfo(header)
		require.False(t, ok, header)
	}
}

func TestRetryAfterInSecondsAndAsADate(t *testing.T) {
	wait, ok := retryAfter(http.Header{"Retry-After": {"17"}})
	require.True(t, ok)
	require.Equal(t, 17*time.Second, wait)
	wait, ok = retryAfter(http.Header{"Retry-After": {time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}})
	require.True(t, ok)
	require.InDelta(t, time.Hour.Seconds(), wait.Seconds(), 5)
	for _, v := range []string{"", "-1", "soon"} {
		_, ok := retryAfter(http.Header{"Retry-After": {v}})
		require.False(t, ok, v)
	}
}

func FuzzFirstError(f *testing.F) {
	for _, s := range []string{`[{"errorCode":"A","message":"b"}]`, `{`, `<a`, " \n", `<errorCode>x`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, ok := firstError(body)
		require.Equal(t, ok, e.Code != "")
		text := Scrub(e.Message, []string{"b"})
		require.LessOrEqual(t, len(text), longestText)
	})
}

func TestScrubCutsValuesAndWhatLooksLikeANumber(t *testing.T) {
	value := "Meet me at the old mill"
	for text, want := range map[string]string{
		"said Meet me at the old mill.":              "said [...].",
		"said ...at the old mi":                      "said ...[...]",
		"call +14155550123 or 4155550123":            "call [...] or [...]",
		"record 0015e00000tW1f0 and 00Q5e000001tW1f": "record 0015e00000tW1f0 and 00Q5e000001tW1f",
		"line\n\tbreaks\x00":                         "line breaks",
	} {
		require.Equal(t, want, Scrub(text, []string{value, "abc", ""}))
	}
	filler := strings.Repeat("Z", scannedText-6)
	require.Equal(t, "[...]", scrub(vendorError{Message: filler + value}, []string{filler, value}), "a value that begins where reading ends")
	require.LessOrEqual(t, len(Scrub(strings.Repeat("é ", 1000), nil)), longestText)
}

package twilio

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// refused classes an answer to a request with this method.
func refused(method string, status int, body string) *fault.Error {
	c := &call{account: &Account{byKey: true}, op: operation{name: "twilio try"}, method: method}
	return c.refusal(&http.Response{StatusCode: status, Header: http.Header{}}, []byte(body))
}

func twilioError(status, code int, text string) string {
	return fmt.Sprintf(`{"code":%d,"message":%q,"more_info":"https://www.twilio.com/docs/errors/%d","status":%d}`, code, text, code, status)
}

func TestARefusedCredentialHasItsOwnConditionAndASuspendedAccountHasNot(t *testing.T) {
	require.Equal(t, "twilio-credentials", refused("GET", 401, twilioError(401, 20003, "Authenticate")).Condition)
	require.Equal(t, "twilio-credentials", refused("GET", 401, "<html>").Condition)
	require.Empty(t, refused("GET", 401, twilioError(401, 20005, "Account not active")).Condition)
	require.Empty(t, refused("GET", 503, twilioError(503, 20503, "x")).Condition)
}

func TestAnAnswerIsClassedByItsStatusFirst(t *testing.T) {
	const html = "<html><h1>Sorry</h1></html>"
	for _, c := range []struct {
		name   string
		status int
		body   string
		get    fault.Class
		post   fault.Class
		hint   string
	}{
		{"wrong credentials", 401, twilioError(401, 20003, "Authenticate"), fault.Auth, fault.Auth, "api_key_secret"},
		{"a region's credentials", 403, twilioError(403, 20003, "Authenticate"), fault.Auth, fault.Auth, "region"},
		{"not active", 401, twilioError(401, 20005, "Account not active"), fault.Auth, fault.Auth, "suspended"},
		{"suspended", 403, twilioError(403, 20403, "Forbidden"), fault.Auth, fault.Auth, "suspended"},
		{"test credentials", 403, twilioError(403, 20008, "x"), fault.Auth, fault.Auth, "test credentials"},
		{"401 of a gateway", 401, html, fault.Auth, fault.Auth, "api_key_sid"},
		{"403 and a code of something else", 403, twilioError(403, 21211, "x"), fault.Auth, fault.Auth, "api_key_sid"},
		{"a proxy", 407, html, fault.Auth, fault.Auth, "HTTPS_PROXY"},
		{"too many", 429, twilioError(429, 20429, "Too Many Requests"), fault.Throttled, fault.Throttled, ""},
		{"too many, without words", 429, "", fault.Throttled, fault.Throttled, ""},
		{"internal error", 500, twilioError(500, 20500, "x"), fault.Transient, fault.Uncertain, ""},
		{"unavailable", 503, twilioError(503, 20503, "x"), fault.Transient, fault.Uncertain, ""},
		{"500 and a code that is permanent", 500, twilioError(500, 21211, "x"), fault.Transient, fault.Uncertain, ""},
		{"a proxy's 502", 502, html, fault.Transient, fault.Uncertain, ""},
		{"an empty 503", 503, "", fault.Transient, fault.Uncertain, ""},
		{"timeout", 408, twilioError(408, 20408, "x"), fault.Transient, fault.Uncertain, ""},
		{"a proxy's 404", 404, html, fault.Transient, fault.Uncertain, "base_url"},
		{"JSON that is not Twilio's", 404, `{"error":"no route"}`, fault.Transient, fault.Uncertain, "base_url"},
		{"a list of errors", 400, `[]`, fault.Transient, fault.Uncertain, "base_url"},
		{"a redirect", 302, "", fault.Transient, fault.Uncertain, "base_url"},
		{"a code nobody knows", 400, twilioError(400, 29999, "x"), fault.Permanent, fault.Permanent, ""},
		{"no code", 400, `{"message":"x","code":null}`, fault.Permanent, fault.Permanent, ""},
		{"a method", 405, twilioError(405, 20004, "Method not allowed"), fault.Permanent, fault.Permanent, ""},
		{"no such thing", 404, twilioError(404, 20404, "x"), fault.Permanent, fault.Permanent, ""},
		{"not delivered yet", 409, twilioError(409, 20009, "x"), fault.Transient, fault.Transient, ""},
		{"a conflict", 409, twilioError(409, 20409, "x"), fault.Permanent, fault.Permanent, ""},
		{"a full queue", 400, twilioError(400, 21611, "x"), fault.Throttled, fault.Throttled, ""},
		{"opted out", 400, twilioError(400, 21610, "x"), fault.Permanent, fault.Permanent, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			get, post := refused("GET", c.status, c.body), refused("POST", c.status, c.body)
			require.Equal(t, c.get.String(), get.Class.String())
			require.Equal(t, c.post.String(), post.Class.String())
			require.Contains(t, get.Hint, c.hint)
			require.Equal(t, c.status, get.Status)
			require.NotEmpty(t, get.Err.Error())
		})
	}
}

func TestTheHintNamesTheCredentialThatIsUsed(t *testing.T) {
	c := &call{account: &Account{}, method: "GET"}
	f := c.refusal(&http.Response{StatusCode: http.StatusUnauthorized}, []byte(twilioError(401, 20003, "Authenticate")))
	require.Contains(t, f.Hint, "twilio.auth_token")
	require.NotContains(t, f.Hint, "api_key")
	require.Equal(t, "20003", f.Code)
}

func TestWhatMayBeSentAgainAndWhatMayNot(t *testing.T) {
	again := []int{
		20009, 20429, 20500, 20503, 21611, 30001, 30003, 30008, 30017, 30022, 30023, 30027, 30035, 30410, 30610, 63018,
	}
	never := []int{
		20001, 20404, 20409, 20422, 21211, 21212, 21408, 21481, 21602, 21603, 21604, 21606, 21608, 21609, 21610, 21612, 21614, 21617, 21619,
		21620, 21621, 21623, 21624, 21635, 21654, 21655, 21656, 21703, 21704, 21705, 21910, 30004, 30005, 30006, 30007, 30032, 30034, 30036, 30409,
		30450, 30640, 35111, 35114, 35115, 35117, 35118, 35125, 63003, 63007, 63016, 63024, 63032, 63033, 63049, 63051,
		11200, 11205, 11210, 11215, 12100, 12200, 12300, 81023, 82002,
	}
	operator := []int{20003, 20005, 20008, 20403, 30002}
	require.Len(t, codes, len(again)+len(never)+len(operator), "every code is in one of the lists")
	for _, code := range again {
		f := refused("POST", 400, twilioError(400, code, "x"))
		require.Contains(t, []fault.Class{fault.Transient, fault.Throttled}, f.Class, code)
	}
	for _, code := range never {
		require.Equal(t, fault.Permanent, refused("POST", 400, twilioError(400, code, "x")).Class, code)
	}
	for _, code := range operator {
		require.Equal(t, fault.Auth, refused("POST", 400, twilioError(400, code, "x")).Class, code)
	}
	for code, rule := range codes {
		require.NotEmpty(t, rule.meaning, code)
		require.Equal(t, strconv.Itoa(code), refused("GET", 400, twilioError(400, code, "x")).Code)
	}
}

func TestTwiliosTextGivesNothingAway(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
	}{
		{"a number", "The number +14155550100 is odd", "The number ... is odd"},
		{"a number in groups", "call (415) 555-0100 now", "call ... ... now"},
		{"a quoted value", "Parameter 'Body' has 'dear Anna' in it", "Parameter Body has ... in it"},
		{"an open quote", `Cannot parse "dear Anna`, "Cannot parse"},
		{"what follows a colon", "Cannot send: dear Anna", "Cannot send"},
		{"signs", "odd\x00\n😀 text", "... ... text"},
		{"nothing left", "\"dear Anna", "HTTP 400"},
		{"nothing", "", "HTTP 400"},
		{"a flood", strings.Repeat("a", 5000), strings.Repeat("a", maxWords)},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := refused("POST", 400, twilioJSON(29999, c.text))
			require.Equal(t, "29999", f.Code)
			require.Equal(t, c.want, f.Err.Error())
		})
	}
	f := refused("POST", 400, twilioJSON(21211, "The 'To' number +14155550100 is not a valid phone number."))
	require.Equal(t, "twilio try: 21211: the recipient is no valid number", f.Error(), "known codes have words of ours")
}

func twilioJSON(code int, text string) string {
	quoted := strings.NewReplacer(`"`, `\"`, "\n", `\n`, "\x00", `\u0000`).Replace(text)
	return fmt.Sprintf(`{"code":%d,"status":400,"message":`, code) + `"` + quoted + `"}`
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		require.Equal(t, 7*time.Second, retryAfter("7"))
		require.Equal(t, time.Minute, retryAfter(time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)))
		for _, text := range []string{"", "soon", "-5", "1e9", "99999999999", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)} {
			require.Zero(t, retryAfter(text), text)
		}
	})
}

func FuzzRefusal(f *testing.F) {
	f.Add(400, twilioError(400, 21211, "The 'To' number +14155550100 is not valid"))
	f.Add(503, "<html>")
	f.Add(429, `{"code":"20429"}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		got := refused("GET", status, body)
		require.NotZero(t, got.Class)
		require.NotEqual(t, fault.Uncertain, got.Class, "a read is never uncertain")
		require.NotEmpty(t, got.Err.Error())
		require.Less(t, len(got.Error()), 1000)
	})
}

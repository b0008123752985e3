package salesforce_test

import (
	"bytes"
	"fmt"
	"log"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// captureStandardLog collects what reaches the standard logger during a test.
func captureStandardLog(t *testing.T) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	before := log.Writer()
	log.SetOutput(&b)
	t.Cleanup(func() { log.SetOutput(before) })
	return &b
}

const secretSOQL = "SELECT Id FROM Contact WHERE MobilePhone = '+14155550123' AND LastName = 'Wolkenstein'"

func TestNothingOfACallReachesTheStandardLogger(t *testing.T) {
	printed := captureStandardLog(t)
	for _, r := range []reply{
		ok(`{"records":[{"Body__c":"Wolkenstein"`), ok(`{"records":"Wolkenstein"}`), ok(`[1,2]`),
		{status: 503, body: "<html>Wolkenstein</html>"}, {status: 302, header: http.Header{"Location": {"https://elsewhere.test"}}},
		refused(400, "MALFORMED_QUERY", secretSOQL), refused(401, "INVALID_SESSION_ID", "Wolkenstein"), {err: errReset},
	} {
		synctest.Test(t, func(t *testing.T) {
			org := newOrg(t, always(r))
			_ = org.Query(t.Context(), secretSOQL, func(map[string]any) error { return nil })
			_, _ = org.Do(t.Context(), salesforce.Call{Op: "x", Method: http.MethodPost, Path: "/y", Body: []byte(`{"a":"Wolkenstein"}`)})
		})
	}
	for _, login := range []reply{
		soapFault("INVALID_LOGIN", "u&amp;i@acme.test"), {status: 200, body: "no XML"}, {err: errReset},
		soapAnswer("session", host+"/services"),
	} {
		synctest.Test(t, func(t *testing.T) {
			f := always(ok(`{}`))
			f.login = func(*http.Request, string) reply { return login }
			_, _ = newOrg(t, f, byPassword).Do(t.Context(), read)
		})
	}
	require.Empty(t, printed.String())
}

func TestOthersMayUseTheStandardLogger(t *testing.T) {
	printed := captureStandardLog(t)
	f := always(ok(`{}`))
	f.login = func(*http.Request, string) reply { return soapAnswer("session", host+"/services") }
	_, _ = newOrg(t, f, byPassword).Do(t.Context(), read)
	log.Print("a line of somebody else's")
	log.Print("somebody quotes [simpleforce]")
	require.Equal(t, 2, strings.Count(printed.String(), "\n"))
	require.Contains(t, printed.String(), "a line of somebody else's")

	for _, flags := range []int{0, log.LstdFlags, log.LstdFlags | log.Lmicroseconds | log.Lshortfile} {
		printed.Reset()
		log.SetFlags(flags)
		log.SetPrefix("app: ")
		log.Println("[simpleforce]", "User u&i@acme.test authenticated.")
		log.SetPrefix("")
		log.SetFlags(log.LstdFlags)
		require.Empty(t, printed.String())
	}
}

func TestErrorsHoldNoValueOfWhatWasSent(t *testing.T) {
	const body = "Meet me at the old mill at seven"
	record := fmt.Sprintf(`{"attributes":{"type":"TwilioSF_Message__c"},"Body__c":%q,"To_Number__c":"+14155550123"}`, body)
	for _, c := range []struct {
		code, message string
		keeps         string
	}{
		{"STRING_TOO_LONG", "Message Body: data value too large: " + body + " (max length=20)", "Message Body: data value too large (max length=20)"},
		{"STRING_TOO_LONG", "Message Body: data value too large: something else that was echoed (max length=20)", "(max length=20)"},
		{"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Status: bad value for restricted picklist field: odd", "Status: bad value for restricted picklist field"},
		{"FIELD_CUSTOM_VALIDATION_EXCEPTION", "No texts like '" + body + "' to +14155550123, please", "No texts like '"},
		{"FIELD_CUSTOM_VALIDATION_EXCEPTION", "Cut short: at the old mill...", "Cut short:"},
		{"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Trigger: number 4155550123 is unknown", "Trigger: number"},
		{"DUPLICATE_VALUE", "duplicate value found: X__c duplicates value on record with id: 0015e00000tW1f0", "0015e00000tW1f0"},
		{"SOMETHING_NEW", "Said: " + body, "Said:"},
	} {
		row := fmt.Sprintf(`[{"success":false,"errors":[{"statusCode":%q,"message":%q,"fields":["Body__c"]}]}]`, c.code, c.message)
		whole := refused(400, c.code, c.message)
		for _, answer := range []reply{ok(row), whole} {
			results, err := newOrg(t, always(answer)).UpsertCollection(t.Context(), "TwilioSF_Message__c", "Message_SID__c", [][]byte{[]byte(record)})
			if err == nil {
				err = results[0].Err
				require.Equal(t, []string{"Body__c"}, results[0].Err.Fields)
			}
			require.Equal(t, c.code, fault.CodeOf(err))
			require.Contains(t, err.Error(), c.keeps)
			for _, secret := range []string{body, "old mill", "4155550123"} {
				require.NotContains(t, err.Error(), secret)
			}
		}
	}
}

func TestErrorsHoldNoLiteralOfAQuery(t *testing.T) {
	echo := "\n" + secretSOQL + "\n                    ^\nERROR at Row:1:Column:21\nNo such column 'Nope' on entity 'Contact'. Near 'Wolkenstein'."
	long := secretSOQL + " AND Id IN ('" + strings.Repeat("x", 13_000) + "')"
	composite := fmt.Sprintf(`{"compositeResponse":[{"httpStatusCode":400,"referenceId":"query","body":[{"errorCode":"INVALID_FIELD","message":%q}]}]}`, echo)
	for soql, answer := range map[string]reply{secretSOQL: refused(400, "INVALID_FIELD", echo), long: ok(composite)} {
		err := newOrg(t, always(answer)).Query(t.Context(), soql, nil)
		require.Equal(t, fault.Auth, fault.ClassOf(err))
		require.Contains(t, err.Error(), "ERROR at Row:1:Column:21 No such column 'Nope' on entity 'Contact'")
		require.NotContains(t, err.Error(), "Wolkenstein")
		require.NotContains(t, err.Error(), "4155550123")
	}
}

func TestCredentialsAreNeverShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logged := observer.New(zap.DebugLevel)
		echo := reply{status: 400, body: `{"error":"invalid_client","error_description":"client consumer-key with consumer-secret"}`}
		f := always(ok(`{}`))
		f.login = func(*http.Request, string) reply { return echo }
		org := newOrg(t, f, func(o *salesforce.Options) { o.Logger = zap.New(core) })
		err := ping(t.Context(), org)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "consumer-secret")
		require.Equal(t, 1, logged.Len(), "the refusal is logged once")
		require.Error(t, ping(t.Context(), org))
		require.Equal(t, 1, logged.Len())
		require.NotContains(t, fmt.Sprint(logged.All()), "consumer-secret")
	})
	for _, g := range []salesforce.Grant{
		salesforce.JWT{ClientID: "hidden", PrivateKey: []byte("hidden")},
		salesforce.ClientCredentials{ClientSecret: "hidden"}, salesforce.Password{Password: "hidden", SecurityToken: "hidden"},
	} {
		for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
			require.NotContains(t, fmt.Sprintf(form, salesforce.Options{Auth: g}), "hidden")
		}
	}
}

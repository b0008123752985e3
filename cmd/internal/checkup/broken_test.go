package checkup_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/checkup"
	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// broken is a set-up and the one line that names what is wrong with it.
type broken struct {
	setup

	fact   string
	state  checkup.State
	says   string // part of the line
	remedy string // part of it
}

func TestEachBrokenSetUpGivesTheOneLineThatNamesIt(t *testing.T) {
	for kind, all := range map[string]map[string]broken{
		"machine": brokenMachines(), "twilio": brokenAccounts(), "login": brokenLogins(), "org": brokenOrgs(), "limits": brokenLimits(),
	} {
		for name, b := range all {
			t.Run(kind+"/"+name, func(t *testing.T) {
				r := b.look(t)
				require.Equal(t, b.state != checkup.Fail, r.Runs, "%s", lines(r))
				named := 0
				for _, f := range r.Facts {
					switch {
					case f.Name == b.fact && f.State == b.state:
						named++
						require.Contains(t, f.Says, b.says)
						require.Contains(t, f.Remedy, b.remedy)
						require.Regexp(t, `[.)]$`, f.Remedy, "a whole sentence")
						require.NotContains(t, f.Says+f.Remedy, "\n")
					case b.state == checkup.Fail && f.State == checkup.Skipped:
						require.Contains(t, f.Says, "because "+b.fact+" failed", "%s", lines(r))
					default:
						require.Equal(t, checkup.OK, f.State, "the others stay ok: %s", lines(r))
					}
				}
				require.Equal(t, 1, named, "%s", lines(r))
			})
		}
	}
}

func brokenMachines() map[string]broken {
	clock := func(d time.Duration) setup {
		return setup{
			twilio: twiliotest.Options{Now: func() time.Time { return time.Now().Add(d) }},
			org:    salesforcetest.Options{ClockSkew: d},
		}
	}
	env := func(vars map[string]string) func(*checkup.Options) {
		return func(o *checkup.Options) { o.Env = func(name string) string { return vars[name] } }
	}
	return map[string]broken{
		"the clock is ten minutes behind": {setup: clock(10 * time.Minute), fact: "clock", state: checkup.Fail, says: "10m0s behind", remedy: "NTP"},
		"the clock is ten minutes ahead":  {setup: clock(-10 * time.Minute), fact: "clock", state: checkup.Fail, says: "10m0s ahead", remedy: "NTP"},
		"the clock is a little off":       {setup: clock(30 * time.Second), fact: "clock", state: checkup.Todo, says: "30s behind", remedy: "NTP"},
		"a name does not resolve": {
			setup: setup{options: func(o *checkup.Options) { o.Twilio = failing{&net.DNSError{Err: "no such host", IsNotFound: true}} }},
			fact:  "twilio-network", state: checkup.Fail, says: "cannot be resolved", remedy: "name servers",
		},
		"a certificate is not trusted": {
			setup: setup{options: func(o *checkup.Options) {
				o.Salesforce = failing{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}
			}},
			fact: "salesforce-network", state: checkup.Fail, says: "is not trusted", remedy: "CA certificates",
		},
		"a firewall swallows everything": {
			setup: setup{arrange: func(_ *testing.T, s *sandbox.Sandbox) { s.Twilio.Script(twiliotest.Hang()) }},
			fact:  "twilio-network", state: checkup.Fail, says: "does not answer within 20s", remedy: "firewall",
		},
		"the store lies on a read-only file system": {
			setup: setup{edit: store("/proc/twiliosf/twiliosf.db")},
			fact:  "store", state: checkup.Fail, says: "/proc", remedy: "write the folder",
		},
		"the store is another kind of file": {
			setup: setup{edit: func(yaml string) string { return store(mustExist("broken_test.go"))(yaml) }},
			fact:  "store", state: checkup.Fail, says: "is not a SQLite file",
		},
		"the disk is full": {
			setup: setup{options: func(o *checkup.Options) { o.Free = func(string) (uint64, error) { return 10 << 20, nil } }},
			fact:  "disk", state: checkup.Fail, says: "10 MB are left", remedy: "Make room",
		},
		"the disk is nearly full": {
			setup: setup{options: func(o *checkup.Options) { o.Free = func(string) (uint64, error) { return 500 << 20, nil } }},
			fact:  "disk", state: checkup.Todo, says: "500 MB are left", remedy: "1 GB",
		},
		"the unit does not listen": {
			setup: setup{options: env(map[string]string{"INVOCATION_ID": "1"})},
			fact:  "systemd", state: checkup.Todo, says: "NOTIFY_SOCKET", remedy: "Type=notify",
		},
		"the unit's credentials are not there": {
			setup: setup{options: env(map[string]string{"INVOCATION_ID": "1", "NOTIFY_SOCKET": "@n", "CREDENTIALS_DIRECTORY": "/proc/twiliosf"})},
			fact:  "systemd", state: checkup.Fail, says: "cannot be read", remedy: "LoadCredential=",
		},
	}
}

func brokenAccounts() map[string]broken {
	script := func(f twiliotest.Fault) setup {
		return setup{arrange: func(_ *testing.T, s *sandbox.Sandbox) { s.Twilio.Script(f.Times(1000)) }}
	}
	return map[string]broken{
		"the API key's secret is wrong": {
			setup: setup{edit: replace(twiliotest.DefaultAPIKeySecret, "Wrong")},
			fact:  "twilio-credentials", state: checkup.Fail, says: "20003", remedy: "twilio.api_key_secret",
		},
		"the API key is revoked": {
			setup: script(twiliotest.Revoked()), fact: "twilio-credentials", state: checkup.Fail, says: "20003", remedy: "revoked",
		},
		"the auth token is rotated": {
			setup: setup{edit: func(yaml string) string {
				yaml = strings.Replace(yaml, `  api_key_sid: "`+twiliotest.DefaultAPIKeySID+"\"\n", "", 1)
				yaml = strings.Replace(yaml, `  api_key_secret: "`+twiliotest.DefaultAPIKeySecret+"\"\n", "", 1)
				return strings.Replace(yaml, twiliotest.DefaultAuthToken, strings.Repeat("0", 32), 1)
			}},
			fact: "twilio-credentials", state: checkup.Fail, says: "20003", remedy: "twilio.auth_token",
		},
		"the account is suspended": {
			setup: script(twiliotest.Suspended()), fact: "twilio-credentials", state: checkup.Fail, says: "20005", remedy: "suspended",
		},
		"the account is suspended and answers": {
			setup: setup{twilio: twiliotest.Options{Status: "suspended"}}, fact: "twilio-account", state: checkup.Fail, says: "is suspended", remedy: "Twilio Console",
		},
		"the account is a trial": {
			setup: setup{twilio: twiliotest.Options{Trial: true}}, fact: "twilio-account", state: checkup.Todo, says: "verified numbers", remedy: "Upgrade",
		},
		"the money is gone": {
			setup: setup{twilio: twiliotest.Options{Balance: "-0.40"}}, fact: "twilio-balance", state: checkup.Todo, says: "-0.40 USD", remedy: "Top it up",
		},
		"the sender is not ours": {
			setup: setup{edit: replace("twilio:\n", "twilio:\n  sender: \"+14155550177\"\n")},
			fact:  "twilio-sender", state: checkup.Fail, says: "+1415•••0177 is not the account's", remedy: "twilio.sender",
		},
		"the Messaging Service is not ours": {
			setup: setup{edit: replace("twilio:\n", "twilio:\n  sender: MG00000000000000000000000000000000\n")},
			fact:  "twilio-sender", state: checkup.Fail, says: "MG00000000000000000000000000000000 is not", remedy: "twilio.sender",
		},
		"a Messaging Service has no sender": {
			setup: setup{twilio: twiliotest.Options{Services: []twiliotest.Service{{
				SID: twiliotest.DefaultServiceSID, FriendlyName: "Reminders", InboundURL: hookURL, StatusCallback: hookURL,
			}}}},
			fact: "twilio-services", state: checkup.Todo, says: "Reminders has no sender", remedy: "sender pool",
		},
	}
}

func brokenLogins() map[string]broken {
	says := func(code, description string) setup {
		return setup{arrange: func(_ *testing.T, s *sandbox.Sandbox) {
			s.Org.Script(salesforcetest.Answer(400, "application/json;charset=UTF-8", `{"error":"`+code+`","error_description":"`+description+`"}`).
				On(salesforcetest.OpToken).Forever())
		}}
	}
	login := func(w setup, part, remedy string) broken {
		return broken{setup: w, fact: "salesforce-login", state: checkup.Fail, says: part, remedy: remedy}
	}
	password := func(org salesforcetest.Options, word string) setup {
		return setup{org: org, edit: func(yaml string) string {
			return strings.Replace(yaml, "  auth: \"jwt\"\n", "  auth: password\n  password: "+word+"\n  security_token: "+salesforcetest.DefaultSecurityToken+"\n", 1)
		}}
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // no randomness
	}
	return map[string]broken{
		"the consumer key is wrong":            login(setup{edit: replace(salesforcetest.DefaultConsumerKey, "3MVGwrong")}, "invalid_client_id", "salesforce.client_id"),
		"the user is not approved":             login(setup{org: salesforcetest.Options{NotApproved: true}}, "invalid_grant", "Pre-authorize"),
		"the app's certificate is another":     login(setup{org: salesforcetest.Options{Credentials: salesforcetest.Credentials{PublicKey: &other.PublicKey}}}, "invalid_grant", "certificate"),
		"the audience is another's":            login(setup{edit: replace("salesforce:\n", "salesforce:\n  audience: https://example.com\n")}, "invalid_grant", "salesforce.audience"),
		"this address is not allowed":          login(says("invalid_grant", "ip restricted"), "invalid_grant", "login IP ranges"),
		"the token is revoked":                 login(says("invalid_grant", "expired access/refresh token"), "invalid_grant", "revoked"),
		"the user is not admin approved":       login(says("invalid_grant", "user is not admin approved to access this app"), "invalid_grant", "permission set"),
		"the org wants its own address":        login(says("invalid_grant", "login must use https://example.my.salesforce.com"), "invalid_grant", "My Domain"),
		"the user is inactive":                 login(says("inactive_user", "user is inactive"), "inactive_user", "Activate"),
		"the org is locked":                    login(says("inactive_org", "organization is locked"), "inactive_org", "ask Salesforce"),
		"the app lacks the scope":              login(says("invalid_scope", "the requested scope is not allowed"), "invalid_scope", "(api)"),
		"the flow is off":                      login(says("unsupported_grant_type", "grant type not supported"), "unsupported_grant_type", "Enable this OAuth flow"),
		"the password has been changed":        login(password(salesforcetest.Options{}, "old"), "INVALID_LOGIN", "security token"),
		"the org has switched SOAP logins off": login(password(salesforcetest.Options{DisableSOAPLogin: true}, "any"), "INVALID_OPERATION", "auth: jwt"),
		"the session may not use the REST API": login(setup{arrange: func(_ *testing.T, s *sandbox.Sandbox) {
			s.Org.RefuseSessions("This session is not valid for use with the REST API")
		}}, "INVALID_SESSION_ID", "scope api"),
	}
}

// store puts the store somewhere else.
func store(path string) func(string) string {
	return func(yaml string) string {
		var out []string
		for line := range strings.Lines(yaml) {
			if strings.HasPrefix(line, "store:") {
				line = "store: sqlite://" + path + "\n"
			}
			out = append(out, line)
		}
		return strings.Join(out, "")
	}
}

// failing is a network that fails.
type failing struct{ err error }

// RoundTrip implements http.RoundTripper.
func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

// mustExist is a file's whole path.
func mustExist(name string) string {
	path, err := filepath.Abs(name)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		panic(err)
	}
	return path
}

package checkup_test

import (
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/checkup"
	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const message = "TwilioSF_Message__c"

func brokenOrgs() map[string]broken {
	org := func(change func(s *sandbox.Sandbox) error) setup {
		return setup{arrange: func(t *testing.T, s *sandbox.Sandbox) {
			t.Helper()
			require.NoError(t, change(s))
		}}
	}
	itself := func(values map[string]any) setup {
		return org(func(s *sandbox.Sandbox) error {
			for row := range s.Org.Rows("Organization") {
				id, _ := row["Id"].(string)
				return s.Org.Update("Organization", id, values)
			}
			return nil
		})
	}
	deploy := "twiliosf org deploy"
	return map[string]broken{
		"the API is off": {
			setup: org(func(s *sandbox.Sandbox) error {
				s.Org.Script(salesforcetest.Answer(403, "application/json", `[{"message":"The REST API is not enabled for this Organization.","errorCode":"API_DISABLED_FOR_ORG"}]`).
					When(func(r salesforcetest.Request) bool { return strings.HasPrefix(r.Path, "/services/data/v") }).Forever())
				return nil
			}),
			fact: "salesforce-org", state: checkup.Fail, says: "API_DISABLED_FOR_ORG", remedy: "API Enabled",
		},
		"the trial ends soon": {
			setup: org(func(s *sandbox.Sandbox) error {
				for row := range s.Org.Rows("Organization") {
					return s.Org.Update("Organization", row["Id"].(string), map[string]any{"TrialExpirationDate": time.Now().Add(72 * time.Hour)})
				}
				return nil
			}),
			fact: "salesforce-org", state: checkup.Todo, says: "expires on", remedy: "before that",
		},
		"the edition is not for this": {
			setup: itself(map[string]any{"OrganizationType": "Team Edition"}), fact: "salesforce-org", state: checkup.Todo, says: "Team Edition", remedy: "docs/salesforce.md",
		},
		"the permission set is not assigned": {
			setup: org(func(s *sandbox.Sandbox) error {
				for row := range s.Org.Rows("PermissionSetAssignment") {
					return s.Org.Delete("PermissionSetAssignment", row["Id"].(string))
				}
				return nil
			}),
			fact: "salesforce-permissions", state: checkup.Todo, says: "TwilioSF_Integration is not assigned to", remedy: deploy,
		},
		"the messages' object is hidden": {
			setup: org(func(s *sandbox.Sandbox) error { return s.Org.Restrict(message, salesforcetest.Deny{Read: true}) }),
			fact:  "salesforce-objects", state: checkup.Fail, says: message + " is hidden", remedy: deploy,
		},
		"the messages' object may not be written": {
			setup: org(func(s *sandbox.Sandbox) error { return s.Org.Restrict(message, salesforcetest.Deny{Create: true}) }),
			fact:  "salesforce-objects", state: checkup.Fail, says: message + " may not be created", remedy: deploy,
		},
		"an object of the rest is missing": {
			setup: setup{org: salesforcetest.Options{Schema: schema("/objects/TwilioSF_Watch__c/", "", "")}},
			fact:  "salesforce-objects", state: checkup.Todo, says: "TwilioSF_Watch__c is missing", remedy: deploy,
		},
		"a field that is needed is hidden": {
			setup: org(func(s *sandbox.Sandbox) error { return s.Org.HideField(message, "Message_SID__c", true) }),
			fact:  "salesforce-objects", state: checkup.Fail, says: message + ".Message_SID__c is hidden", remedy: deploy,
		},
		"a field that is not needed is missing": {
			setup: setup{org: salesforcetest.Options{Schema: schema("/Price_Unit__c.field-meta.xml", "", "")}},
			fact:  "salesforce-objects", state: checkup.Todo, says: message + ".Price_Unit__c is missing", remedy: deploy,
		},
		"a field that is needed is read-only": {
			setup: org(func(s *sandbox.Sandbox) error { return s.Org.ReadOnlyField(message, "Status__c", true) }),
			fact:  "salesforce-objects", state: checkup.Fail, says: message + ".Status__c is read-only", remedy: deploy,
		},
		"a field is too short": {
			setup: setup{org: salesforcetest.Options{Schema: schema("/TwilioSF_Message__c/fields/Body__c.field-meta.xml", "<length>32768</length>", "<length>1000</length>")}},
			fact:  "salesforce-objects", state: checkup.Todo, says: "Body__c is 1000 characters long, 32768 are needed", remedy: deploy,
		},
		"the key is not unique": {
			setup: setup{org: salesforcetest.Options{Schema: schema("/TwilioSF_Message__c/fields/Message_SID__c.field-meta.xml", "<unique>true</unique>", "<unique>false</unique>")}},
			fact:  "salesforce-objects", state: checkup.Fail, says: "Message_SID__c is not unique", remedy: deploy,
		},
	}
}

func brokenLimits() map[string]broken {
	return map[string]broken{
		"the API calls are nearly used": {
			setup: setup{arrange: func(_ *testing.T, s *sandbox.Sandbox) { s.Org.UseCalls(95_000) }},
			fact:  "salesforce-calls", state: checkup.Todo, says: "of its 100000 API calls", remedy: "System Overview",
		},
		"the API calls are used": {
			setup: setup{arrange: func(_ *testing.T, s *sandbox.Sandbox) { s.Org.UseCalls(100_000) }},
			fact:  "salesforce-org", state: checkup.Fail, says: "REQUEST_LIMIT_EXCEEDED", remedy: "System Overview",
		},
		"our share is too small for the polls": {
			setup: setup{edit: replace("salesforce:\n", "salesforce:\n  daily_api_share: 0.1\n")},
			fact:  "salesforce-calls", state: checkup.Fail, says: "salesforce.daily_api_share allows 10000 of the org's 100000", remedy: "sync.drafts_every",
		},
		"our share leaves little for messages": {
			setup: setup{edit: replace("salesforce:\n", "salesforce:\n  daily_api_share: 0.18\n")},
			fact:  "salesforce-calls", state: checkup.Todo, says: "of our share for messages", remedy: "salesforce.daily_api_share",
		},
		"the storage is full": {
			setup: setup{org: salesforcetest.Options{StorageMB: 1}, arrange: stored(600)},
			fact:  "salesforce-storage", state: checkup.Fail, says: "storage of 1 MB is full", remedy: "Storage Usage",
		},
		"the storage is nearly full": {
			setup: setup{org: salesforcetest.Options{StorageMB: 20}, arrange: stored(9_800)},
			fact:  "salesforce-storage", state: checkup.Todo, says: "of 20 MB are left", remedy: "Storage Usage",
		},
	}
}

func TestANumberThatCallsElsewhereIsNamedBesideTheOthers(t *testing.T) {
	r := setup{twilio: twiliotest.Options{Numbers: []twiliotest.Number{
		{Phone: "+14155550100", SMSURL: hookURL}, {Phone: "+14155550101", SMSURL: "https://user:secret@other.example.com/sms"},
	}}}.look(t)
	require.True(t, r.Runs)
	text := lines(r)
	require.Contains(t, text, "+1415•••0101 calls https://user:xxxxx@other.example.com/sms. twiliosf check --fix-webhooks points it at us.")
	require.Contains(t, text, "2 of 3 numbers and Messaging Services call "+hookURL)
	require.NotContains(t, text, "secret@")
}

func TestAStandardKeyIsEnough(t *testing.T) {
	r := setup{twilio: twiliotest.Options{StandardKey: true}}.look(t)
	require.NotContains(t, lines(r), "todo")
	require.Contains(t, lines(r), "a standard key may not read the account")
	require.True(t, r.Runs)
}

func TestAnEmptyOrgIsToldToDeploy(t *testing.T) {
	r := setup{empty: true}.look(t)
	require.False(t, r.Runs)
	require.Contains(t, lines(r), "fail salesforce-objects: "+message+" is missing")
}

func TestNoSecretAndNoWholeNumberIsShown(t *testing.T) {
	r := setup{edit: func(yaml string) string { return replace("twilio:\n", "twilio:\n  sender: \"+14155550100\"\n")(yaml) }}.look(t)
	for _, secret := range []string{twiliotest.DefaultAPIKeySecret, twiliotest.DefaultAuthToken, "PRIVATE KEY", "14155550100"} {
		require.NotContains(t, lines(r), secret)
	}
}

// stored fills the org with records.
func stored(n int) func(t *testing.T, s *sandbox.Sandbox) {
	return func(t *testing.T, s *sandbox.Sandbox) {
		t.Helper()
		rows := make([]map[string]any, n)
		for i := range rows {
			rows[i] = map[string]any{"LastName": "Ada"}
		}
		_, err := s.Org.Load("Contact", rows)
		require.NoError(t, err)
	}
}

// schema is ours with one text replaced in the files whose name holds part; without
// a text the files are left out.
func schema(part, old, by string) fs.FS {
	changed, met := fstest.MapFS{}, false
	err := fs.WalkDir(metadata.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(metadata.FS, name)
		text := string(data)
		if strings.Contains("/"+name, part) {
			met = true
			if old == "" {
				return nil
			}
			text = strings.Replace(text, old, by, 1)
		}
		changed[name] = &fstest.MapFile{Data: []byte(text)}
		return err
	})
	if err != nil || !met {
		panic("no file of the schema is meant by " + part)
	}
	return changed
}

func TestAStoreThatRootHasMadeIsNamedBeforeTheDaemonStumblesOverIt(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	dir := t.TempDir()
	require.NoError(t, os.Chown(dir, 65534, 65534))
	file := dir + "/twiliosf.db"
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	w := setup{edit: store(file)}
	require.Contains(t, lines(w.look(t)), "todo store: "+file+" belongs to another user than its folder")
	require.NoError(t, os.Chown(file, 65534, 65534))
	require.NotContains(t, lines(w.look(t)), "todo")
}

func TestTheHostIsTheOneThatTwiliosClientTakes(t *testing.T) {
	for vars, host := range map[[2]string]string{
		{"", ""}: "api.twilio.com", {"", "ie1"}: "api.ie1.twilio.com", {"dublin", "ie1"}: "api.dublin.ie1.twilio.com", {"sydney", ""}: "api.sydney.us1.twilio.com",
	} {
		knocked := &knocks{}
		r := setup{
			edit: func(yaml string) string {
				return strings.Replace(yaml, "  base_url: \"http://127.0.0.1:1\"\n", "", 1)
			},
			options: func(o *checkup.Options) {
				o.Twilio = knocked
				o.Env = func(name string) string {
					return map[string]string{"TWILIO_EDGE": vars[0], "TWILIO_REGION": vars[1]}[name]
				}
			},
		}.look(t)
		require.False(t, r.Runs)
		require.Equal(t, host, knocked.host)
	}
}

// knocks remembers which host was asked, and does not answer.
type knocks struct{ host string }

// RoundTrip implements http.RoundTripper.
func (k *knocks) RoundTrip(r *http.Request) (*http.Response, error) {
	k.host = r.URL.Host
	return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
}

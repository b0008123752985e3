package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/salesforce/orgsetup"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

// orgAt is a listening emulated org and the command line beside it, with an
// answer typed in.
func orgAt(t *testing.T, o sandbox.Options, extra string) (s *sandbox.Sandbox, org func(answer string, args ...string) (int, string)) {
	t.Helper()
	s, err := sandbox.New(o)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	require.NoError(t, s.Listen("127.0.0.1:0", "127.0.0.1:0"))
	dir := t.TempDir()
	file := filepath.Join(dir, "twiliosf.yaml")
	text := strings.Replace(s.ConfigYAML(dir), "salesforce:\n", "salesforce:\n"+extra, 1)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return s, func(answer string, args ...string) (int, string) {
		root := newRoot()
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetErr(&out)
		root.SetIn(strings.NewReader(answer))
		root.SetArgs(append([]string{"--config", file, "org"}, args...))
		err := root.ExecuteContext(t.Context())
		if err != nil {
			out.WriteString(err.Error())
		}
		return exitCode(err), out.String()
	}
}

func TestAnAdministratorComparesDeploysAndComparesAgain(t *testing.T) {
	s, org := orgAt(t, sandbox.Options{EmptyOrg: true}, "")
	code, said := org("", "diff")
	require.Equal(t, exitFailed, code)
	require.Contains(t, said, "TwilioSF_Message__c is missing, with its")
	require.Contains(t, said, "Contact.Last_Message_Status__c is missing")
	require.Contains(t, said, "twiliosf org deploy deploys it.")

	code, said = org("n\n", "deploy")
	require.Equal(t, exitFailed, code)
	require.Contains(t, said, "[y/N]")
	require.Less(t, strings.Index(said, "Contact.Last_Message_Status__c is missing"), strings.Index(said, "[y/N]"), "one sees what one is asked for")
	require.Equal(t, 1, strings.Count(said, "Contact.Last_Message_Status__c is missing"))
	require.Contains(t, said, "nothing was deployed")
	require.Zero(t, s.Org.Deployments())

	code, said = org("", "deploy", "--check-only")
	require.Equal(t, exitOK, code, said)
	require.Contains(t, said, "would deploy them")
	require.Equal(t, 1, s.Org.Deployments())

	code, said = org("y\n", "deploy")
	require.Equal(t, exitOK, code, said)
	for _, part := range []string{"check: ", "deploy: ", "Assigned the permission set", "no differences", "has all 11 objects"} {
		require.Contains(t, said, part)
	}
	code, said = org("", "diff")
	require.Equal(t, exitOK, code, said)
	code, said = org("", "deploy")
	require.Equal(t, exitOK, code, said)
	require.Contains(t, said, "no differences")
	require.Equal(t, 3, s.Org.Deployments())
}

func TestScriptsReadTheComparisonAndTheDeployment(t *testing.T) {
	_, org := orgAt(t, sandbox.Options{EmptyOrg: true}, "")
	code, said := org("", "diff", "--json")
	require.Equal(t, exitFailed, code)
	var report orgsetup.Report
	require.NoError(t, json.NewDecoder(strings.NewReader(said)).Decode(&report))
	require.NotEmpty(t, report.Differences)
	code, said = org("", "deploy", "--yes", "--json")
	require.Equal(t, exitOK, code, said)
	var out orgsetup.Outcome
	require.NoError(t, json.Unmarshal([]byte(said), &out), "one JSON value and nothing else")
	require.Empty(t, out.After.Differences)
	require.Positive(t, out.Deployed)
}

func TestWhatSalesforceRefusesIsShownWithFileAndRemedy(t *testing.T) {
	s, org := orgAt(t, sandbox.Options{EmptyOrg: true}, "")
	s.Org.Script(salesforcetest.Answer(200, "application/json", `{"id":"0Af000000000001AAA","deployResult":{"status":"Failed","done":true,"numberComponentErrors":1,`+
		`"details":{"componentFailures":[{"componentType":"CustomField","fullName":"Lead.Last_Message_Status__c","fileName":"objects/Lead.object","lineNumber":7,"problem":"no room"}]}}}`).
		On(salesforcetest.OpDeployState))
	code, said := org("", "deploy", "--yes")
	require.Equal(t, exitFailed, code)
	require.Contains(t, said, "CustomField Lead.Last_Message_Status__c (objects/Lead.object, line 7): no room\n    Look at Lead.Last_Message_Status__c in Setup")
	require.Contains(t, said, "nothing has changed")
	code, said = org("", "diff")
	require.Equal(t, exitFailed, code)
	require.Contains(t, said, "TwilioSF_Message__c is missing")
}

func TestWhoMayNotDeployIsToldWhichPermission(t *testing.T) {
	_, org := orgAt(t, sandbox.Options{EmptyOrg: true, Org: salesforcetest.Options{NoModifyMetadata: true}}, "")
	code, said := org("", "deploy", "--yes")
	require.Equal(t, exitFailed, code)
	require.Contains(t, said, "Modify Metadata Through Metadata API Functions")
}

func TestAnOrgWithNamesOfItsOwnIsComparedAndNotDeployedTo(t *testing.T) {
	s, org := orgAt(t, sandbox.Options{}, "  objects:\n    message: {body: Text__c}\n")
	code, said := org("", "diff")
	require.Equal(t, exitFailed, code)
	require.Contains(t, said, "TwilioSF_Message__c.Text__c is missing")
	require.Contains(t, said, "salesforce.objects")
	require.NotContains(t, said, "Body__c")
	code, said = org("", "deploy", "--yes")
	require.Equal(t, exitFailed, code)
	require.Contains(t, said, "take salesforce.objects out of the configuration")
	require.Zero(t, s.Org.Deployments())
}

func TestDeployingWithoutAnAnswerIsAWrongCommandLine(t *testing.T) {
	for _, args := range [][]string{{"org", "diff", "now"}, {"org", "deploy", "everything"}, {"org", "nonsense"}} {
		require.Equal(t, 2, run(args, &bytes.Buffer{}, &bytes.Buffer{}), "%q", args)
	}
}

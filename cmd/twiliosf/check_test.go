package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/checkup"
	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// calling runs a check against a listening account, with an answer typed in.
func calling(t *testing.T, dir, answer string, args ...string) (said string, err error) {
	t.Helper()
	root := newRoot()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetIn(strings.NewReader(answer))
	root.SetArgs(append([]string{"--config", filepath.Join(dir, "twiliosf.yaml"), "check"}, args...))
	err = root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestTheAccountIsPointedAtUsOnlyAfterWeAsked(t *testing.T) {
	s, err := sandbox.New(sandbox.Options{Webhook: "127.0.0.1:8482", Twilio: twiliotest.Options{
		Numbers:  []twiliotest.Number{{Phone: "+14155550100", SMSURL: "https://user:secret@other.example.com/sms"}},
		Services: []twiliotest.Service{{SID: twiliotest.DefaultServiceSID, FriendlyName: "Reminders", Senders: []string{"+14155550100"}}},
	}})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	require.NoError(t, s.Listen("127.0.0.1:0", "127.0.0.1:0"))
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "twiliosf.yaml"), []byte(s.ConfigYAML(dir)), 0o600))

	_, err = calling(t, dir, "", "")
	require.Error(t, err, "an argument that means nothing")
	said, err := calling(t, dir, "")
	require.NoError(t, err, "the daemon runs all the same")
	require.Regexp(t, `(?m)^todo  twilio-webhooks`, said)
	require.Contains(t, said, "other.example.com/sms")
	require.Contains(t, said, "Reminders")
	require.Contains(t, said, "+1415•••0100")
	require.NotContains(t, said, "secret")

	said, err = calling(t, dir, "n\n", "--fix-webhooks")
	require.NoError(t, err)
	require.Contains(t, said, "[y/N]")
	require.Contains(t, said, "2? ")

	_, err = calling(t, dir, "y\n", "--fix-webhooks")
	require.NoError(t, err)
	said, err = calling(t, dir, "", "--json")
	require.NoError(t, err)
	require.Contains(t, said, `"right":true`)
	require.NotContains(t, said, `"right":false`)
	require.Contains(t, said, "#rc=5")
}

func TestAFixThatCouldNotBeMadeIsNoSuccess(t *testing.T) {
	s, err := sandbox.New(sandbox.Options{Webhook: "127.0.0.1:8482"})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	require.NoError(t, s.Listen("127.0.0.1:0", "127.0.0.1:0"))
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "twiliosf.yaml"), []byte(s.ConfigYAML(dir)), 0o600))
	s.Twilio.Script(twiliotest.Revoked().On(twiliotest.ListService).Times(100))
	said, err := calling(t, dir, "", "--fix-webhooks", "--yes")
	require.ErrorContains(t, err, "nothing was changed")
	require.Regexp(t, `(?m)^todo  twilio-webhooks`, said)
}

func TestTheCheckSaysByItsCodeWhetherTheDaemonCanRun(t *testing.T) {
	s, err := sandbox.New(sandbox.Options{EmptyOrg: true})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	require.NoError(t, s.Listen("127.0.0.1:0", "127.0.0.1:0"))
	dir := t.TempDir()
	file := filepath.Join(dir, "twiliosf.yaml")
	require.NoError(t, os.WriteFile(file, []byte(s.ConfigYAML(dir)), 0o600))
	said, err := calling(t, dir, "")
	require.ErrorIs(t, err, errCannotRun)
	require.Regexp(t, `(?m)^FAIL  salesforce-objects +TwilioSF_Message__c is missing.*twiliosf org deploy`, said)

	require.NoError(t, os.WriteFile(file, []byte("twilio: {nonsense: 1}\n"), 0o600))
	said, err = calling(t, dir, "", "--json")
	require.Equal(t, exitConfig, exitCode(err))
	var got struct {
		Runs  bool           `json:"runs"`
		Facts []checkup.Fact `json:"facts"`
	}
	require.NoError(t, json.Unmarshal([]byte(said), &got))
	require.False(t, got.Runs)
	require.Contains(t, said, "twiliosf.yaml:1:10: twilio.nonsense")
	require.Equal(t, checkup.Fail, got.Facts[0].State)
	require.Equal(t, checkup.Skipped, got.Facts[len(got.Facts)-1].State)
}

func TestTheManagedPackagesCallsAreNotTakenFromIt(t *testing.T) {
	s, err := sandbox.New(sandbox.Options{Webhook: "127.0.0.1:8483", Twilio: twiliotest.Options{
		Numbers: []twiliotest.Number{{Phone: "+14155550100", SMSURL: "https://package.example.com/sms"}},
	}})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	require.NoError(t, s.Listen("127.0.0.1:0", "127.0.0.1:0"))
	dir := t.TempDir()
	text := strings.Replace(s.ConfigYAML(dir), "salesforce:\n", "salesforce:\n  objects: managed\n", 1)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "twiliosf.yaml"), []byte(text), 0o600))
	_, err = calling(t, dir, "", "--fix-webhooks", "--yes")
	require.ErrorContains(t, err, "would take messages from it")
	said, _ := calling(t, dir, "")
	require.Contains(t, said, "package.example.com/sms")
}

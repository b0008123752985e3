package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/mirror/mirrortest"
	"github.com/twiliosf/twiliosf/sync/store"
)

// installation writes a configuration and a store with n messages in quarantine,
// and answers the program as somebody at a shell sees it. No daemon runs.
func installation(t *testing.T, n int, more ...func(*testing.T, string)) func(args ...string) (code int, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	file, db := filepath.Join(dir, "twiliosf.yaml"), "sqlite://"+filepath.Join(dir, "twiliosf.db")
	require.NoError(t, os.WriteFile(file, []byte(`
twilio: {account_sid: AC00000000000000000000000000000001, auth_token: 0123456789abcdef0123456789abcdef, base_url: "http://127.0.0.1:1"}
salesforce: {login_url: "http://127.0.0.1:2", auth: client_credentials, client_id: app, client_secret: secret}
console: {listen: "127.0.0.1:0"}
store: `+db+"\n"), 0o600))
	fill(t, db, n)
	for _, m := range more {
		m(t, db)
	}
	return func(args ...string) (int, string, string) {
		var stdout, stderr bytes.Buffer
		code := run(append(args, "--config", file), &stdout, &stderr)
		return code, stdout.String(), stderr.String()
	}
}

// fill makes a store in which messages 1 to n are refused.
func fill(t *testing.T, db string, n int) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: db, Version: "test"})
	require.NoError(t, err)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var seen []message.Message
	for i := range n {
		seen = append(seen, mirrortest.Text(i+1, at))
	}
	_, _, err = s.Merge(t.Context(), seen)
	require.NoError(t, err)
	changes, err := s.Changed(t.Context(), 0, at, n+1)
	require.NoError(t, err)
	var settled []mirror.Settlement
	for _, c := range changes {
		settled = append(settled, mirror.Settlement{Change: c, Refusal: &mirror.Refusal{
			Code: "STRING_TOO_LONG", Fields: []string{"Body__c"}, Message: "too long", Hint: "Make it longer.", At: at,
		}})
	}
	require.NoError(t, s.Settle(t.Context(), settled))
	require.NoError(t, s.Close())
}

func TestScriptsReadTheQuarantineAsAListWhateverIsInIt(t *testing.T) {
	code, out, _ := installation(t, 0)("quarantine", "list", "--json")
	require.Equal(t, exitOK, code)
	require.Equal(t, "[]\n", out)

	code, out, _ = installation(t, 1)("quarantine", "list", "--json")
	require.Equal(t, exitOK, code)
	require.JSONEq(t, `[{"sid":"`+string(mirrortest.SID(1))+`","refusal":{"code":"STRING_TOO_LONG","fields":["Body__c"],
		"message":"too long","hint":"Make it longer.","at":"2026-03-01T12:00:00Z"}}]`, out)
}

func TestAMistypedSIDIsNamedAndTheOthersAreHandled(t *testing.T) {
	for _, verb := range []string{"retry", "drop"} {
		twiliosf := installation(t, 2)
		code, out, said := twiliosf("quarantine", verb, string(mirrortest.SID(1)), "SMmistyped", "SMtoo")
		require.Equal(t, exitFailed, code, verb)
		require.Contains(t, out, "1 messages", verb)
		require.Contains(t, said, "not in quarantine: SMmistyped, SMtoo", verb)

		code, out, said = twiliosf("quarantine", verb, "--json", string(mirrortest.SID(1)))
		require.Equal(t, exitFailed, code, "it has left the quarantine")
		require.JSONEq(t, `{"messages":0,"not_in_quarantine":["`+string(mirrortest.SID(1))+`"]}`, out)
		require.Contains(t, said, string(mirrortest.SID(1)))

		code, out, said = twiliosf("quarantine", verb, "--all", "--json")
		require.Equal(t, exitOK, code, verb)
		require.JSONEq(t, `{"messages":1}`, out)
		require.Empty(t, said)
	}
}

package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
	"github.com/twiliosf/twiliosf/sync/store"
)

const heldRecord = "a0B000000000000001"

// hold puts a send into an installation's store of which it is not known whether
// it happened.
func hold(t *testing.T, db string) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: db, Version: "test"})
	require.NoError(t, err)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	_, err = s.Outbox().Take(t.Context(), []message.Draft{{ID: heldRecord, Modified: at, Ask: message.AskSend, To: "+14155550123", Body: "hi"}}, at)
	require.NoError(t, err)
	a, _, err := s.Outbox().Last(t.Context(), heldRecord)
	require.NoError(t, err)
	a.State, a.Since, a.Intended, a.Sender, a.Out.To = outbox.Held, at, at, "+14155550100", "+14155550123"
	_, err = s.Outbox().Revise(t.Context(), []outbox.Attempt{a})
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

func TestAnAdministratorSettlesASendWhoseAnswerWasLost(t *testing.T) {
	twiliosf := installation(t, 0, hold)
	code, out, _ := twiliosf("outbox", "list", "--state", "held")
	require.Equal(t, exitOK, code)
	require.Contains(t, out, heldRecord)
	require.NotContains(t, out, "4155550123", "numbers are masked")

	code, _, said := twiliosf("outbox", "settle", heldRecord, "--sent", "SM"+strings.Repeat("0a", 16))
	require.Equal(t, exitFailed, code)
	require.Contains(t, said, "twilio list messages", "the message is looked up")
	code, _, said = twiliosf("outbox", "settle", heldRecord, "--failed")
	require.Equal(t, exitOK, code, said)
	code, _, said = twiliosf("outbox", "settle", heldRecord, "--again")
	require.Equal(t, exitFailed, code)
	require.Contains(t, said, "refused")
	code, _, said = twiliosf("outbox", "settle", "a0Bnobody", "--failed")
	require.Equal(t, exitFailed, code)
	require.Contains(t, said, "no record with this id")
	code, out, _ = twiliosf("outbox", "list", "--json")
	require.Equal(t, exitOK, code)
	require.Equal(t, "[]\n", out)
	code, _, said = twiliosf("outbox", "list", "--state", "lost")
	require.Equal(t, exitFailed, code)
	require.Contains(t, said, "uncertain")
}

func TestADecisionIsSaidOnceAndPlainly(t *testing.T) {
	for _, args := range [][]string{
		{"outbox", "settle"},
		{"outbox", "settle", heldRecord},
		{"outbox", "settle", heldRecord, "--again", "--failed"},
		{"outbox", "settle", heldRecord, "--sent", "42"},
		{"outbox", "list", "everything"},
	} {
		require.Equal(t, 2, run(args, io.Discard, io.Discard), "%q", args)
	}
}

package twilio_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/twilio"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

func TestTheAccountTellsHowItStands(t *testing.T) {
	for name, c := range map[string]struct {
		options twiliotest.Options
		state   twilio.State
		balance twilio.Balance
	}{
		"as usual":  {twiliotest.Options{}, twilio.State{Status: "active"}, twilio.Balance{Amount: 1234.56, Unit: "USD"}},
		"a trial":   {twiliotest.Options{Trial: true, Balance: "-0.05"}, twilio.State{Status: "active", Trial: true}, twilio.Balance{Amount: -0.05, Unit: "USD"}},
		"suspended": {twiliotest.Options{Status: "suspended", Balance: "0"}, twilio.State{Status: "suspended"}, twilio.Balance{Unit: "USD"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := stateOf(t, c.options)
			state, err := a.State(t.Context())
			require.NoError(t, err)
			require.Equal(t, c.state, state)
			require.Equal(t, name != "suspended", state.Active())
			balance, err := a.Balance(t.Context())
			require.NoError(t, err)
			require.Equal(t, c.balance, balance)
			require.NoError(t, a.Probe(t.Context()))
		})
	}
}

func TestAStandardKeyMayWorkButNotLookAtTheAccount(t *testing.T) {
	a := stateOf(t, twiliotest.Options{StandardKey: true})
	require.NoError(t, a.Probe(t.Context()))
	_, err := a.State(t.Context())
	require.Equal(t, fault.Auth, fault.ClassOf(err))
}

func stateOf(t *testing.T, o twiliotest.Options) *twilio.Account {
	t.Helper()
	srv := twiliotest.NewServer(o)
	t.Cleanup(srv.Close)
	a, err := twilio.New(twilio.Options{
		AccountSID: srv.AccountSID, APIKeySID: srv.APIKeySID, APIKeySecret: srv.APIKeySecret, HTTP: srv.Client().Transport,
	})
	require.NoError(t, err)
	return a
}

package twilio_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// Create's own comment: Transient, "no byte of the request left, or the wait for a
// slot was given up". The outbox takes what nobody has classed as uncertain.
func TestACreateThatWasGivenUpBeforeItsSlotIsClassedAsNotDone(t *testing.T) {
	acc := emulated(t, twiliotest.NewServer(quiet()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := acc.Create(ctx, message.Outgoing{To: customer, From: ours, Body: "x"})
	require.NotNil(t, fault.Of(err), "%v", err)
	require.Equal(t, fault.Transient, fault.Of(err).Class)
}

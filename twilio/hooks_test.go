package twilio_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/twilio"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

func TestNumbersAndServicesArePointedAtOneAddress(t *testing.T) {
	srv := twiliotest.NewServer(twiliotest.Options{Numbers: []twiliotest.Number{
		{Phone: "+14155550100", SMSURL: "https://other.example.com/sms"}, {Phone: "+14155550101"},
	}, Services: []twiliotest.Service{{SID: twiliotest.DefaultServiceSID, FriendlyName: "Reminders", Senders: []string{"+14155550101"}}}})
	defer srv.Close()
	acc := emulated(t, srv)
	hooks, err := acc.Hooks(t.Context())
	require.NoError(t, err)
	require.Len(t, hooks, 3)
	require.Equal(t, message.Number("+14155550100"), hooks[0].Number)
	require.Equal(t, "https://other.example.com/sms", hooks[0].Inbound)
	require.False(t, hooks[0].Service())
	require.Equal(t, "Reminders", hooks[2].Name)
	require.True(t, hooks[2].Service())

	const address = "https://sms.example.com/twilio"
	for _, h := range hooks {
		require.False(t, h.Calls(address))
		require.NoError(t, acc.Point(t.Context(), h, address+"#rc=5&rp=all"))
		require.NoError(t, acc.Point(t.Context(), h, address+"#rc=5&rp=all"), "it may be repeated")
	}
	hooks, err = acc.Hooks(t.Context())
	require.NoError(t, err)
	for _, h := range hooks {
		require.True(t, h.Calls(address), "%+v", h)
		require.False(t, h.Calls(address+"/other"))
	}
	require.Empty(t, srv.Unknown(), "nothing that Twilio would ignore")
}

func TestAHookThatIsNoMoreIsSaid(t *testing.T) {
	srv := twiliotest.NewServer(twiliotest.Options{})
	defer srv.Close()
	err := emulated(t, srv).Point(t.Context(), twilio.Hook{SID: "PN00000000000000000000000000000404"}, "https://sms.example.com/twilio")
	require.Equal(t, fault.Permanent, fault.ClassOf(err))
	require.Equal(t, "20404", fault.CodeOf(err))
}

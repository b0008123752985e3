package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/config"
)

func TestWhatIsNotFoundIsSentAgainUnlessTheAdminHoldsIt(t *testing.T) {
	require.Equal(t, config.Outbox{SettleAfter: 10 * time.Minute, Uncertain: config.UncertainResend, LateLimit: 12 * time.Hour}, load(t, minimal).Outbox)
	require.Equal(t, config.UncertainHold, load(t, minimal+"outbox: {uncertain: hold}\n").Outbox.Uncertain)
}

func TestTheDefaultSenderIsANumberOrAService(t *testing.T) {
	require.Empty(t, load(t, minimal).Twilio.Sender)
	for _, sender := range []string{"+14155550100", "whatsapp:+14155550100", "12345", "MG" + strings.Repeat("0a", 16)} {
		require.Equal(t, sender, load(t, minimal, "TWILIOSF_TWILIO_SENDER="+sender).Twilio.Sender)
	}
}

package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWordsOfConsentComeFromTheFileOrTheEnvironment(t *testing.T) {
	t.Parallel()
	require.Empty(t, load(t, minimal).Consent.StopWords)
	text := minimal + "consent:\n  stop_words: [PARAR, Arrêt, \"no más\"]\n  start_words: Empezar\n"
	c := load(t, text).Consent
	require.Equal(t, []string{"PARAR", "Arrêt", "no más"}, c.StopWords)
	require.Equal(t, []string{"Empezar"}, c.StartWords)
	require.Contains(t, load(t, text).Redacted(), "  stop_words: [PARAR, Arrêt, no más]\n  start_words: [Empezar]\n  help_words: []\n")
	for _, value := range []string{"basta, parar", "[basta,parar]"} {
		require.Equal(t, []string{"basta", "parar"}, load(t, text, "TWILIOSF_CONSENT_STOP_WORDS="+value).Consent.StopWords)
	}
	require.Equal(t, `TWILIOSF_CONSENT_STOP_WORDS: consent.stop_words: "START" is a start word already; keep it in one list, bare; Twilio's own words need not be listed`,
		refusal(t, minimal, "TWILIOSF_CONSENT_STOP_WORDS=parar,START"))
	require.Equal(t, `TWILIOSF_CONSENT_STOP_WORDS: consent.stop_words: is a blank word; write a word, or leave it out`,
		refusal(t, minimal, "TWILIOSF_CONSENT_STOP_WORDS=parar,,basta"))
}

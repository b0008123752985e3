package config

func consentKeys() []key {
	const form = "A text counts when it is nothing but the word, in whatever case. No word may stand in two lists, nor may one of Twilio's in another."
	return []key{
		{
			path: "consent.stop_words", kind: list, fallback: "[]", example: "[PARAR, ARRÊT, STOPP]",
			doc: "Words that opt a number out, in the languages of those who write to you. " + form,
		},
		{
			path: "consent.start_words", kind: list, fallback: "[]", example: "[EMPEZAR]",
			doc: "Words that bring back what a stop word has ended.",
		},
		{
			path: "consent.help_words", kind: list, fallback: "[]", example: "[AYUDA]",
			doc: "Words that ask for help. They change nothing and are no opt-in keywords.",
		},
	}
}

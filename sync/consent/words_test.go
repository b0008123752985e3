package consent_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/consent"
)

func vocabulary(t testing.TB, keywords ...consent.Keyword) *consent.Vocabulary {
	t.Helper()
	v, err := consent.NewVocabulary(consent.Lists{
		Stop: []string{"parar", "ARRÊT", "iptal", "ne plus", "stopp"}, Start: []string{"empezar"}, Help: []string{"ayuda", "ΒΟΉΘΕΙΑ"},
	})
	require.NoError(t, err)
	all, refused := v.With(keywords)
	require.Empty(t, refused)
	return all
}

var join = consent.Keyword{ID: "a01000000000001AAA", Word: "JOIN", Reply: "Welcome!", Campaign: "701000000000001AAA"}

func TestATextIsReadAsTheOneWordItIs(t *testing.T) {
	v := vocabulary(t, join, consent.Keyword{ID: "a02", Word: "Straße"})
	for _, c := range []struct {
		text, optOut string
		want         consent.Class
	}{
		{"STOP", "", consent.Stop},
		{"stop", "", consent.Stop},
		{"StopAll", "", consent.Stop},
		{"unsubscribe", "", consent.Stop},
		{"Cancel", "", consent.Stop},
		{"END", "", consent.Stop},
		{"quit", "", consent.Stop},
		{"REVOKE", "", consent.Stop},
		{"optout", "", consent.Stop},
		{"Opt out", "", consent.Stop},
		{"opt-out", "", consent.Stop},
		{"  stop \n", "", consent.Stop},
		{"\u00a0stop\u2003", "", consent.Stop},
		{"\u200bstop\u200e\ufeff", "", consent.Stop},
		{"\x00stop", "", consent.Stop},
		{"Stop.", "", consent.Stop},
		{"STOP!", "", consent.Stop},
		{"STOP!!! ", "", consent.Stop},
		{`"STOP"`, "", consent.Stop},
		{"“Stop”.", "", consent.Stop},
		{"stop…", "", consent.Stop},
		{"ＳＴＯＰ", "", consent.Stop},
		{"ＵＮＳＵＢＳＣＲＩＢＥ", "", consent.Stop},
		{"ſtop", "", consent.Stop}, // the long s folds to s
		{"stop please", "", consent.None},
		{"please stop", "", consent.None},
		{"stop?", "", consent.None},
		{"st op", "", consent.None},
		{"nonstop", "", consent.None},
		{"PARAR", "", consent.Stop},
		{"Parar.", "", consent.Stop},
		{"arrêt", "", consent.Stop},
		{"arre\u0302t", "", consent.Stop}, // the accent apart
		{"ARRET", "", consent.None},
		{"İPTAL", "", consent.Stop}, // as a Turkish keyboard writes it
		{"Ne Plus", "", consent.Stop},
		{"START", "", consent.Start},
		{"yes", "", consent.Start},
		{" Unstop ", "", consent.Start},
		{"Empezar", "", consent.Start},
		{"Yes.", "", consent.None}, // Twilio does not take it either
		{"yes please", "", consent.None},
		{"Help", "", consent.Help},
		{"INFO", "", consent.Help},
		{"βοήθεια", "", consent.Help},
		{"join", "", consent.Join},
		{" JOIN ", "", consent.Join},
		{"Join.", "", consent.Join},
		{"“Join”", "", consent.Join},
		{"join us", "", consent.None},
		{"STRASSE", "", consent.Join},
		{"", "", consent.None},
		{"   ", "", consent.None},
		{" \t\r\n\u00a0\u200b ", "", consent.None},
		{".", "", consent.None},
		{`"..."`, "", consent.None},
		{"\xff\xfe", "", consent.None},
		{"👍", "", consent.None},
		{strings.Repeat("stop ", 300), "", consent.None},
		{strings.Repeat(" ", 1600), "", consent.None},
		{"genug jetzt", "STOP", consent.Stop},
		{"join", "STOP", consent.Stop}, // Twilio has acted by it
		{"stop", "START", consent.Start},
		{"hallo", "HELP", consent.Help},
		{"stop", "SOMETHING", consent.Stop},
	} {
		require.Equal(t, c.want, v.Read(c.text, c.optOut).Class, "%q %s", c.text, c.optOut)
	}
	require.Equal(t, join, *v.Read("join", "").Keyword)
}

func TestAKeywordThatIsAnotherWordIsNone(t *testing.T) {
	own, err := consent.NewVocabulary(consent.Lists{Stop: []string{"Parar"}})
	require.NoError(t, err)
	v, refused := own.With([]consent.Keyword{
		{ID: "5", Word: "Stop"}, {ID: "4", Word: "parar"}, {ID: "3", Word: "YES"}, {ID: "2", Word: "help"}, {ID: "6", Word: " "},
		{ID: "7", Word: "two words"}, {ID: "9", Word: "join"}, {ID: "8", Word: "JOIN"}, {ID: "a", Word: "vip!"},
	})
	require.Equal(t, consent.Stop, v.Read("stop", "").Class)
	require.Equal(t, consent.Stop, v.Read("PARAR", "").Class)
	require.Equal(t, consent.Start, v.Read("yes", "").Class)
	require.Equal(t, "8", v.Read("join", "").Keyword.ID, "of two the older record")
	require.Equal(t, []consent.Refused{
		{"help", "is a help word"}, {"YES", "is a start word"}, {"parar", "is a stop word"}, {"Stop", "is a stop word"},
		{" ", "is not one plain word"}, {"two words", "is not one plain word"}, {"join", "is there twice"}, {"vip!", "is not one plain word"},
	}, refused)
}

func TestAListsWordCannotBeTwoThings(t *testing.T) {
	for _, l := range []consent.Lists{
		{Stop: []string{" "}}, {Stop: []string{""}}, {Start: []string{"stop"}}, {Help: []string{"Parar"}, Stop: []string{"PARAR"}},
		{Start: []string{"\u200b"}}, {Stop: []string{"basta!"}},
	} {
		_, err := consent.NewVocabulary(l)
		require.Error(t, err)
	}
	_, err := consent.NewVocabulary(consent.Lists{Stop: []string{"stop", "basta", "BASTA"}})
	require.NoError(t, err, "the same said twice is no contradiction")
}

func TestAnOrdinaryTextCostsNoMemory(t *testing.T) {
	v := vocabulary(t, join)
	for _, text := range []string{"Thank you, see you on Thursday at noon then!", "On my way", "stop", strings.Repeat("ü", 700)} {
		require.Zero(t, testing.AllocsPerRun(100, func() { v.Read(text, "") }), text)
	}
}

func BenchmarkRead(b *testing.B) {
	v := vocabulary(b, join)
	for name, text := range map[string]string{"usual": "Thank you, see you on Thursday at noon then!", "short": "On my way", "word": "stop", "accents": "À bientôt"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v.Read(text, "")
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"STOP", " stop. ", "ＳＴＯＰ", "arre\u0302t", "İPTAL", "\xff", "stop please", "“join”", "\x00"} {
		f.Add(s)
	}
	v := vocabulary(f, join)
	f.Fuzz(func(t *testing.T, text string) {
		r := v.Read(text, "")
		require.Equal(t, r.Class == consent.Join, r.Keyword != nil)
		require.Equal(t, r.Class, v.Read(" "+text+"\n", "").Class, "blanks around it")
		if utf8.ValidString(text) && r.Class != consent.None {
			require.Equal(t, consent.None, v.Read(text+" please", "").Class, "the whole text is the word")
		}
		for _, class := range []string{"STOP", "START", "HELP"} {
			require.Equal(t, strings.ToLower(class), string(v.Read(text, class).Class))
		}
	})
}

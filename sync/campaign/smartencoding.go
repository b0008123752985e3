package campaign

// smart is Twilio's list of what Smart Encoding writes for which characters, with what
// its calculator has beyond the page.
// https://www.twilio.com/docs/messaging/services/smart-encoding-char-list
// https://github.com/TwilioDevEd/message-segment-calculator
var smart = []struct{ plain, looks string }{
	{`"`, "\u00AB\u00BB\u02BA\u02EE\u201C\u201D\u201E\u201F\u275D\u275E\u301D\u301E\uFF02"},
	{"'", "\u0060\u00B4\u02B9\u02BB\u02BC\u02BD\u02C8\u02CA\u02CB\u0313\u0314\u2018\u2019\u201B\u275B\u275C\uFE10\uFE11\uFF07"},
	{"/", "\u00F7\u0337\u0338\u2044\u2215\u29F8\uFF0F"},
	{"1/4", "\u00BC"},
	{"1/2", "\u00BD"},
	{"3/4", "\u00BE"},
	{`\`, "\u20E5\u29F5\u29F9\uFE68\uFF3C"},
	{"_", "\u0332\u2017\uFF3F"},
	{"|", "\u20D2\u20D3\u2223\u239C\u239F\u23B8\u23B9\u23D0\uFF5C"},
	{"-", "\u2010\u2013\u2014\u2015\u2022\u2043\u23BC\u23BD\uFE63\uFF0D"},
	{"@", "\uFE6B\uFF20"},
	{"$", "\uFE69\uFF04"},
	{"!", "\u01C3\uFE15\uFE57\uFF01"},
	{"#", "\uFE5F\uFF03"},
	{"%", "\uFE6A\uFF05"},
	{"&", "\uFE60\uFF06"},
	{",", "\u0326\u201A\u3001\uFE50\uFE51\uFF0C\uFF64"},
	{"(", "\u2768\u276A\u27EE\u2985\uFE59\uFF08"},
	{")", "\u2769\u276B\u27EF\u2986\uFE5A\uFF09"},
	{"*", "\u204E\u2217\u229B\u2722\u2723\u2724\u2725\u2731\u2732\u2733\u273A\u273B\u273C\u273D\u2743\u2749\u274A\u274B\u29C6\uFE61\uFF0A"},
	{"+", "\u02D6\uFE62\uFF0B"},
	{".", "\u3002\uFE52\uFF0E\uFF61"},
	{":", "\u02D0\u02F8\u2982\uA789\uFE13\uFF1A"},
	{";", "\u204F\uFE14\uFE54\uFF1B"},
	{"<", "\u2039\uFE64\uFF1C"},
	{"=", "\u0347\uA78A\uFE66\uFF1D"},
	{">", "\u203A\uFE65\uFF1E"},
	{"?", "\uFE16\uFE56\uFF1F"},
	{"A", "\u1D00"},
	{"B", "\u0299"},
	{"C", "\u1D04"},
	{"D", "\u1D05"},
	{"E", "\u1D07"},
	{"F", "\uA730"},
	{"G", "\u0262"},
	{"H", "\u029C"},
	{"I", "\u026A"},
	{"J", "\u1D0A"},
	{"K", "\u1D0B"},
	{"L", "\u029F"},
	{"M", "\u1D0D"},
	{"N", "\u0274"},
	{"O", "\u1D0F"},
	{"P", "\u1D18"},
	{"R", "\u0280"},
	{"S", "\uA731"},
	{"T", "\u1D1B"},
	{"U", "\u1D1C"},
	{"V", "\u1D20"},
	{"W", "\u1D21"},
	{"Y", "\u028F"},
	{"Z", "\u1D22"},
	{"^", "\u02C6\u0302\u1DCD\uFF3E"},
	{"{", "\u2774\uFE5B\uFF5B"},
	{"}", "\u2775\uFE5C\uFF5D"},
	{"[", "\uFF3B"},
	{"]", "\uFF3D"},
	{"~", "\u02DC\u02F7\u0303\u0330\u0334\u223C\uFF5E"},
	{"  ", "\u0080\u008D\u0090\u009B\u009F\u00A0\u2000\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u202F\u205F\u3000"},
	{"", "\u0000\u0003\u0004\u0010\u0011\u0012\u0013\u0014\u0017\u0019\u200B\u200C\u2060\uFEFF"},
	{"       ", "\u0009"},
	{"!!", "\u203C"},
	{" ", "\u2001\u2028\u2029"},
	{"...", "\u2026"},
}

// lookalikes is smart by the character, with the digits and capitals of full width.
var lookalikes = func() map[rune]string {
	all := map[rune]string{}
	for _, wide := range []struct{ plain, from, to rune }{{'0', 0xFF10, 0xFF19}, {'A', 0xFF21, 0xFF3A}} {
		for r := wide.from; r <= wide.to; r++ {
			all[r] = string(wide.plain + r - wide.from)
		}
	}
	for _, s := range smart {
		for _, r := range s.looks {
			all[r] = s.plain
		}
	}
	return all
}()

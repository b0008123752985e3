package e2e_test

import "strings"

// torture are texts that people and machines do send, and that something on the
// way might take for something else.
func torture() []string {
	texts := []string{
		"",
		"   ", "\t\r\n ", " leading", "trailing ", "\n\nboth ends\r\n", "\u00a0no-break at both ends\u00a0", "\u3000ideographic blanks\u3000",
		"UCS-2: Привет, 你好, こんにちは, 안녕하세요, שלום, مرحبا, नमस्ते, ไทย",
		"👩🏽‍🚀👨‍👩‍👧‍👦🏳️‍🌈👍🏿❤️‍🔥 zero-width joiners and skin tones", "🇩🇪🇫🇷🇯🇵 flags", "1️⃣#️⃣ keycaps",
		"line\nfeed", "carriage\rreturn", "both\r\nof\r\nthem", "line\u2028and\u2029paragraph separators", "next\u0085line", "\v\f in\vthe\fmiddle",
		`"double" 'single' \back\slash\ /slash/ ` + "`grave`", `ends with a backslash\`, `\u0041 \n \x00 are no escapes here`, `\"`,
		"NUL \x00 in the middle", "\x00at the start", "at the end\x00", "\x00", "\x00\x00\x00",
		"controls \x01\x02\x03\x04\x05\x06\x07\x08\x0e\x1b[31mred\x1b[0m\x1f\x7f end", "\x01\x02only controls\x1f", "\x1b\x1c\x1d",
		"\u202eright to left\u202c and \u200fmarks\u200e and \u2066isolates\u2069", "عربي mixed with English 123 ועברית",
		"zero\u200bwidth\u200c\u200d\ufeffblanks", "\ufeffa byte order mark", "soft\u00adhyphen",
		"\u0301a lone combining mark", "e\u0301 and é are not the same", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘",
		"<b>HTML</b> &amp; <script>alert('x')</script> <!-- --> &#0;", "<![CDATA[ ]]> <?xml version=\"1.0\"?>",
		"'; DROP TABLE messages; -- ", "' OR '1'='1", "SELECT Id FROM Contact WHERE Name LIKE '%\\_%'", "{!$User.Id} {{merge}} ${shell} $(rm) %s %d %n %00",
		`{"records":[{"attributes":{"type":"Contact"}}]}`, `[]`, `null`, `true`, `0`, `-0.0`, `1e400`, `{"a":`, `]}`,
		"=cmd|' /C calc'!A0", "+14155550111", "00D000000000001!not.a.session", "a\tb\tc", "http://example.com/?a=b&c=d#e",
		"\ufffd the replacement character itself", "\uffff\ufffe noncharacters \U0010ffff", "\ue000 private use \U000f0000",
		"last of the plane \U0001ffff", "𝒜𝓁𝓅𝒽𝒶 and 𠜎𠜱𠝹",
	}
	return append(texts,
		strings.Repeat("a", 1600),
		strings.Repeat("🙂", 800),
		strings.Repeat("🙂", 1600),
		strings.Repeat("a", 800)+strings.Repeat("👍", 800),
		strings.Repeat("é", 1600),
		strings.Repeat("\u2028", 1600),
		strings.Repeat("\x00", 1600),
		strings.Repeat("\"\\", 800),
		strings.Repeat("line\n", 320),
		"o"+strings.Repeat("\u0308", 1500), // one very long grapheme
		"👩"+strings.Repeat("\u200d👩", 500),
		"x"+strings.Repeat(" ", 1598)+"x",
		strings.Repeat(" ", 1600),
	)
}

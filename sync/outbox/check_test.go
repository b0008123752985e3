package outbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
)

func TestWhatCannotBeSentIsRefusedBeforeTwilioWithTheFieldAndTheReason(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*message.Draft)
		code   int
		says   []string
	}{
		"nothing to say":      {func(d *message.Draft) { d.Body = " \n " }, 21602, []string{"Body", "empty"}},
		"too long":            {func(d *message.Draft) { d.Body = strings.Repeat("a", 1601) }, 21617, []string{"Body", "1601", "1600"}},
		"too long in pairs":   {func(d *message.Draft) { d.Body = strings.Repeat("😀", 801) }, 21617, []string{"Body", "1602"}},
		"no number":           {func(d *message.Draft) { d.To = "the office" }, 21211, []string{"To number", "not a phone number"}},
		"no To":               {func(d *message.Draft) { d.To = "" }, 21211, []string{"To number", "no phone number"}},
		"a number too short":  {func(d *message.Draft) { d.To = "+1415" }, 21211, []string{"To number", "too short"}},
		"media is no address": {func(d *message.Draft) { d.Media = "cat.jpg" }, 21620, []string{"Media URL", "https://"}},
		"eleven media":        {func(d *message.Draft) { d.Media = strings.Repeat("https://example.com/a ", 11) }, 21623, []string{"Media URL", "11"}},
		"a strange content":   {func(d *message.Draft) { d.Content = "template" }, 21655, []string{"Content SID", "HX"}},
		"values without":      {func(d *message.Draft) { d.Values = "{}" }, 21654, []string{"Content variables"}},
		"values not JSON": {func(d *message.Draft) {
			d.Content, d.Values = "HX00000000000000000000000000000001", "{1: Ada}"
		}, 21656, []string{"Content variables", "JSON"}},
		"values no object": {func(d *message.Draft) {
			d.Content, d.Values = "HX00000000000000000000000000000001", "null"
		}, 21656, []string{"Content variables", "JSON"}},
		"a sender unlike any":    {func(d *message.Draft) { d.Sender = "my phone number!" }, 21212, []string{"Sender"}},
		"a sender not ours":      {func(d *message.Draft) { d.Sender = "+14155559999" }, 21606, []string{"Sender", "no such number"}},
		"a service not ours":     {func(d *message.Draft) { d.Sender = "MG" + strings.Repeat("f", 32) }, 21606, []string{"Sender"}},
		"WhatsApp from a code":   {func(d *message.Draft) { d.To, d.Sender = "whatsapp:"+d.To, "12345" }, 63007, []string{"Sender", "WhatsApp"}},
		"SMS from WhatsApp":      {func(d *message.Draft) { d.Sender = "whatsapp:" + string(long) }, 21212, []string{"Sender", "channel"}},
		"asked for 13 hours ago": {func(d *message.Draft) { d.Modified = d.Modified.Add(-13 * time.Hour) }, 0, []string{"12h"}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				d := draft(0)
				c.change(&d)
				w.ask(d)
				time.Sleep(time.Minute)
				require.Zero(t, w.account.attempts())
				r := w.org.result(id(0))
				require.Equal(t, "failed", r.Status)
				require.Equal(t, c.code, r.ErrorCode)
				for _, words := range c.says {
					require.Contains(t, r.ErrorMessage, words)
				}
				require.LessOrEqual(t, len(r.ErrorMessage), 255)
				require.Empty(t, r.From, "what we would have chosen is not the user's choice")
			})
		})
	}
}

func TestWhatCanBeSentIsSent(t *testing.T) {
	for name, change := range map[string]func(*message.Draft){
		"as typed":         func(d *message.Draft) { d.To = "(415) 555-0199" },
		"1600 characters":  func(d *message.Draft) { d.Body = strings.Repeat("a", 1600) },
		"only media":       func(d *message.Draft) { d.Body, d.Media = "", "https://example.com/a.png" },
		"two media":        func(d *message.Draft) { d.Media = "https://example.com/a.png\nhttps://example.com/b.png" },
		"from a name":      func(d *message.Draft) { d.Sender = "ACME" },
		"blanks around it": func(d *message.Draft) { d.Sender = " " + string(long) + " " },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				d := draft(0)
				change(&d)
				w.ask(d)
				time.Sleep(time.Minute)
				require.Len(t, w.account.sent(), 1, "%+v", w.org.result(id(0)))
				require.Equal(t, theirs, w.account.sent()[0].To)
			})
		})
	}
}

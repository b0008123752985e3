package twiliotest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// replies are the messages that an answer to one text made.
func replies(t *testing.T, kind, body string, check func(*api)) (rows []twiliotest.Row) {
	t.Helper()
	announced(t, hooked(), func(t *testing.T, a *api, l *listener) {
		l.answer = always(200, kind, body)
		if check != nil {
			check(a)
		}
		a.srv.Receive(hears())
		time.Sleep(time.Minute)
		for row := range a.srv.Messages() {
			if row.Direction != "inbound" {
				rows = append([]twiliotest.Row{row}, rows...)
			}
		}
		require.Equal(t, len(rows), a.srv.WebhookCalls().Replies)
		require.Equal(t, 1+3*len(rows), a.srv.WebhookCalls().Accepted, "the replies' statuses are told, and their answers are nobody's text")
	})
	return rows
}

func TestATwiMLAnswerTextsTheCustomer(t *testing.T) {
	rows := replies(t, "text/xml; charset=utf-8", `<?xml version="1.0" encoding="UTF-8"?>
		<Response>
			<Message>Thanks &amp; goodbye</Message>
			<Message from="+14155550101" to="+14155550198"><Body>see this</Body><Media>https://example.com/a.jpg</Media></Message>
		</Response>`, nil)
	require.Len(t, rows, 2)
	require.Equal(t, []string{"outbound-reply", ours, customer, "Thanks & goodbye", "delivered"},
		[]string{rows[0].Direction, rows[0].From, rows[0].To, rows[0].Body, rows[0].Status})
	require.Equal(t, []string{"outbound-reply", "+14155550101", "+14155550198", "see this", "image/jpeg"},
		[]string{rows[1].Direction, rows[1].From, rows[1].To, rows[1].Body, rows[1].Media[0].ContentType})
}

func TestAPlainTextAnswerTextsTheCustomerToo(t *testing.T) {
	rows := replies(t, "text/plain; charset=utf-8", "OK\n", nil)
	require.Len(t, rows, 1)
	require.Equal(t, []string{"outbound-reply", ours, customer, "OK"}, []string{rows[0].Direction, rows[0].From, rows[0].To, rows[0].Body})
}

func TestAnswersThatTextNobody(t *testing.T) {
	for name, answer := range map[string][2]string{
		"an empty response":  {"text/xml", "<Response/>"},
		"an empty message":   {"application/xml", "<Response><Message> </Message></Response>"},
		"broken TwiML":       {"text/xml", "<Response><Message>Hi"},
		"an empty text":      {"text/plain", " \n"},
		"JSON":               {"application/json", `{"ok":true}`},
		"a page":             {"text/html", "<html><body>Hi</body></html>"},
		"no type":            {"", "Hi"},
		"a text of 2,000":    {"text/plain", strings.Repeat("a", 2000)},
		"a stranger's reply": {"text/xml", `<Response><Message from="+19995550100">Hi</Message></Response>`},
	} {
		t.Run(name, func(t *testing.T) { require.Empty(t, replies(t, answer[0], answer[1], nil)) })
	}
	require.Empty(t, replies(t, "text/plain", "OK", func(a *api) { a.srv.Block(customer) }), "who said STOP gets none")
}

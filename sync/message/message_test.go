package message_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func full() message.Message {
	return message.Message{
		SID: "SM00000000000000000000000000000001", ServiceSID: "MG1", From: "+14155550100", To: "whatsapp:+14155550199",
		Body: "a \"quoted\" \\ text\r\n\x00\x1f\u2028 😀 \u202e", Direction: message.OutboundAPI, Status: message.Undelivered,
		Segments: 2, Media: 1, Price: "-0.00750", PriceUnit: "USD", ErrorCode: 30007, ErrorMessage: "filtered",
		Created: at, Updated: at.Add(time.Second), Sent: at.Add(2 * time.Second),
	}
}

func TestAMessageIsEncodedAsItsTagsSay(t *testing.T) {
	empty := message.Message{Direction: message.Inbound, Status: message.Received, Created: at, Updated: at}
	for _, m := range []message.Message{full(), empty} {
		want, err := json.Marshal(&m)
		require.NoError(t, err)
		require.Equal(t, string(want), string(m.AppendJSON(nil)))
		var back message.Message
		require.NoError(t, json.Unmarshal(m.AppendJSON(nil), &back))
		require.Equal(t, m, back)
	}
}

func TestInvalidTextIsEncodedAsValidJSON(t *testing.T) {
	m := full()
	m.Body = "half a rune \xf0\x9f"
	var back message.Message
	require.NoError(t, json.Unmarshal(m.AppendJSON(nil), &back))
	require.Equal(t, "half a rune \ufffd\ufffd", back.Body)
}

func FuzzEncodeAMessage(f *testing.F) {
	f.Add("hello", "+14155550100", int64(1))
	f.Fuzz(func(t *testing.T, body, from string, sec int64) {
		m := full()
		m.Body, m.From, m.Created = body, message.Number(from), time.Unix(sec%1e10, 0).UTC()
		want, err := json.Marshal(&m)
		if err != nil {
			return // text that is no UTF-8, which AppendJSON mends
		}
		require.Equal(t, string(want), string(m.AppendJSON(nil)))
	})
}

func TestEveryMirroredFieldIsInTheFingerprint(t *testing.T) {
	base := full()
	changes := map[string]func(*message.Message){
		"service":       func(m *message.Message) { m.ServiceSID = "MG2" },
		"from":          func(m *message.Message) { m.From = "+14155550101" },
		"to":            func(m *message.Message) { m.To = "" },
		"body":          func(m *message.Message) { m.Body = "" },
		"direction":     func(m *message.Message) { m.Direction = message.Inbound },
		"status":        func(m *message.Message) { m.Status = message.Sent },
		"segments":      func(m *message.Message) { m.Segments++ },
		"media":         func(m *message.Message) { m.Media++ },
		"price":         func(m *message.Message) { m.Price = "" },
		"price unit":    func(m *message.Message) { m.PriceUnit = "EUR" },
		"error code":    func(m *message.Message) { m.ErrorCode = 0 },
		"error message": func(m *message.Message) { m.ErrorMessage = "" },
		"created":       func(m *message.Message) { m.Created = at.Add(time.Hour) },
		"updated":       func(m *message.Message) { m.Updated = at },
		"sent":          func(m *message.Message) { m.Sent = time.Time{} },
	}
	seen := map[int64]string{base.Fingerprint(): "unchanged"}
	for name, change := range changes {
		m := full()
		change(&m)
		require.NotContains(t, seen, m.Fingerprint(), "%s is like %s", name, seen[m.Fingerprint()])
		seen[m.Fingerprint()] = name
	}
	swapped := full()
	swapped.Price, swapped.PriceUnit = "-0.00750U", "SD"
	require.NotEqual(t, base.Fingerprint(), swapped.Fingerprint(), "where one field ends and the next begins counts")
	again := full()
	require.Equal(t, base.Fingerprint(), again.Fingerprint())
}

func TestNews(t *testing.T) {
	seen := func(s message.Status, sec int) message.Sighting {
		return message.Sighting{Fingerprint: int64(sec)*100 + int64(len(s)), Status: s, Updated: at.Add(time.Duration(sec) * time.Second)}
	}
	for _, c := range []struct {
		name         string
		before, next message.Sighting
		news         bool
	}{
		{"the same", seen(message.Sent, 1), seen(message.Sent, 1), false},
		{"forward", seen(message.Sent, 1), seen(message.Delivered, 2), true},
		{"forward, though Twilio's clock says otherwise", seen(message.Sent, 2), seen(message.Delivered, 1), true},
		{"backward", seen(message.Delivered, 1), seen(message.Sent, 2), false},
		{"final to final, newer", seen(message.Delivered, 1), seen(message.Undelivered, 2), true},
		{"final to final, older", seen(message.Delivered, 2), seen(message.Undelivered, 1), false},
		{"read after delivered", seen(message.Delivered, 1), seen(message.Read, 2), true},
		{"delivered after read", seen(message.Read, 1), seen(message.Delivered, 2), false},
		{"received after receiving", seen(message.Receiving, 1), seen(message.Received, 1), true},
		{"a status nobody knows yet, after a known one", seen(message.Queued, 1), seen("teleported", 2), false},
		{"a known status after one that nobody knew", seen("teleported", 1), seen(message.Queued, 2), true},
		{"same status, more is known", message.Sighting{Fingerprint: 1, Status: message.Delivered, Updated: at}, message.Sighting{Fingerprint: 2, Status: message.Delivered, Updated: at}, true},
	} {
		require.Equal(t, c.news, message.News(c.before, c.next), c.name)
	}
}

// Whatever order sightings arrive in, the status only ever rises.
func TestTheLatticeHasNoWayBack(t *testing.T) {
	all := []message.Status{"teleported", message.Scheduled, message.Accepted, message.Queued, message.Sending, message.Sent, message.Delivered,
		message.Undelivered, message.Failed, message.Canceled, message.PartiallyDelivered, message.Read, message.Receiving, message.Received}
	for i, a := range all {
		for j, b := range all {
			news := message.News(message.Sighting{Fingerprint: 1, Status: a, Updated: at}, message.Sighting{Fingerprint: 2, Status: b, Updated: at})
			require.False(t, news && b.Rank() < a.Rank(), fmt.Sprint(i, j))
			require.False(t, news && a.Final() && !b.Final())
		}
		require.Equal(t, a.Rank() > 0, a.Known())
	}
}

func TestWhoIsWho(t *testing.T) {
	in, out := full(), full()
	in.Direction = message.Inbound
	require.Equal(t, in.From, in.Theirs())
	require.Equal(t, in.To, in.Ours())
	require.Equal(t, out.To, out.Theirs())
	require.Equal(t, out.From, out.Ours())
}

func TestAStatusStaysOpenForTheLookback(t *testing.T) {
	m := full()
	m.Status = message.Sent
	require.True(t, m.Open(at.Add(71*time.Hour), 72*time.Hour))
	require.False(t, m.Open(at.Add(73*time.Hour), 72*time.Hour), "sent may last for ever")
	m.Status = message.Delivered
	require.False(t, m.Open(at, 72*time.Hour))
	m.Status, m.Sent = message.Scheduled, time.Time{}
	require.True(t, m.Open(at.Add(36*24*time.Hour), 72*time.Hour), "it may have been scheduled 35 days ahead")
	require.False(t, m.Open(at.Add(39*24*time.Hour), 72*time.Hour))
}

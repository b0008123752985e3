package message

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendJSON appends the message as JSON, the same as its struct tags make,
// without reflection: every message that is news is encoded once.
func (m *Message) AppendJSON(b []byte) []byte {
	b = append(b, `{"sid":`...)
	b = appendText(b, string(m.SID))
	for _, f := range [...]struct{ key, value string }{
		{`,"service":`, m.ServiceSID},
		{`,"from":`, string(m.From)},
		{`,"to":`, string(m.To)},
		{`,"body":`, m.Body},
	} {
		b = appendKeyed(b, f.key, f.value)
	}
	b = appendText(append(b, `,"direction":`...), string(m.Direction))
	b = appendText(append(b, `,"status":`...), string(m.Status))
	b = appendNumber(b, `,"segments":`, m.Segments)
	b = appendNumber(b, `,"media":`, m.Media)
	b = appendKeyed(b, `,"price":`, m.Price)
	b = appendKeyed(b, `,"price_unit":`, m.PriceUnit)
	b = appendNumber(b, `,"error_code":`, m.ErrorCode)
	b = appendKeyed(b, `,"error_message":`, m.ErrorMessage)
	b = appendTime(b, `,"created":"`, m.Created)
	b = appendTime(b, `,"updated":"`, m.Updated)
	if !m.Sent.IsZero() {
		b = appendTime(b, `,"sent":"`, m.Sent)
	}
	return append(b, '}')
}

func appendKeyed(b []byte, key, value string) []byte {
	if value == "" {
		return b
	}
	return appendText(append(b, key...), value)
}

func appendText(b []byte, s string) []byte {
	// Its only error is about invalid UTF-8, which it has then replaced by U+FFFD.
	b, _ = jsontext.AppendQuote(b, s) //nolint:errcheck // see above
	return b
}

func appendNumber(b []byte, key string, n int) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(append(b, key...), int64(n), 10)
}

func appendTime(b []byte, key string, t time.Time) []byte {
	return append(t.AppendFormat(append(b, key...), time.RFC3339Nano), '"')
}

package records

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

func FuzzAppendText(f *testing.F) {
	for _, s := range []string{"", " a ", "\x00", "\xff", "a\u2028b", `"\`, "\x7f\x1f", "😀"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		raw := appendText(nil, s)
		var back *string
		require.NoError(t, json.Unmarshal(raw, &back))
		want, _ := Normalise(s)
		if want == "" {
			require.Nil(t, back)
			return
		}
		require.Equal(t, want, *back)
	})
}

func FuzzPlainDecimal(f *testing.F) {
	for _, s := range []string{"", "-0.00750", "1e5", "01", ".5", "1."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if plainDecimal(s) {
			require.True(t, json.Valid([]byte(s)), s)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	var fields []salesforce.Field
	n := Names{}.withDefaults()
	for _, c := range columns {
		fields = append(fields, salesforce.Field{
			Name: *c.name(&n), Type: "string", Createable: true, Updateable: true, ExternalID: true, Unique: true, Length: 255,
		})
	}
	p, refusal := planFor(n, nil, &salesforce.Object{Name: n.Object, Createable: true, Updateable: true, Fields: fields})
	require.Nil(b, refusal)
	batch := make([]*mirror.Record, 200)
	for i := range batch {
		batch[i] = &mirror.Record{Message: &message.Message{
			SID: "SM0123456789abcdef0123456789abcdef", ServiceSID: "MG0123456789abcdef0123456789abcdef", From: "+14155550100",
			To: "+14155550101", Body: "Your appointment is tomorrow at 3 p.m. Reply \"C\" to confirm.\nSee you there 😀", Direction: message.OutboundAPI,
			Status: message.Delivered, Segments: 2, Price: "-0.00750", PriceUnit: "USD", Created: time.Now(), Updated: time.Now(), Sent: time.Now(),
		}}
	}
	var room []byte
	b.ReportAllocs()
	for b.Loop() {
		encode(p, batch, &room)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(batch)), "ns/message")
}

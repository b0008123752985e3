package twilio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"testing"
	"time"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"
)

// fullPage is a page of 1,000 messages as Twilio writes it, about 900 kB.
func fullPage() []byte {
	const account = "AC00000000000000000000000000000001"
	path := "/2010-04-01/Accounts/" + account + "/Messages"
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"first_page_uri":"%s.json?PageSize=1000&Page=0","end":999,"previous_page_uri":null,"messages":[`, path)
	for i := range 1000 {
		if i > 0 {
			b.WriteByte(',')
		}
		sid, at := fmt.Sprintf("SM%032x", i), start.Add(-time.Duration(i)*time.Minute)
		fmt.Fprintf(&b, `{"body":"Message %d of a page, with a usual text \u2019n so on,\n see you tomorrow! \ud83d\ude00",`+
			`"num_segments":"1","direction":"outbound-api","from":"+14155550100","date_updated":"%s","price":"-0.00750",`+
			`"error_message":null,"uri":"%s/%s.json","account_sid":"%s","num_media":"0","to":"+1415556%04d",`+
			`"date_created":"%s","status":"delivered","sid":"%s","date_sent":"%s","messaging_service_sid":null,`+
			`"error_code":null,"price_unit":"USD","api_version":"2010-04-01","subresource_uris":{"media":"%s/%s/Media.json"}}`,
			i, at.Add(2*time.Second).Format(time.RFC1123Z), path, sid, account, i,
			at.Format(time.RFC1123Z), sid, at.Add(time.Second).Format(time.RFC1123Z), path, sid)
	}
	fmt.Fprintf(&b, `],"uri":"%s.json?PageSize=1000","page_size":1000,"start":0,"next_page_uri":"%s.json?PageSize=1000&Page=1&PageToken=PASM%032x","page":0}`,
		path, path, 999)
	return b.Bytes()
}

// BenchmarkPage is what one message of a list page costs: ours, and the
// vendor's model for comparison.
func BenchmarkPage(b *testing.B) {
	page := fullPage()
	perMessage := func(b *testing.B) {
		b.Helper()
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/message")
	}
	b.Run("ours", func(b *testing.B) {
		p := newPageReader()
		b.ReportAllocs()
		b.SetBytes(int64(len(page)))
		for b.Loop() {
			if err := p.read(struct{ io.Reader }{bytes.NewReader(page)}); err != nil || len(p.rows) != 1000 {
				b.Fatal(err, len(p.rows))
			}
		}
		perMessage(b)
	})
	b.Run("model", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(page)))
		for b.Loop() {
			var list openapi.ListMessageResponse
			if err := json.NewDecoder(bytes.NewReader(page)).Decode(&list); err != nil || len(list.Messages) != 1000 {
				b.Fatal(err)
			}
		}
		perMessage(b)
	})
}

func BenchmarkDate(b *testing.B) {
	text := []byte("Thu, 30 Jul 2015 20:12:31 +0000")
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			if _, err := parseDate(text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("time.Parse", func(b *testing.B) {
		for b.Loop() {
			if _, err := time.Parse(time.RFC1123Z, string(text)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

package salesforcetest_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

// page is one full collections call of realistic messages.
func page(from int) string {
	list := make([]string, 200)
	for i := range list {
		list[i] = fmt.Sprintf(`"Message_SID__c":%q,"Body__c":"Hello, your appointment is on Friday at 10:00 — reply YES to confirm. %d","From_Number__c":"+14155550100","To_Number__c":"+1415555%04d",`+
			`"Their_Number__c":"+1415555%04d","Direction__c":"outbound-api","Status__c":"delivered","Error_Code__c":null,"Error_Message__c":null,"Date_Created__c":"2024-09-10T10:00:00.000Z",`+
			`"Date_Sent__c":"2024-09-10T10:00:01.000Z","Date_Updated__c":"2024-09-10T10:00:02.000Z","Messaging_Service_Sid__c":null,"Num_Segments__c":1,"Num_Media__c":0,"Price__c":-0.0075,"Price_Unit__c":"USD"`,
			sid(from+i), i, i%9999, i%9999)
	}
	return records(list...)
}

// BenchmarkUpsert200 inserts 200 new messages a call; the figure to watch is µs/row.
func BenchmarkUpsert200(b *testing.B) {
	u := login(b, salesforcetest.Options{DailyLimit: 1 << 40})
	pages := make([]string, 64)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		at := n % len(pages)
		pages[at] = page(200 * n)
		n++
		b.StartTimer()
		if status, body := u.call("PATCH", upsert, pages[at]); status != 200 || strings.Contains(body, `"success":false`) {
			b.Fatal(body)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n)/200, "µs/row")
}

// BenchmarkPollAmongMany asks for recent changes in an org of 200,000 messages.
func BenchmarkPollAmongMany(b *testing.B) {
	u := login(b, salesforcetest.Options{DailyLimit: 1 << 40})
	for i := range 1000 {
		u.call("PATCH", upsert, page(200*i))
	}
	q := data + "/query?q=" + url.QueryEscape("SELECT Id, Status__c FROM "+message+" WHERE SystemModstamp >= TOMORROW AND Status__c IN ('Send','Draft') AND Message_SID__c = null ORDER BY SystemModstamp, Id")
	for b.Loop() {
		u.call("GET", q, "")
	}
}

// BenchmarkLoad puts 200,000 contacts into an org.
func BenchmarkLoad(b *testing.B) {
	list := make([]map[string]any, 200_000)
	for i := range list {
		list[i] = map[string]any{"LastName": fmt.Sprint("Person ", i), "MobilePhone": fmt.Sprintf("+1415%07d", i), "Phone": fmt.Sprintf("(415) %07d", i)}
	}
	for b.Loop() {
		if _, err := login(b, salesforcetest.Options{}).org.Load("Contact", list); err != nil {
			b.Fatal(err)
		}
	}
}

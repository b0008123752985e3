package salesforce

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// FuzzBulkPage reads any bytes as a page of results: none may end the program,
// and a page that is believed has as many records as Salesforce says.
func FuzzBulkPage(f *testing.F) {
	f.Add("\"Id\",\"Name\"\n\"1\",\"a \"\"b\"\",\nc\"\n", 1, "null")
	f.Add("\"Id\"\n", 0, "MTAw")
	f.Add("", 0, "null")
	f.Add("\"Id\"\n\"1\",\"2\"\n", 1, "")
	f.Add("\"Id\"\r\n\"1", 1, "null")
	f.Fuzz(func(t *testing.T, body string, records int, locator string) {
		n := 0
		p := &bulkPage{row: func(map[string]string) error { n++; return nil }}
		h := http.Header{}
		h.Set("Sforce-NumberOfRecords", strconv.Itoa(records))
		h.Set("Sforce-Locator", locator)
		if err := p.read(h, strings.NewReader(body)); err == nil && n != records {
			t.Fatalf("%d records were believed to be %d", n, records)
		}
	})
}

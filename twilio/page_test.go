package twilio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
	openapi "github.com/twilio/twilio-go/rest/api/v2010"
	"go.yaml.in/yaml/v3"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/twilio/twiliotest/openapitest"
)

const (
	sidA = "SM0123456789abcdef0123456789ABCDEF"
	sidB = "MM00000000000000000000000000000002"
	day  = `"date_created":"Thu, 30 Jul 2015 20:12:31 +0000"`
)

// list is a page with these rows.
func list(rows ...string) string {
	return `{"messages":[` + strings.Join(rows, ",") + `],"next_page_uri":null}`
}

func TestAPageIsReadFieldByField(t *testing.T) {
	at := time.Date(2015, 7, 30, 20, 12, 31, 0, time.UTC)
	full := message.Message{
		SID: sidA, ServiceSID: "MG1", From: "+14155550100", To: "whatsapp:+447700900123",
		Body: "Hi \"Anna\"\n☺ 😀 \u0000", Direction: message.OutboundAPI, Status: message.Undelivered,
		Segments: 2, Media: 1, Price: "-0.00750", PriceUnit: "USD", ErrorCode: 30003, ErrorMessage: "Unreachable",
		Created: at, Updated: at.Add(2 * time.Second), Sent: at.Add(time.Second),
	}
	fullRow := `{"sid":"` + sidA + `","messaging_service_sid":"MG1","from":"+14155550100","to":"whatsapp:+447700900123",
		"body":"Hi \"Anna\"\n\u263a \ud83d\ude00 \u0000","direction":"outbound-api","status":"undelivered",
		"num_segments":"2","num_media":"1","price":"-0.00750","price_unit":"USD","error_code":30003,"error_message":"Unreachable",
		"date_created":"Thu, 30 Jul 2015 20:12:31 +0000","date_updated":"Thu, 30 Jul 2015 20:12:33 +0000",
		"date_sent":"Thu, 30 Jul 2015 20:12:32 +0000","tags":{"a":["b",{"sid":"x"}]},"subresource_uris":{"media":"/x"},"api_version":"2010-04-01"}`
	least := message.Message{SID: sidB, Created: at}
	for _, c := range []struct {
		name, page, next string
		want             []message.Message
	}{
		{"every field", list(fullRow), "", []message.Message{full}},
		{"fields that are absent", list(`{"sid":"` + sidB + `",` + day + `}`), "", []message.Message{least}},
		{
			"fields that are null",
			list(`{"sid":"` + sidB + `",` + day + `,"from":null,"to":null,"body":null,"num_segments":null,"num_media":null,"price":null,
				"price_unit":null,"error_code":null,"error_message":null,"date_sent":null,"date_updated":null,"messaging_service_sid":null,"status":null,"direction":null}`),
			"",
			[]message.Message{least},
		},
		{"fields that are empty", list(`{"sid":"` + sidB + `",` + day + `,"body":"","num_segments":"","date_sent":"","error_code":""}`), "", []message.Message{least}},
		{
			"numbers and strings for each other",
			list(`{"sid":"` + sidB + `",` + day + `,"num_segments":3,"error_code":"30007","price":-0.0075,"from":72345}`),
			"",
			[]message.Message{{SID: sidB, Created: at, Segments: 3, ErrorCode: 30007, Price: "-0.0075", From: "72345"}},
		},
		{"a name written with escapes", list(`{"s\u0069d":"` + sidB + `",` + day + `}`), "", []message.Message{least}},
		{"half an emoji", list(`{"sid":"` + sidB + `",` + day + `,"body":"\ud83d!"}`), "", []message.Message{{SID: sidB, Created: at, Body: "\ufffd!"}}},
		{"broken UTF-8", list("{\"sid\":\"" + sidB + "\"," + day + ",\"body\":\"a\xffb\"}"), "", []message.Message{{SID: sidB, Created: at, Body: "a\ufffdb"}}},
		{"a status nobody knows", list(`{"sid":"` + sidB + `",` + day + `,"status":"teleported"}`), "", []message.Message{{SID: sidB, Created: at, Status: "teleported"}}},
		{"an ISO 8601 date", list(`{"sid":"` + sidB + `","date_created":"2015-07-30T13:12:31-07:00"}`), "", []message.Message{least}},
		{"only date_sent", list(`{"sid":"` + sidB + `","date_sent":"Thu, 30 Jul 2015 20:12:31 +0000"}`), "", []message.Message{{SID: sidB, Sent: at}}},
		{"no rows", list(), "", nil},
		{"the link before the rows", `{"next_page_uri":"/x?Page=1&PageToken=PASM.77","messages":[],"meta":{"next_page_uri":"/no"}}`, "/x?Page=1&PageToken=PASM.77", nil},
		{"no link", `{"messages":[]}`, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPageReader()
			require.NoError(t, p.read(strings.NewReader(fullRow[:len(fullRow)-1]+`,"messages":[]}`))) // leaves its traces
			require.NoError(t, p.read(iotest.OneByteReader(strings.NewReader(c.page))))
			require.Zero(t, p.bad, p.first)
			require.Len(t, p.rows, len(c.want))
			for i := range c.want {
				require.Equal(t, c.want[i], p.rows[i])
			}
			require.Equal(t, c.next, p.next)
		})
	}
}

func TestARowThatCannotBeReadIsLeftOutAndNamed(t *testing.T) {
	good := `{"sid":"` + sidB + `",` + day + `}`
	for _, c := range []struct{ row, want string }{
		{`{` + day + `}`, "sid: not a message SID"},
		{`{"sid":null,` + day + `}`, "sid: not a message SID"},
		{`{"sid":"",` + day + `}`, "sid: not a message SID"},
		{`{"sid":"XX00000000000000000000000000000002",` + day + `}`, "sid: not a message SID"},
		{`{"sid":"SM0000000000000000000000000000000",` + day + `}`, "sid: not a message SID"},
		{`{"sid":"SM0000000000000000000000000000000/",` + day + `}`, "sid: not a message SID"},
		{`{"sid":{"a":1},` + day + `}`, "sid: neither text nor a number"},
		{`{"sid":"` + sidA + `"}`, "neither date_created nor date_sent is given"},
		{`{"sid":"` + sidA + `","date_created":"yesterday at 415-555-0100"}`, "date_created: 25 characters that are no date"},
		{`{"sid":"` + sidA + `",` + day + `,"date_sent":"Thu, 31 Jun 2015 20:12:31 +0000"}`, "date_sent: 31 characters that are no date"},
		{`{"sid":"` + sidA + `",` + day + `,"num_segments":"many"}`, "num_segments: not a whole number"},
		{`{"sid":"` + sidA + `",` + day + `,"error_code":1.5}`, "error_code: not a whole number"},
		{`{"sid":"` + sidA + `",` + day + `,"body":["x"]}`, "body: neither text nor a number"},
		{`{"sid":"` + sidA + `",` + day + `,"body":true,"to":false}`, "body: neither text nor a number"},
		{`null`, "not an object"},
		{`"` + sidA + `"`, "not an object"},
		{`[[]]`, "not an object"},
	} {
		t.Run(c.row, func(t *testing.T) {
			p := newPageReader()
			require.NoError(t, p.read(strings.NewReader(list(good, c.row, good, c.row))))
			require.Len(t, p.rows, 2)
			require.Equal(t, message.SID(sidB), p.rows[0].SID)
			require.Equal(t, message.SID(sidB), p.rows[1].SID)
			require.Equal(t, 2, p.bad)
			require.Equal(t, 2, p.firstAt)
			require.EqualError(t, p.first, c.want)
		})
	}
}

func TestWhatIsNoPageIsAnError(t *testing.T) {
	whole := list(`{"sid":"`+sidA+`",`+day+`,"body":"secret"}`, `{"sid":"`+sidB+`",`+day+`}`)
	cases := map[string]string{
		"nothing": "", "HTML": "<html>503</html>", "a number": "12", "a string": `"x"`, "null": "null", "a list": "[]",
		"no list":           `{"next_page_uri":null}`,
		"null for the list": `{"messages":null,"next_page_uri":null}`,
		"a wrong link":      `{"messages":[],"next_page_uri":{"x":1}}`,
		"a stray comma":     `{"messages":[,]}`,
		"a broken escape":   list(`{"body":"secret\x"}`),
	}
	for n := range len(whole) {
		cases[fmt.Sprintf("cut after %d bytes", n)] = whole[:n]
	}
	for name, page := range cases {
		p := newPageReader()
		err := p.read(strings.NewReader(page))
		require.Error(t, err, name)
		if text := garbage(err); text != nil {
			require.NotContains(t, text.Error(), "secret", name)
			require.ErrorIs(t, text, errGarbage)
		} else {
			t.Errorf("%s: %v is not known as garbage", name, err)
		}
	}
}

func TestABrokenConnectionIsItself(t *testing.T) {
	broken := errors.New("connection reset")
	p := newPageReader()
	err := p.read(io.MultiReader(strings.NewReader(`{"messages":[{"sid":"`), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
	require.NoError(t, p.read(strings.NewReader(list())), "the reader works again")
}

func FuzzPage(f *testing.F) {
	f.Add([]byte(list(`{"sid":"` + sidA + `",` + day + `,"body":"\ud83d"}`)))
	f.Add([]byte(`{"next_page_uri":"/x","messages":[null,{},[1],{"sid":1e400}]}`))
	f.Add([]byte(`{"messages":[{"sid"`))
	f.Fuzz(func(t *testing.T, page []byte) {
		p := newPageReader()
		if err := p.read(bytes.NewReader(page)); err != nil {
			require.Error(t, garbage(err), "a decoder's words are put into ours")
			return
		}
		for i := range p.rows {
			require.NoError(t, whole(&p.rows[i]))
		}
		again := newPageReader()
		require.NoError(t, again.read(iotest.OneByteReader(bytes.NewReader(page))))
		require.Equal(t, p.rows, again.rows, "however it arrives")
		require.Equal(t, p.bad, again.bad)
	})
}

func TestPagesShareOneReader(t *testing.T) {
	p := newPageReader()
	require.NoError(t, p.read(bytes.NewReader(fullPage())))
	require.Len(t, p.rows, 1000)
	kept := p.rows[7]
	require.NoError(t, p.read(strings.NewReader(list(`{"sid":"`+sidB+`",`+day+`}`))))
	require.Len(t, p.rows, 1)
	require.Empty(t, p.rows[0].Body, "nothing of the page before")
	require.Contains(t, kept.Body, "Message 7 of a page", "what was kept stays")
}

func TestAMessageCostsFewAllocations(t *testing.T) {
	p, page := newPageReader(), fullPage()
	require.NoError(t, p.read(bytes.NewReader(page)))
	perPage := testing.AllocsPerRun(5, func() {
		if err := p.read(bytes.NewReader(page)); err != nil {
			panic(err)
		}
	})
	require.LessOrEqual(t, perPage/1000, 4.0)
}

// TestTwilioOwnExamples reads the examples of Twilio's OpenAPI document
// (https://github.com/twilio/twilio-oai) and compares with what the generated
// model makes of them.
func TestTwilioOwnExamples(t *testing.T) {
	const messages = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
	const one = "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json"
	examples := openAPIExamples(t, messages, one)
	compared := 0
	for name, example := range examples[messages] {
		t.Run(name, func(t *testing.T) {
			p := newPageReader()
			require.NoError(t, p.read(bytes.NewReader(example)))
			require.Zero(t, p.bad, p.first)
			var model openapi.ListMessageResponse
			require.NoError(t, json.Unmarshal(example, &model))
			require.Len(t, p.rows, len(model.Messages))
			for i := range model.Messages {
				want, err := fromModel(&model.Messages[i])
				require.NoError(t, err)
				require.Equal(t, want, p.rows[i])
				compared++
			}
			next := ""
			if model.NextPageUri != nil {
				next = *model.NextPageUri
			}
			require.Equal(t, next, p.next)
		})
	}
	for name, example := range examples[one] {
		t.Run(name, func(t *testing.T) {
			p := newPageReader()
			require.NoError(t, p.read(strings.NewReader(list(string(example)))))
			require.Zero(t, p.bad, p.first)
			var model openapi.ApiV2010Message
			require.NoError(t, json.Unmarshal(example, &model))
			want, err := fromModel(&model)
			require.NoError(t, err)
			require.Equal(t, []message.Message{want}, p.rows)
			compared++
		})
	}
	require.GreaterOrEqual(t, compared, 3)
}

// openAPIExamples are the examples of a successful GET, by path and name.
func openAPIExamples(t *testing.T, paths ...string) map[string]map[string][]byte {
	t.Helper()
	file, err := openapitest.Spec("twilio_api_v2010.yaml")
	if errors.Is(err, openapitest.ErrNoDocument) {
		t.Skip(err)
	}
	require.NoError(t, err)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var doc struct {
		Paths map[string]struct {
			Get struct {
				Responses map[string]struct {
					Content map[string]struct {
						Examples map[string]struct{ Value map[string]any }
					}
				}
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &doc))
	examples := map[string]map[string][]byte{}
	for _, path := range paths {
		examples[path] = map[string][]byte{}
		for name, example := range doc.Paths[path].Get.Responses["200"].Content["application/json"].Examples {
			examples[path][name], err = json.Marshal(example.Value)
			require.NoError(t, err)
		}
		require.NotEmpty(t, examples[path])
	}
	return examples
}

package records_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/sync/message"
)

func whole() message.Message {
	return message.Message{
		SID: "SM0123456789abcdef0123456789abcdef", ServiceSID: "MG0123456789abcdef0123456789abcdef",
		From: "+14155550100", To: "whatsapp:+4915112345678", Body: "Hello\n\"you\"", Direction: message.Inbound, Status: message.Received,
		Segments: 2, Media: 1, Price: "-0.00750", PriceUnit: "USD", ErrorCode: 30003, ErrorMessage: "Unreachable destination handset",
		Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)), Sent: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC),
		Updated: time.Date(2026, 1, 2, 3, 4, 7, 0, time.UTC),
	}
}

func TestAMessageBecomesItsRecord(t *testing.T) {
	f := newFake()
	s := newMessages(t, f)
	m := whole()
	outcomes, err := s.Upsert(t.Context(), plain([]message.Message{m}))
	require.NoError(t, err)
	require.Equal(t, []error{nil}, outcomes)
	require.Equal(t, map[string]any{
		"attributes": map[string]any{"type": "TwilioSF_Message__c"}, "object": "TwilioSF_Message__c",
		"Message_SID__c": string(m.SID), "Messaging_Service_Sid__c": m.ServiceSID, "Body__c": m.Body,
		"From_Number__c": "+14155550100", "To_Number__c": "whatsapp:+4915112345678", "Their_Number__c": "+14155550100",
		"Direction__c": "inbound", "Status__c": "received", "Num_Segments__c": 2.0, "Num_Media__c": 1.0,
		"Price__c": -0.0075, "Price_Unit__c": "USD", "Error_Code__c": "30003", "Error_Message__c": "Unreachable destinat",
		"Date_Created__c": "2026-01-02T02:04:05.000Z", "Date_Sent__c": "2026-01-02T03:04:06.000Z", "Date_Updated__c": "2026-01-02T03:04:07.000Z",
	}, f.rows[string(m.SID)])
	require.Empty(t, s.Missing())
}

func TestWhatAMessageHasNoMoreIsCleared(t *testing.T) {
	f := newFake()
	s := newMessages(t, f)
	m := whole()
	for _, state := range []message.Message{m, {SID: m.SID, Direction: m.Direction, Status: m.Status, Body: " \t\n "}} {
		_, err := s.Upsert(t.Context(), plain([]message.Message{state}))
		require.NoError(t, err)
	}
	require.Len(t, f.rows, 1)
	row := f.rows[string(m.SID)]
	for _, name := range []string{
		"Body__c", "From_Number__c", "To_Number__c", "Their_Number__c", "Messaging_Service_Sid__c", "Price__c", "Price_Unit__c",
		"Error_Code__c", "Error_Message__c", "Date_Created__c", "Date_Sent__c", "Date_Updated__c",
	} {
		require.Contains(t, row, name)
		require.Nil(t, row[name], name)
	}
	require.Equal(t, 0.0, row["Num_Media__c"])
}

func TestAnyTextArrivesAsTheOrgStoresIt(t *testing.T) {
	for in, want := range map[string]any{
		"plain":                       "plain",
		"  both ends \r\n\t":          "both ends",
		"":                            nil,
		" \x01\x1f ":                  nil,
		"line\u2028and\u2029ends\x7f": "line\u2028and\u2029ends\x7f",
		"tab\tbell\x07 back\\slash \"quoted\" 'single' </script>": "tab\tbell\x07 back\\slash \"quoted\" 'single' </script>",
		"nul\x00 inside and at the end\x00":                       "nul\uFFFD inside and at the end\uFFFD",
		"broken \xff\xfe UTF-8 \xed\xa0\x80":                      "broken \uFFFD\uFFFD UTF-8 \uFFFD\uFFFD\uFFFD",
		"👩‍👩‍👧‍👦 שלום مرحبا":                                      "👩‍👩‍👧‍👦 שלום مرحبا",
		strings.Repeat("😀", 1600):                                 strings.Repeat("😀", 1600),
		"\u00a0no-break spaces stay\u3000":                        "\u00a0no-break spaces stay\u3000",
	} {
		f := newFake()
		m := numbered(1)
		m[0].Body = in
		outcomes, err := newMessages(t, f).Upsert(t.Context(), plain(m))
		require.NoError(t, err)
		require.NoError(t, outcomes[0])
		require.Equal(t, want, f.rows[string(m[0].SID)]["Body__c"], "%q", in)
	}
}

func TestNormaliseCountsNULs(t *testing.T) {
	out, nuls := records.Normalise("\x00 a\x00b ")
	require.Equal(t, "\uFFFD a\uFFFDb", out)
	require.Equal(t, 2, nuls)
	again, nuls := records.Normalise(out)
	require.Equal(t, out, again, "what is stored compares equal to itself")
	require.Zero(t, nuls)
}

func TestTheTypeOfAFieldDecidesHowItIsWritten(t *testing.T) {
	object := shipped()
	for name, kind := range map[string]string{
		"Error_Code__c": "double", "Num_Media__c": "string", "Price__c": "string", "Date_Sent__c": "date", "Date_Updated__c": "string",
	} {
		object = change(object, name, func(f *salesforce.Field) { f.Type = kind })
	}
	f := newFake()
	f.object = object
	m := whole()
	_, err := newMessages(t, f).Upsert(t.Context(), plain([]message.Message{m}))
	require.NoError(t, err)
	row := f.rows[string(m.SID)]
	require.Equal(t, 30003.0, row["Error_Code__c"])
	require.Equal(t, "1", row["Num_Media__c"])
	require.Equal(t, "-0.00750", row["Price__c"])
	require.Equal(t, "2026-01-02", row["Date_Sent__c"])
	require.Equal(t, "2026-01-02T03:04:07.000Z", row["Date_Updated__c"])
}

func TestAPriceThatIsNoPlainDecimalIsLeftEmpty(t *testing.T) {
	for price, want := range map[string]any{
		"-0.00750": -0.0075, "0": 0.0, "12": 12.0, "-1.5": -1.5,
		"": nil, "-": nil, ".5": nil, "1.": nil, "+1": nil, "1e5": nil, "007": nil, "1,5": nil, "NaN": nil, "1 USD": nil,
	} {
		f := newFake()
		m := numbered(1)
		m[0].Price = price
		outcomes, err := newMessages(t, f).Upsert(t.Context(), plain(m))
		require.NoError(t, err)
		require.NoError(t, outcomes[0])
		require.Equal(t, want, f.rows[string(m[0].SID)]["Price__c"], price)
	}
}

func TestABodyIsNeverCutAndAnExplanationIsCutBetweenCharacters(t *testing.T) {
	f := newFake()
	f.object = change(f.object, "Body__c", func(f *salesforce.Field) { f.Length = 10 })
	m := numbered(1)
	m[0].Body = strings.Repeat("b", 100)
	m[0].ErrorMessage = "nineteen characters😀 and more"
	_, err := newMessages(t, f).Upsert(t.Context(), plain(m))
	require.NoError(t, err)
	row := f.rows[string(m[0].SID)]
	require.Equal(t, m[0].Body, row["Body__c"])
	require.Equal(t, "nineteen characters", row["Error_Message__c"], "the org counts in UTF-16, where the emoji needs two places")
}

func TestABatchHasItsBounds(t *testing.T) {
	f := newFake()
	s := newMessages(t, f)
	outcomes, err := s.Upsert(t.Context(), plain(nil))
	require.NoError(t, err)
	require.Empty(t, outcomes)
	_, err = s.Upsert(t.Context(), plain(numbered(201)))
	require.Error(t, err)
	require.Empty(t, f.calls)
	require.Zero(t, f.describes)
	outcomes, err = s.Upsert(t.Context(), plain(numbered(200)))
	require.NoError(t, err)
	require.Len(t, outcomes, 200)
	require.Len(t, f.calls, 1)
	require.Len(t, f.rows, 200)
}

func TestNamesAreConfigurable(t *testing.T) {
	f := newFake()
	f.object = change(f.object, "Body__c", func(f *salesforce.Field) { f.Name = "acme__Text__c" })
	s, err := records.New(f, records.Options{Names: records.Names{Body: "acme__text__c", Price: records.NoField}})
	require.NoError(t, err)
	m := numbered(1)
	_, err = s.Upsert(t.Context(), plain(m))
	require.NoError(t, err)
	row := f.rows[string(m[0].SID)]
	require.Equal(t, "hello 0", row["acme__Text__c"])
	require.NotContains(t, row, "Price__c")
	require.Empty(t, s.Missing(), "what is not wanted is not missing")

	_, err = records.New(f, records.Options{Names: records.Names{Object: "a b", Body: "x.y", SID: records.NoField}})
	for _, part := range []string{`"a b"`, `"x.y"`, "Message_SID__c"} {
		require.ErrorContains(t, err, part)
	}
}

package sandbox

import (
	"strconv"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// errorMessageLength is the length of Error_Message__c in UTF-16 units, the one
// field whose end may be cut off.
const errorMessageLength = 255

const serviceField = "Messaging_Service_Sid__c"

// unassigned is the service that the account, where its switch DefaultService is
// on, shows for what was sent without one. The account's rows do not say so.
const unassigned = "MGffffffffffffffffffffffffffffffff"

// expectation is one mirrored field: what the record must hold for a message.
// The table is on purpose not the one that writes records: a slip there would
// otherwise agree with itself.
type expectation struct {
	field string
	want  func(m *twiliotest.Row) any
}

var expectations = []expectation{
	{"Body__c", func(m *twiliotest.Row) any { return stored(m.Body) }},
	{"From_Number__c", func(m *twiliotest.Row) any { return stored(m.From) }},
	{"To_Number__c", func(m *twiliotest.Row) any { return stored(m.To) }},
	{"Their_Number__c", func(m *twiliotest.Row) any { return stored(theirs(m)) }},
	{"Direction__c", func(m *twiliotest.Row) any { return stored(m.Direction) }},
	{"Status__c", func(m *twiliotest.Row) any { return stored(m.Status) }},
	{"Error_Code__c", func(m *twiliotest.Row) any { return code(m.ErrorCode) }},
	{"Error_Message__c", func(m *twiliotest.Row) any { return stored(cut(m.ErrorMessage, errorMessageLength)) }},
	{"Date_Created__c", func(m *twiliotest.Row) any { return second(m.Created) }},
	{"Date_Sent__c", func(m *twiliotest.Row) any { return second(m.Sent) }},
	{"Date_Updated__c", func(m *twiliotest.Row) any { return second(m.Updated) }},
	{serviceField, func(m *twiliotest.Row) any { return stored(m.ServiceSID) }},
	{"Num_Segments__c", func(m *twiliotest.Row) any { return float64(max(m.Segments, 0)) }},
	{"Num_Media__c", func(m *twiliotest.Row) any { return float64(len(m.Media)) }},
	{"Price__c", func(m *twiliotest.Row) any { return amount(m.Price) }},
	{"Price_Unit__c", func(*twiliotest.Row) any { return "USD" }}, // the account's only currency
}

// differs names the first field in which the record is not what the message says,
// or "".
func differs(m *twiliotest.Row, record map[string]any) string {
	if record[SIDField] != m.SID {
		return SIDField
	}
	for i := range expectations {
		e := &expectations[i]
		got := record[e.field]
		if e.field == serviceField && m.ServiceSID == "" && m.Direction != "inbound" && got == unassigned {
			continue
		}
		if !same(e.want(m), got) {
			return e.field
		}
	}
	return ""
}

func same(want, got any) bool {
	if at, ok := want.(time.Time); ok {
		has, ok := got.(time.Time)
		return ok && has.Equal(at)
	}
	return want == got
}

// stored is a text as an org keeps it: what it cannot keep replaced, blanks at
// the ends gone, nothing as null.
func stored(text string) any {
	text = strings.Map(func(r rune) rune {
		if r == 0 {
			return '\uFFFD'
		}
		return r // Map hands bytes that are no UTF-8 over as U+FFFD already
	}, text)
	text = strings.TrimFunc(text, func(r rune) bool { return r <= ' ' })
	if text == "" {
		return nil
	}
	return text
}

// cut shortens a trimmed text to at most limit UTF-16 units, whole characters.
func cut(text string, limit int) string {
	text = strings.TrimFunc(text, func(r rune) bool { return r <= ' ' && r != 0 })
	units := 0
	for i, r := range text {
		units++
		if r > 0xFFFF {
			units++
		}
		if units > limit {
			return text[:i]
		}
	}
	return text
}

func theirs(m *twiliotest.Row) string {
	if m.Direction == "inbound" {
		return m.From
	}
	return m.To
}

func code(n int) any {
	if n == 0 {
		return nil
	}
	return strconv.Itoa(n)
}

func amount(price string) any {
	if price == "" {
		return nil
	}
	f, err := strconv.ParseFloat(price, 64)
	if err != nil {
		return nil
	}
	return f
}

// second is a moment as Twilio's API shows it and Salesforce stores it.
func second(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Truncate(time.Second)
}

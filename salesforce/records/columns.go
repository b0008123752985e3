package records

import (
	"slices"
	"time"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/message"
)

// writer appends one field's value as JSON.
type writer func(dst []byte, m *message.Message) []byte

// column is one field of the message object.
type column struct {
	name     func(*Names) *string
	standard string
	required bool
	// fit makes the writer for the field as the org has it; nil when a field of
	// that type cannot hold the value.
	fit func(salesforce.Field) writer
}

var columns = []column{
	{func(n *Names) *string { return &n.SID }, "Message_SID__c", true, text(func(m *message.Message) string { return string(m.SID) })},
	{func(n *Names) *string { return &n.SIDCopy }, NoField, false, text(func(m *message.Message) string { return string(m.SID) })},
	{func(n *Names) *string { return &n.Body }, "Body__c", true, text(func(m *message.Message) string { return m.Body })},
	{func(n *Names) *string { return &n.From }, "From_Number__c", true, text(func(m *message.Message) string { return string(m.From) })},
	{func(n *Names) *string { return &n.To }, "To_Number__c", true, text(func(m *message.Message) string { return string(m.To) })},
	{func(n *Names) *string { return &n.Direction }, "Direction__c", true, text(func(m *message.Message) string { return string(m.Direction) })},
	{func(n *Names) *string { return &n.Status }, statusColumn, true, text(func(m *message.Message) string { return string(m.Status) })},
	{func(n *Names) *string { return &n.Theirs }, "Their_Number__c", false, text(func(m *message.Message) string { return string(m.Theirs()) })},
	{func(n *Names) *string { return &n.ErrorCode }, "Error_Code__c", false, whole(func(m *message.Message) (int, bool) { return m.ErrorCode, m.ErrorCode != 0 })},
	{func(n *Names) *string { return &n.ErrorMessage }, "Error_Message__c", false, clipped(func(m *message.Message) string { return m.ErrorMessage })},
	{func(n *Names) *string { return &n.Created }, "Date_Created__c", false, instant(func(m *message.Message) time.Time { return m.Created })},
	{func(n *Names) *string { return &n.Sent }, "Date_Sent__c", false, instant(func(m *message.Message) time.Time { return m.Sent })},
	{func(n *Names) *string { return &n.Updated }, "Date_Updated__c", false, instant(func(m *message.Message) time.Time { return m.Updated })},
	{func(n *Names) *string { return &n.Service }, "Messaging_Service_Sid__c", false, text(func(m *message.Message) string { return m.ServiceSID })},
	{func(n *Names) *string { return &n.Segments }, "Num_Segments__c", false, whole(func(m *message.Message) (int, bool) { return m.Segments, true })},
	{func(n *Names) *string { return &n.Media }, "Num_Media__c", false, whole(func(m *message.Message) (int, bool) { return m.Media, true })},
	{func(n *Names) *string { return &n.Price }, "Price__c", false, decimal(func(m *message.Message) string { return m.Price })},
	{func(n *Names) *string { return &n.PriceUnit }, "Price_Unit__c", false, text(func(m *message.Message) string { return m.PriceUnit })},
}

// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/field_types.htm
var (
	textTypes   = []string{"string", "textarea", "phone", "picklist", "combobox", "url", "email", "encryptedstring"}
	numberTypes = []string{"double", "currency", "percent", "int", "long"}
)

func isText(f salesforce.Field) bool   { return slices.Contains(textTypes, f.Type) }
func isNumber(f salesforce.Field) bool { return slices.Contains(numberTypes, f.Type) }

func text(get func(*message.Message) string) func(salesforce.Field) writer {
	return func(f salesforce.Field) writer {
		if !isText(f) {
			return nil
		}
		return func(dst []byte, m *message.Message) []byte { return appendText(dst, get(m)) }
	}
}

// clipped is for explanations, whose end may be lost. A body is never clipped:
// the org refuses one that is too long, and the operator hears of it.
func clipped(get func(*message.Message) string) func(salesforce.Field) writer {
	return func(f salesforce.Field) writer {
		if !isText(f) {
			return nil
		}
		return func(dst []byte, m *message.Message) []byte {
			s, _ := Normalise(get(m))
			return appendText(dst, clipUTF16(s, f.Length))
		}
	}
}

// whole writes a number where the org has a number and text where it has text;
// get says whether there is one.
func whole(get func(*message.Message) (int, bool)) func(salesforce.Field) writer {
	return func(f salesforce.Field) writer {
		if !isText(f) && !isNumber(f) {
			return nil
		}
		asText := isText(f)
		return func(dst []byte, m *message.Message) []byte {
			n, ok := get(m)
			if !ok {
				return append(dst, null...)
			}
			return appendWhole(dst, n, asText)
		}
	}
}

func decimal(get func(*message.Message) string) func(salesforce.Field) writer {
	return func(f salesforce.Field) writer {
		switch {
		case isNumber(f):
			return func(dst []byte, m *message.Message) []byte { return appendDecimal(dst, get(m)) }
		case isText(f):
			return func(dst []byte, m *message.Message) []byte { return appendText(dst, get(m)) }
		default:
			return nil
		}
	}
}

func instant(get func(*message.Message) time.Time) func(salesforce.Field) writer {
	return func(f salesforce.Field) writer {
		form := datetimeForm
		switch {
		case f.Type == "date":
			form = time.DateOnly
		case f.Type != "datetime" && !isText(f):
			return nil
		}
		return func(dst []byte, m *message.Message) []byte { return appendInstant(dst, get(m), form) }
	}
}

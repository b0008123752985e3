package twilio

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twiliosf/twiliosf/sync/message"
)

// field is one of the message resource's properties that we keep.
type field uint8

const (
	fieldOther field = iota
	fieldSID
	fieldService
	fieldFrom
	fieldTo
	fieldBody
	fieldDirection
	fieldStatus
	fieldSegments
	fieldMedia
	fieldPrice
	fieldPriceUnit
	fieldErrorCode
	fieldErrorMessage
	fieldCreated
	fieldUpdated
	fieldSent
)

// fieldNames are the properties' names on the wire.
// https://www.twilio.com/docs/messaging/api/message-resource
var fieldNames = [...]string{
	fieldSID: "sid", fieldService: "messaging_service_sid", fieldFrom: "from", fieldTo: "to",
	fieldBody: "body", fieldDirection: "direction", fieldStatus: "status",
	fieldSegments: "num_segments", fieldMedia: "num_media", fieldPrice: "price", fieldPriceUnit: "price_unit",
	fieldErrorCode: "error_code", fieldErrorMessage: "error_message",
	fieldCreated: "date_created", fieldUpdated: "date_updated", fieldSent: "date_sent",
}

// fieldOf finds the property with this name. A switch is the fastest way: the
// compiler sorts it by length.
func fieldOf(name []byte) field { //nolint:cyclop // a table, in the form that is read a million times
	switch string(name) {
	case "sid":
		return fieldSID
	case "messaging_service_sid":
		return fieldService
	case "from":
		return fieldFrom
	case "to":
		return fieldTo
	case "body":
		return fieldBody
	case "direction":
		return fieldDirection
	case "status":
		return fieldStatus
	case "num_segments":
		return fieldSegments
	case "num_media":
		return fieldMedia
	case "price":
		return fieldPrice
	case "price_unit":
		return fieldPriceUnit
	case "error_code":
		return fieldErrorCode
	case "error_message":
		return fieldErrorMessage
	case "date_created":
		return fieldCreated
	case "date_updated":
		return fieldUpdated
	case "date_sent":
		return fieldSent
	}
	return fieldOther
}

var (
	errSID    = errors.New("sid: not a message SID")
	errNoDate = errors.New("neither date_created nor date_sent is given")
)

// set gives m one property. text is its value without quotes and never null:
// null and absent leave the zero value. share makes the strings that many
// messages have in common.
func set(m *message.Message, f field, text []byte, share func([]byte) string) (err error) { //nolint:cyclop // as fieldOf
	switch f {
	case fieldOther:
	case fieldSID:
		if !validSID(text) {
			return errSID
		}
		m.SID = message.SID(text)
	case fieldService:
		m.ServiceSID = share(text)
	case fieldFrom:
		m.From = message.Number(share(text))
	case fieldTo:
		m.To = message.Number(share(text))
	case fieldBody:
		m.Body = string(text)
	case fieldDirection:
		m.Direction = message.Direction(share(text))
	case fieldStatus:
		m.Status = message.Status(share(text))
	case fieldSegments:
		m.Segments, err = count(text)
	case fieldMedia:
		m.Media, err = count(text)
	case fieldPrice:
		m.Price = share(text)
	case fieldPriceUnit:
		m.PriceUnit = share(text)
	case fieldErrorCode:
		m.ErrorCode, err = count(text)
	case fieldErrorMessage:
		m.ErrorMessage = share(text)
	case fieldCreated:
		m.Created, err = date(text)
	case fieldUpdated:
		m.Updated, err = date(text)
	case fieldSent:
		m.Sent, err = date(text)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", fieldNames[f], err)
	}
	return nil
}

// whole reports what m lacks to be a message that can be told apart and put in
// order.
func whole(m *message.Message) error {
	switch {
	case m.SID == "":
		return errSID
	case m.Created.IsZero() && m.Sent.IsZero():
		return errNoDate
	default:
		return nil
	}
}

// validSID reports whether s is a message SID: SM (text) or MM (media) and 32
// hex digits. https://www.twilio.com/docs/messaging/api/message-resource
func validSID[text ~string | []byte](s text) bool { return validID(s, "SM") || validID(s, "MM") }

// validID reports whether s is a Twilio id: its kind in two letters and 32 hex
// digits. https://www.twilio.com/docs/glossary/what-is-a-sid
func validID[text ~string | []byte](s text, kind string) bool {
	if len(s) != 34 || s[0] != kind[0] || s[1] != kind[1] {
		return false
	}
	for i := 2; i < len(s); i++ {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// count reads a whole number, which Twilio writes as a string or as a number;
// an empty one is zero.
func count(text []byte) (int, error) {
	if len(text) == 0 {
		return 0, nil
	}
	n, err := strconv.Atoi(string(text))
	if err != nil {
		return 0, errors.New("not a whole number") // err would repeat the text
	}
	return n, nil
}

func date(text []byte) (time.Time, error) {
	if len(text) == 0 {
		return time.Time{}, nil
	}
	return parseDate(text)
}

// fromModel is the message in the vendor's generated model.
func fromModel(row *openapi.ApiV2010Message) (message.Message, error) {
	var m message.Message
	values := [...]*string{
		fieldSID: row.Sid, fieldService: row.MessagingServiceSid, fieldFrom: row.From, fieldTo: row.To,
		fieldBody: row.Body, fieldDirection: row.Direction, fieldStatus: row.Status,
		fieldSegments: row.NumSegments, fieldMedia: row.NumMedia, fieldPrice: row.Price, fieldPriceUnit: row.PriceUnit,
		fieldErrorMessage: row.ErrorMessage,
		fieldCreated:      row.DateCreated, fieldUpdated: row.DateUpdated, fieldSent: row.DateSent,
	}
	for f, value := range values {
		if value == nil {
			continue
		}
		if err := set(&m, field(f), []byte(*value), toString); err != nil {
			return m, err
		}
	}
	if row.ErrorCode != nil {
		m.ErrorCode = *row.ErrorCode
	}
	err := whole(&m)
	return m, err
}

func toString(text []byte) string { return string(text) }

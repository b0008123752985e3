package twiliotest

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Row is one message as tests see and make it.
type Row struct {
	// SID, SM or MM and 32 hexadecimal digits; Seed makes one when it is empty.
	SID string
	// From and To are numbers or channel addresses, From "" for null.
	From, To string
	// Body is UTF-8 text.
	Body string
	// ServiceSID is the Messaging Service, "" for null.
	ServiceSID string
	// Direction and Status are Twilio's words. Seed takes an empty direction
	// for inbound, and an empty status for received or delivered.
	Direction, Status string
	// Created, Updated and Sent are whole seconds on the wire. A zero Sent is
	// null. Seed takes now for a zero Created, the later of the two others for
	// a zero Updated.
	Created, Updated, Sent time.Time
	// Segments is num_segments. Seed counts them when it is 0; a negative one
	// stands for "0", which a service shows until a sender is chosen.
	Segments int
	// ErrorCode is 0 for null. ErrorMessage is the code's usual text when empty.
	ErrorCode    int
	ErrorMessage string
	// Price is a signed decimal of at most five places ("-0.00750"), "" for null.
	Price string
	// Media of the message; its count is num_media.
	Media []Media
}

// Media is one attachment.
type Media struct {
	// SID, ME and 32 hexadecimal digits; made when it is empty.
	SID string
	// ContentType is a MIME type; empty means image/png.
	ContentType string
	// Data are the bytes; nil means a small picture.
	Data []byte
}

func (s *Server) row(r *record) Row {
	row := Row{
		SID: r.sid(), From: r.from, To: r.to, Body: r.body,
		Direction: r.direction.String(), Status: r.status.String(),
		Created: moment(r.created), Updated: moment(r.updated), Sent: moment(r.sent),
		Segments: int(r.segments), ErrorCode: int(r.code), ErrorMessage: r.errorMessage(),
		Price: string(appendPrice(nil, r.price)),
	}
	if r.segments == 0 {
		row.Segments = -1
	}
	if r.more != nil {
		row.ServiceSID = r.more.service
	}
	for _, a := range r.media() {
		row.Media = append(row.Media, Media{SID: a.id.sid("ME"), ContentType: a.mime, Data: a.data})
	}
	return row
}

// record packs a row; a row that no Twilio account could show is a mistake of
// the test's, and panics.
func (s *Server) record(row Row, now time.Time) record {
	r := record{from: row.From, to: row.To, body: row.Body, sent: nanos(row.Sent), code: int32(row.ErrorCode)}
	r.direction = direction(word(directionNames, or(row.Direction, "inbound")))
	usual := "delivered"
	if r.direction == inbound {
		usual = "received"
	}
	r.status = status(word(statusNames, or(row.Status, usual)))
	if row.Created.IsZero() {
		row.Created = now
	}
	r.created = nanos(row.Created)
	if r.updated = nanos(row.Updated); r.updated == null {
		r.updated = max(r.created, r.sent)
	}
	r.segments = segmentsOf(row)
	r.price = parsePrice(row.Price)
	s.identify(&r, row)
	if row.ServiceSID != "" || row.ErrorMessage != "" {
		r.extra().service, r.extra().message = row.ServiceSID, row.ErrorMessage
	}
	r.attach(s.attachments(row.Media, r.created))
	return r
}

// identify gives the record its SID: the row's, or a new one.
func (s *Server) identify(r *record, row Row) {
	r.mm = len(row.Media) > 0
	if row.SID == "" {
		r.id = s.nextDigits()
		return
	}
	prefix, id, ok := parseSID(row.SID)
	if !ok || prefix != "SM" && prefix != "MM" {
		panic(fmt.Sprintf("twiliotest: %q is no message SID", row.SID))
	}
	r.id, r.mm = id, prefix == "MM"
}

func (s *Server) attachments(media []Media, at int64) []attachment {
	var list []attachment
	for _, m := range media {
		a := attachment{mime: or(m.ContentType, "image/png"), data: m.Data, created: at, updated: at}
		if a.data == nil {
			a.data = onePixel
		}
		if m.SID == "" {
			a.id = s.nextDigits()
		} else if prefix, id, ok := parseSID(m.SID); ok && prefix == "ME" {
			a.id = id
		} else {
			panic(fmt.Sprintf("twiliotest: %q is no media SID", m.SID))
		}
		list = append(list, a)
	}
	return list
}

// attach makes the media the record's own.
func (r *record) attach(media []attachment) {
	if len(media) > 0 || len(r.media()) > 0 {
		r.extra().media = media
	}
}

func word(names []string, s string) uint8 {
	n, ok := parseName(names, s)
	if !ok {
		panic(fmt.Sprintf("twiliotest: %q is none of %v", s, names))
	}
	return n
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

func segmentsOf(row Row) uint16 {
	switch {
	case row.Segments < 0:
		return 0
	case row.Segments > 0:
		return uint16(min(row.Segments, math.MaxUint16))
	case len(row.Media) > 0:
		return 1
	default:
		return uint16(min(Segments(row.Body), math.MaxUint16))
	}
}

// priceScale is the parts of a currency unit that a price is kept in.
const priceScale = 100_000

func parsePrice(s string) int32 {
	if s == "" {
		return noPrice
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.Abs(f) > math.MaxInt32/priceScale {
		panic(fmt.Sprintf("twiliotest: %q is no price", s))
	}
	return int32(math.Round(f * priceScale))
}

// appendPrice writes a price with five decimals, and nothing for no price.
func appendPrice(b []byte, price int32) []byte {
	if price == noPrice {
		return b
	}
	if price < 0 {
		b, price = append(b, '-'), -price
	}
	b = strconv.AppendInt(b, int64(price/priceScale), 10)
	b = append(b, '.')
	for unit := int32(priceScale / 10); unit > 0; unit /= 10 {
		b = append(b, byte('0'+price/unit%10))
	}
	return b
}

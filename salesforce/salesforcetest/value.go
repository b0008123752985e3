package salesforcetest

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"time"
)

// valueKind says how a value is held.
type valueKind uint8

const (
	kNull   valueKind = iota
	kText             // s
	kNumber           // n holds the bits of a float64
	kBool             // n is 0 or 1
	kTime             // n is Unix milliseconds
	kDate             // n is days since 1970-01-01
	kRef              // n is object number << 32 | row number
)

// value is one field's content.
type value struct {
	s string
	n int64
	k valueKind
}

func textValue(s string) value    { return value{k: kText, s: s} }
func numberValue(x float64) value { return value{k: kNumber, n: int64(math.Float64bits(x))} }
func timeValue(ms int64) value    { return value{k: kTime, n: ms} }
func refValue(o *object, seq uint32) value {
	return value{k: kRef, n: int64(o.num)<<32 | int64(seq)}
}

func boolValue(b bool) value {
	if b {
		return value{k: kBool, n: 1}
	}
	return value{k: kBool}
}

func (v value) float() float64 { return math.Float64frombits(uint64(v.n)) }

// target splits a reference into object number and row number.
func (v value) target() (object int, seq uint32) { return int(v.n >> 32), uint32(v.n) }

// appendSlot encodes one field for a row's blob: slot, kind, payload.
func appendSlot(b []byte, slot int, v value) []byte {
	b = append(b, byte(slot), byte(v.k))
	switch v.k {
	case kText:
		b = binary.AppendUvarint(b, uint64(len(v.s)))
		return append(b, v.s...)
	case kNumber:
		return binary.LittleEndian.AppendUint64(b, uint64(v.n))
	default:
		return binary.AppendVarint(b, v.n)
	}
}

// uvarint is binary.Uvarint over a string, so that reading copies nothing.
func uvarint(s string) (x uint64, n int) {
	for shift := uint(0); n < len(s); shift += 7 {
		c := s[n]
		n++
		x |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return x, n
		}
	}
	return x, n
}

// nextSlot decodes the first field of a blob; texts share the blob's memory.
func nextSlot(blob string) (slot int, v value, rest string) {
	slot, v.k = int(blob[0]), valueKind(blob[1])
	blob = blob[2:]
	switch v.k {
	case kText:
		size, n := uvarint(blob)
		end := n + int(size)
		v.s = blob[n:end]
		return slot, v, blob[end:]
	case kNumber:
		for i := 7; i >= 0; i-- {
			v.n = v.n<<8 | int64(blob[i])
		}
		return slot, v, blob[8:]
	default:
		u, n := uvarint(blob)
		v.n = int64(u>>1) ^ -int64(u&1)
		return slot, v, blob[n:]
	}
}

// unpack fills vals, which must be all null, from a blob.
func unpack(blob string, vals []value) {
	for blob != "" {
		var slot int
		var v value
		slot, v, blob = nextSlot(blob)
		vals[slot] = v
	}
}

// pack is the reverse of unpack.
func pack(scratch []byte, vals []value) []byte {
	scratch = scratch[:0]
	for slot, v := range vals {
		if v.k != kNull {
			scratch = appendSlot(scratch, slot, v)
		}
	}
	return scratch
}

const (
	// timeOut is how the org writes a DateTime: milliseconds, offset without colon.
	timeOut = "2006-01-02T15:04:05.000-0700"
	dateOut = "2006-01-02"
	dayMs   = 24 * 60 * 60 * 1000
)

func appendTime(b []byte, ms int64) []byte {
	return time.UnixMilli(ms).UTC().AppendFormat(b, timeOut)
}

func dateText(days int64) string { return time.UnixMilli(days * dayMs).UTC().Format(dateOut) }

func parseDate(s string) (days int64, ok bool) {
	t, err := time.Parse(dateOut, s)
	return t.UnixMilli() / dayMs, err == nil
}

// timeIn are the forms of a DateTime that the org reads.
var timeIn = []string{
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02T15:04:05.999999999-07",
}

func parseTime(s string) (ms int64, ok bool) {
	if len(s) < len("2006-01-02T15:04:05Z") {
		return 0, false
	}
	for _, layout := range timeIn {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UnixMilli(), true
		}
	}
	return 0, false
}

// appendValue writes a value as the REST API does for a field of its type.
func (s *Server) appendValue(b []byte, f *field, v value) []byte {
	switch v.k {
	case kText:
		return appendString(b, v.s)
	case kNumber:
		if f.typ == typeInt {
			return strconv.AppendInt(b, int64(v.float()), 10)
		}
		return appendDouble(b, v.float())
	case kBool:
		return strconv.AppendBool(b, v.n == 1)
	case kTime:
		b = append(b, '"')
		return append(appendTime(b, v.n), '"')
	case kDate:
		return appendString(b, dateText(v.n))
	case kRef:
		return appendString(b, s.refText(v))
	default:
		return append(b, "null"...)
	}
}

// refText is the 18-character id a reference stands for.
func (s *Server) refText(v value) string {
	num, seq := v.target()
	return formatID(s.schema.objects[num].prefix, seq)
}

// native is a value as the direct access functions hand it out.
func (s *Server) native(v value) any {
	switch v.k {
	case kText:
		return strings.Clone(v.s)
	case kNumber:
		return v.float()
	case kBool:
		return v.n == 1
	case kTime:
		return time.UnixMilli(v.n).UTC()
	case kDate:
		return dateText(v.n)
	case kRef:
		return s.refText(v)
	default:
		return nil
	}
}

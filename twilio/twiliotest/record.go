package twiliotest

import (
	"math"
	"slices"
	"time"
)

// null stands for "no moment" and noPrice for "not billed yet" in a record.
const (
	null    = math.MinInt64
	noPrice = math.MinInt32
)

// status and direction are Twilio's words, packed.
type (
	status    uint8
	direction uint8
)

const (
	accepted status = iota
	scheduled
	canceled
	queued
	sending
	sent
	delivered
	undelivered
	failed
	read
	receiving
	received
	partiallyDelivered
)

var statusNames = []string{
	"accepted", "scheduled", "canceled", "queued", "sending", "sent", "delivered",
	"undelivered", "failed", "read", "receiving", "received", "partially_delivered",
}

const (
	inbound direction = iota
	outboundAPI
	outboundReply
	outboundCall
)

var directionNames = []string{"inbound", "outbound-api", "outbound-reply", "outbound-call"}

func (s status) String() string    { return statusNames[s] }
func (d direction) String() string { return directionNames[d] }

// underWay reports that delivery is not finished, so that Twilio refuses to
// delete or redact.
func (s status) underWay() bool {
	switch s {
	case accepted, scheduled, queued, sending, receiving:
		return true
	default:
		return false
	}
}

// leftTwilio reports that a message in this status has been sent.
func (s status) leftTwilio() bool {
	switch s {
	case sent, delivered, undelivered, read, partiallyDelivered, received:
		return true
	default:
		return false
	}
}

// record is one message, small enough that a million fit in a test's memory.
// Moments are Unix nanoseconds.
type record struct {
	from, to, body         string
	created, updated, sent int64
	more                   *more
	id                     digits
	code                   int32
	price                  int32 // in 1/100,000 of a dollar
	segments               uint16
	status                 status
	direction              direction
	mm, gone               bool
}

// more is what few messages have.
type more struct {
	service  string
	callback string // StatusCallback of its create
	message  string // error_message, when it is not the code's usual one
	media    []attachment
	schedule []step // what is still to happen, soonest first
}

// attachment is one Media subresource.
type attachment struct {
	id      digits
	mime    string
	data    []byte
	created int64
	updated int64
}

func (r *record) sid() string {
	if r.mm {
		return r.id.sid("MM")
	}
	return r.id.sid("SM")
}

// extra gives the record's more, making it when there is none.
func (r *record) extra() *more {
	if r.more == nil {
		r.more = &more{}
	}
	return r.more
}

func (r *record) media() []attachment {
	if r.more == nil {
		return nil
	}
	return r.more.media
}

// errorMessage is the text beside the error code, "" without one.
func (r *record) errorMessage() string {
	if r.code == 0 {
		return ""
	}
	if r.more != nil && r.more.message != "" {
		return r.more.message
	}
	return codeText(int(r.code))
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return null
	}
	return t.UnixNano()
}

func moment(n int64) time.Time {
	if n == null {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

func parseName(names []string, s string) (uint8, bool) {
	i := slices.Index(names, s)
	return uint8(max(i, 0)), i >= 0
}

package message

// Status is Twilio's delivery status. It moves along a lattice and never
// backwards (P4): scheduled, accepted, queued, sending, sent, then one of the
// final ones; a delivered WhatsApp or RCS message may still become read.
// https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
type Status string

// The statuses of Twilio's message resource.
const (
	Scheduled          Status = "scheduled"
	Accepted           Status = "accepted"
	Queued             Status = "queued"
	Sending            Status = "sending"
	Sent               Status = "sent"
	Delivered          Status = "delivered"
	Undelivered        Status = "undelivered"
	Failed             Status = "failed"
	Canceled           Status = "canceled"
	PartiallyDelivered Status = "partially_delivered"
	Read               Status = "read"
	Receiving          Status = "receiving"
	Received           Status = "received"
)

const (
	rankFinal = 5
	rankRead  = 6
)

// Rank is the status's height in the lattice. A status we do not know yet has
// rank 0: it may be shown, and anything known replaces it.
func (s Status) Rank() int {
	switch s {
	case Scheduled, Accepted, Receiving:
		return 1
	case Queued:
		return 2
	case Sending:
		return 3
	case Sent:
		return 4
	case Delivered, Undelivered, Failed, Canceled, PartiallyDelivered, Received:
		return rankFinal
	case Read:
		return rankRead
	default:
		return 0
	}
}

// Final reports whether Twilio will not change the status any more, but for
// delivered becoming read.
func (s Status) Final() bool { return s.Rank() >= rankFinal }

// Known reports whether the status is one of Twilio's documented values.
func (s Status) Known() bool { return s.Rank() > 0 }

package mirror

import (
	"context"
	"errors"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
)

// BatchSize is the most messages one Sink.Upsert takes: what one sObject
// Collections call carries.
const BatchSize = 200

// ErrGone says that Twilio no longer has a message: deleted, or past the
// account's retention. It is no error of the mirror's.
var ErrGone = errors.New("message is no longer in Twilio")

// Window says which part of the list a walk reads.
type Window struct {
	// Day, midnight UTC, reads the messages sent on that day. Zero reads the
	// whole list without any date filter, so that rows without a date_sent,
	// which a filter may hide, are there too.
	Day time.Time
	// PageSize is 1 to 1,000 messages; 0 means 1,000.
	PageSize int
}

// Source is the Twilio account as the mirror reads it. Its errors are classed
// (package fault) and it retries by itself what is safe and quick to retry.
type Source interface {
	// Walk reads the list newest first, a page at a time, by the list's own
	// links, and calls page for each until page answers false or fails, or the
	// list ends. An empty page is not the end. The slice is valid only during
	// the call. Messages that arrive or move during the walk may be missed or
	// come twice.
	Walk(ctx context.Context, w Window, page func([]message.Message) (more bool, err error)) error
	// Fetch reads one message; ErrGone when Twilio has it no more.
	Fetch(ctx context.Context, sid message.SID) (message.Message, error)
}

// Sink is the Salesforce org as the mirror writes it.
type Sink interface {
	// Upsert writes the present state of at most BatchSize messages, each to
	// the one record that has its SID, which is made when it is missing. SIDs
	// in a batch differ. It is idempotent and may be repeated whatever came
	// of it before. It answers one outcome per message, in order: nil, or a
	// fault. A Permanent one says that this record is refused for good; all
	// others may pass. err is for the batch as a whole: then nothing is known
	// of any message.
	Upsert(ctx context.Context, batch []message.Message) (outcomes []error, err error)
}

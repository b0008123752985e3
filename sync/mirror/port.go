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

// Record is what is written of a message.
type Record struct {
	Message *message.Message
	// Links is nil unless the org holds no record of the message yet: then it also
	// fills what is the users' own from then on, its owner, links and marks.
	Links *message.Links
	// ID is of the record that the message belongs to because it was its draft; ""
	// leaves that to the SID.
	ID string
	// Bulk is the record of the campaign that the message is one of. It is written with
	// Links, and then is the users' own as well.
	Bulk string
	// Rejected says that the message is no message but the trace of a send that
	// Twilio refused: all that is written of it, on the record ID, is its SID as
	// the rejected one.
	Rejected bool
}

// Sink is the Salesforce org as the mirror writes it.
type Sink interface {
	// Upsert writes the present state of at most BatchSize messages, each to
	// the one record that has its SID, which is made when it is missing. SIDs
	// in a batch differ. It is idempotent and may be repeated whatever came
	// of it before. It answers one outcome per message, in order: nil, or a
	// fault. A Permanent one says that this record is refused for good; all
	// others may pass. err is for the batch as a whole: then nothing is known
	// of any message. A link or an owner that the org does not take is left out.
	//
	// A message with an ID is written to that record, which gets its SID; another
	// record that has the SID is merged into this one. Such a record gets no links.
	// If it is gone, it is as if there were no ID, but what was Rejected is then
	// written nowhere. Of several that were Rejected for one record it shows the latest.
	Upsert(ctx context.Context, batch []Record) (outcomes []error, err error)
	// Held tells which of at most BatchSize SIDs have a record.
	Held(ctx context.Context, sids []message.SID) (map[message.SID]bool, error)
	// Empty is true when no SID has a record.
	Empty(ctx context.Context) (bool, error)
}

// BulkSink is the Salesforce org as the mirror writes it when much waits, one
// UpsertMany at a time.
type BulkSink interface {
	// UpsertMany writes the present state of messages that have no ID, any number,
	// as Sink does, in jobs of the org's. It answers one outcome per message, in
	// order: nil when the org has it, else why it is left to Sink, for good or not.
	// After an error nothing is known of any message, and the job may still write,
	// also in the time of the next process, until Settle answers nil.
	UpsertMany(ctx context.Context, records []Record) (outcomes []error, err error)
	// Settle ends or awaits whatever a former UpsertMany has left, of this process
	// or of one before it. After nil none of it writes any more.
	Settle(ctx context.Context) error
}

// Claim says which record a message belongs to, because a record of the org asked
// for it to be sent. The zero value says that none did.
type Claim struct {
	Record   string // its id
	Bulk     string // as Record.Bulk says: a campaign has sent it, and it has no other record
	Rejected bool   // as Record.Rejected says
	Told     bool   // there is nothing to write: whoever sent it tells of it
	// Wait says that it cannot be told yet, or that the record does not show the
	// message's SID yet: whoever sent it writes that first.
	Wait bool
}

// Sends know what was sent from here.
type Sends interface {
	// Whose answers one claim a message, in order.
	Whose(ctx context.Context, messages []*message.Message) ([]Claim, error)
}

// People know whose numbers are.
type People interface {
	// Meet answers what the records of messages are to be linked to, in order, and
	// takes note of what the messages say of people. It may be repeated.
	Meet(ctx context.Context, batch []*message.Message) ([]message.Links, error)
}

// QueuedEvent is a webhook event in the line.
type QueuedEvent struct {
	N     int64 // its number
	Event message.Event
}

// Events is the durable line of webhook events. It and the Ledger are one memory.
type Events interface {
	// Keep stores an event; it is durable when Keep returns nil (P1). It answers
	// whether this is its first time: a repetition is left out.
	Keep(ctx context.Context, e message.Event) (first bool, err error)
	// Waiting reads events that are due at now, in the order they came, at most
	// limit.
	Waiting(ctx context.Context, now time.Time, limit int) ([]QueuedEvent, error)
	// Fold merges events into the rows of their messages, queues those that
	// changed and takes the events out of the line, all or nothing. It answers
	// those of messages that the ledger does not know, or only without their text:
	// they stay in the line. It answers the changes too.
	Fold(ctx context.Context, events []QueuedEvent) (unknown []QueuedEvent, changes []Change, err error)
	// PutOff leaves events alone until a time; the zero time takes them out of the
	// line.
	PutOff(ctx context.Context, events []QueuedEvent, until time.Time) error
}

// Seq numbers changes in the order in which they were committed.
type Seq int64

// Ledger is the durable memory of what Twilio has shown.
type Ledger interface {
	// Merge folds sightings read from Twilio's API into the rows, durably, and
	// queues for writing those that are news (message.News; P4). A SID that
	// comes twice counts once, with what is the newest of it. It answers how
	// many rows changed, and the changes themselves if it knows them.
	Merge(ctx context.Context, seen []message.Message) (changed int, changes []Change, err error)
	// Newest is the number of the last change.
	Newest(ctx context.Context) (Seq, error)
	// Unsettled counts the messages that have been waiting to be written since
	// change upTo or longer, and stops counting at atMost. Quarantined ones do
	// not wait.
	Unsettled(ctx context.Context, upTo Seq, atMost int) (int, error)
}

// OpenLedger tells which statuses may still change.
type OpenLedger interface {
	// Open lists messages whose status was still open (message.Message.Open) at
	// now, oldest first, at most limit.
	Open(ctx context.Context, now time.Time, lookback time.Duration, limit int) ([]OpenMessage, error)
	// Gone notes that Twilio no longer has the message: its record stays as it
	// is, and nobody asks for it any more.
	Gone(ctx context.Context, sid message.SID) error
	// LastActivity is when the newest message known was sent or created; zero
	// when none is known.
	LastActivity(ctx context.Context) (time.Time, error)
}

// OpenMessage is one message whose status may still change.
type OpenMessage struct {
	SID message.SID
	At  time.Time // message.Message.At
}

// Change is one message that is to be written.
type Change struct {
	Seq      Seq // this change; a newer sighting has another
	Attempts int // how often its writing was put off
	// New is true until a change of the message was settled as written: whether
	// the org holds a record of it is not known for certain.
	New bool
	// Message is shared by all who hold the change: nobody alters it.
	Message *message.Message

	again bool // another change of the message was under way when this one came
}

// Changes is the writer's end of the ledger.
type Changes interface {
	// Changed reads changes after the given one that are due at now, in order,
	// at most limit.
	Changed(ctx context.Context, after Seq, now time.Time, limit int) ([]Change, error)
	// Written tells whether the messages of some changes were settled as written by
	// now. A change that was overtaken is left out.
	Written(ctx context.Context, changes []Seq) (map[Seq]bool, error)
	// Settle records what came of changes, all of them or none. One that was
	// overtaken by a newer sighting meanwhile stays queued (the newer one).
	Settle(ctx context.Context, settled []Settlement) error
	// NextDue is when the earliest change that was put off falls due; zero
	// when none was.
	NextDue(ctx context.Context) (time.Time, error)
}

// Settlement is what came of one change: written, refused for good, or put off.
type Settlement struct {
	Change  Change
	Refusal *Refusal  // not nil: to quarantine
	RetryAt time.Time // not zero: put off until then
}

// Refusal is why Salesforce will not take a record. It holds none of the
// record's values.
type Refusal struct {
	Code    string    `json:"code"`
	Fields  []string  `json:"fields,omitzero"`
	Message string    `json:"message"`
	Hint    string    `json:"hint,omitzero"`
	At      time.Time `json:"at"`
}

// Watches tells of users who look on.
type Watches interface {
	// Watched says whether at now a user has a conversation open, be it of a
	// number that has never written.
	Watched(now time.Time) bool
}

// Cursors are the places up to which sweeps have brought everything across.
type Cursors interface {
	// Cursor is the named cursor, zero if it was never set.
	Cursor(ctx context.Context, name string) (time.Time, error)
	// MoveCursor sets it. It never moves back.
	MoveCursor(ctx context.Context, name string, to time.Time) error
}

// Day is one window of a backfill.
type Day struct {
	Day          time.Time // midnight UTC: the messages that Twilio lists under this date
	Since, Until time.Time // the whole backfill's range; rows outside are left alone
}

// Progress is how far the backfills have come.
type Progress struct {
	Days    int       `json:"days"`
	Done    int       `json:"done"`
	Seen    int64     `json:"seen"`
	Changed int64     `json:"changed"`
	Started time.Time `json:"started,omitzero"` // of the oldest one that is not done
}

// Backlog keeps the windows of backfills, durably.
type Backlog interface {
	// Plan adds windows and the jobs that work them, all or none. A window that
	// is already waiting is not added again.
	Plan(ctx context.Context, days []Day) error
	// Finish marks a window done.
	Finish(ctx context.Context, day Day, seen, changed int) error
	// Progress sums up all windows of backfills that are not finished, or the
	// last finished one.
	Progress(ctx context.Context) (Progress, error)
}

package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
)

// BatchSize is the most results or drafts of one call to the org.
const BatchSize = 200

// ErrGone says that a record is no more.
var ErrGone = errors.New("the record is gone")

// ErrPartial says that a list was read to its end, but for rows that nobody can
// read.
var ErrPartial = errors.New("rows of the list cannot be read")

// Account is the Twilio account as the outbox uses it. Its errors are classed
// (package fault): for Create, Throttled and Transient mean that nothing happened,
// Permanent that Twilio has refused it, Auth that we may not, and everything else
// that it may have happened.
type Account interface {
	// Create makes one message by one call, which is never repeated.
	Create(ctx context.Context, o message.Outgoing) (message.Message, error)
	// Outgoing lists messages to a number, or to all for none, newest first, that
	// were made since a time, until page answers false. ErrPartial at the end when
	// it has left rows out.
	Outgoing(ctx context.Context, to message.Number, since time.Time, page func([]message.Message) (more bool, err error)) error
	// Senders lists what the account can send from.
	Senders(ctx context.Context) (Senders, error)
}

// Studio starts flows. Its errors are classed as the Account's.
type Studio interface {
	Execute(ctx context.Context, flow, to, from, parameters string) (sid, status string, err error)
	Execution(ctx context.Context, flow, sid string) (status string, err error)
}

// Org is where the records are.
type Org interface {
	// ReadDrafts reads at most BatchSize records by id as they are now. One that has
	// a SID asks for nothing; one that is missing in the answer is gone. One that shows
	// Uncertain has AskUncertain.
	ReadDrafts(ctx context.Context, ids []string) ([]message.Draft, error)
	// WriteBack writes at most BatchSize results to their records. It answers one
	// outcome each, in order: nil, ErrGone, or a fault, of which a Permanent one says
	// that the org refuses it for good. err is for the batch as a whole. It may be
	// repeated.
	WriteBack(ctx context.Context, results []message.Result) (outcomes []error, err error)
	// WriteStudio is WriteBack for requests of flows.
	WriteStudio(ctx context.Context, results []message.StudioResult) (outcomes []error, err error)
}

// History is what the org remembers of conversations.
type History interface {
	// LastSenders answers which of our senders the last message from or to each
	// number has used; numbers without one are left out.
	LastSenders(ctx context.Context, theirs []message.Number) (map[message.Number]message.Number, error)
}

// Personal knows the numbers that belong to single users.
type Personal interface {
	// Personal answers which of our numbers is the user's own, "" for none.
	Personal(ctx context.Context, user string, ours []message.Number) (message.Number, error)
}

// Ledger is the durable memory of attempts.
type Ledger interface {
	// Take merges what was read of records (Meet) and answers how many attempts that
	// has changed.
	Take(ctx context.Context, drafts []message.Draft, now time.Time) (changed int, err error)
	// Due reads attempts of a state that are due, in order, at most limit.
	Due(ctx context.Context, s State, now time.Time, limit int) ([]Attempt, error)
	// NextDue is when the first of them falls due; ok is false when there is none.
	NextDue(ctx context.Context, s State) (at time.Time, ok bool, err error)
	// Revise replaces attempts, and answers which: one that has changed since it was
	// read stays as it is.
	Revise(ctx context.Context, all []Attempt) (revised []bool, err error)
}

// Intents guard the call to Twilio.
type Intents interface {
	// Recover is for the start: what was intended is uncertain, and what waited is
	// read again first.
	Recover(ctx context.Context, now time.Time) error
	// Intend commits the intent of an attempt that is ready, with its token, unless
	// the attempt has changed since it was read. A number that has opted out is left
	// out in the same transaction (P6), and so is one that has not opted in to the
	// draft's keyword: optedOut then says so, and nothing is changed.
	Intend(ctx context.Context, a *Attempt) (ok, optedOut bool, err error)
	// Conclude commits what came of an intent, unless a status callback was faster.
	Conclude(ctx context.Context, a *Attempt) error
}

// Lines are the attempts that wait for their sender.
type Lines interface {
	// Ready reads attempts that wait for a sender and are due, in order, at most limit.
	Ready(ctx context.Context, sender string, now time.Time, limit int) ([]Attempt, error)
	// NextReady is when the first of them falls due; ok is false when there is none.
	NextReady(ctx context.Context, sender string) (at time.Time, ok bool, err error)
	// Senders are those that something waits for.
	Senders(ctx context.Context) ([]string, error)
}

// Results are what is to be written back.
type Results interface {
	Unwritten(ctx context.Context, now time.Time, limit int) ([]Attempt, error)
	// NextUnwritten is when the first of them falls due; ok is false when there is none.
	NextUnwritten(ctx context.Context) (at time.Time, ok bool, err error)
	// Written notes that records show these results, or puts them off.
	Written(ctx context.Context, all []Writing) error
	// Refused counts the results, and those of flows, that the org refuses and that
	// wait to be written again.
	Refused(ctx context.Context) (int, error)
}

// Writing is what came of a write-back.
type Writing struct {
	Attempt Attempt
	RetryAt time.Time // zero: written, or there is nothing to write to
	// Refused says that the org refuses it. Unshown says that the record does not show
	// it and is not written again: it may seem to ask still, or ask when it comes back
	// from the recycle bin, so the attempt is never forgotten (P5).
	Refused, Unshown bool
}

// Claims say whose a message is.
type Claims interface {
	// Claim gives a message to an attempt that is uncertain or held, unless it is
	// another's already, or stands for a try that Twilio has refused before. sure is
	// false while an equal attempt is being sent, whose message it may be: then nothing
	// is changed.
	Claim(ctx context.Context, a *Attempt, m *message.Message, now time.Time) (mine, sure bool, err error)
	// Free tells which of messages belong to no attempt.
	Free(ctx context.Context, sids []message.SID) (map[message.SID]bool, error)
	// Whose answers one claim a message.
	Whose(ctx context.Context, messages []*message.Message, now time.Time) ([]Claim, error)
}

// Conversations remember which sender was used last with whom.
type Conversations interface {
	Last(ctx context.Context, theirs []message.Number) (map[message.Number]Sender, error)
	// Note keeps what was learnt elsewhere, where nothing is known.
	Note(ctx context.Context, senders map[message.Number]Sender) error
}

// Books are what operators see.
type Books interface {
	// Attempts lists attempts of a state, "" for all that are not over, oldest first.
	Attempts(ctx context.Context, s State, limit int) ([]Attempt, error)
	// Last is a record's last attempt.
	Last(ctx context.Context, record string) (a Attempt, ok bool, err error)
	// Counts are how many attempts are in each state that is not the last.
	Counts(ctx context.Context) (map[State]int, error)
	// Forget drops attempts that are over and written since before a time.
	Forget(ctx context.Context, before time.Time) error
}

// Requests is the durable memory of requests of flows.
type Requests interface {
	TakeRequests(ctx context.Context, all []message.StudioRequest, now time.Time) (changed int, err error)
	// DueRequests reads those that something is to be done about, at most limit.
	DueRequests(ctx context.Context, now time.Time, limit int) ([]Request, error)
	NextRequest(ctx context.Context) (at time.Time, ok bool, err error)
	// ReviseRequests replaces requests that have not changed since they were read, and
	// answers how many that were.
	ReviseRequests(ctx context.Context, all []Request) (int, error)
}

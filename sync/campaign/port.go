package campaign

import (
	"context"
	"errors"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
)

const (
	// BatchSize is the most records of one call to the org.
	BatchSize = 200
	// PageSize is about how many people of an audience are read at once.
	PageSize = 2000
)

// ErrGone says that a record, or an export's rows, are no more.
var ErrGone = errors.New("the record is gone")

// Audiences read who a campaign is for. Their errors are classed (package fault);
// a Permanent one is the author's to mend, and its Hint says how.
type Audiences interface {
	// Prepare finds out how to read the audience, with the fields that the body
	// needs. It reads nobody.
	Prepare(ctx context.Context, c Campaign, fields []Field) (Audience, error)
	// Begin answers from where it is read: "" for queries, else the export (a job on
	// the org's side) that a large one takes.
	Begin(ctx context.Context, a Audience) (export string, err error)
	// Page reads about PageSize people from a locator, "" being the first; next is ""
	// after the last. It waits for the export. ErrGone when its rows are no more.
	Page(ctx context.Context, a Audience, export, locator string) (people []Person, next string, err error)
	// Finish gives an export up.
	Finish(ctx context.Context, export string) error
}

// Org is where campaigns' records are. What it answers one outcome each for, in
// order, is nil, ErrGone, or a fault, of which a Permanent one is a refusal for
// good; err is for the batch as a whole. Everything may be repeated.
type Org interface {
	// Read reads records as they are now. One that is gone is Deleted.
	Read(ctx context.Context, ids []string) ([]Campaign, error)
	// Tell writes how campaigns go, at most BatchSize.
	Tell(ctx context.Context, all []Telling) (outcomes []error, err error)
	// Record writes the records of those who got no message, by their keys; any
	// number of them.
	Record(ctx context.Context, all []Unsent) (outcomes []error, err error)
	// Answered writes the statuses of campaign members; any number of them.
	Answered(ctx context.Context, all []Member) (outcomes []error, err error)
}

// Forecasts are the deliverability of Salesforce's own Campaigns.
type Forecasts interface {
	// Forecast writes what was counted on a Campaign, whose status then is complete.
	Forecast(ctx context.Context, id string, f Forecast) error
}

// Maker makes the records of recurring campaigns.
type Maker interface {
	// Make makes a record once for a key, and asks for it to be sent.
	Make(ctx context.Context, key string, c Campaign) error
}

// Consent answers may we.
type Consent interface {
	// Allowed answers for each number whether it may be texted: it has not opted out
	// and, where keyword is not "", has opted in to it.
	Allowed(ctx context.Context, numbers []message.Number, keyword string) (map[message.Number]bool, error)
}

// Runs is the durable memory of campaigns.
type Runs interface {
	// Take merges what was read of records (Meet) and answers how many runs that has
	// changed. A run that Meet has withdrawn gives back what it has handed over and
	// nobody has tried to send, in the same transaction.
	Take(ctx context.Context, all []Campaign, now time.Time) (changed int, err error)
	// Due reads runs whose Due is not after now, whatever their kind and status, those
	// first that wait longest, at most limit.
	Due(ctx context.Context, now time.Time, limit int) ([]Run, error)
	// NextDue is when the first of them falls due; ok is false when there is none.
	NextDue(ctx context.Context) (at time.Time, ok bool, err error)
	// Revise replaces a run, unless it has changed since it was read: then ok is
	// false. The run gets its new version. One without a number is new, and gets its
	// number, unless its record has one of its kind: then ok is false too.
	Revise(ctx context.Context, r *Run) (ok bool, err error)
}

// Books are what operators see and do.
type Books interface {
	// Runs lists the runs to send that are not over, and of those that are the latest,
	// at most limit in all.
	Runs(ctx context.Context, limit int) ([]Run, error)
	// Run reads a record's run of a kind.
	Run(ctx context.Context, record string, k Kind) (r Run, ok bool, err error)
	// Forget drops the recipients of runs that are over since before a time, and of
	// those to send all but that there was one, for to send to nobody twice it would
	// have to be known who was sent to.
	Forget(ctx context.Context, before time.Time) error
}

// Recipients is the durable memory of who a campaign is for. It and Runs are one.
type Recipients interface {
	// Add keeps a page of people with the run that has come to its end, all or
	// nothing; ok is false when the run has changed since it was read. Whoever is
	// there already stays as they are, and so is a number that another person of the
	// run has: that one is left out as a Duplicate.
	Add(ctx context.Context, r *Run, page []Recipient) (ok bool, err error)
	// Waiting reads those who are to be sent to and are due, those first who have been
	// due longest, at most limit.
	Waiting(ctx context.Context, run int64, now time.Time, limit int) ([]Recipient, error)
	// PutOff changes when they are due.
	PutOff(ctx context.Context, all []Recipient) error
	// Clear drops the recipients of a run who are waiting or left out, or all of them.
	Clear(ctx context.Context, run int64, all bool) error
}

// Handing gives recipients over to the outbox, whose promise then is theirs (P5).
// It and Recipients are one memory.
type Handing interface {
	// Hand makes attempts of drafts, one a recipient, all or nothing, and only while
	// the run is Sending and has not changed since it was read. Recipients who were
	// handed over meanwhile are left out. It answers how many were handed over.
	Hand(ctx context.Context, r *Run, all []Recipient, drafts []message.Draft) (int, error)
	// Open counts those handed over who have no outcome yet.
	Open(ctx context.Context, run int64) (int, error)
	// TakeBack gives those back to Waiting who were handed over before a time and
	// whom nobody has tried to send to.
	TakeBack(ctx context.Context, run int64, before time.Time) (int, error)
	// Drafts reads, for the outbox, what attempts ask for now, by their keys: Send
	// while the run is Sending, AskDraft while it may be again, else AskCancel.
	Drafts(ctx context.Context, keys []string) ([]message.Draft, error)
}

// Results are what came of recipients.
type Results interface {
	// Count counts a run's recipients. It reads all of them.
	Count(ctx context.Context, run int64) (Counts, error)
	// Unrecorded reads those left out who have no record of their own yet, at most
	// limit.
	Unrecorded(ctx context.Context, run int64, limit int) ([]Unsent, error)
	// Unanswered reads campaign members whose status is to be written, at most limit.
	Unanswered(ctx context.Context, run int64, limit int) ([]Member, error)
	// Unsent reads what the records of attempts are to show that got no SID, by
	// their keys, in order; one that is not known has no Key.
	Unsent(ctx context.Context, results []message.Result) ([]Unsent, error)
}

// Notes keep what the org was told, so that it is not told again.
type Notes interface {
	// Recorded notes that the records of recipients are written, or are refused.
	Recorded(ctx context.Context, run int64, all []Unsent) error
	// Noted notes that the statuses of members are written, or are refused.
	Noted(ctx context.Context, run int64, all []Member) error
}

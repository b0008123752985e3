package followup

import (
	"context"
	"errors"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
)

// BatchSize is the most follow-ups one Doer.Do takes.
const BatchSize = 200

var (
	// ErrGone in a Permanent outcome says that what the follow-up would write to
	// is no longer in the org. Nobody needs to hear of it.
	ErrGone = errors.New("what it belongs to is no longer in the org")
	// ErrNoParent in any other outcome says that the record it belongs to is not
	// in the org: not yet, or no more. It is tried again for a while and then
	// given up as ErrGone is.
	ErrNoParent = errors.New("the record it belongs to is not in the org")
	// ErrNothingYet in any other outcome says that there is nothing to write, though
	// there should be: it may be a moment late. It is tried again a few times and
	// then believed.
	ErrNothingYet = errors.New("nothing is there yet")
)

// Queued is a follow-up in the queue.
type Queued struct {
	N        int64 // this state of it; a newer one has another
	Attempts int   // how often it was put off
	FollowUp message.FollowUp
}

// Settlement is what came of one: done (or given up for good), or put off.
type Settlement struct {
	Queued  Queued
	RetryAt time.Time // not zero: put off until then
}

// Queue is the durable memory of what is to be done.
type Queue interface {
	// Add queues follow-ups, durably; each replaces an older one of the same kind
	// and key.
	Add(ctx context.Context, all []message.FollowUp) error
	// Due reads follow-ups of a kind that are due at now, oldest first, at most
	// limit.
	Due(ctx context.Context, kind message.FollowUpKind, now time.Time, limit int) ([]Queued, error)
	// Settle records what came of follow-ups. One that was replaced meanwhile stays
	// as it is.
	Settle(ctx context.Context, settled []Settlement) error
	// NextDue is when the earliest of a kind falls due; zero when there is none.
	NextDue(ctx context.Context, kind message.FollowUpKind) (time.Time, error)
}

// Census counts what waits. The queue may be one; it feeds a metric only.
type Census interface {
	// Waiting counts the follow-ups of a kind, put off or not, and stops counting
	// at atMost.
	Waiting(ctx context.Context, kind message.FollowUpKind, atMost int) (int, error)
}

// Limiter is a Doer that wants fewer than BatchSize at a time, because each of
// its follow-ups takes calls of its own and the other kinds wait meanwhile.
type Limiter interface {
	Limit() int
}

// Doer does follow-ups of one kind.
type Doer interface {
	// Do does at most BatchSize of them, whose keys differ, and answers one outcome
	// each, in order: nil, or a fault (package fault). A Permanent one says that it
	// will never be done. err is for the batch as a whole: then nothing is known of
	// any, and all of them are done again.
	Do(ctx context.Context, batch []message.FollowUp) (outcomes []error, err error)
}

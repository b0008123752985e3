package consent

import (
	"context"
	"errors"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
)

// Register is the durable register of consent. Words of messages reach it where
// messages are kept, in the same transaction (P6).
type Register interface {
	// Allowed answers for each number whether it may be texted: it has not opted
	// out as a whole and, where keyword is not "", has opted in to that keyword,
	// whose record id it is.
	Allowed(ctx context.Context, numbers []message.Number, keyword string) (map[message.Number]bool, error)
	// Learn takes in rows that the org shows. One that says less than what is known
	// changes nothing, and is queued to be written as it should be.
	Learn(ctx context.Context, rows []message.OptIn) error
	// Moved ends the keyword opt-ins of a number that has left its person, for good:
	// START does not bring them back. The number as a whole stays as it is.
	Moved(ctx context.Context, number message.Number, at time.Time) error
	// Use makes a classifier the one by which the words of messages are read from
	// then on.
	Use(c Classifier)
}

// Keywords are the org's keywords as they were known last.
type Keywords interface {
	Keywords(ctx context.Context) ([]Keyword, error)
	// KeepKeywords replaces them all.
	KeepKeywords(ctx context.Context, all []Keyword) error
}

// Progress is how far the register has been filled from the org. It is kept with
// the register, because an empty one must be filled again.
type Progress interface {
	// Begun notes when the filling began, if it has not begun yet, and answers when
	// it did.
	Begun(ctx context.Context, now time.Time) (time.Time, error)
	// Filled is the last row that was taken over, and whether it was the last one.
	Filled(ctx context.Context) (place string, done bool, err error)
	// Fill takes rows in as Learn does and notes how far that has come.
	Fill(ctx context.Context, rows []message.OptIn, place string, done bool) error
}

// PageSize is the most rows of a page of Rows.
const PageSize = 2000

// ErrNone says that the org keeps no opt-ins.
var ErrNone = errors.New("the org keeps no opt-ins")

// Rows are the org's opt-ins, page by page.
type Rows interface {
	// OptIns reads the rows behind a place, "" being the beginning, at most
	// PageSize, and answers the place of the last one; "" says that there are no
	// more. ErrNone when the org has no such object, or hides it.
	OptIns(ctx context.Context, after string) (rows []message.OptIn, next string, err error)
}

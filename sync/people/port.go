package people

import (
	"context"
	"errors"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
)

// The objects that Salesforce comes with. A record of the first two is a person
// by itself.
const (
	Contact = "Contact"
	Lead    = "Lead"
	Account = "Account"
	Case    = "Case"
)

// SmallObject is how many records Source.Newest reads at most: a page of a query.
const SmallObject = 2000

// ErrNoExport says that an export has no rows and will never have: it failed, was
// deleted or is too old. Another one may do better.
var ErrNoExport = errors.New("the export is gone")

// ErrTooLarge says that an object is too large for a query to sort it.
var ErrTooLarge = errors.New("the object is too large for a query")

// Shape is an object as the org lets us read it.
type Shape struct {
	Object string // its API name
	// Definition says which fields of which records are read; another one means
	// that the index must be filled anew.
	Definition string
	// Refill is how old a filling may become; 0 means RefillEvery.
	Refill time.Duration
	// Missing are the API names of phone fields that the org lacks or hides.
	Missing []string
	// Err says why the object cannot be read at all, nil if it can.
	Err error
}

// Record is a record with phone fields.
type Record struct {
	ID     string // 18 characters
	Owner  string // a user's or a queue's id, "" if the object has none
	Phones []string
	// Gone: it was deleted or merged into another, or is none of the people any
	// more (a converted Lead, a closed Case).
	Gone bool
	// Modified is when it was last changed by anybody, by the org's clock; zero in
	// an export.
	Modified time.Time
}

// Since asks for the changes of an object from a time on.
type Since struct {
	Object string
	At     time.Time
}

// Source is the org as people read it. Its errors are classed (package fault).
type Source interface {
	// Shapes tells of every configured object, in their order. It asks the org only
	// now and then.
	Shapes(ctx context.Context) ([]Shape, error)
	// Newest reads the records of an object, those first that were changed last, at
	// most SmallObject of them. ErrTooLarge when the org gives up.
	Newest(ctx context.Context, object string, row func(Record) error) error
	// Changed reads the records that were changed or deleted from a time on, of at
	// most five objects in one call; i is the object's place in since, and so is that
	// of its outcome. err is for the call as a whole, or row's, which ends it.
	Changed(ctx context.Context, since []Since, row func(i int, r Record) error) (outcomes []error, err error)
}

// Export reads all records of an object by a job on the org's side, for objects
// of any size.
type Export interface {
	// Start makes the job.
	Start(ctx context.Context, object string) (job string, err error)
	// Await returns when the job's rows can be read. ErrNoExport when never.
	Await(ctx context.Context, job string) error
	// Page reads one page from the locator that the page before gave, "" being the
	// first; next is "" after the last. row must not ask the org for anything.
	// ErrNoExport when the rows are gone.
	Page(ctx context.Context, object, job, locator string, row func(Record) error) (next string, err error)
	// Drop gives the job up.
	Drop(ctx context.Context, job string) error
}

// State is how far the index of one object is.
type State struct {
	Definition string // of the records that it holds, or is being filled with
	Held       string // of the last filling that was finished, "" if none was
	Generation int64  // of the last filling that was begun
	Filling    bool
	Job        string    // the export under way, "" for none
	Locator    string    // of the page to be read next
	Mark       time.Time // what changed before it, by the org's clock, is in the index
	CheckedAt  time.Time // when Mark was last moved, by our own clock
	FilledAt   time.Time
	People     int64 // records in the index
}

// Holding is what the index knows of a record.
type Holding struct {
	Owner      string
	Numbers    []message.Number
	Generation int64
}

// Change is a record that is not what the index knows of it.
type Change struct {
	ID      string
	Owner   string
	Numbers []message.Number // none: it leaves the index
	Was     []message.Number // in the index until now
	// Lost are the numbers of Was that the person no longer has: a last status that
	// one of them gave is forgotten, and a follow-up clears it in the org.
	Lost []message.Number
	// Gone: the record is no more, and so is its last status.
	Gone bool
}

// Index is the durable memory of whose number is whose. One process writes it.
type Index interface {
	// States reads how far each object is.
	States(ctx context.Context) (map[string]State, error)
	// Holds reads what is known of records, by id.
	Holds(ctx context.Context, object string, ids []string) (map[string]Holding, error)
	// Write makes changes under the state's generation and keeps the object's new
	// state, all or nothing.
	Write(ctx context.Context, object string, state State, changes []Change) error
	// Prune drops the records of an object that are not of the generation, and
	// answers how many, in its error too. Generation 0 is nobody's: then the object's
	// state goes as well.
	Prune(ctx context.Context, object string, generation int64) (dropped int64, err error)
}

// Match is how many records of an object have a number, and one of them.
type Match struct {
	Object    string
	Records   int
	ID, Owner string
}

// Noted is what became of a message to a person's number.
type Noted struct {
	Key    phone.Key
	Status message.LastStatus
}

// Directory answers from the index.
type Directory interface {
	// Find looks numbers up; those that nobody has are left out.
	Find(ctx context.Context, keys []phone.Key) (map[phone.Key][]Match, error)
	// Note keeps the last statuses that are newer than those kept, and queues their
	// follow-ups in the same transaction. Where none is, it only reads.
	Note(ctx context.Context, all []Noted) error
	// Personal reads the personal numbers with their users' ids.
	Personal(ctx context.Context) (map[phone.Key]string, error)
	// SetPersonal replaces them.
	SetPersonal(ctx context.Context, all map[phone.Key]string) error
}

// Move is a person who no longer has a number.
type Move struct {
	Person message.Link
	Old    []message.Number // all that the record had
	New    []message.Number // all that it has
}

// Mover hears of people whose numbers change.
type Mover interface {
	// Moved is told before the index is, so that whoever stops in between is told
	// again: at least once. It must not ask the org for anything.
	Moved(ctx context.Context, moves []Move) error
}

package archive

import (
	"context"
	"errors"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
)

// BatchSize is the most records that leave or return in one call.
const BatchSize = 200

// Criteria say which messages may be archived. All of them must hold, beside
// those that always do: a message has a SID, is no draft, is not kept by
// Archive_After__c or by a hold, and belongs to no bulk message that is not over.
type Criteria struct {
	// Before is what messages must have been created before. The org's own clock must
	// say so too, by Days, for ours may be wrong.
	Before time.Time
	Days   int
	// Scheduled ones must have been created before this.
	Scheduled time.Time
	// Unmarked leaves out those that are marked as archived.
	Unmarked bool
}

// Source is the org as the archive reads it. Its errors are classed (package
// fault), and it retries what is quick to retry.
type Source interface {
	// Page reads messages that meet the criteria, in the order of their record ids
	// after the given one, at most limit.
	Page(ctx context.Context, c Criteria, after string, limit int) ([]Record, error)
	// Again reads messages by their record ids, as they are now. Those that are gone
	// are left out, and the order is any.
	Again(ctx context.Context, ids []string) ([]Record, error)
	// Media reads the media of messages by the messages' record ids.
	Media(ctx context.Context, parents []string) ([]Record, error)
	// Held tells which messages have a record.
	Held(ctx context.Context, sids []message.SID) (map[message.SID]bool, error)
}

// Leaver takes messages out of the org. Each takes at most BatchSize and answers
// one outcome each, in order: nil, or a fault. A message that is gone already has
// left. err is for the batch as a whole: then nothing is known of any.
type Leaver interface {
	// Delete deletes messages by their record ids, and their media with them.
	Delete(ctx context.Context, ids []string) (outcomes []error, err error)
	// Mark notes on them that there is a copy, and leaves them in the org.
	Mark(ctx context.Context, ids []string) (outcomes []error, err error)
}

// Returner brings records back. Each takes at most BatchSize and answers as
// Leaver does; it may be repeated, and then changes nothing.
type Returner interface {
	// Restore writes messages by their SIDs, with their owners and links as far as
	// those are still in the org, and keeps them from the archive until a day.
	Restore(ctx context.Context, messages []Record, until time.Time) (outcomes []error, err error)
	// RestoreMedia writes media by their SIDs, under their messages.
	RestoreMedia(ctx context.Context, media []Record) (outcomes []error, err error)
}

// Budget says whether the archive may make calls now: nil, or a fault that says why not.
type Budget func() error

// ErrNoFile says that the target has no file of a name.
var ErrNoFile = errors.New("there is no such file")

// Target is where files go. Names have slashes.
type Target interface {
	// Put writes a file, in place of one that is there. It is durable when Put
	// returns nil: file and folder are synced, or the store has acknowledged it by
	// its checksum.
	Put(ctx context.Context, name string, data []byte) error
	// Get reads a file; ErrNoFile when there is none.
	Get(ctx context.Context, name string) ([]byte, error)
	// List gives the names of files that begin with prefix, in order.
	List(ctx context.Context, prefix string) ([]string, error)
	// Remove removes a file. One that is not there is no error.
	Remove(ctx context.Context, name string) error
}

// FileWriter makes one file, in memory.
type FileWriter interface {
	Add(r *Record) error
	// Size is about how many bytes it has so far.
	Size() int
	// Close answers the file. No more can be added.
	Close() ([]byte, error)
}

// Format is how a file holds records.
type Format interface {
	New(t Table) FileWriter
	// Read calls row for each record of a file. The record is row's to keep.
	Read(t Table, data []byte, row func(*Record) error) error
	Extension() string
}

// Journal is the durable memory of runs.
type Journal interface {
	// Begin notes a run, whose state is Writing.
	Begin(ctx context.Context, r Run) error
	// Open is the run that is Writing or Leaving; false when there is none.
	Open(ctx context.Context) (Run, bool, error)
	// Update changes what is known of a run.
	Update(ctx context.Context, r Run) error
	// Runs lists runs, the newest first, at most limit.
	Runs(ctx context.Context, limit int) ([]Run, error)
}

// Contents is the durable memory of what runs hold.
type Contents interface {
	// Intend notes the name of a file before it is put, so that it is found again.
	Intend(ctx context.Context, run, name string) error
	// Keep notes a file that has been read back, and the messages in it.
	Keep(ctx context.Context, run string, f File, copies []Copy) error
	// Files lists a run's, those that were only intended too.
	Files(ctx context.Context, run string) ([]File, error)
	// Discard forgets a run with all it holds.
	Discard(ctx context.Context, run string) error
}

// Departures is the durable memory of which messages leave and have left. It and
// the mirror's ledger are one memory.
type Departures interface {
	// Next lists copies of a run by what is known of their messages, at most limit.
	Next(ctx context.Context, run string, which Standing, limit int) ([]Copy, error)
	// Leave notes that messages are about to leave: from now on the mirror leaves
	// them alone. Those that it still has to write, or that are not among the run's
	// copies any more, are not noted; it answers the others' record ids.
	Leave(ctx context.Context, run string, ids []string) (noted map[string]bool, err error)
	// Settle notes what came of copies. It is the end of each but those that are put
	// back.
	Settle(ctx context.Context, run string, settled []Settlement) error
	// Refused tells which records were refused before, and are to be left alone at
	// now.
	Refused(ctx context.Context, ids []string, now time.Time) (map[string]bool, error)
}

// Absent is the memory of the messages that have left.
type Absent interface {
	// Where tells in which run's files the messages are that have left.
	Where(ctx context.Context, sids []message.SID) (map[message.SID]string, error)
	// Returned notes that messages are back: the mirror sees to them again.
	Returned(ctx context.Context, sids []message.SID) error
	// Learn notes messages that have left, when the memory was lost. Those that it
	// knows stay as they are.
	Learn(ctx context.Context, run string, messages []Copy) error
	// Gone counts the messages that have left, and stops counting at atMost.
	Gone(ctx context.Context, atMost int) (int, error)
}

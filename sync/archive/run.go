package archive

import (
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
)

// State is how far a run is.
type State string

// The states. A run that is Writing is thrown away when it is found again; one
// that is Leaving is finished.
const (
	Writing State = "writing"
	Leaving State = "leaving" // its manifest is committed
	Done    State = "done"
	Blocked State = "blocked" // its files are damaged: nothing of it leaves any more
)

// Run is one round of the archive: at most Options.RunRows messages.
type Run struct {
	ID       string    `json:"run"` // the time of its beginning, so that names sort by time
	State    State     `json:"state"`
	Began    time.Time `json:"began"`
	Ended    time.Time `json:"ended,omitzero"`
	Messages int       `json:"messages"`
	Media    int       `json:"media"`
	Left     int       `json:"left"`    // deleted, or marked
	Changed  int       `json:"changed"` // or busy: they stay, and their next copy is another run's
	Refused  int       `json:"refused"` // by the org
	Problem  string    `json:"problem,omitzero"`
}

// File is one file of a run, as the manifest names it.
type File struct {
	Name     string      `json:"name"`
	Table    Table       `json:"table"`
	Month    string      `json:"month"` // 2025-03, UTC
	Rows     int         `json:"rows"`
	Bytes    int         `json:"bytes"`
	SHA256   string      `json:"sha256"` // hexadecimal
	FirstSID message.SID `json:"first_sid"`
	LastSID  message.SID `json:"last_sid"`
}

// Copy is a message of a run, as it was copied.
type Copy struct {
	ID       string
	SID      message.SID
	Created  time.Time
	Modified time.Time
	Record   Digest
	Media    Digest // of all of its media
}

// Standing is what is known of a copy's message while its run lasts. Of those that
// have left, nothing is kept here.
type Standing uint8

// The standings.
const (
	Waiting Standing = iota // to leave
	Going                   // about to leave, when they were last heard of
	Staying                 // settled: they stay in the org
)

// Outcome is what became of a copy's message.
type Outcome uint8

// The outcomes.
const (
	Left       Outcome = iota + 1 // it is not in the org any more
	Marked                        // it is in the org, with a mark
	Stays                         // it has changed since, or is being written: it stays in the org
	RefusedOne                    // the org does not let it go
	PutBack                       // it did not leave after all, and is to leave still
)

// Settlement is what became of one.
type Settlement struct {
	ID      string
	SID     message.SID
	Outcome Outcome
	// Until a refused one is left alone.
	Until time.Time
}

// Manifest names what a run holds. It is committed last: files that no manifest
// names are no part of the archive.
type Manifest struct {
	Schema   int         `json:"schema"`
	Run      string      `json:"run"`
	Account  string      `json:"account"` // whose messages they are: Options.Account
	Written  time.Time   `json:"written"`
	Before   time.Time   `json:"created_before"`
	Messages int         `json:"messages"`
	Media    int         `json:"media"`
	FirstSID message.SID `json:"first_sid"`
	LastSID  message.SID `json:"last_sid"`
	Files    []File      `json:"files"`
}

const (
	manifests = "manifests/"
	jsonEnd   = ".json"
)

func manifestName(run string) string { return manifests + run + jsonEnd }

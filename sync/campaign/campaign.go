package campaign

import (
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
)

// Campaign is a record that asks for one text to be sent to many, as its author
// has written it: nothing is checked yet. Exactly one of Members, ListView and
// Query names the audience.
type Campaign struct {
	ID       string    `json:"id"` // the record's, 18 characters
	Name     string    `json:"name,omitzero"`
	Modified time.Time `json:"modified"` // SystemModstamp
	Deleted  bool      `json:"deleted,omitzero"`
	Status   Status    `json:"status"`
	Command  Command   `json:"command,omitzero"`
	Members  string    `json:"members,omitzero"`   // a Campaign's id
	ListView string    `json:"list_view,omitzero"` // its id
	Query    string    `json:"query,omitzero"`     // SOQL
	Keyword  string    `json:"keyword,omitzero"`   // the id of the Campaign's opt-in keyword
	Body     string    `json:"body,omitzero"`
	Media    string    `json:"media,omitzero"`  // a URL
	Sender   string    `json:"sender,omitzero"` // a number or a Messaging Service's SID; "" is the default sender
	SendAt   time.Time `json:"send_at,omitzero"`
	Rate     float64   `json:"rate,omitzero"` // messages a second; 0 is the sender's own
	// Operator: Command is an operator's, and the record may say another.
	Operator bool `json:"operator,omitzero"`
}

// Status is what a record says of a campaign. Its author writes Draft and Send,
// and everything else is ours.
type Status string

// The statuses.
const (
	Draft     Status = "Draft"
	Send      Status = "Send"
	Scheduled Status = "Scheduled" // until SendAt
	Sending   Status = "Sending"
	Paused    Status = "Paused"
	Canceled  Status = "Canceled"
	Completed Status = "Completed"
	Failed    Status = "Failed" // nobody was sent to, and Problem says why
)

// Over is true when nothing more is done by itself.
func (s Status) Over() bool { return s == Canceled || s == Completed || s == Failed }

// Command is what an author tells a campaign under way; it is cleared when it is
// obeyed.
type Command string

// The commands.
const (
	Pause  Command = "Pause"
	Resume Command = "Resume"
	Cancel Command = "Cancel"
)

// Heeded is the command that a record has said last. It is obeyed already, and stays
// on the record until that is told.
type Heeded struct {
	Command Command   `json:"command,omitzero"`
	At      time.Time `json:"at,omitzero"` // Modified of the record that said it
	Cleared bool      `json:"cleared,omitzero"`
}

// Kind is what a run is for.
type Kind string

// The kinds of runs.
const (
	ToSend     Kind = "send"
	ToForecast Kind = "forecast" // of a Campaign, whose id the record is
	ToPreview  Kind = "preview"  // for an operator
)

// Never is when a run is due about which nothing more is to be done.
var Never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Run is how far a campaign is. A record has one of each kind.
type Run struct {
	N        int64 // its number in the ledger
	Version  int64 // which state of the row this is
	Kind     Kind
	Campaign Campaign
	// Status is Scheduled until the audience is read, which is part of Sending.
	Status Status
	// Forgotten: who was sent to is no longer known.
	Forgotten bool
	// Gathered: the whole audience is in the ledger.
	Gathered bool
	Due      time.Time // when something is to be done about it; zero: at once, Never: nothing is
	Tries    int       // how often it was put off
	Heeded   Heeded
	Audience Audience
	Export   string
	Locator  string
	Sender   string // a number or a Messaging Service's SID
	Estimate Estimate
	Counts   Counts // as they were counted last
	Problem  string // for the author
	// Untold: the record does not show all this yet.
	Untold    bool
	TellTries int
	Started   time.Time
	Ended     time.Time
	Counted   time.Time // when Counts were counted
}

// Audience is how people are read: made by Prepare, and kept with the run.
type Audience struct {
	Object string `json:"object"` // whose records they are: CampaignMember, Contact ...
	SOQL   string `json:"soql"`
	// Phones and Fields are columns of the query: the phone fields in the order of
	// preference, and the fields that the body needs.
	Phones []string `json:"phones"`
	Fields []Field  `json:"fields"`
	Large  bool     `json:"large"` // it takes an export
}

// Forget is what is kept of a run for good whose recipients are dropped: that they are.
func (r *Run) Forget() {
	r.Forgotten, r.Untold, r.Due = true, false, Never
	r.Campaign = Campaign{ID: r.Campaign.ID, Name: r.Campaign.Name, Modified: r.Campaign.Modified, Status: r.Campaign.Status}
	r.Audience, r.Estimate = Audience{}, Estimate{}
}

// Person is one of an audience, as the org has them.
type Person struct {
	Link   message.Link
	Member string // the CampaignMember's id
	Phones []string
	Fields []string // the values of Audience.Fields
	// Last is the last status of a message to them, "" for none: delivered,
	// undelivered, failed, blocked.
	Last string
}

// Reason is why somebody is left out.
type Reason string

// The reasons, by which those left out are counted.
const (
	NoNumber   Reason = "no_number"
	BadNumber  Reason = "bad_number"
	Duplicate  Reason = "duplicate" // another of the audience has the number
	OptedOut   Reason = "opted_out"
	NotOptedIn Reason = "not_opted_in"
	Blocked    Reason = "blocked" // the last message to them was
	NoText     Reason = "no_text" // nothing is left of the body, or it is too long
	CalledOff  Reason = "called_off"
)

// Recipient is one of a run's.
type Recipient struct {
	N      int64 // its number in the ledger
	Run    int64
	Person message.Link
	Member string
	Last   string
	Number message.Number // "" when it is left out for having none
	Reason Reason         // "" unless it is left out
	Text   string         // what it is sent; "" is the campaign's body as it stands
	Due    time.Time      // not before; zero: at once
}

// Counts are a run's recipients, each counted once in one of the first group.
type Counts struct {
	Waiting, Handed int
	Accepted        int // have a SID
	Refused         int // by Twilio or before it: no SID
	Stopped         int // of those refused: they had opted out, and Blocked counts them
	Uncertain       int // a human decides
	// LeftOut has those who wait for a run that is Canceled as CalledOff. They have no
	// records.
	LeftOut map[Reason]int
	// By their message's status, later ones of the same rank counting, each in one.
	// Blocked: Twilio (21610, when it refuses too) or the carrier (30004) takes nothing
	// for the number. An answer counts once, for what was sent to the number last.
	Sent, Delivered, Undelivered, Failed, Blocked, Replied int
	// Open is how many of those accepted may change their status yet.
	Open int
	Last map[string]int // of all with a number who are not left out, by Person.Last
}

// Total is the whole audience.
func (c Counts) Total() int {
	n := c.Waiting + c.Handed + c.Accepted + c.Refused + c.Uncertain
	return n + c.Skipped()
}

// Unsuccessful is how many have failed or were refused and are not Blocked.
func (c Counts) Unsuccessful() int { return c.Failed + c.Refused - c.Stopped }

// Skipped is how many are left out.
func (c Counts) Skipped() int {
	n := 0
	for _, some := range c.LeftOut {
		n += some
	}
	return n
}

// Telling is what a campaign's record is to show.
type Telling struct {
	ID            string
	Status        Status
	Obeyed        Command // cleared, if the record still says it
	Counts        Counts
	Problem       string
	Started       time.Time
	Ended         time.Time
	ForgetStarted bool // it begins anew
}

// Unsent is the record of a recipient who has no message of their own.
type Unsent struct {
	N            int64  // the recipient's number
	Key          string // 64 characters at most
	Campaign     string // the record's id
	Person       message.Link
	To, From     message.Number
	Service      string
	Body         string
	Status       string // failed, canceled, Uncertain; with a SID, the message's
	SID          message.SID
	RejectedSID  message.SID
	ErrorCode    int
	ErrorMessage string
}

// Member is a campaign member whose status is to be written.
type Member struct {
	N      int64  // the recipient's number
	ID     string // the CampaignMember's
	Status string // MemberSent or MemberResponded
}

// The statuses that every Campaign has.
const (
	MemberSent      = "Sent"
	MemberResponded = "Responded"
)

// Forecast is the deliverability of a Campaign: its members by what became of the
// last message to each.
type Forecast struct {
	Deliverable, Undelivered, Failed, Blocked, Unknown, NoMobile, NotOptedIn, Total int
}

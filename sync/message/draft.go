package message

import "time"

// Draft is a record of the org that asks to be sent and has no SID yet. Its texts
// are as a user or a Flow has written them: nothing is checked yet.
type Draft struct {
	ID       string    `json:"id"`       // the record's, 18 characters
	Modified time.Time `json:"modified"` // SystemModstamp
	// Ask is what the record's status says: AskSend, AskDraft or AskCancel; "" when
	// it asks for nothing, because it has another status or a SID.
	Ask     Ask       `json:"ask"`
	Deleted bool      `json:"deleted,omitzero"`
	To      string    `json:"to,omitzero"`
	Sender  string    `json:"sender,omitzero"` // a number or a Messaging Service's SID; "" leaves the choice to us
	Body    string    `json:"body,omitzero"`
	Media   string    `json:"media,omitzero"`   // a URL
	Content string    `json:"content,omitzero"` // the SID of a Content template
	Values  string    `json:"values,omitzero"`  // JSON, the template's variables
	SendAt  time.Time `json:"send_at,omitzero"` // zero: at once
	Owner   string    `json:"owner,omitzero"`   // a user's id
	// Bulk is the record of the campaign that it is one message of, and Keyword the
	// one that its number must have opted in to. Then ID is no record's but the key
	// of a recipient, and its Sender is chosen.
	Bulk    string `json:"bulk,omitzero"`
	Keyword string `json:"keyword,omitzero"`
}

// Ask is what a record without a SID asks for.
type Ask string

// What a record's status asks for. Nothing but Send makes it leave.
const (
	AskSend   Ask = "Send"
	AskDraft  Ask = "Draft"
	AskCancel Ask = "canceled"
	// AskUncertain is the Uncertain that we have written: it asks for nothing, but what
	// a human has sent again goes all the same.
	AskUncertain Ask = Uncertain
)

// Outgoing is a message as it is handed to Twilio.
type Outgoing struct {
	To       Number   `json:"to"`
	From     Number   `json:"from,omitzero"`    // From or Service, or From out of Service's pool
	Service  string   `json:"service,omitzero"` // a Messaging Service's SID
	Body     string   `json:"body,omitzero"`
	Media    []string `json:"media,omitzero"` // URLs, at most ten
	Content  string   `json:"content,omitzero"`
	Values   string   `json:"values,omitzero"`
	Callback string   `json:"callback,omitzero"` // the status callback's URL, with the attempt's token
}

// Result is what became of a draft, as its record shows it.
type Result struct {
	ID string `json:"id"` // the record's
	// SID is Twilio's, "" for what was refused, held or canceled.
	SID SID `json:"sid,omitzero"`
	// RejectedSID is of the failed message that Twilio lists for a create it refused.
	RejectedSID SID `json:"rejected_sid,omitzero"`
	// Status is a Status, or Uncertain: a human has to say whether it is sent again.
	Status       string `json:"status"`
	ErrorCode    int    `json:"error_code,omitzero"`
	ErrorMessage string `json:"error_message,omitzero"` // Twilio's words, or ours with what to do
	From         Number `json:"from,omitzero"`
	To           Number `json:"to,omitzero"` // normalised; "" leaves what the user has written
	Service      string `json:"service,omitzero"`
	Segments     int    `json:"segments,omitzero"`
}

// Uncertain is the status of a record whose send may have happened.
const Uncertain = "Uncertain"

// StudioRequest is a record that asks for a Studio flow to be started.
type StudioRequest struct {
	ID         string    `json:"id"`
	Modified   time.Time `json:"modified"`
	Ask        Ask       `json:"ask"`
	Deleted    bool      `json:"deleted,omitzero"`
	Flow       string    `json:"flow"` // FW...
	To         string    `json:"to"`
	From       string    `json:"from"`
	Parameters string    `json:"parameters,omitzero"` // JSON
}

// StudioResult is what became of a StudioRequest.
type StudioResult struct {
	ID           string `json:"id"`
	Execution    string `json:"execution,omitzero"` // FN...
	Status       string `json:"status"`             // active, ended, failed or Uncertain
	ErrorMessage string `json:"error_message,omitzero"`
}

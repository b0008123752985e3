package message

import "time"

// FollowUpKind says what a follow-up writes.
type FollowUpKind string

// The kinds of follow-ups.
const (
	FollowMedia  FollowUpKind = "media"       // Media: the children of the message whose SID is the key
	FollowStatus FollowUpKind = "last-status" // Status: on the Contact or Lead whose id is the key
	FollowOptIn  FollowUpKind = "opt-in"      // OptIn: the key is OptIn.Key
	FollowMember FollowUpKind = "member"      // Member: the key is "campaign:number"
)

// FollowUp is a small write to the org that follows from a message. It is the
// whole state of what its kind and key name, so a newer one replaces an older one
// that is not done yet, and doing it twice does no harm.
type FollowUp struct {
	Kind   FollowUpKind `json:"kind"`
	Key    string       `json:"key"`
	Media  []Media      `json:"media,omitzero"` // nil: Twilio is asked for them
	Status *LastStatus  `json:"status,omitzero"`
	OptIn  *OptIn       `json:"opt_in,omitzero"`
	Member *Member      `json:"member,omitzero"`
}

// LastStatus is what became of the newest message to a person.
type LastStatus struct {
	Person Link      `json:"person"`
	Status string    `json:"status,omitzero"` // delivered, undelivered, failed or blocked; "" clears it
	At     time.Time `json:"at,omitzero"`     // of the message
}

// OptIn is one row of consent as the org shows it.
type OptIn struct {
	Key     string    `json:"key"` // number:keyword id, or number:* for the number as a whole
	Number  Number    `json:"number"`
	Keyword string    `json:"keyword,omitzero"` // the keyword's record id, "" on the row of the number as a whole
	Active  bool      `json:"active,omitzero"`
	InAt    time.Time `json:"in_at,omitzero"`
	OutAt   time.Time `json:"out_at,omitzero"`
	Message SID       `json:"message,omitzero"` // that changed it last, "" when it was no message
	Person  *Link     `json:"person,omitzero"`  // a Contact or a Lead
	// Loose is a row that the org shows whose own key or dates do not say what it
	// says: it is to be written as it should be.
	Loose bool `json:"-"`
}

// Member is a person in a campaign: whoever has the number when it is done.
type Member struct {
	Campaign string `json:"campaign"` // its record id
	Number   Number `json:"number"`
}

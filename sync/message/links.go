package message

// Link names a record that a number belongs to: a Contact, a Lead, or one of any
// other object with a phone field.
type Link struct {
	Object string `json:"object"` // its API name: "Contact"
	ID     string `json:"id"`     // 18 characters
}

// Links are what the record of a message is told about people when it is made.
type Links struct {
	People []Link // at most one of an object
	Owner  string // a user's id; "" leaves the record with the integration user
}

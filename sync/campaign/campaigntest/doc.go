// Package campaigntest is the contract of campaigns' memory as tests, and a memory for
// tests of others.
package campaigntest

import (
	"context"
	"time"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Memory is what remembers campaigns, and the outbox that it hands recipients to.
type Memory struct {
	campaign.Runs
	campaign.Books
	campaign.Recipients
	campaign.Handing
	campaign.Results
	campaign.Notes
	Outbox
}

// Outbox is what happens to those who are handed over.
type Outbox interface {
	// Handed reads the drafts that nobody has tried to send, in the order in which they
	// were handed over.
	Handed(ctx context.Context) ([]message.Draft, error)
	// Try commits the intent to send to a recipient, by their key. ok is false when they
	// are no longer handed over.
	Try(ctx context.Context, key string) (ok bool, err error)
	// End ends an attempt that was tried, or one that is to be refused before.
	End(ctx context.Context, key string, e End) error
	// Hear takes note of what Twilio tells later.
	Hear(ctx context.Context, n News) error
}

// End is how an attempt ends.
type End struct {
	SID     message.SID // it was accepted
	Held    bool        // a human decides; else it was refused
	Dropped bool        // nothing was sent, and it may be handed over again
	Code    int
	Text    string
}

// News is what Twilio tells of a message, or of somebody.
type News struct {
	SID    message.SID
	Status message.Status
	Code   int
	// From has written to us at a time.
	From message.Number
	At   time.Time
}

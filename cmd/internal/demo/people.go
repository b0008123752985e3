package demo

import (
	"fmt"
	"math/rand/v2"

	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// The account's own lines, as twiliotest's default account has them.
const (
	frontDesk = "+14155550100"
	sales     = "+14155550101"
	newYork   = "+12125550123"
	london    = "+447700900123"
	tollFree  = "+18005550199"
	shortCode = "55501"
	chat      = "whatsapp:"
)

// areaCodes are of the United States and Canada, none of them the account's own.
var areaCodes = []int{
	202, 206, 213, 214, 215, 267, 303, 305, 310, 312, 313, 404, 416, 503, 504, 505, 512, 514, 602, 604,
	612, 617, 619, 702, 713, 718, 773, 801, 808, 816, 858, 901, 907, 914, 919, 929, 949, 971, 978,
}

// thread is one conversation as it takes place: who, over which line, and how
// far it has come.
type thread struct {
	Conversation
	next int // index of the line to say
	// ours is the account's side; empty when service, whose pool has the lines.
	ours, service string
	theirs        string
	last          string // SID of our last message
}

// newThread lets a person and a line meet for a conversation.
func newThread(c Conversation, rng *rand.Rand) *thread {
	t := &thread{Conversation: c, theirs: person(c.Language, rng)}
	switch at := rng.Float64(); {
	case c.Language == "cy" || c.Language == "ga":
		t.ours = london
	case at < 0.20:
		t.service = twiliotest.DefaultServiceSID
	case at < 0.34:
		t.ours, t.theirs = chat+frontDesk, chat+t.theirs
	case at < 0.40:
		t.ours = tollFree
	case at < 0.43:
		t.ours = shortCode
	default:
		t.ours = []string{frontDesk, sales, newYork}[rng.IntN(3)]
	}
	return t
}

// person is a number from a range that is kept for fiction.
func person(language string, rng *rand.Rand) string {
	switch language {
	case "cy", "ga":
		// One hundred below the account's own.
		return fmt.Sprintf("+4477009000%02d", rng.IntN(100))
	case "fr", "ca", "eu":
		return fmt.Sprintf("+336399800%02d", rng.IntN(100))
	default:
		return fmt.Sprintf("+1%d55501%02d", areaCodes[rng.IntN(len(areaCodes))], rng.IntN(100))
	}
}

// over reports that everything has been said.
func (t *thread) over() bool { return t.next >= len(t.Lines) }

// line is what is said now; it moves on.
func (t *thread) line() Line {
	t.next++
	return t.Lines[t.next-1]
}

// picture reports whether the next line comes with one.
func (t *thread) picture(rng *rand.Rand) bool {
	return rng.Float64() < 0.06 && t.ours != london && t.ours != shortCode
}

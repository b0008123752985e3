package consent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/cenkalti/backoff/v5"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
)

// condKeywords is the condition of keywords that are none.
const condKeywords = "opt-in-keywords"

// Ports are what the engine works with.
type Ports struct {
	Register Register
	Keywords Keywords
	Progress Progress
	Rows     Rows
	Health   *health.Registry
}

// Consent knows the words and keeps the register. Make one with New, and have the
// register use it with Install before anybody writes to us.
type Consent struct {
	ports Ports
	own   *Vocabulary // without the org's keywords
	now   atomic.Pointer[state]
	// began is when the filling from the org did.
	began time.Time
	known chan struct{} // closed when the register holds what the org knows
	knows sync.Once
}

// state is the vocabulary with the org's keywords.
type state struct {
	words    *Vocabulary
	keywords []Keyword
	refused  []Refused
}

// New makes the engine of Twilio's words, lists, and the org's keywords as they
// were known last. Its error is a word that cannot be one, or the store's.
func New(ctx context.Context, p Ports, l Lists) (*Consent, error) {
	own, err := NewVocabulary(l)
	if err != nil {
		return nil, fmt.Errorf("consent: %w", err)
	}
	c := &Consent{ports: p, own: own, known: make(chan struct{})}
	if c.began, err = p.Progress.Begun(ctx, time.Now()); err != nil {
		return nil, err
	}
	known, err := p.Keywords.Keywords(ctx)
	if err != nil {
		return nil, err
	}
	c.learnt(known)
	return c, nil
}

// Install makes the register read the words of messages by this engine's.
func (c *Consent) Install() {
	c.ports.Register.Use(func(text, optOut string) Reading { return c.now.Load().words.Read(text, optOut) })
}

func (c *Consent) learnt(all []Keyword) {
	words, refused := c.own.With(all)
	c.now.Store(&state{words, all, refused})
}

// SetKeywords makes these the org's keywords, all of them.
func (c *Consent) SetKeywords(ctx context.Context, all []Keyword) error {
	if slices.Equal(all, c.now.Load().keywords) {
		return nil
	}
	if err := c.ports.Keywords.KeepKeywords(ctx, all); err != nil {
		return err
	}
	c.learnt(slices.Clone(all))
	c.noteKeywords()
	return nil
}

// mostReply is how many characters Twilio sends at most.
// https://www.twilio.com/docs/api/errors/21617
const mostReply = 1600

// noteKeywords tells which keywords of the org's are none, and whose reply nobody
// gets.
func (c *Consent) noteKeywords() {
	now := c.now.Load()
	var wrong []string
	for _, r := range now.refused {
		wrong = append(wrong, fmt.Sprintf("%q %s, so it does nothing", r.Word, r.Why))
	}
	for _, k := range now.keywords {
		if n := utf8.RuneCountInString(k.Reply); n > mostReply {
			wrong = append(wrong, fmt.Sprintf("the reply of %q has %d characters, and Twilio sends none with more than %d", k.Word, n, mostReply))
		}
	}
	if len(wrong) == 0 {
		c.ports.Health.Clear(condKeywords)
		return
	}
	c.ports.Health.Raise(health.Condition{
		Name: condKeywords, Severity: health.Notice,
		Cause:  "Opt-in keywords of the org are wrong: " + strings.Join(wrong, "; ") + ".",
		Remedy: "Name their records by words of their own, without blanks, that neither Twilio nor consent in the configuration reads otherwise, and shorten the replies.",
	})
}

// Learn takes in opt-ins that the org shows.
func (c *Consent) Learn(ctx context.Context, rows []message.OptIn) error {
	return c.ports.Register.Learn(ctx, rows)
}

// Moved ends the keyword opt-ins of a number that nobody has any more, those that
// came from it by WhatsApp too, which is the same person's.
func (c *Consent) Moved(ctx context.Context, number message.Number, at time.Time) error {
	return errors.Join(c.ports.Register.Moved(ctx, number, at), c.ports.Register.Moved(ctx, "whatsapp:"+number, at))
}

// Allowed answers "may we?", as Register.Allowed says.
func (c *Consent) Allowed(ctx context.Context, numbers []message.Number, keyword string) (map[message.Number]bool, error) {
	return c.ports.Register.Allowed(ctx, numbers, keyword)
}

// Reply is what the person is answered at once for an event that has been kept: a
// keyword's own text. It is "" for everything else, for Twilio itself answers STOP,
// START and HELP; and for a number that has opted out, which a keyword does not
// change.
func (c *Consent) Reply(ctx context.Context, e *message.Event) string {
	if e.Kind != message.InboundEvent {
		return ""
	}
	r := c.now.Load().words.Read(e.Body, e.OptOut)
	if r.Class != Join || r.Keyword.Reply == "" {
		return ""
	}
	may, err := c.ports.Register.Allowed(ctx, []message.Number{e.From}, r.Keyword.ID)
	if err != nil || !may[e.From] {
		return "" // a reply that is in doubt is not made
	}
	return r.Keyword.Reply
}

const (
	firstPause = 15 * time.Second
	mostPause  = 10 * time.Minute
)

// Run fills the register from the org where that has not been done yet, until it
// is done or ctx ends. What keeps it from that, the poll of the org tells, which
// reads the same rows.
func (c *Consent) Run(ctx context.Context) {
	c.noteKeywords()
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = firstPause, mostPause
	for {
		err := c.fill(ctx)
		if err == nil || errors.Is(err, ErrNone) {
			c.knows.Do(func() { close(c.known) })
		}
		if err == nil {
			return
		}
		timer := time.NewTimer(max(pause.NextBackOff(), fault.After(err)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// fill takes over the org's opt-ins, a page at a time, from where it was left.
func (c *Consent) fill(ctx context.Context) error {
	place, done, err := c.ports.Progress.Filled(ctx)
	for err == nil && !done {
		var rows []message.OptIn
		var next string
		if rows, next, err = c.ports.Rows.OptIns(ctx, place); err != nil {
			return err
		}
		if next != "" {
			place = next
		}
		done = next == ""
		err = c.ports.Progress.Fill(ctx, rows, place, done)
	}
	return err
}

// Began is when the filling of the register from the org did. Who learns of rows
// as they change need not learn of those that changed before.
func (c *Consent) Began() time.Time { return c.began }

// Known waits until the register holds what the org knows: until then, a number
// that the org has as opted out may pass for one that has not (P6).
func (c *Consent) Known(ctx context.Context) error {
	select {
	case <-c.known:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

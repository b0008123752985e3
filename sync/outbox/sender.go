package outbox

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
)

// Sender is what a message is sent from: a number, a Messaging Service, or a
// number out of a service's pool.
type Sender struct {
	Number  message.Number
	Service string
}

// Lane is the line that the sender's messages wait in: the pace is a service's
// where there is one.
func (s Sender) Lane() string {
	if s.Service != "" {
		return s.Service
	}
	return string(s.Number)
}

// Senders are what an account can send from.
type Senders struct {
	Numbers  []message.Number            // with their channel, if not SMS
	Services map[string][]message.Number // and their pools
}

// whatsApp is the channel before a number.
const whatsApp = "whatsapp:"

// channel is what stands before a number, "" for SMS and MMS.
func channel(n message.Number) string {
	prefix, _, found := strings.Cut(string(n), ":")
	if !found {
		return ""
	}
	return prefix + ":"
}

// has says whether a number is the account's. Which alphanumeric senders and which
// channel addresses an account has, Twilio tells nobody: it has the last word.
func (s *Senders) has(n message.Number) bool {
	return alphanumeric(n) || channel(n) != "" || slices.Contains(s.Numbers, n) || s.pooled(n)
}

func (s *Senders) pooled(n message.Number) bool {
	for _, pool := range s.Services {
		if slices.Contains(pool, n) {
			return true
		}
	}
	return false
}

// knows says whether the account has a sender.
func (s *Senders) knows(x Sender) bool {
	if x.Service == "" {
		return s.has(x.Number)
	}
	pool, ours := s.Services[x.Service]
	return ours && (x.Number == "" || slices.Contains(pool, x.Number))
}

var (
	serviceSID = regexp.MustCompile(`^MG[0-9a-fA-F]{32}$`)
	shortCode  = regexp.MustCompile(`^[0-9]{3,8}$`)
	letters    = regexp.MustCompile(`^[A-Za-z0-9 _&+-]{1,11}$`)
)

// alphanumeric says whether a sender is a name.
// https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id
func alphanumeric(n message.Number) bool {
	return letters.MatchString(string(n)) && strings.ContainsFunc(string(n), func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' })
}

// ReadSender reads a sender as people write it: a number, with "whatsapp:" before
// it or not, a short code, a name, or a Messaging Service's SID. ok is false for
// anything else.
func ReadSender(text, country string) (s Sender, ok bool) {
	text = strings.TrimSpace(text)
	switch {
	case serviceSID.MatchString(text):
		return Sender{Service: text}, true
	case shortCode.MatchString(text), alphanumeric(message.Number(text)):
		return Sender{Number: message.Number(text)}, true
	}
	n, err := phone.Parse(text, country)
	return Sender{Number: n}, err == nil
}

// fit makes a sender one that reaches to: a WhatsApp number is reached from our
// number's WhatsApp side. ok is false where it cannot.
func (s Sender) fit(to message.Number) (Sender, bool) {
	want, has := channel(to), channel(s.Number)
	switch {
	case s.Number == "" || want == has:
		return s, true
	case has == "" && !alphanumeric(s.Number) && !shortCode.MatchString(string(s.Number)):
		s.Number = message.Number(want) + s.Number
		return s, true
	default:
		return s, false
	}
}

// choice is one draft that needs a sender.
type choice struct {
	draft *message.Draft
	to    message.Number
}

// rule is one way to choose a sender. ok is false where it does not apply.
type rule func(ctx context.Context, c choice) (s Sender, ok bool, f *Refusal, err error)

// chooser chooses senders for a batch of drafts.
type chooser struct {
	*Outbox
	ours  *Senders
	fresh bool // ours was read just now
	used  map[message.Number]Sender
}

// choose goes through the rules in their order.
func (c *chooser) choose(ctx context.Context, of choice) (Sender, *Refusal, error) {
	for _, r := range []rule{c.draftsOwn, c.personal, c.lastUsed, c.byDefault} {
		s, ok, f, err := r(ctx, of)
		if ok || f != nil || err != nil {
			return s, f, err
		}
	}
	return Sender{}, refuse(21603, "Sender: none is given, nobody's number and no earlier conversation gives one, and there is no default. Fill it in, or ask the administrator to set twilio.sender."), nil
}

// draftsOwn: what the record names.
func (c *chooser) draftsOwn(ctx context.Context, of choice) (Sender, bool, *Refusal, error) {
	if strings.TrimSpace(of.draft.Sender) == "" {
		return Sender{}, false, nil, nil
	}
	s, ok := ReadSender(of.draft.Sender, c.o.Country)
	if !ok {
		return s, false, refuse(21212, "Sender: it is neither a number nor a Messaging Service's SID (MG and 32 hexadecimal digits). Correct it, or leave it empty."), nil
	}
	known, err := c.known(ctx, s)
	switch {
	case err != nil:
		return s, false, nil, err
	case !known:
		return s, false, refuse(21606, "Sender: the Twilio account has no such number or Messaging Service. Correct it, or leave it empty."), nil
	}
	return c.fitted(s, of)
}

// fitted says what is wrong with a sender that was named and does not fit.
func (c *chooser) fitted(s Sender, of choice) (Sender, bool, *Refusal, error) {
	s, ok := s.fit(of.to)
	switch {
	case ok:
		return s, true, nil, nil
	case channel(of.to) == whatsApp:
		return s, false, refuse(63007, "Sender: a WhatsApp number is reached from a WhatsApp sender only (whatsapp: and the number)."), nil
	default:
		return s, false, refuse(21212, "Sender: it belongs to another channel than the To number."), nil
	}
}

// known asks Twilio once more where a sender is missing: it may be new.
func (c *chooser) known(ctx context.Context, s Sender) (bool, error) {
	if c.ours.knows(s) || c.fresh {
		return c.ours.knows(s), nil
	}
	ours, err := c.senders.again(ctx, c.Account.Senders)
	if err != nil {
		return false, err
	}
	c.ours, c.fresh = ours, true
	return ours.knows(s), nil
}

// Knows says whether the account has a sender, which is a number or a Messaging
// Service's SID.
func (o *Outbox) Knows(ctx context.Context, sender string) (bool, error) {
	s, ok := ReadSender(sender, o.o.Country)
	if !ok {
		return false, nil
	}
	ours, err := o.senders.get(ctx, o.Account.Senders)
	if err != nil {
		return false, err
	}
	return (&chooser{Outbox: o, ours: ours}).known(ctx, s)
}

// personal: the number of the record's owner.
func (c *chooser) personal(ctx context.Context, of choice) (Sender, bool, *Refusal, error) {
	if of.draft.Owner == "" || c.Personal == nil {
		return Sender{}, false, nil, nil
	}
	n, err := c.Personal.Personal(ctx, of.draft.Owner, c.ours.Numbers)
	if err != nil || n == "" {
		return Sender{}, false, nil, err
	}
	if !c.ours.has(n) {
		return Sender{}, false, nil, nil
	}
	s, ok := Sender{Number: n}.fit(of.to)
	// Few numbers have a WhatsApp side; a pool tells which.
	return s, ok && (channel(s.Number) == "" || c.ours.pooled(s.Number)), nil, nil
}

// lastUsed: what this conversation has used last, if it is still ours.
func (c *chooser) lastUsed(_ context.Context, of choice) (Sender, bool, *Refusal, error) {
	s, ok := c.used[of.to]
	if !ok {
		return s, false, nil, nil
	}
	if s.Service != "" && !c.ours.knows(s) { // the number has left the pool
		s.Service = ""
	}
	if !c.ours.knows(s) {
		return s, false, nil, nil
	}
	s, ok = s.fit(of.to)
	return s, ok && (s.Number != "" || s.Service != ""), nil, nil
}

// byDefault: the configured one.
func (c *chooser) byDefault(ctx context.Context, of choice) (Sender, bool, *Refusal, error) {
	if c.o.Sender == (Sender{}) {
		return Sender{}, false, nil, nil
	}
	known, err := c.known(ctx, c.o.Sender)
	switch {
	case err != nil:
		return Sender{}, false, nil, err
	case !known:
		return Sender{}, false, refuse(21606, "Sender: the default sender is not in the Twilio account. Fill one in, or ask the administrator to correct twilio.sender."), nil
	}
	return c.fitted(c.o.Sender, of)
}

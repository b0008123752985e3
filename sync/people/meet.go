package people

import (
	"context"
	"slices"
	"strings"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
)

// Twilio's codes of messages that a person or a carrier on their behalf does not
// want. https://www.twilio.com/docs/api/errors/21610 https://www.twilio.com/docs/api/errors/30004
const (
	codeOptedOut = 21610
	codeBlocked  = 30004
)

// Meet answers, for each message in order, which records the other party's number
// belongs to and who is to own the message's record. It also keeps what became of
// the newest message to a person; that this fails is never the message's trouble.
func (e *Engine) Meet(ctx context.Context, batch []*message.Message) ([]message.Links, error) {
	links := make([]message.Links, len(batch))
	if err := e.load(ctx); err != nil {
		return nil, err
	}
	if e.o.Link || e.o.Own { // else nobody is linked anyway
		if err := e.introduced(ctx); err != nil {
			return nil, err
		}
	}
	keys, found, err := e.find(ctx, batch)
	if err != nil {
		return nil, err
	}
	personal := *e.personal.Load()
	if !e.o.Own {
		personal = nil
	}
	if len(found) == 0 && len(personal) == 0 {
		return links, nil
	}
	var notes []Noted
	for i := range batch {
		matches := found[keys[i]]
		e.link(&links[i], matches)
		if links[i].Owner == "" && len(personal) > 0 {
			links[i].Owner = personal[phone.KeyOf(batch[i].Ours())]
		}
		notes = note(notes, batch[i], keys[i], matches)
	}
	if len(notes) > 0 {
		if err := e.Directory.Note(ctx, newest(notes)); !fault.Stopped(ctx, err) {
			e.noteStatus(err)
		}
	}
	return links, nil
}

// find answers the key of each message's other party, and who has it.
func (e *Engine) find(ctx context.Context, batch []*message.Message) ([]phone.Key, map[phone.Key][]Match, error) {
	keys := make([]phone.Key, len(batch))
	if e.indexed.Load() == 0 {
		return keys, nil, nil
	}
	for i := range batch {
		keys[i] = phone.KeyOf(batch[i].Theirs())
	}
	found, err := e.Directory.Find(ctx, distinct(keys))
	if err != nil {
		return nil, nil, err
	}
	e.count(keys, found)
	return keys, found, nil
}

// distinct are the numbers to look up, each once.
func distinct(keys []phone.Key) []phone.Key {
	all := slices.Clone(keys)
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) > 0 && all[0] == 0 {
		all = all[1:]
	}
	return all
}

// ranks are the objects in the order in which their owner counts; all others
// come after them.
var ranks = []string{Contact, Lead, Account, Case}

func rank(object string) int {
	if i := slices.Index(ranks, object); i >= 0 {
		return i
	}
	return len(ranks)
}

// link takes the records that are the only ones of their object.
func (e *Engine) link(to *message.Links, matches []Match) {
	best := len(ranks) + 1
	for _, m := range matches {
		if m.Records != 1 {
			continue
		}
		if e.o.Link {
			to.People = append(to.People, message.Link{Object: m.Object, ID: m.ID})
		}
		if r := rank(m.Object); e.o.Own && isUser(m.Owner) && r < best {
			best, to.Owner = r, m.Owner
		}
	}
}

// isUser tells a user's id from a queue's, which can own a record of an object
// only where an admin has said so.
// https://help.salesforce.com/s/articleView?id=000385203&type=1
func isUser(id string) bool { return strings.HasPrefix(id, "005") }

// note adds what became of a message to a person who is the only one with the
// number. A Contact and a Lead each have a status of their own.
func note(notes []Noted, m *message.Message, key phone.Key, matches []Match) []Noted {
	status := outcome(m)
	if status == "" {
		return notes
	}
	for _, match := range matches {
		if match.Records == 1 && (match.Object == Contact || match.Object == Lead) {
			notes = append(notes, Noted{Key: key, Status: message.LastStatus{
				Person: message.Link{Object: match.Object, ID: match.ID}, Status: status, At: m.Created,
			}})
		}
	}
	return notes
}

// outcome is the status as people see it, "" while it may change and for what
// never went to anybody.
func outcome(m *message.Message) string {
	switch {
	case m.Direction == message.Inbound:
		return ""
	case m.Status == message.Delivered || m.Status == message.Read:
		return "delivered"
	case m.Status != message.Undelivered && m.Status != message.Failed:
		return ""
	case m.ErrorCode == codeOptedOut || m.ErrorCode == codeBlocked:
		return "blocked"
	default:
		return string(m.Status)
	}
}

// newest keeps one of each person.
func newest(notes []Noted) []Noted {
	at := make(map[string]int, len(notes))
	kept := notes[:0]
	for _, n := range notes {
		i, twice := at[n.Status.Person.ID]
		switch {
		case !twice:
			at[n.Status.Person.ID] = len(kept)
			kept = append(kept, n)
		case !n.Status.At.Before(kept[i].Status.At):
			kept[i] = n
		}
	}
	return kept
}

func (e *Engine) count(keys []phone.Key, found map[phone.Key][]Match) {
	var one, several, none float64
	for _, key := range keys {
		matches := found[key]
		switch {
		case len(matches) == 0:
			none++
		case slices.ContainsFunc(matches, func(m Match) bool { return m.Records == 1 }):
			one++
		default:
			several++
		}
	}
	e.metrics.matches.WithLabelValues("one").Add(one)
	e.metrics.matches.WithLabelValues("several").Add(several)
	e.metrics.matches.WithLabelValues("none").Add(none)
}

package campaign

import (
	"context"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
)

// Draft is what the outbox is asked to send to a recipient, handed over at a time.
func (r *Run) Draft(to *Recipient, at time.Time) message.Draft {
	body := to.Text
	if body == "" {
		body = r.Campaign.Body
	}
	return message.Draft{
		ID: Key(r.Campaign.ID, to.N), Bulk: r.Campaign.ID, Keyword: r.Campaign.Keyword, Ask: message.AskSend, To: string(to.Number),
		Sender: r.Sender, Body: body, Media: r.Campaign.Media, SendAt: at, Modified: at,
	}
}

// ReadDrafts reads what attempts of campaigns ask for now, by their keys, for the
// outbox.
//
// What was handed over long ago, before an outage or a restart, is given back: its
// recipient is handed over again, when it is not quiet.
func (e *Engine) ReadDrafts(ctx context.Context, keys []string) ([]message.Draft, error) {
	all, err := e.Handing.Drafts(ctx, keys)
	for i := range all {
		if d := &all[i]; d.Ask == message.AskSend && time.Since(d.SendAt) > backAfter {
			d.Ask = message.AskDraft
		}
	}
	return all, err
}

// WriteBack writes the records of those whom the outbox could not send to. It
// answers one outcome each, in order: nil, ErrGone when nobody has the key, or a
// fault. It may be repeated.
func (e *Engine) WriteBack(ctx context.Context, results []message.Result) ([]error, error) {
	all, err := e.Results.Unsent(ctx, results)
	if err != nil {
		return nil, err
	}
	outcomes := make([]error, len(results))
	var known []Unsent
	var at []int
	for i := range all {
		if all[i].Key == "" {
			outcomes[i] = ErrGone
			continue
		}
		known, at = append(known, all[i]), append(at, i)
	}
	if len(known) == 0 {
		return outcomes, nil
	}
	some, err := e.Org.Record(ctx, known)
	if err == nil {
		err = counted(len(some), len(known))
	}
	if err != nil {
		return nil, err
	}
	for i, outcome := range some {
		outcomes[at[i]] = outcome
	}
	return outcomes, nil
}

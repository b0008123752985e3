package outbox

import (
	"context"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// planTurn checks what has been asked for and gives it a sender.
func (o *Outbox) planTurn(ctx context.Context) (time.Duration, error) {
	batch, err := o.Ledger.Due(ctx, Fresh, time.Now(), BatchSize)
	if err != nil {
		return 0, err
	}
	if len(batch) == 0 {
		return until(o.Ledger.NextDue(ctx, Fresh))
	}
	o.reread(ctx, batch)
	if err := o.prepare(ctx, batch); err != nil {
		return 0, err
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	revised, err := o.Ledger.Revise(ctx, batch)
	if err != nil {
		return 0, err
	}
	o.planned(batch, revised)
	return 0, nil
}

// planned tells those who go on with what was revised.
func (o *Outbox) planned(batch []Attempt, revised []bool) {
	for i := range batch {
		if !revised[i] {
			continue
		}
		switch a := &batch[i]; a.State {
		case Ready:
			o.wakeLane(a.Sender)
		case Refused:
			o.metrics.ended.WithLabelValues(string(Refused)).Inc()
			o.write.Ring()
		case Dropped:
			o.metrics.ended.WithLabelValues(string(Dropped)).Inc()
		default:
		}
	}
}

// reread reads records again that may have changed since: what waited for its
// time, or for us to start.
func (o *Outbox) reread(ctx context.Context, batch []Attempt) {
	var all []*Attempt
	for i := range batch {
		if batch[i].Reread {
			all = append(all, &batch[i])
		}
	}
	if len(all) == 0 {
		return
	}
	drafts, err := o.readDrafts(ctx, all)
	for _, a := range all {
		a.renew(drafts[a.Draft.ID], err, time.Now())
	}
}

// readDrafts reads the records of at most BatchSize attempts, by their ids.
func (o *Outbox) readDrafts(ctx context.Context, of []*Attempt) (map[string]*message.Draft, error) {
	ids := make([]string, len(of))
	for i, a := range of {
		ids[i] = a.Draft.ID
	}
	drafts, err := o.Org.ReadDrafts(ctx, ids)
	if err != nil {
		o.org.Had(ctx, err)
		return nil, err
	}
	o.org.Over()
	byID := make(map[string]*message.Draft, len(drafts))
	for i := range drafts {
		byID[drafts[i].ID] = &drafts[i]
	}
	return byID, nil
}

// wants says whether a record as it was read asks to be sent; nil: it is gone.
func wants(d *message.Draft) bool { return d != nil && !d.Deleted && d.Ask == message.AskSend }

// stillWants is wants for what goes once more. Its record may show what a human has
// decided about meanwhile.
func (a *Attempt) stillWants(d *message.Draft) bool {
	return wants(d) || d != nil && !d.Deleted && d.Ask == message.AskUncertain && !a.Since.IsZero() && a.Result.Status == message.Uncertain
}

// renew is an attempt whose record was read again; nil: it is gone.
func (a *Attempt) renew(d *message.Draft, err error, now time.Time) {
	switch {
	case err != nil:
		a.putOff(err, now)
		return
	case !a.stillWants(d):
		if d != nil {
			a.Draft = *d
		}
		a.drop(now)
	case !a.Since.IsZero(): // it goes as it has gone before
		a.Reread = false
	default:
		a.Draft, a.Reread, a.Due = *d, d.SendAt.After(now), d.SendAt
	}
	a.Read = now
}

// putOff leaves an attempt alone for a while.
func (a *Attempt) putOff(err error, now time.Time) {
	pause := min(time.Second<<min(a.Tries, 6), time.Minute)
	a.Tries++
	a.Due = now.Add(max(pause, fault.After(err)))
}

// prepare checks attempts and chooses their senders.
func (o *Outbox) prepare(ctx context.Context, batch []Attempt) error {
	now := time.Now()
	var todo []*Attempt
	for i := range batch {
		a := &batch[i]
		if a.State != Fresh || a.Reread || a.Due.After(now) {
			continue
		}
		if !a.Since.IsZero() {
			a.again() // its line refuses what is too late
			continue
		}
		out, f := checked(&a.Draft, o.o.Country)
		a.Out = out
		if f == nil && o.tooLate(a, now) {
			f = late(o.o.LateLimit)
		}
		if f != nil {
			a.refuse(f, now)
			continue
		}
		todo = append(todo, a)
	}
	if len(todo) == 0 {
		return nil
	}
	ours, err := o.senders.get(ctx, o.Account.Senders)
	if err != nil {
		o.twilio.Had(ctx, err)
		for _, a := range todo {
			a.putOff(err, now)
		}
		return nil // Twilio's trouble is told; the attempts wait
	}
	return o.assign(ctx, todo, &chooser{Outbox: o, ours: ours})
}

// tooLate says whether the time of an attempt is too long ago.
func (o *Outbox) tooLate(a *Attempt, now time.Time) bool {
	at := a.Draft.SendAt
	if at.IsZero() {
		at = a.Draft.Modified
	}
	return now.Sub(at) > o.o.LateLimit
}

// assign chooses a sender for each.
func (o *Outbox) assign(ctx context.Context, todo []*Attempt, c *chooser) error {
	used, unknown, err := o.conversations(ctx, c, todo)
	if err != nil && fault.Of(err) == nil {
		return err
	}
	c.used = used
	now := time.Now()
	for _, a := range todo {
		if unknown[a.Out.To] && strings.TrimSpace(a.Draft.Sender) == "" {
			a.putOff(err, now)
			continue
		}
		s, f, err := c.choose(ctx, choice{draft: &a.Draft, to: a.Out.To})
		switch {
		case err != nil && fault.Of(err) == nil:
			return err
		case err != nil:
			o.twilio.Had(ctx, err)
			a.putOff(err, now)
		case f != nil:
			a.refuse(f, now)
		default:
			a.State, a.Sender, a.Due, a.Tries = Ready, s.Lane(), a.turn(), 0
			a.Out.From, a.Out.Service = s.Number, s.Service
		}
	}
	return nil
}

// conversations are the senders that conversations have used last, for drafts that
// need to know. unknown are those of which the org did not answer, with its error.
func (o *Outbox) conversations(ctx context.Context, c *chooser, todo []*Attempt) (used map[message.Number]Sender, unknown map[message.Number]bool, err error) {
	var theirs []message.Number
	for _, a := range todo {
		if strings.TrimSpace(a.Draft.Sender) != "" {
			continue
		}
		_, ok, _, err := c.personal(ctx, choice{draft: &a.Draft, to: a.Out.To})
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			theirs = append(theirs, a.Out.To)
		}
	}
	if len(theirs) == 0 {
		return nil, nil, nil
	}
	if used, err = o.Conversations.Last(ctx, theirs); err != nil {
		return nil, nil, err
	}
	missing := map[message.Number]bool{}
	for _, n := range theirs {
		if _, ok := used[n]; !ok {
			missing[n] = true
		}
	}
	if len(missing) == 0 || o.History == nil {
		return used, nil, nil
	}
	return o.askHistory(ctx, used, missing)
}

func (o *Outbox) askHistory(ctx context.Context, used map[message.Number]Sender, missing map[message.Number]bool) (map[message.Number]Sender, map[message.Number]bool, error) {
	theirs := make([]message.Number, 0, len(missing))
	for n := range missing {
		theirs = append(theirs, n)
	}
	found, err := o.History.LastSenders(ctx, theirs)
	if err != nil {
		o.org.Had(ctx, err)
		return used, missing, err
	}
	o.org.Over()
	learnt := map[message.Number]Sender{}
	for theirs, ours := range found {
		learnt[theirs] = Sender{Number: ours}
		used[theirs] = learnt[theirs]
	}
	return used, nil, o.Conversations.Note(ctx, learnt)
}

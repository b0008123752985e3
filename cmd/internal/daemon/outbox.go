package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/config"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/outbox"
	"github.com/twiliosf/twiliosf/sync/phone"
	"github.com/twiliosf/twiliosf/sync/store"
	"github.com/twiliosf/twiliosf/twilio"
)

// buildOutbox plugs in what sends.
func (g *generation) buildOutbox() (err error) {
	sender, ok := outbox.ReadSender(g.cfg.Twilio.Sender, "")
	if !ok && g.cfg.Twilio.Sender != "" {
		return &ConfigError{errors.New("twilio.sender: it is neither a number nor a Messaging Service's SID")}
	}
	b, c := g.store.Outbox(), g.cfg.Outbox
	g.outbox, err = outbox.New(outbox.Ports{
		Account: outgoing{g.account}, Studio: g.account, Org: asking{wishes{g.records}, g}, History: g.records,
		Personal: &personalNumbers{directory: g.store.People()}, Ledger: b, Intents: b, Lines: b, Results: b, Claims: b,
		Conversations: g.store.Conversations(), Books: b, Requests: b, Health: g.health,
	}, outbox.Options{
		Country: g.cfg.People.Country, Sender: sender, SettleAfter: c.SettleAfter, Hold: c.Uncertain == config.UncertainHold,
		LateLimit: c.LateLimit, Rates: outbox.Rates(g.cfg.Campaigns.Rates), Callback: g.cfg.Twilio.Webhook.PublicURL, InFlight: g.cfg.Twilio.Concurrency, Grace: g.cfg.Drain / 4,
		Begin: g.consent.Known, Sent: g.sent, Log: g.log, Metrics: g.metrics,
	})
	return err
}

// send runs the outbox.
func (g *generation) send(ctx context.Context) {
	g.store.Outbox().OnBound(g.outbox.Wake)
	// It ends with its context's cause, which is no news here.
	_ = g.outbox.Run(ctx) //nolint:errcheck // see above
}

// sentTogether is for how long messages that were sent are gathered before they are
// written: a campaign's would take a call each. A record that has asked for its
// message shows it by then, because the outbox writes it back.
const sentTogether = 15 * time.Second

// sent merges what Twilio has answered, so that a status callback finds its
// message known and need not ask for it.
func (g *generation) sent(ctx context.Context, m message.Message) {
	n, _, err := g.store.Merge(ctx, []message.Message{m})
	if err != nil {
		g.log.Info("a message that was sent was not merged; a sweep will", zap.Error(err))
	}
	if n > 0 && g.waking.CompareAndSwap(false, true) {
		time.AfterFunc(sentTogether, func() {
			g.waking.Store(false)
			g.mirror.Writer.Wake()
		})
	}
}

// outboxParts are what the poll reads for the outbox.
func (g *generation) outboxParts() []records.Part {
	return []records.Part{
		g.records.DraftsPart(func(ctx context.Context, all []message.Draft) error { return g.outbox.Take(ctx, all) }),
		g.records.StudioPart(func(ctx context.Context, all []message.StudioRequest) error { return g.outbox.TakeRequests(ctx, all) }),
	}
}

// outgoing is the account as the outbox knows it.
type outgoing struct{ *twilio.Account }

// Outgoing implements outbox.Account.
func (a outgoing) Outgoing(ctx context.Context, to message.Number, since time.Time, page func([]message.Message) (bool, error)) error {
	err := a.Account.Outgoing(ctx, message.SentQuery{To: to, Since: since}, page)
	if fault.CodeOf(err) == twilio.CodeUnreadableRow {
		return fmt.Errorf("%w: %w", outbox.ErrPartial, err)
	}
	return err
}

// Senders implements outbox.Account.
func (a outgoing) Senders(ctx context.Context) (outbox.Senders, error) {
	all, err := a.Account.Senders(ctx)
	s := outbox.Senders{Services: make(map[string][]message.Number, len(all.Services))}
	for i := range all.Numbers {
		s.Numbers = append(s.Numbers, all.Numbers[i].Number)
	}
	for i := range all.Services {
		s.Services[all.Services[i].SID] = all.Services[i].Pool
	}
	return s, err
}

// wishes are the org's records that ask for something.
type wishes struct{ *records.Messages }

// WriteBack implements outbox.Org.
func (w wishes) WriteBack(ctx context.Context, results []message.Result) ([]error, error) {
	outcomes, err := w.Messages.WriteBack(ctx, results)
	return goneIn(outcomes), err
}

// WriteStudio implements outbox.Org.
func (w wishes) WriteStudio(ctx context.Context, results []message.StudioResult) ([]error, error) {
	outcomes, err := w.Messages.WriteStudio(ctx, results)
	return goneIn(outcomes), err
}

// goneIn puts the outbox's word for a record that is no more in place of
// Salesforce's.
func goneIn(outcomes []error) []error {
	for i, err := range outcomes {
		if fault.CodeOf(err) == salesforce.CodeEntityIsDeleted {
			outcomes[i] = outbox.ErrGone
		}
	}
	return outcomes
}

// personalFor is how long the users' numbers are taken as known.
const personalFor = 5 * time.Second

// personalNumbers answers whose a number of ours is.
type personalNumbers struct {
	directory store.People
	mu        sync.Mutex
	users     map[phone.Key]string
	read      time.Time
}

// Personal implements outbox.Personal. Of several numbers of one user it is always
// the same.
func (p *personalNumbers) Personal(ctx context.Context, user string, ours []message.Number) (message.Number, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.users == nil || time.Since(p.read) > personalFor {
		users, err := p.directory.Personal(ctx)
		if err != nil {
			return "", err
		}
		p.users, p.read = users, time.Now()
	}
	if len(p.users) == 0 {
		return "", nil
	}
	var own []message.Number
	for _, n := range ours {
		if key := phone.KeyOf(n); key != 0 && p.users[key] == user {
			own = append(own, n)
		}
	}
	if len(own) == 0 {
		return "", nil
	}
	return slices.Min(own), nil
}

// claims tells the mirror which messages records have asked for.
type claims struct{ g *generation }

// Whose implements mirror.Sends.
func (c claims) Whose(ctx context.Context, messages []*message.Message) ([]mirror.Claim, error) {
	answers, err := c.g.outbox.Whose(ctx, messages)
	all := make([]mirror.Claim, len(answers))
	for i, a := range answers {
		switch a.Kind {
		case outbox.Stranger:
			all[i].Bulk = a.Bulk
		case outbox.Bound:
			all[i].Record = a.Record
		case outbox.RejectedOf:
			all[i].Record, all[i].Rejected, all[i].Told = a.Record, true, a.Bulk != ""
		case outbox.Wait:
			all[i].Wait = true
		}
	}
	return all, err
}
